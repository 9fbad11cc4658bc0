//! Instructions and allocations of one request, counted by valgrind.

use std::process::{Command, Stdio};

use clap::ValueEnum as _;

use super::stack::Variant;

/// Requests of the short and the long run; what they differ by is divided by their difference.
const SHORT: u64 = 500;
const LONG: u64 = 4_500;

/// What one request took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) instructions: f64,
    pub(super) allocations: f64,
}

/// Counts under valgrind; `None` when it is not there or its output is not understood.
pub(super) fn of(variant: Variant) -> Option<Counted> {
    let per_request = |count: fn(Variant, u64) -> Option<f64>| {
        let (short, long) = (count(variant, SHORT)?, count(variant, LONG)?);
        #[allow(clippy::cast_precision_loss)] // small
        Some((long - short) / (LONG - SHORT) as f64)
    };
    Some(Counted {
        instructions: per_request(instructions)?,
        allocations: per_request(allocations)?,
    })
}

fn instructions(variant: Variant, requests: u64) -> Option<f64> {
    let said = watch(
        &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
        variant,
        requests,
    )?;
    number_after(&said, "Collected :")
}

fn allocations(variant: Variant, requests: u64) -> Option<f64> {
    let said = watch(&["--tool=memcheck", "--leak-check=no"], variant, requests)?;
    number_after(&said, "total heap usage:")
}

fn watch(tool: &[&str], variant: Variant, requests: u64) -> Option<String> {
    let program = std::env::current_exe().ok()?;
    let variant = variant.to_possible_value()?;
    let output = Command::new("valgrind")
        .args(tool)
        .arg(program)
        .args(["layers-once", variant.get_name(), &requests.to_string()])
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
