//! A call as plain HTTP with JSON, from the encoded messages that every call is made of.
//!
//! Path, query and body are made as `google.api.http` says it: what the path names is taken out of
//! the request, the body is a field or all that is left, and the rest is the query. Fields have the
//! names of ProtoJSON, which are those of the contract's OpenAPI document.

use contract::error_code::ErrorCode;
use contract::message::{Json, JsonOptions, MessageTable, json_to_bytes};
use http::Method;
use serde_json::{Map, Value};

use super::json_path::{escape, fill, plain, take};
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

const WRITING: JsonOptions = JsonOptions {
    ignore_unknown: false,
    print_defaults: false,
    original_names: false,
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
        let mut target = fill(self.path, self.input, &mut message).map_err(refuse)?;
        let body = match self.body {
            "" => None,
            "*" => Some(message.take()),
            field => Some(take(&mut message, self.input, field).unwrap_or_default()),
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

#[cfg(test)]
mod tests;
