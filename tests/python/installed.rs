//! Packages of Python for tests, installed once into `target`; python3 with venv is required.
//!
//! A file of its own because test binaries of several packages need it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs a program to its end; what it says is shown when it fails.
pub(crate) fn run(command: &mut Command) {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output();
    let output =
        output.unwrap_or_else(|error| panic!("{shown}: {error}; install python3 with venv"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown} failed:\n{said}");
}

/// The programs of an environment in `target/FOLDER` with these packages, installed once.
pub(crate) fn installed(folder: &str, requirements: &str) -> PathBuf {
    let target = root().join("target").join(folder);
    std::fs::create_dir_all(&target).expect("target can be written");
    let lock = std::fs::File::create(target.join("lock")).expect("target can be written");
    lock.lock().expect("the lock can be waited for");
    let (venv, done) = (target.join("venv"), target.join("installed"));
    let bin = venv.join("bin");
    let is_there = std::fs::read_to_string(&done).is_ok_and(|it| it == requirements);
    if is_there && bin.join("python").exists() {
        return bin;
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv));
    let wanted = target.join("requirements.txt");
    std::fs::write(&wanted, requirements).expect("target can be written");
    let install = ["install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(bin.join("python"))
        .args(["-m", "pip"])
        .args(install)
        .arg(&wanted));
    std::fs::write(&done, requirements).expect("target can be written");
    bin
}
