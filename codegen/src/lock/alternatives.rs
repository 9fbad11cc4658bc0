//! Names for the alternatives of a `oneOf` or an `anyOf`, by what tells their values apart.
//!
//! A name is made from the values themselves, not from the name or the place of a schema: the
//! constant of a tag (`kind=card`), the one member there is, the members there must be, or the type.
//!
//! Invariant: alternatives that are told apart keep their names whatever their order is.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::canonical::target;

/// Schemas that are looked through for what one alternative says.
const PARTS_MAX: usize = 16;

/// A name for each alternative; `None` when some of them cannot be told apart.
pub(super) fn labels(document: &Value, alternatives: &[&Value]) -> Option<Vec<String>> {
    let all: Vec<_> = alternatives
        .iter()
        .map(|it| label(&parts(document, it)))
        .collect();
    let distinct: BTreeSet<&String> = all.iter().collect();
    (distinct.len() == all.len()).then_some(all)
}

type Object = Map<String, Value>;

/// What a schema says in parts: itself, what it refers to, what all of it must be.
fn parts<'d>(document: &'d Value, schema: &'d Value) -> Vec<&'d Object> {
    let mut found = Vec::new();
    let mut pending = vec![schema];
    while let Some(schema) = pending.pop() {
        let Some(object) = schema.as_object().filter(|_| found.len() < PARTS_MAX) else {
            continue;
        };
        found.push(object);
        let reference = object.get("$ref").and_then(Value::as_str);
        pending.extend(reference.and_then(|it| target(document, it)));
        pending.extend(
            object
                .get("allOf")
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        );
    }
    found
}

fn label(parts: &[&Object]) -> String {
    if let Some(only) = parts.iter().find_map(|it| only_value(it)) {
        return format!("={only}");
    }
    let members = || {
        let all = parts
            .iter()
            .filter_map(|it| it.get("properties")?.as_object());
        all.flatten()
    };
    let required: BTreeSet<&str> = parts
        .iter()
        .filter_map(|it| it.get("required")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let tags: BTreeSet<String> = members()
        .filter(|(name, _)| required.contains(name.as_str()))
        .filter_map(|(name, member)| Some(format!("{name}={}", only_value(member.as_object()?)?)))
        .collect();
    if !tags.is_empty() {
        return joined(tags.iter().map(String::as_str));
    }
    if members().next().is_some() && !required.is_empty() {
        return joined(required.into_iter());
    }
    let types = parts.iter().find_map(|it| match it.get("type")? {
        Value::String(ty) => Some(ty.clone()),
        Value::Array(types) => Some(joined(types.iter().filter_map(Value::as_str))),
        _ => None,
    });
    types.unwrap_or_else(|| "any".to_owned())
}

fn joined<'w>(words: impl Iterator<Item = &'w str>) -> String {
    words.collect::<Vec<_>>().join("+")
}

/// The one value that a schema allows.
fn only_value(schema: &Object) -> Option<String> {
    let words = schema.get("enum").and_then(Value::as_array);
    let value = match (schema.get("const"), words.map(Vec::as_slice)) {
        (Some(value), _) | (None, Some([value])) => value,
        _ => return None,
    };
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}
