//! Where a handler is mounted, as OpenAPI writes it, and what its parameters are.
//!
//! Invariant: the template and the list of parameters name the same placeholders.

use serde_json::{Map, Value, json};

/// A template of axum in OpenAPI's spelling: `/files/{*rest}` is `/files/{rest}`, a brace that is
/// meant as one is encoded.
pub(crate) fn template(path: &str) -> String {
    let path = path.replace("{{", "%7B").replace("}}", "%7D");
    path.replace("{*", "{")
}

/// The names between braces, and whether each takes the rest of the path.
fn placeholders(path: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('{') {
            rest = behind;
            continue;
        }
        let Some((name, behind)) = rest.split_once('}') else {
            break;
        };
        found.push((name.trim_start_matches('*'), name.starts_with('*')));
        rest = behind;
    }
    found
}

/// The parameters of a path and of a query.
pub(crate) fn parameters(path: &str, taken: Option<&Value>, query: &[Value]) -> Vec<Value> {
    let placeholders = placeholders(path);
    let count = placeholders.len();
    let mut parameters = Vec::new();
    for (at, (name, is_rest)) in placeholders.into_iter().enumerate() {
        let schema = taken.and_then(|taken| placeholder(taken, name, (at, count)));
        let schema = schema.unwrap_or_else(|| json!({ "type": "string" }));
        let mut parameter = parameter("path", name, schema, true);
        if is_rest {
            parameter["description"] = "The rest of the path; it may hold `/`.".into();
        }
        parameters.push(parameter);
    }
    parameters.extend(query.iter().flat_map(of_query));
    parameters
}

/// The schema of one placeholder: by name in a struct, by place in a tuple, else the only one.
fn placeholder(taken: &Value, name: &str, (at, count): (usize, usize)) -> Option<Value> {
    if let Some(fields) = taken.get("properties") {
        return fields.get(name).cloned();
    }
    if let Some(places) = taken.get("prefixItems").and_then(Value::as_array) {
        return places.get(at).filter(|_| places.len() == count).cloned();
    }
    let is_one = ["type", "enum", "const", "oneOf", "anyOf"];
    let is_one = is_one.iter().any(|it| taken.get(it).is_some());
    let is_many = ["object", "array"].iter().any(|it| taken["type"] == *it);
    (is_one && !is_many && count == 1).then(|| taken.clone())
}

/// The parameters of one `Query`: one for each field, or one for whatever comes.
fn of_query(schema: &Value) -> Vec<Value> {
    let Some(fields) = schema.get("properties").and_then(Value::as_object) else {
        let is_map = schema.get("additionalProperties").is_some();
        return Vec::from_iter(is_map.then(|| anything(schema.clone())));
    };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|it| it == name));
    let fields = fields.iter().map(|(name, schema)| {
        let schema = schema.clone();
        parameter("query", name, schema, is_required(name))
    });
    fields.collect()
}

/// A map in a query: its keys are parameters.
fn anything(schema: Value) -> Value {
    json!({ "name": "query", "in": "query", "style": "form", "explode": true, "schema": schema })
}

fn parameter(place: &str, name: &str, mut schema: Value, is_required: bool) -> Value {
    let members = schema.as_object_mut();
    let text = members.and_then(|it: &mut Map<_, _>| it.remove("description"));
    let mut parameter = json!({
        "name": name,
        "in": place,
        "required": is_required,
        "schema": schema,
    });
    if let Some(text) = text {
        parameter["description"] = text;
    }
    parameter
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    #[test]
    fn templates_are_spelled_as_openapi_has_them() {
        for (axum, openapi) in [
            ("/orders/{id}", "/orders/{id}"),
            ("/files/{*rest}", "/files/{rest}"),
            ("/a/{{x}}/{y}", "/a/%7Bx%7D/{y}"),
        ] {
            assert_eq!(template(axum), openapi);
        }
    }

    fn schemas(path: &str, taken: Value) -> Vec<Value> {
        let parameters = parameters(path, Some(&taken), &[]);
        parameters
            .into_iter()
            .map(|mut it| it["schema"].take())
            .collect()
    }

    #[test]
    fn placeholders_take_their_schema_by_name_by_place_or_alone() {
        let (number, text) = (json!({ "type": "integer" }), json!({ "type": "string" }));
        let by_name = json!({ "type": "object", "properties": { "id": number } });
        assert_eq!(
            schemas("/a/{id}/{x}", by_name),
            [number.clone(), text.clone()]
        );
        let by_place = json!({ "type": "array", "prefixItems": [text, number] });
        assert_eq!(
            schemas("/a/{x}/{id}", by_place.clone()),
            [text.clone(), number.clone()]
        );
        let alone = schemas("/{{no}}/{id}", number.clone());
        assert_eq!(alone, from_ref(&number));
        // What axum refuses at run time is not guessed at.
        assert_eq!(schemas("/a/{id}", by_place), from_ref(&text));
        assert_eq!(schemas("/a/{x}/{id}", number), [text.clone(), text.clone()]);
        assert_eq!(schemas("/a/{id}", json!({ "type": "object" })), [text]);
    }
}
