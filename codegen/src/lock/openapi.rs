//! HTTP operations for the lock, from an OpenAPI 3 document of whatever made it.
//!
//! Invariant: what does not change a request or an answer (texts, examples, order, the names of
//! schemas) does not change the routes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::canonical::target;
use super::entry::Entry;
use super::model::Route;
use super::shape::{At, ENTRIES_MAX, Flattener, word_of_place};

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
const JSON: &str = "application/json";

/// The operations of a document, by `METHOD /path`.
///
/// # Errors
///
/// When the value is no OpenAPI 3 document, and when an operation of it has more than
/// [`ENTRIES_MAX`] values, with what to do.
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
                let Some(route) = route(document, item, operation) else {
                    return Err(format!(
                        "has an operation `{name}` with more than {ENTRIES_MAX} values, or with \
                         values too deep inside each other, which no lock holds: leave it out of \
                         the document that is compared, or describe less of it"
                    ));
                };
                found.insert(name, route);
            }
        }
    }
    Ok(found)
}

/// `None` when the operation is larger than what is compared.
fn route(document: &Value, item: &Value, operation: &Value) -> Option<Route> {
    let mut shape = Flattener::new(document);
    parameters(&mut shape, document, [item, operation]);
    if let Some(body) = operation.get("requestBody") {
        let body = resolved(document, body);
        contents(&mut shape, "in.body", body, is_required(body));
    }
    let responses = operation.get("responses").and_then(Value::as_object);
    for (status, response) in responses.into_iter().flatten() {
        let response = resolved(document, response);
        contents(&mut shape, &format!("out.{status}"), response, true);
    }
    let mut shape = shape.finish()?;
    for status in responses.into_iter().flatten().map(|(status, _)| status) {
        let place = format!("out.{status}");
        let is_there = shape.keys().any(|it| it.starts_with(&place));
        if !is_there {
            let nothing = Entry {
                ty: "nothing".to_owned(),
                required: true,
                limits: BTreeMap::new(),
            };
            shape.insert(place, nothing);
        }
    }
    let operation = operation.get("operationId").and_then(Value::as_str);
    Some(Route {
        operation: operation.map(str::to_owned),
        shape,
    })
}

/// Parameters of the path and of the operation: those of the operation come later and win.
fn parameters<'d>(shape: &mut Flattener<'d>, document: &'d Value, of: [&'d Value; 2]) {
    let mut found = BTreeMap::new();
    let lists = of.iter().filter_map(|it| it.get("parameters")?.as_array());
    for parameter in lists.flatten() {
        let parameter = resolved(document, parameter);
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        if let (Some(place), Some(name)) = (text("in"), text("name")) {
            let place = format!("in.{}.{}", word_of_place(place), word_of_place(name));
            found.insert(place, parameter);
        }
    }
    for (place, parameter) in found {
        let contents = parameter.get("content").and_then(Value::as_object);
        let content = contents.and_then(|all| all.values().next()?.get("schema"));
        let schema = parameter.get("schema").or(content);
        shape.value(
            At::new(&place, is_required(parameter)),
            schema.unwrap_or(&Value::Null),
        );
    }
}

/// The bodies of a request or a response: JSON at the place itself, other forms beside it.
fn contents<'d>(shape: &mut Flattener<'d>, place: &str, of: &'d Value, required: bool) {
    let Some(contents) = of.get("content").and_then(Value::as_object) else {
        return;
    };
    let is_json = |media: &&String| media.ends_with("+json");
    let own = Some(JSON).filter(|it| contents.contains_key(*it));
    let own = own.or_else(|| contents.keys().find(is_json).map(String::as_str));
    for (media, content) in contents {
        let schema = content.get("schema").unwrap_or(&Value::Null);
        let at = if Some(media.as_str()) == own {
            place.to_owned()
        } else {
            format!("{place}({media})")
        };
        shape.value(At::new(&at, required), schema);
    }
}

fn is_required(of: &Value) -> bool {
    of.get("required").and_then(Value::as_bool) == Some(true)
}

/// What a reference of the document stands for; one step, which is all that OpenAPI has here.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let found = reference.and_then(|reference| target(document, reference));
    found.unwrap_or(value)
}
