//! Options of declarations as `.proto` text, extensions among them.
//!
//! Invariant: options come in the order of their names, and text in quotes is ASCII.

use std::fmt::Write as _;

use prost_reflect::{DynamicMessage, Kind, MapKey, Value};

/// Digits that every integer of 64 bits may have.
const INTEGER_DIGITS_MAX: usize = 18;

/// `name = value` of each option that is set, but for `skip`.
pub(super) fn options(of: &DynamicMessage, skip: &[&str]) -> Vec<String> {
    let plain = of
        .fields()
        .map(|(field, value)| (field.name().to_owned(), field.kind(), value));
    let extensions = of
        .extensions()
        .map(|(field, value)| (format!("({})", field.full_name()), field.kind(), value));
    let mut found = Vec::new();
    for (name, kind, value) in plain.chain(extensions) {
        // Whoever writes these has a syntax of their own for them.
        let is_internal = name == "map_entry" || name == "uninterpreted_option";
        if is_internal || skip.contains(&name.as_str()) {
            continue;
        }
        match value {
            // A repeated option is written once for each of its values.
            Value::List(values) => {
                found.extend(
                    values
                        .iter()
                        .map(|it| format!("{name} = {}", text(&kind, it))),
                );
            }
            one => found.push(format!("{name} = {}", text(&kind, one))),
        }
    }
    found.sort();
    found
}

fn text(kind: &Kind, value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => float(f64::from(*value)),
        Value::F64(value) => float(*value),
        Value::String(value) => quoted(value.as_bytes()),
        Value::Bytes(value) => quoted(value),
        Value::EnumNumber(number) => constant(kind, *number),
        Value::Message(message) => format!("{{{}}}", members(message)),
        Value::List(values) => {
            let values: Vec<_> = values.iter().map(|it| text(kind, it)).collect();
            format!("[{}]", values.join(", "))
        }
        // Only as a member of a message, see `member`.
        Value::Map(_) => String::new(),
    }
}

fn members(message: &DynamicMessage) -> String {
    let plain = message
        .fields()
        .map(|(field, value)| (field.name().to_owned(), field.kind(), value));
    let extensions = message
        .extensions()
        .map(|(field, value)| (format!("[{}]", field.full_name()), field.kind(), value));
    let mut all: Vec<_> = plain
        .chain(extensions)
        .map(|(name, kind, value)| member(&name, &kind, value))
        .collect();
    all.sort();
    format!(" {} ", all.join(" ")).replace("  ", " ")
}

fn member(name: &str, kind: &Kind, value: &Value) -> String {
    let (Value::Map(entries), Kind::Message(entry)) = (value, kind) else {
        return format!("{name}: {}", text(kind, value));
    };
    let (key_kind, value_kind) = (
        entry.map_entry_key_field().kind(),
        entry.map_entry_value_field().kind(),
    );
    let mut written: Vec<_> = entries
        .iter()
        .map(|(key, value)| {
            let (key, value) = (text(&key_kind, &key_value(key)), text(&value_kind, value));
            format!("{name}: {{ key: {key} value: {value} }}")
        })
        .collect();
    written.sort();
    written.join(" ")
}

fn key_value(key: &MapKey) -> Value {
    Value::from(key.clone())
}

fn constant(kind: &Kind, number: i32) -> String {
    let found = kind.as_enum().and_then(|it| it.get_value(number));
    found.map_or_else(|| number.to_string(), |value| value.name().to_owned())
}

fn float(value: f64) -> String {
    if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else {
        not_an_integer(value.to_string())
    }
}

/// A number that is no whole one to whoever reads it: without a point compilers take it for an integer,
/// and there is none of so many digits.
pub(super) fn not_an_integer(mut float: String) -> String {
    let digits = float.trim_start_matches('-');
    if digits.len() > INTEGER_DIGITS_MAX && digits.bytes().all(|it| it.is_ascii_digit()) {
        float.push_str(".0");
    }
    float
}

/// A string of `.proto`: what is not printable ASCII is escaped in octal.
pub(super) fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            other => {
                let _ = write!(text, "\\{other:03o}");
            }
        }
    }
    text.push('"');
    text
}
