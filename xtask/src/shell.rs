//! Runs other programs. Refuses to guess: every failure carries the command line and its output.
//! Invariant: `captured` is silent until the program fails, `streamed` never hides a byte.

use crate::failure::{Context, Failure, Result};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs to the end and returns what it wrote; on failure the text is part of the error.
pub(crate) fn captured(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output = command.stdin(Stdio::null()).output().context(&line)?;
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        return Ok(text);
    }
    Err(Failure::new(format!("{text}\n{line}: {}", output.status)))
}

/// Runs to the end with the terminal of this process.
pub(crate) fn streamed(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    let status = command.status().context(&line)?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{line}: {status}")))
}

/// A `cargo` that works on the repository, whatever folder the caller stands in.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root);
    command
}

/// The first folder of PATH that holds `program`, as a full path.
pub(crate) fn on_path(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

fn line_of(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
