//! What the compiler says about a file, in the form of our faults.

use std::fs;
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use super::json_names;
use super::lines::{line_and_column, text_of};
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
    let bytes = fs::read(&path).unwrap_or_default();
    let source = text_of(&bytes);
    let of_json = |text: String| json_names::is_meant(&text);
    let related = || error.related().into_iter().flatten();
    if of_json(error.to_string()) || related().any(|it| of_json(it.to_string())) {
        let found = json_names::faults(&path, source);
        if !found.is_empty() {
            return found;
        }
    }
    let mut faults = vec![diagnostic_fault(&path, source, error)];
    faults.extend(related().map(|diagnostic| diagnostic_fault(&path, source, diagnostic)));
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
    let labels: Vec<_> = diagnostic.labels().into_iter().flatten().collect();
    // Of two places that do not go together, the later one is where to look.
    let again = labels
        .iter()
        .find(|label| label.label().is_some_and(|it| it.contains("again")));
    let offset = match again.or(labels.first()) {
        Some(label) => Some(label.offset()),
        // The source ends where it is no text any more.
        None if message.contains("end of file") || message.contains("not valid utf-8") => {
            Some(source.len())
        }
        None => named_in(source, &message),
    };
    Fault {
        position: offset.map(|offset| line_and_column(source, offset)),
        ..Fault::new(path, with_advice(source, message))
    }
}

/// What to do about it, where the compiler does not say.
fn with_advice(source: &str, message: String) -> String {
    if message.contains("imports may not contain") {
        let what = "an import is a path below the folders that imports are found in, such as \
                    \"shop/order.proto\": parts with `/` between them, none of them empty, `.` or \
                    `..`, and no `\\`";
        return what.to_owned();
    }
    if let Some((one, other)) = told_apart_by_little(&message) {
        return format!(
            "field `{one}` and field `{other}` differ by `_` or by the case of letters alone, which \
             the compiler that is used here refuses in proto3, although others accept it: give one \
             another name, and the one that it had as its `json_name`; its number stays, and with \
             it all bytes and JSON"
        );
    }
    if message.contains("import '") && message.ends_with("not found") {
        let what = "add the folder that holds it: `.include(…)` in build.rs, `--include` for \
                    `cargo bridge`";
        return format!("{message}: {what}");
    }
    let is_edition = source.lines().any(|line| {
        let rest = line.trim_start().strip_prefix("edition");
        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
    });
    if is_edition && message.contains("expected") {
        let what = "editions are not read: say `syntax = \"proto3\";` or `syntax = \"proto2\";`";
        return format!("{what} ({message})");
    }
    message
}

/// The two fields that the compiler says would be one name in camel case.
fn told_apart_by_little(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("camel-case name of field '")?;
    let (one, rest) = rest.split_once("' conflicts with field '")?;
    Some((one, rest.split_once('\'')?.0))
}

/// Where the source says what the message is about, for messages that come without a place: the
/// types of map values have none in the compiler, and a cycle of imports is in several files.
fn named_in(source: &str, message: &str) -> Option<usize> {
    if let Some((_, cycle)) = message.split_once("cycle detected: ") {
        let mut files = cycle.split(" -> ");
        return files.find_map(|file| source.find(&format!("\"{file}\"")));
    }
    let quoted = message.split('\'').skip(1).step_by(2);
    let names: Vec<&str> = quoted.collect();
    let whole = names.iter().find_map(|name| word_in(source, name));
    let mut parts = names.iter().flat_map(|name| name.split('.'));
    let last = || names.iter().filter_map(|name| name.rsplit('.').next());
    whole
        .or_else(|| parts.find_map(|part| map_field(source, part)))
        .or_else(|| last().find_map(|part| word_in(source, part)))
        // The group of an `optional` field is called after it.
        .or_else(|| last().find_map(|part| source.rfind(part.strip_prefix('_')?)))
}

/// The last field that could be the map with entries of this name, `ByNameEntry` of `by_name`.
fn map_field(source: &str, entry: &str) -> Option<usize> {
    let flat = |name: &str| name.replace('_', "").to_ascii_lowercase();
    let wanted = flat(entry.strip_suffix("Entry")?);
    let mut words = source.split(|c: char| !c.is_alphanumeric() && c != '_');
    let word = words.rfind(|it| !it.is_empty() && flat(it) == wanted)?;
    source.rfind(word)
}

fn word_in(source: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = source.match_indices(word).filter(|_| !word.is_empty());
    let whole = found.find(|(at, _)| {
        let (before, after) = (&source[..*at], &source[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    });
    whole.map(|(at, _)| at)
}
