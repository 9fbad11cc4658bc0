//! Texts of exported documents, and the mark that tells an exported `.proto` from one of a person's
//! own.
//!
//! Invariant: keys are in ascending order whatever feature of the JSON library another crate has
//! switched on, so the same contract gives the same bytes in every build.

use serde_json::{Map, Value};

/// The first line of every `.proto` that is exported: without it a file is somebody's own, and is
/// not replaced.
pub const MARK: &str = "// Written by `cargo bridge export`, which replaces it the next time.";

/// Whether the text of a `.proto` is an earlier export.
#[must_use]
pub fn is_exported(text: &str) -> bool {
    text.lines().next() == Some(MARK)
}

/// A text that says that it is exported. The blank line keeps the mark off the comments of the file.
pub(crate) fn marked(text: &str) -> String {
    format!("{MARK}\n\n{text}")
}

/// Pretty JSON with a newline at its end.
pub fn json(value: &Value) -> String {
    let sorted = sorted(value.clone());
    let text = serde_json::to_string_pretty(&sorted);
    text.expect("keys are strings, so a value has a text") + "\n"
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            let members = members.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The first sentence or line of a text, for lists.
pub(crate) fn summary(prose: &str) -> String {
    let paragraph = prose.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split('\n').collect::<Vec<_>>().join(" ");
    let end = line.find(". ").map_or(line.len(), |at| at);
    line[..end].trim_end_matches('.').to_owned()
}
