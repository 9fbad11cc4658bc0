//! Two OpenAPI documents as one: ours and one that something else made.
//!
//! Refuses an operation that both have, a path that is called otherwise in the two, and a component
//! that is defined differently; the fault names both places. A component that is the same in both is
//! one component.
//!
//! Invariant: what is in one of the two is in the result, as it was.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{Error, Fault};
use crate::http_path;

/// Where a part of a document is defined, by a pointer into it.
pub type Site<'s> = &'s dyn Fn(&str) -> String;

/// Adds to `theirs` what `ours` has. Title, version and servers stay theirs. A part of `ours` is at
/// `site.0`, one of `theirs` at `site.1`.
///
/// # Errors
///
/// Everything that is defined differently in both, with both places.
pub fn merge(ours: &Value, theirs: Value, site: (Site<'_>, Site<'_>)) -> Result<Value, Error> {
    let version = theirs
        .get("openapi")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !version.starts_with("3.1") {
        let text = format!(
            "is OpenAPI `{version}`, and only 3.1 can be merged: have it written as 3.1 first"
        );
        return Err(at(site.1, "", text).into());
    }
    let mut merged = theirs;
    let mut faults = Vec::new();
    for (template, operations) in members(ours.get("paths")) {
        match named_otherwise(template, &merged) {
            Some(other) => {
                let pointer = format!("/paths/{}", escaped(&other));
                let verb = members(Some(operations)).next();
                let verb = verb.map(|(verb, _)| verb.as_str()).unwrap_or_default();
                let text = format!(
                    "`{other}` is `{template}` at {}: give the placeholders the same names",
                    site.0(&format!("/paths/{}/{verb}", escaped(template)))
                );
                faults.push(at(site.1, &pointer, text));
            }
            None => faults.extend(add_path(&mut merged, (template, operations), site)),
        }
    }
    for (kind, components) in members(ours.get("components")) {
        let place = entry(&mut merged, &["components", kind]);
        for (name, component) in members(Some(components)) {
            match place.get(name) {
                Some(other) if other != component => {
                    let pointer = format!("/components/{kind}/{}", escaped(name));
                    let text = format!(
                        "`{name}` is defined differently at {}: rename one of them",
                        site.0(&pointer)
                    );
                    faults.push(at(site.1, &pointer, text));
                }
                Some(_) => {}
                None => {
                    place.insert(name.clone(), component.clone());
                }
            }
        }
    }
    Error::unless_empty(faults)?;
    add_tags(&mut merged, ours);
    Ok(merged)
}

/// The template of the same path, where its placeholders have other names.
fn named_otherwise(template: &str, merged: &Value) -> Option<String> {
    let (form, _) = http_path::form(template);
    let mut all = members(merged.get("paths")).map(|(other, _)| other);
    let other = all.find(|other| http_path::form(other).0 == form)?;
    (other != template).then(|| other.clone())
}

/// Adds the operations of one path; those that are there already are faults.
fn add_path(
    merged: &mut Value,
    (template, operations): (&str, &Value),
    site: (Site<'_>, Site<'_>),
) -> Vec<Fault> {
    let place = entry(merged, &["paths", template]);
    let mut faults = Vec::new();
    for (verb, operation) in members(Some(operations)) {
        if place.contains_key(verb) {
            let pointer = format!("/paths/{}/{verb}", escaped(template));
            let text = format!(
                "`{} {template}` is an operation of {} too: take it out of one of them",
                verb.to_uppercase(),
                site.0(&pointer)
            );
            faults.push(at(site.1, &pointer, text));
        } else {
            place.insert(verb.clone(), operation.clone());
        }
    }
    faults
}

/// Where a part of the document in a file is: `file#/pointer`.
pub fn place_in_file(path: &Path, pointer: &str) -> String {
    match pointer {
        "" => path.display().to_string(),
        _ => format!("{}#{pointer}", path.display()),
    }
}

fn add_tags(merged: &mut Value, ours: &Value) {
    let ours = ours.get("tags").and_then(Value::as_array);
    let theirs = merged.get("tags").and_then(Value::as_array).cloned();
    let mut tags = theirs.unwrap_or_default();
    for tag in ours.into_iter().flatten() {
        if !tags.iter().any(|other| other["name"] == tag["name"]) {
            tags.push(tag.clone());
        }
    }
    if !tags.is_empty() {
        merged["tags"] = tags.into();
    }
}

/// A fault at a place of their document.
fn at(site: Site<'_>, pointer: &str, text: String) -> Fault {
    Fault {
        file: site(pointer),
        position: None,
        message: text,
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn members(of: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    of.and_then(Value::as_object).into_iter().flatten()
}

/// The object at these keys, made where it is missing or no object.
fn entry<'v>(value: &'v mut Value, keys: &[&str]) -> &'v mut Map<String, Value> {
    let mut at = value;
    for key in keys {
        let object = object(at);
        at = object
            .entry(*key)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    object(at)
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was made one above")
}
