//! Schemas that cannot be flattened, as one line of text.
//!
//! Keys are in order, what only people read is left out, and references are replaced by what they
//! stand for, so that the names of schemas do not matter and a change below one is seen.
//!
//! Invariant: the text is finite, and of at most [`NODES_MAX`] values.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::DEPTH_MAX;

/// Values of one text.
pub(super) const NODES_MAX: usize = 4_000;

/// Members that change no request and no answer.
const PROSE: [&str; 7] = [
    "description",
    "title",
    "examples",
    "example",
    "$comment",
    "default",
    "discriminator",
];

/// The text of a schema of `document`; `None` when it is larger than [`NODES_MAX`].
pub(super) fn canonical(document: &Value, schema: &Value) -> Option<String> {
    let mut writer = Writer {
        document,
        inside: Vec::new(),
        out: String::new(),
        nodes: 0,
    };
    writer.value(schema, 0)?;
    Some(writer.out)
}

/// What a reference to a place of the document stands for.
pub(super) fn target<'d>(document: &'d Value, reference: &str) -> Option<&'d Value> {
    document.pointer(reference.strip_prefix('#')?)
}

struct Writer<'d> {
    document: &'d Value,
    /// The references that are being followed, outermost first.
    inside: Vec<&'d str>,
    out: String,
    nodes: usize,
}

impl<'d> Writer<'d> {
    fn value(&mut self, schema: &'d Value, depth: usize) -> Option<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            return None;
        }
        match schema {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                if let Some(reference) = reference {
                    self.reference(reference, depth)?;
                }
                let sorted: BTreeMap<_, _> = members.iter().collect();
                let shown = sorted.into_iter().filter(|(key, _)| {
                    let is_followed = reference.is_some() && *key == "$ref";
                    !is_followed && !PROSE.contains(&key.as_str())
                });
                let mut shown = shown.peekable();
                if reference.is_some() && shown.peek().is_none() {
                    return Some(());
                }
                self.list(['{', '}'], shown, |writer, (key, value)| {
                    writer.out.push_str(&Value::from(key.as_str()).to_string());
                    writer.out.push(':');
                    writer.value(value, depth + 1)
                })
            }
            Value::Array(values) => self.list(['[', ']'], values, |writer, value| {
                writer.value(value, depth + 1)
            }),
            other => {
                self.out.push_str(&other.to_string());
                Some(())
            }
        }
    }

    fn list<T>(
        &mut self,
        [open, close]: [char; 2],
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Option<()>,
    ) -> Option<()> {
        self.out.push(open);
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(self, value)?;
        }
        self.out.push(close);
        Some(())
    }

    fn reference(&mut self, reference: &'d str, depth: usize) -> Option<()> {
        if let Some(at) = self.inside.iter().rposition(|it| *it == reference) {
            self.out
                .push_str(&format!("again({})", self.inside.len() - at));
            return Some(());
        }
        let Some(found) = target(self.document, reference) else {
            self.out.push_str(&format!("unknown({reference})"));
            return Some(());
        };
        self.inside.push(reference);
        let done = self.value(found, depth + 1);
        self.inside.pop();
        done
    }
}
