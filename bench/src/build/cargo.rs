//! cargo, run on a sample and timed.
//!
//! Refuses to go online: what is built here is built of what this workspace has locked. A cargo that
//! takes longer than [`PATIENCE`] is ended; a compiler it has started ends with its one crate.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::form::Profile;
use crate::failure::{Context, Failure, Result};
use crate::proc;

/// Time one command may take.
const PATIENCE: Duration = Duration::from_secs(480);

/// How often a running command is looked at; what its time is known by.
const LOOK: Duration = Duration::from_millis(2);

/// What a command took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) wall_s: f64,
    /// Of cargo and everything it started.
    pub(super) cpu_s: f64,
}

/// cargo in one package, with a target folder of its own.
#[derive(Debug)]
pub(super) struct Cargo {
    package: PathBuf,
    target: PathBuf,
    profile: Profile,
}

impl Cargo {
    pub(super) fn new(package: &Path, target: &Path, profile: Profile) -> Self {
        Self {
            package: package.to_owned(),
            target: target.to_owned(),
            profile,
        }
    }

    /// Runs `cargo SUBCOMMAND`.
    pub(super) fn run(&self, subcommand: &[&str]) -> Result<Taken> {
        self.timed(&mut self.command(subcommand))
    }

    /// The lines of the package with every macro expanded and every generated file included.
    pub(super) fn expanded_lines(&self, folder: &Path) -> Result<usize> {
        // The flag is a compiler's under development, which only the package itself is told to be:
        // told to cargo, it would have every dependency built again.
        let wrapper = folder.join("expand.sh");
        let script = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\"\n";
        fs::write(&wrapper, script).context(wrapper.display())?;
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))
            .context(wrapper.display())?;
        let output = folder.join("expanded.rs");
        let file = fs::File::create(&output).context(output.display())?;
        let mut command = self.command(&["rustc", "--", "-Zunpretty=expanded"]);
        command
            .env("RUSTC_WORKSPACE_WRAPPER", &wrapper)
            .stdout(file);
        self.timed(&mut command)?;
        let text = fs::read_to_string(&output).context(output.display())?;
        match text.lines().count() {
            0 => Err(Failure::new("rustc wrote nothing that was expanded")),
            lines => Ok(lines),
        }
    }

    /// Bytes of the program.
    pub(super) fn binary_bytes(&self, name: &str) -> Result<u64> {
        let path = self.target.join("debug").join(name);
        Ok(fs::metadata(&path).context(path.display())?.len())
    }

    fn command(&self, subcommand: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(subcommand.iter().take(1))
            .args(["--offline", "--quiet"])
            .args(subcommand.iter().skip(1))
            .current_dir(&self.package)
            .env("CARGO_TARGET_DIR", &self.target)
            .env_remove("CARGO_PROFILE_DEV_DEBUG")
            .envs(
                self.profile
                    .debug()
                    .map(|it| ("CARGO_PROFILE_DEV_DEBUG", it)),
            )
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_INCREMENTAL")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    }

    fn timed(&self, command: &mut Command) -> Result<Taken> {
        let what = format!("{command:?}");
        // A file, because nobody reads while it runs.
        let said = self.package.join("said.txt");
        command.stderr(fs::File::create(&said).context(said.display())?);
        let cpu = proc::children_cpu()?;
        let begun = Instant::now();
        let mut process = command.spawn().context(&what)?;
        while process.try_wait().context(&what)?.is_none() {
            if begun.elapsed() > PATIENCE {
                process.kill().context(&what)?;
                process.wait().context(&what)?;
                return Err(Failure::new(format!(
                    "{what} took longer than {PATIENCE:?}"
                )));
            }
            std::thread::sleep(LOOK);
        }
        let wall = begun.elapsed();
        if !process.wait().context(&what)?.success() {
            let said = fs::read_to_string(&said).context(said.display())?;
            return Err(Failure::new(format!("{what}: {}", said.trim())));
        }
        let cpu = proc::children_cpu()?.saturating_sub(cpu);
        Ok(Taken {
            wall_s: wall.as_secs_f64(),
            cpu_s: cpu.as_secs_f64(),
        })
    }
}
