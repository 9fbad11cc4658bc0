//! HTTP operations for the lock, from an OpenAPI 3 document of whatever made it.
//!
//! Invariant: what does not change a request or an answer (texts, examples, order, the names of
//! schemas) does not change the routes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::Route;
use super::shape::{Entry, Flattener};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
const JSON: &str = "application/json";

/// The operations of a document, by `METHOD /path`.
///
/// # Errors
///
/// When the value is no OpenAPI 3 document, with what to do.
pub fn routes(document: &Value) -> Result<BTreeMap<String, Route>, String> {
    let version = document.get("openapi").and_then(Value::as_str);
    if !version.is_some_and(|version| version.starts_with("3.")) {
        return Err("is no OpenAPI 3 document: its `openapi` must start with `3.`".to_owned());
    }
    let Some(paths) = document.get("paths").and_then(Value::as_object) else {
        return Err("has no `paths`: write `\"paths\": {}` if there are none".to_owned());
    };
    let mut found = BTreeMap::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                let name = format!("{} {path}", method.to_uppercase());
                found.insert(name, route(document, item, operation));
            }
        }
    }
    Ok(found)
}

fn route(document: &Value, item: &Value, operation: &Value) -> Route {
    let mut shape = Flattener::new(document);
    // Those of the operation come later and win.
    let both = [item.get("parameters"), operation.get("parameters")];
    let mut parameters = BTreeMap::new();
    for parameter in both
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
    {
        let parameter = resolved(document, parameter);
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        if let (Some(place), Some(name)) = (text("in"), text("name")) {
            parameters.insert(format!("in.{place}.{name}"), parameter);
        }
    }
    for (place, parameter) in parameters {
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        shape.value(&place, schema, is_required(parameter));
    }
    if let Some(body) = operation.get("requestBody") {
        let body = resolved(document, body);
        contents(&mut shape, "in.body", body, is_required(body));
    }
    let responses = operation.get("responses").and_then(Value::as_object);
    for (status, response) in responses.into_iter().flatten() {
        let response = resolved(document, response);
        contents(&mut shape, &format!("out.{status}"), response, true);
    }
    let mut shape = shape.finish();
    for status in responses.into_iter().flatten().map(|(status, _)| status) {
        let place = format!("out.{status}");
        let is_there = shape.keys().any(|it| it.starts_with(&place));
        if !is_there {
            let nothing = Entry {
                ty: "nothing".to_owned(),
                required: true,
            };
            shape.insert(place, nothing);
        }
    }
    Route {
        operation: operation
            .get("operationId")
            .and_then(Value::as_str)
            .map(str::to_owned),
        shape,
    }
}

/// The bodies of a request or a response: JSON at the place itself, others beside it.
fn contents(shape: &mut Flattener<'_>, place: &str, of: &Value, required: bool) {
    let contents = of.get("content").and_then(Value::as_object);
    for (media, content) in contents.into_iter().flatten() {
        let schema = content.get("schema").unwrap_or(&Value::Null);
        let is_json = media == JSON || media.ends_with("+json");
        let at = if is_json {
            place.to_owned()
        } else {
            format!("{place}({media})")
        };
        shape.value(&at, schema, required);
    }
}

fn is_required(of: &Value) -> bool {
    of.get("required").and_then(Value::as_bool) == Some(true)
}

/// What a reference of the document stands for; one step, which is all that OpenAPI has here.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}
