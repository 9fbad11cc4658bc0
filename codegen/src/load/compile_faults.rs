//! What the compiler says about a file, in the form of our faults.

use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::lines::line_and_column;
use crate::error::Fault;

/// The faults behind an error of the compiler; `opened` is the file it happened on the way to.
pub(super) fn faults(roots: &[PathBuf], opened: &Path, error: &protox::Error) -> Vec<Fault> {
    let name = error.file();
    let path = name
        .and_then(|name| {
            roots
                .iter()
                .map(|root| root.join(name))
                .find(|path| path.is_file())
        })
        .unwrap_or_else(|| opened.to_path_buf());
    let source = fs::read_to_string(&path).unwrap_or_default();
    let mut faults = vec![diagnostic_fault(&path, &source, error)];
    let related = error.related().into_iter().flatten();
    faults.extend(related.map(|diagnostic| diagnostic_fault(&path, &source, diagnostic)));
    faults
}

fn diagnostic_fault(path: &Path, source: &str, diagnostic: &dyn Diagnostic) -> Fault {
    let mut message = diagnostic.to_string();
    if let Some(help) = diagnostic.help() {
        message = format!("{message} ({help})");
    }
    let mut cause = std::error::Error::source(diagnostic);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    let message = message.lines().collect::<Vec<_>>().join(" ");
    let labels: Vec<_> = diagnostic.labels().into_iter().flatten().collect();
    // Of two places that do not go together, the later one is where to look.
    let again = labels
        .iter()
        .find(|label| label.label().is_some_and(|it| it.contains("again")));
    let offset = match again.or(labels.first()) {
        Some(label) => Some(label.offset()),
        None if message.contains("end of file") => Some(source.len()),
        None => None,
    };
    Fault {
        position: offset.map(|offset| line_and_column(source, offset)),
        ..Fault::new(path, message)
    }
}
