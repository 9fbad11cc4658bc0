//! The map of a running runtime, asked through its own command line.
//!
//! `bridge` knows how to reach a runtime (socket, address, token); this asks it instead of knowing
//! the same again. Refuses to ask a program of that name that is somebody else's, such as the one for
//! network bridges that many systems have.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// The program, where one is named.
const PROGRAM_VARIABLE: &str = "BRIDGE_PROGRAM";
/// What it is called otherwise.
const PROGRAM: &str = if cfg!(windows) {
    "bridge.exe"
} else {
    "bridge"
};

/// What `bridge map` prints with these words.
pub(crate) fn map(words: &[&str]) -> Result<String, Failure> {
    let program = match std::env::var_os(PROGRAM_VARIABLE) {
        Some(named) => PathBuf::from(named),
        None => ours(&candidates())?,
    };
    let shown = program.display();
    let run = Command::new(&program)
        .arg("map")
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = run.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!(
            "`{shown}` is not installed: name another program in {PROGRAM_VARIABLE}, or give a file with --map"
        )),
        _ => Failure::usage(format!("`{shown}` cannot be started: {error}")),
    })?;
    if !output.status.success() {
        return Err(Failure::refused(format!(
            "`{shown} map` did not answer ({}): see above; {PROGRAM_VARIABLE} names another program to ask",
            output.status
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::refused(format!("`{shown} map` answered no text")))
}

/// Where the program may be, the best place first: beside this one, then on the path.
fn candidates() -> Vec<PathBuf> {
    let here = std::env::current_exe().ok();
    let here = here.and_then(|it| it.parent().map(Path::to_path_buf));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = here.into_iter().chain(std::env::split_paths(&path));
    let files = folders.map(|it| it.join(PROGRAM));
    files.filter(|it| it.is_file()).collect()
}

/// The first that is ours by what it says of its version.
fn ours(candidates: &[PathBuf]) -> Result<PathBuf, Failure> {
    let found = candidates.iter().find(|it| is_ours(it));
    found.cloned().ok_or_else(|| {
        let what = match candidates.first() {
            None => format!("`{PROGRAM}` is not installed"),
            Some(other) => format!("`{}` is another program of that name", other.display()),
        };
        Failure::usage(format!(
            "{what}: put bridge's own on the path or beside cargo-bridge, name it in \
             {PROGRAM_VARIABLE}, or give a file with --map"
        ))
    })
}

/// `bridge 1.2.3`: a name and a number, nothing between them.
fn is_ours(program: &Path) -> bool {
    let asked = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    asked.is_ok_and(|output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.strip_prefix("bridge ");
        output.status.success()
            && version.is_some_and(|it| it.starts_with(|first: char| first.is_ascii_digit()))
    })
}
