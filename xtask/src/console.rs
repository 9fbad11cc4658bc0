//! The web console: its packages, its checks, its bundle, and the browser that tests it.
//!
//! The bundle in runtime/assets/console is committed, so that building the runtime needs no Node.
//! Refuses a bundle that is not what the sources make. Invariant: checking changes nothing but
//! dashboard/node_modules and target/.

use crate::failure::{Context, Failure, Result};
use crate::shell::{captured, on_path};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Oldest Node that Vite runs on.
const NODE_MAJOR_MIN: u32 = 20;
const CHROMIUMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What to do with the bundle that was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Compare it with the committed one.
    Check,
    /// Put it in its place.
    Write,
}

/// Type check, unit tests, a build; then as `mode` says.
pub(crate) fn run(root: &Path, mode: Mode) -> Result<()> {
    install_packages(root)?;
    let dashboard = root.join("dashboard");
    captured(npm(&dashboard).args(["run", "check"]))?;
    let committed = root.join("runtime/assets/console");
    let built = match mode {
        Mode::Write => committed.clone(),
        Mode::Check => root.join("target/console/bundle"),
    };
    let place = [
        "--outDir".as_ref(),
        built.as_os_str(),
        "--emptyOutDir".as_ref(),
    ];
    captured(npm(&dashboard).args(["run", "build", "--"]).args(place))?;
    if mode == Mode::Write {
        return Ok(());
    }
    let differing = differing(&files(&committed)?, &files(&built)?);
    if differing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "runtime/assets/console is not what dashboard/ makes ({}): run `cargo xtask console --write` and commit",
        differing.join(", ")
    )))
}

/// The packages of package-lock.json, and nothing else; once per lock file.
pub(crate) fn install_packages(root: &Path) -> Result<()> {
    node()?;
    let dashboard = root.join("dashboard");
    let wanted =
        fs::read(dashboard.join("package-lock.json")).context("dashboard/package-lock.json")?;
    let done = dashboard.join("node_modules/.installed-lock.json");
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let install = ["ci", "--no-audit", "--no-fund"];
    captured(npm(&dashboard).args(install)).or_else(|failure| {
        // Before version 11 npm leaves out the compiled part of some packages.
        eprintln!("npm could not install the packages, trying a newer npm ({failure})");
        let mut newer = Command::new("npx");
        newer.current_dir(&dashboard).args(["--yes", "npm@11"]);
        captured(newer.args(install))
    })?;
    fs::write(&done, wanted).context(done.display())
}

/// Chromium, installed when root may.
pub(crate) fn browser() -> Result<PathBuf> {
    let named = std::env::var_os("BRIDGE_CHROMIUM").map(PathBuf::from);
    let find = || CHROMIUMS.into_iter().find_map(on_path);
    if let Some(found) = named.or_else(find) {
        return Ok(found);
    }
    if captured(Command::new("id").arg("-u"))?.trim() == "0" {
        eprintln!("no Chromium here: installing Debian's");
        let apt = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive");
            captured(command.arg("-q").args(arguments)).map(drop)
        };
        apt(&["update"])?;
        apt(&["install", "-y", "--no-install-recommends", "chromium"])?;
    }
    find().ok_or_else(|| {
        Failure::new(
            "no Chromium here: install it (Debian: apt-get install chromium), or name one with BRIDGE_CHROMIUM",
        )
    })
}

fn node() -> Result<()> {
    let advice = format!("the console needs Node {NODE_MAJOR_MIN} or later, with npm, on the path");
    let said = captured(Command::new("node").arg("--version"));
    let said = said.map_err(|failure| Failure::new(format!("{advice} ({failure})")))?;
    let major = said.trim().trim_start_matches('v').split('.').next();
    let major = major.and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
    if major < NODE_MAJOR_MIN {
        return Err(Failure::new(format!(
            "{advice}; this one is {}",
            said.trim()
        )));
    }
    Ok(())
}

fn npm(dashboard: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(dashboard);
    command
}

/// Content of every file below `folder`, by its path there.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).context(next.display())? {
            let path = entry.context(next.display())?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).context(path.display())?;
            let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
            found.insert(name, bytes);
        }
    }
    Ok(found)
}

/// Names of files that one of the two lacks or has otherwise.
fn differing(
    committed: &BTreeMap<PathBuf, Vec<u8>>,
    built: &BTreeMap<PathBuf, Vec<u8>>,
) -> Vec<String> {
    let all = committed.keys().chain(built.keys());
    let mut names: Vec<String> = all
        .filter(|name| committed.get(*name) != built.get(*name))
        .map(|name| name.display().to_string())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_or_changed_on_either_side_is_named_once() {
        let of = |files: &[(&str, &str)]| {
            let file =
                |(name, text): &(&str, &str)| (PathBuf::from(name), text.as_bytes().to_vec());
            files.iter().map(file).collect::<BTreeMap<_, _>>()
        };
        let committed = of(&[("app.js", "1"), ("app.css", "2"), ("old.js", "3")]);
        let built = of(&[("app.js", "1"), ("app.css", "other"), ("new.js", "4")]);
        assert_eq!(
            differing(&committed, &built),
            ["app.css", "new.js", "old.js"]
        );
        assert!(differing(&built, &built).is_empty());
    }
}
