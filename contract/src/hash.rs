//! The contract hash: which callers and handlers speak of the same messages.
//!
//! Two methods with equal hashes read and write the same bytes. Names of fields, comments,
//! options and the order of declaration do not take part; numbers, types, cardinalities, oneof
//! grouping and the full names of referenced types do. Streaming does not.
//!
//! Invariant: the canonical text is the one every other SDK computes, byte for byte. It is
//! written by hand so that no JSON library's key order can change it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::schema::{Cardinality, Enum, Field, Message, Schema, Type};

/// What the output half of an event's hash is made of: the message without fields.
const EMPTY_MESSAGE: &str = r#"{"f":[]}"#;

/// The identity of an rpc: `v2:` and 64 lowercase hex digits.
#[must_use]
pub fn contract_hash(input: &Schema, output: &Schema) -> String {
    hash(&canon(input), &canon(output))
}

/// The identity of an event's payload, in the form of [`contract_hash`].
///
/// An event has no reply, whatever its source may declare, so only the payload counts.
#[must_use]
pub fn event_hash(payload: &Schema) -> String {
    hash(&canon(payload), EMPTY_MESSAGE)
}

/// The canonical text of a message: compact JSON, keys in ascending order at every level.
#[must_use]
pub fn canon(schema: &Schema) -> String {
    let mut text = String::new();
    write_shape(&mut text, schema.root());
    let references = reachable(schema);
    if !references.is_empty() {
        text.push_str(r#","r":{"#);
        for (index, (name, shape)) in references.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            push(&mut text, format_args!("{comma}{}:", quoted(name)));
            match shape {
                Shape::Message(message) => {
                    write_shape(&mut text, message);
                    text.push('}');
                }
                Shape::Enum(numbers) => push(&mut text, format_args!("{{\"e\":{numbers}}}")),
            }
        }
        text.push('}');
    }
    text.push('}');
    text
}

/// SHA-256 of a text as 64 lowercase hex digits.
#[must_use]
pub fn digest(text: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        push(&mut digits, format_args!("{byte:02x}"));
    }
    digits
}

fn hash(input: &str, output: &str) -> String {
    format!("v2:{}", digest(&format!("{input}:{output}")))
}

enum Shape<'s> {
    Message(&'s Message),
    Enum(String),
}

/// Every type a field of the root leads to. The root is among them only when referred to.
fn reachable(schema: &Schema) -> BTreeMap<&str, Shape<'_>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![schema.root()];
    while let Some(message) = pending.pop() {
        for field in &message.fields {
            match &field.ty {
                Type::Scalar(_) => {}
                Type::Enum(name) => {
                    found
                        .entry(name.as_str())
                        .or_insert(Shape::Enum(numbers(&schema.enums[name])));
                }
                Type::Message(name) if found.contains_key(name.as_str()) => {}
                Type::Message(name) => {
                    let message = &schema.messages[name];
                    found.insert(name.as_str(), Shape::Message(message));
                    pending.push(message);
                }
            }
        }
    }
    found
}

/// Writes `{"f":…` and `,"o":…`, leaving the brace open for `r`.
fn write_shape(text: &mut String, message: &Message) {
    let mut fields: Vec<_> = message.fields.iter().collect();
    fields.sort_by_key(|field| field.number);
    let fields: Vec<_> = fields.into_iter().map(field_text).collect();
    push(text, format_args!("{{\"f\":[{}]", fields.join(",")));

    let mut groups: Vec<Vec<u32>> = message
        .oneofs
        .iter()
        .filter(|group| !group.synthetic && !group.members.is_empty())
        .map(|group| sorted(group.members.clone()))
        .collect();
    groups.sort();
    if !groups.is_empty() {
        let groups: Vec<_> = groups
            .iter()
            .map(|members| format!("{{\"f\":{}}}", list(members)))
            .collect();
        push(text, format_args!(",\"o\":[{}]", groups.join(",")));
    }
}

fn field_text(field: &Field) -> String {
    let (cardinality, key) = match field.cardinality {
        Cardinality::Optional => ("opt", String::new()),
        Cardinality::Required => ("req", String::new()),
        Cardinality::Repeated => ("rep", String::new()),
        Cardinality::Map(key) => ("map", format!("\"k\":\"{}\",", key.keyword())),
    };
    let ty = match &field.ty {
        Type::Scalar(scalar) => format!("\"{}\"", scalar.keyword()),
        Type::Message(name) => quoted(&format!("m:{name}")),
        Type::Enum(name) => quoted(&format!("e:{name}")),
    };
    format!(
        "{{\"c\":\"{cardinality}\",{key}\"n\":{},\"t\":{ty}}}",
        field.number
    )
}

fn numbers(of: &Enum) -> String {
    let mut numbers = sorted(of.values.iter().map(|(_, number)| *number).collect());
    numbers.dedup();
    list(&numbers)
}

fn sorted<T: Ord>(mut numbers: Vec<T>) -> Vec<T> {
    numbers.sort_unstable();
    numbers
}

fn list<T: ToString>(numbers: &[T]) -> String {
    format!(
        "[{}]",
        numbers
            .iter()
            .map(T::to_string)
            .collect::<Vec<_>>()
            .join(",")
    )
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part)
        .expect("writing to a string does not fail");
}
