//! The rules of the house that reading the files can check; the compiler and clippy check the rest.
//! Refuses exceptions by comment: a rule that needs one is wrong and changes here, for everyone.
//! Invariant: every file git would commit is read once, and every rule sees every file.

mod source;

mod order;
mod rules;

#[cfg(test)]
mod tests;

use crate::failure::{Context, Failure, Result};
use crate::shell::captured;
use rules::Violation;
use source::File;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Fails with one line per broken rule.
pub(crate) fn run(root: &Path) -> Result<()> {
    let violations = check(&read(root)?);
    if violations.is_empty() {
        return Ok(());
    }
    let mut text: String = violations
        .iter()
        .map(|violation| format!("{violation}\n"))
        .collect();
    text.push_str(&format!("{} broken rules", violations.len()));
    Err(Failure::new(text))
}

fn check(files: &[File]) -> Vec<Violation> {
    let mut found: Vec<Violation> = files.iter().flat_map(rules::check_file).collect();
    found.extend(rules::check_twins(files));
    found.extend(order::check(files));
    found.sort();
    found
}

/// What is committed or would be: files git ignores are nobody's business.
fn read(root: &Path) -> Result<Vec<File>> {
    let listing = captured(Command::new("git").current_dir(root).args([
        "-c",
        "core.quotePath=false",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let mut files = Vec::new();
    for path in listing.lines() {
        let full = root.join(path);
        // A file deleted but not yet committed so, and a link to a folder.
        if !full.is_file() {
            continue;
        }
        let bytes = fs::read(&full).context(path)?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File {
                path: path.to_owned(),
                text,
            });
        }
    }
    Ok(files)
}
