//! Fields of a message as JSON, found by the names that a contract's HTTP rules give them, and the
//! path that a rule makes of some of them.
//!
//! Rules name fields as the contract spells them, with dots through messages; in JSON they have
//! names of their own. A field that JSON leaves out, because it is its default, is that default.
//!
//! Refuses a path that would be another one: with an empty segment, one that goes up a folder, or
//! one that does not fit its pattern.

use contract::message::{FieldTable, Kind, Label, MessageTable, Scalar};
use serde_json::{Value, json};

/// Takes a field out of the message; its default when JSON has left it out.
pub(super) fn take(message: &mut Value, table: &MessageTable, path: &str) -> Option<Value> {
    let (name, inner) = match path.split_once('.') {
        Some((outer, inner)) => (outer, Some(inner)),
        None => (path, None),
    };
    let field = table.fields.iter().find(|it| it.name == name)?;
    let Some(inner) = inner else {
        let set = message.as_object_mut().and_then(|it| it.remove(field.json));
        return Some(set.unwrap_or_else(|| default_of(field)));
    };
    match &field.kind {
        Kind::Message(table) => {
            let mut none = Value::Null;
            take(
                message.get_mut(field.json).unwrap_or(&mut none),
                table,
                inner,
            )
        }
        _ => None,
    }
}

/// What a field is that is not set; `null` where that is no value.
fn default_of(field: &FieldTable) -> Value {
    match (field.label, &field.kind) {
        (Label::Repeated { .. }, _) => json!([]),
        (Label::Map(_), _) | (_, Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_)) => {
            json!({})
        }
        (Label::Explicit | Label::Required, _) | (_, Kind::NullValue) => Value::Null,
        (Label::Implicit, Kind::Enum(table)) => table.name_of(0).map_or(json!(0), Value::from),
        (Label::Implicit, Kind::Scalar(scalar)) => match scalar {
            Scalar::String | Scalar::Bytes => json!(""),
            Scalar::Bool => json!(false),
            Scalar::Int64
            | Scalar::Uint64
            | Scalar::Sint64
            | Scalar::Fixed64
            | Scalar::Sfixed64 => {
                json!("0")
            }
            _ => json!(0),
        },
    }
}

/// A value that is one text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Fills the template; what it uses is taken out of the message.
pub(super) fn fill(
    template: &str,
    table: &MessageTable,
    message: &mut Value,
) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (variable, after) = after
            .split_once('}')
            .ok_or_else(|| format!("the path `{template}` has a `{{` without its `}}`"))?;
        let (field, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
        let value = take(message, table, field).as_ref().and_then(plain);
        let value = value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("`{field}` is part of the path `{template}`, and empty"))?;
        let has_slashes = pattern.contains('/') || pattern == "**";
        // Dots cannot be escaped, and servers and proxies go up a folder at them.
        let goes_up = value.split('/').any(|it| it == "." || it == "..");
        if goes_up || (has_slashes && !fits(pattern, &value)) {
            return Err(format!(
                "`{field}` is part of the path `{template}`, and cannot be {value:?}: it has to fit `{pattern}`"
            ));
        }
        filled.push_str(before);
        escape(&value, has_slashes, &mut filled);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Whether a value of several segments is what the pattern says: `orders/*`, `files/**`.
fn fits(pattern: &str, value: &str) -> bool {
    let mut segments = value.split('/');
    for wanted in pattern.split('/') {
        match (wanted, segments.next()) {
            // All that is left; the grammar has it at the end only.
            ("**", rest) => {
                return rest.is_none_or(|it| !it.is_empty()) && segments.all(|it| !it.is_empty());
            }
            ("*", Some(segment)) if !segment.is_empty() => {}
            (literal, Some(segment)) if literal == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

/// Percent-encodes everything but what never has a meaning of its own in a URL. A pattern of
/// several segments keeps the slashes between them.
pub(super) fn escape(text: &str, keeps_slashes: bool, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if keeps_slashes => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_several_segments_fits_its_pattern_or_is_refused() {
        for (pattern, value, expected) in [
            ("orders/*", "orders/7", true),
            ("orders/*", "orders/", false),
            ("orders/*", "orders", false),
            ("orders/*", "orders/7/8", false),
            ("orders/*", "others/7", false),
            ("a/*/b/*", "a/1/b/2", true),
            ("a/*/b/*", "a/1/c/2", false),
            ("**", "a/b/c", true),
            ("**", "a//c", false),
            ("files/**", "files/a/b", true),
            ("files/**", "files", true),
            ("files/**", "file/a", false),
        ] {
            assert_eq!(fits(pattern, value), expected, "{pattern} {value}");
        }
    }
}
