//! Schemas that cannot be flattened, as one line of text.
//!
//! Keys are in order, what only people read is left out, and references are replaced by what they
//! stand for, so that the names of schemas do not matter and a change below one is seen.
//!
//! Refuses a reference to what is not in the document: what it hides could change unseen.
//! Invariant: the text is finite, and of at most [`NODES_MAX`] values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::DEPTH_MAX;

/// References that lead to one another before the last one is taken to lead nowhere.
const STEPS_MAX: usize = 16;
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

/// Why there is nothing to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// More than what is compared.
    TooLarge,
    /// The reference stands for nothing in the document.
    NoTarget(String),
}

/// The text of a schema of `document`.
///
/// # Errors
///
/// When it is larger than [`NODES_MAX`], or refers to what is not there.
pub(super) fn canonical(document: &Value, schema: &Value) -> Result<String, Unfit> {
    let mut writer = Writer {
        document,
        inside: Vec::new(),
        out: String::new(),
        nodes: 0,
    };
    writer.value(schema, 0)?;
    Ok(writer.out)
}

/// What a reference to a place of the document stands for.
pub(super) fn target<'d>(document: &'d Value, reference: &str) -> Option<&'d Value> {
    document.pointer(&decoded(reference.strip_prefix('#')?)?)
}

/// What a value of the document is, or what it refers to.
pub(super) fn resolved<'d>(document: &'d Value, value: &'d Value) -> Result<&'d Value, Unfit> {
    let mut value = value;
    for _ in 0..STEPS_MAX {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
            return Ok(value);
        };
        let no_target = || Unfit::NoTarget(reference.to_owned());
        value = target(document, reference).ok_or_else(no_target)?;
    }
    let reference = value.get("$ref").and_then(Value::as_str);
    reference.map_or(Ok(value), |it| Err(Unfit::NoTarget(it.to_owned())))
}

/// A fragment of a URI without its escapes; `None` when they are no text.
fn decoded(fragment: &str) -> Option<Cow<'_, str>> {
    if !fragment.contains('%') {
        return Some(Cow::Borrowed(fragment));
    }
    let mut parts = fragment.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|it| it.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

struct Writer<'d> {
    document: &'d Value,
    /// The references that are being followed, outermost first.
    inside: Vec<&'d str>,
    out: String,
    nodes: usize,
}

impl<'d> Writer<'d> {
    fn value(&mut self, schema: &'d Value, depth: usize) -> Result<(), Unfit> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || depth > DEPTH_MAX {
            return Err(Unfit::TooLarge);
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
                    return Ok(());
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
                Ok(())
            }
        }
    }

    fn list<T>(
        &mut self,
        [open, close]: [char; 2],
        values: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), Unfit>,
    ) -> Result<(), Unfit> {
        self.out.push(open);
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            write(self, value)?;
        }
        self.out.push(close);
        Ok(())
    }

    fn reference(&mut self, reference: &'d str, depth: usize) -> Result<(), Unfit> {
        if let Some(at) = self.inside.iter().rposition(|it| *it == reference) {
            self.out
                .push_str(&format!("again({})", self.inside.len() - at));
            return Ok(());
        }
        let Some(found) = target(self.document, reference) else {
            return Err(Unfit::NoTarget(reference.to_owned()));
        };
        self.inside.push(reference);
        let done = self.value(found, depth + 1);
        self.inside.pop();
        done
    }
}
