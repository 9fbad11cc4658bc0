//! Instructions and allocations of one piece of work, counted by valgrind.
//!
//! This program is run under it twice, for a few pieces and for many, and what differs is divided
//! by their difference: that leaves out the start. Refuses to guess: without valgrind there is no
//! number.

use std::process::{Command, Stdio};

/// Pieces of work in the short and the long run.
const SHORT: u64 = 500;
const LONG: u64 = 4_500;

/// What one piece took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
}

/// Counts what this program does with these arguments and a number of pieces behind them; `None`
/// when valgrind is not there or its output is not understood.
pub(crate) fn of(work: &[&str]) -> Option<Counted> {
    let per_piece = |tool, label| {
        let (short, long) = (
            number_after(&watch(tool, work, SHORT)?, label)?,
            number_after(&watch(tool, work, LONG)?, label)?,
        );
        #[allow(clippy::cast_precision_loss)] // small
        Some((long - short) / (LONG - SHORT) as f64)
    };
    let callgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let memcheck = ["--tool=memcheck", "--leak-check=no"];
    Some(Counted {
        instructions: per_piece(callgrind, "Collected :")?,
        allocations: per_piece(memcheck, "total heap usage:")?,
    })
}

fn watch(tool: [&str; 2], work: &[&str], pieces: u64) -> Option<String> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(tool)
        .arg(program)
        .args(work)
        .arg(pieces.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The first number behind `label`, with the commas that valgrind puts into it.
fn number_after(said: &str, label: &str) -> Option<f64> {
    let rest = &said[said.find(label)? + label.len()..];
    let word = rest.split_whitespace().next()?;
    word.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_valgrind_are_read() {
        let said = "==7== Collected : 19412\n==7==   total heap usage: 1,234 allocs, 5 frees";
        assert_eq!(number_after(said, "Collected :"), Some(19_412.0));
        assert_eq!(number_after(said, "total heap usage:"), Some(1_234.0));
        assert_eq!(number_after(said, "nothing:"), None);
    }
}
