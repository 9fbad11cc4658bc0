//! The map of a running runtime, asked through its own command line.
//!
//! `bridge` knows how to reach a runtime (socket, address, token); this asks it instead of knowing
//! the same again.

use std::io;
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// The program, by another name where one is set.
const PROGRAM_VARIABLE: &str = "BRIDGE_PROGRAM";

/// What `bridge map` prints with these words.
pub(crate) fn map(words: &[&str]) -> Result<String, Failure> {
    let program = std::env::var(PROGRAM_VARIABLE).unwrap_or_else(|_| "bridge".to_owned());
    let run = Command::new(&program)
        .arg("map")
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output();
    let output = run.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::usage(format!(
            "`{program}` is not installed: put it on the path, name it in {PROGRAM_VARIABLE}, or \
             give a file with --map"
        )),
        _ => Failure::usage(format!("`{program}` cannot be started: {error}")),
    })?;
    if !output.status.success() {
        return Err(Failure::refused(format!(
            "`{program} map` did not answer ({}): see above",
            output.status
        )));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::refused(format!("`{program} map` answered no text")))
}
