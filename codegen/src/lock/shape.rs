//! A JSON value as lines: one entry for each place, with its type and whether it must be there.
//!
//! JSON Schema says the same thing in many ways; flattened it has one, which a person can review
//! in a diff. What cannot be flattened (alternatives, conditions) is kept as one entry whose type
//! is the canonical text of the schema, so a change of it is seen though not understood.
//!
//! Invariant: a shape is finite, however its schemas refer to each other, and has at most
//! [`ENTRIES_MAX`] entries.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Entries of one operation. What goes beyond is folded into the entry around it.
pub const ENTRIES_MAX: usize = 2_000;
/// Values inside values; deeper ones are folded into the entry around them.
pub const DEPTH_MAX: usize = 24;

/// What an operation takes and gives: entries by place, such as `body.items[].sku`.
pub type Shape = BTreeMap<String, Entry>;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its type: `string`, `integer(int64)`, `enum(a|b)`, `object`, `array`, …
    pub ty: String,
    /// Whether it must be there.
    pub required: bool,
}

/// Flattens schemas of one document, whose references start at its root.
pub(crate) struct Flattener<'d> {
    document: &'d Value,
    shape: Shape,
    /// The references that are being followed, outermost first.
    inside: Vec<String>,
}

impl<'d> Flattener<'d> {
    pub(crate) fn new(document: &'d Value) -> Self {
        Self {
            document,
            shape: Shape::new(),
            inside: Vec::new(),
        }
    }

    pub(crate) fn finish(self) -> Shape {
        self.shape
    }

    /// Adds the value at `place`, and what is inside of it.
    pub(crate) fn value(&mut self, place: &str, schema: &Value, required: bool) {
        if self.shape.len() >= ENTRIES_MAX {
            return;
        }
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return self.inline(place, schema, required);
        };
        if self.inside.iter().any(|it| it == reference) || self.inside.len() >= DEPTH_MAX {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            return self.add(place, format!("again({name})"), required);
        }
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.document.pointer(pointer));
        match target {
            Some(target) => {
                self.inside.push(reference.to_owned());
                self.value(place, target, required);
                self.inside.pop();
            }
            None => self.add(place, format!("unknown({reference})"), required),
        }
    }

    fn inline(&mut self, place: &str, schema: &Value, required: bool) {
        if let Some(whole) = nullable(schema) {
            // `T or null` is how an absent value is written.
            return self.value(place, whole, false);
        }
        let alternatives = ["oneOf", "anyOf", "not", "if"];
        let Some(object) = schema.as_object() else {
            return self.add(place, "any".to_owned(), required);
        };
        if alternatives.iter().any(|key| object.contains_key(*key)) {
            return self.add(place, format!("one of {}", canonical(schema)), required);
        }
        self.add(place, type_of(object), required && !may_be_null(object));
        for part in object
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            self.value(place, part, required);
        }
        self.members(place, object);
        if let Some(items) = object.get("items") {
            self.value(&format!("{place}[]"), items, true);
        }
        if let Some(values @ Value::Object(_)) = object.get("additionalProperties") {
            self.value(&format!("{place}{{}}"), values, true);
        }
    }

    fn members(&mut self, place: &str, object: &Map<String, Value>) {
        let needed: BTreeSet<&str> = object
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let members = object.get("properties").and_then(Value::as_object);
        for (name, member) in members.into_iter().flatten() {
            self.value(
                &format!("{place}.{name}"),
                member,
                needed.contains(name.as_str()),
            );
        }
    }

    fn add(&mut self, place: &str, ty: String, required: bool) {
        let entry = Entry { ty, required };
        let known = self.shape.entry(place.to_owned()).or_insert(entry.clone());
        // Parts of an `allOf` say the rest of what one of them began.
        if known.ty == "any" || known.ty == "object" {
            *known = entry;
        }
    }
}

/// `T`, when the schema says `T` or null in one of the usual ways.
fn nullable(schema: &Value) -> Option<&Value> {
    let is_null = |it: &&Value| it.get("type").and_then(Value::as_str) == Some("null");
    for key in ["anyOf", "oneOf"] {
        let Some([first, second]) = schema.get(key).and_then(Value::as_array).map(Vec::as_slice)
        else {
            continue;
        };
        match (is_null(&first), is_null(&second)) {
            (true, false) => return Some(second),
            (false, true) => return Some(first),
            _ => {}
        }
    }
    None
}

fn may_be_null(schema: &Map<String, Value>) -> bool {
    let types = schema.get("type").and_then(Value::as_array);
    types.is_some_and(|types| types.iter().any(|it| it == "null"))
}

fn type_of(schema: &Map<String, Value>) -> String {
    if let Some(value) = schema.get("const") {
        return format!("enum({})", words(std::slice::from_ref(value)));
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return format!("enum({})", words(values));
    }
    let ty = match schema.get("type") {
        Some(Value::String(ty)) => ty.clone(),
        Some(Value::Array(types)) => {
            let types: Vec<_> = types.iter().filter(|it| *it != "null").cloned().collect();
            words(&types)
        }
        _ if schema.contains_key("properties") => "object".to_owned(),
        _ if schema.contains_key("items") => "array".to_owned(),
        _ => "any".to_owned(),
    };
    match schema.get("format").and_then(Value::as_str) {
        Some(format) => format!("{ty}({format})"),
        None => ty,
    }
}

fn words(values: &[Value]) -> String {
    let words = values.iter().map(|value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    words
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join("|")
}

/// The schema without what only people read, keys in ascending order.
fn canonical(schema: &Value) -> String {
    const PROSE: [&str; 6] = [
        "description",
        "title",
        "examples",
        "example",
        "$comment",
        "default",
    ];
    match schema {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            let members = sorted
                .into_iter()
                .filter(|(key, _)| !PROSE.contains(&key.as_str()))
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(values) => {
            format!(
                "[{}]",
                values.iter().map(canonical).collect::<Vec<_>>().join(",")
            )
        }
        other => other.to_string(),
    }
}
