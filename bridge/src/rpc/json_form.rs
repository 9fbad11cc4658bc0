//! A call as plain HTTP with JSON, from the encoded messages that every call is made of.
//!
//! Path, query and body are made as `google.api.http` says it: what the path names is taken out of
//! the request, the body is a field or all that is left, and the rest is the query.
//!
//! Refuses a request whose path would have an empty segment: it would be another path.

use contract::error_code::ErrorCode;
use contract::message::{Json, JsonOptions, MessageTable, json_to_bytes};
use http::Method;
use serde_json::{Map, Value, json};

use super::outcome::Failure;

/// The HTTP form of one method, as generated code describes it.
#[derive(Clone, Copy, Debug)]
pub struct JsonForm {
    /// The request message.
    pub input: &'static MessageTable,
    /// The reply message.
    pub output: &'static MessageTable,
    /// `POST`
    pub verb: &'static str,
    /// `/v1/orders/{order_id}`
    pub path: &'static str,
    /// The field that is the body; `*` for all that the path leaves, empty for none.
    pub body: &'static str,
    /// The field that the answer's body is; empty for the whole reply.
    pub response_body: &'static str,
}

/// What goes out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    pub(super) path_and_query: String,
    pub(super) body: Option<Vec<u8>>,
}

/// Names as the contract spells them, because that is how its options name them.
const WRITING: JsonOptions = JsonOptions {
    ignore_unknown: false,
    print_defaults: false,
    original_names: true,
    enum_numbers: false,
    types: &[],
};
/// A server may know more than this client does.
const READING: JsonOptions = JsonOptions {
    ignore_unknown: true,
    ..WRITING
};

impl JsonForm {
    /// The encoded request as what goes out.
    pub(super) fn outgoing(&self, payload: &[u8]) -> Result<Outgoing, Failure> {
        let refuse = |text: String| Failure::before_dispatch(ErrorCode::Validation, text);
        let message = Json::new(self.input, payload).options(WRITING);
        let message = serde_json::to_value(message);
        let mut message = message.map_err(|error| refuse(error.to_string()))?;
        let mut target = path(self.path, &mut message).map_err(refuse)?;
        let body = match self.body {
            "" => None,
            "*" => Some(message.take()),
            field => Some(take(&mut message, field).unwrap_or_else(|| json!({}))),
        };
        let mut query = Vec::new();
        flatten("", &message, &mut query);
        for (index, (name, value)) in query.iter().enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            escape(name, false, &mut target);
            target.push('=');
            escape(value, false, &mut target);
        }
        Ok(Outgoing {
            method: Method::from_bytes(self.verb.as_bytes()).unwrap_or(Method::POST),
            path_and_query: target,
            body: body.map(|body| body.to_string().into_bytes()),
        })
    }

    /// The encoded reply that an answer's body is.
    pub(super) fn reply(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let unreadable = |error: String| {
            let text = format!("the reply is not the message of the contract: {error}");
            Failure::final_(ErrorCode::Internal, text)
        };
        if self.response_body.is_empty() {
            let body = if body.is_empty() { b"{}" } else { body };
            let read = json_to_bytes(self.output, body, READING);
            return read.map_err(|error| unreadable(error.to_string()));
        }
        let field: Value =
            serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        let whole = Value::Object(Map::from_iter([(self.response_body.to_owned(), field)]));
        let read = json_to_bytes(self.output, whole.to_string().as_bytes(), READING);
        read.map_err(|error| unreadable(error.to_string()))
    }
}

/// Fills the template; what it uses is taken out of the message.
fn path(template: &str, message: &mut Value) -> Result<String, String> {
    let (mut filled, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (variable, after) = after
            .split_once('}')
            .ok_or_else(|| format!("the path `{template}` has a `{{` without its `}}`"))?;
        let (field, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
        let value = take(message, field).as_ref().and_then(plain);
        let value = value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| format!("`{field}` is part of the path `{template}`, and empty"))?;
        // Dots cannot be escaped, and servers and proxies go up a folder at them.
        if value.split('/').any(|it| it == "." || it == "..") {
            return Err(format!(
                "`{field}` is part of the path `{template}`, and cannot be {value:?}"
            ));
        }
        filled.push_str(before);
        // A pattern of several segments keeps the slashes between them.
        escape(
            &value,
            pattern.contains(['/']) || pattern == "**",
            &mut filled,
        );
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Takes the field out; dots go through messages.
fn take(message: &mut Value, field: &str) -> Option<Value> {
    match field.split_once('.') {
        Some((outer, inner)) => take(message.get_mut(outer)?, inner),
        None => message.as_object_mut()?.remove(field),
    }
}

/// What is left as a query: fields of messages with dots, repeated ones repeated.
fn flatten(name: &str, value: &Value, query: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let dot = if name.is_empty() { "" } else { "." };
                flatten(&format!("{name}{dot}{field}"), value, query);
            }
        }
        Value::Array(values) => values.iter().for_each(|it| flatten(name, it, query)),
        value => query.extend(plain(value).map(|text| (name.to_owned(), text))),
    }
}

/// A value that is one text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Percent-encodes everything but what never has a meaning of its own in a URL.
fn escape(text: &str, keeps_slashes: bool, out: &mut String) {
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
mod tests;
