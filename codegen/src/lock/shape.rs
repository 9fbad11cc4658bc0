//! A JSON value as lines: one entry for each place, with its type and whether it must be there.
//!
//! JSON Schema says the same thing in many ways; flattened it has one, which a person can review
//! in a diff. Alternatives that their values tell apart are places of their own (`body<card>`);
//! others, and conditions, are kept as the canonical text of the schema, so a change of them is
//! seen though not understood.
//!
//! Refuses an operation of more than [`ENTRIES_MAX`] values, and one that refers to what is not in
//! the document: half of an operation cannot be compared.
//! Invariant: a shape is finite, however its schemas refer to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::alternatives::labels;
use super::canonical::{Unfit, canonical, target};
use super::entry::{Entry, Shape, is_bound};

/// Values of one operation.
pub const ENTRIES_MAX: usize = 20_000;
/// Values inside values.
pub const DEPTH_MAX: usize = 100;

/// Keywords that hold values to something and have no order.
const CONDITIONS: [&str; 17] = [
    "contains",
    "contentEncoding",
    "contentMediaType",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "multipleOf",
    "not",
    "pattern",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Where a value is, and what is known of it there.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    pub(super) place: &'p str,
    pub(super) required: bool,
    /// Whether it may be null, whatever its schema says.
    null: bool,
}

impl<'p> At<'p> {
    pub(super) fn new(place: &'p str, required: bool) -> Self {
        Self {
            place,
            required,
            null: false,
        }
    }
}

/// Flattens schemas of one document, whose references start at its root.
pub(super) struct Flattener<'d> {
    document: &'d Value,
    shape: Shape,
    /// Places that some part of a schema asks for.
    needed: BTreeSet<String>,
    /// The references that are being followed, outermost first.
    inside: Vec<&'d str>,
    depth: usize,
    values: usize,
    /// Why there is no shape: what was found first.
    unfit: Option<Unfit>,
}

impl<'d> Flattener<'d> {
    pub(super) fn new(document: &'d Value) -> Self {
        Self {
            document,
            shape: Shape::new(),
            needed: BTreeSet::new(),
            inside: Vec::new(),
            depth: 0,
            values: 0,
            unfit: None,
        }
    }

    /// What was found.
    ///
    /// # Errors
    ///
    /// When that was more than a shape has, or referred to what is not there.
    pub(super) fn finish(self) -> Result<Shape, Unfit> {
        if let Some(unfit) = self.unfit {
            return Err(unfit);
        }
        let mut shape = self.shape;
        for place in self.needed {
            let entry = shape.entry(place).or_insert_with(|| entry("any"));
            entry.required = true;
        }
        if shape.len() > ENTRIES_MAX {
            return Err(Unfit::TooLarge);
        }
        Ok(shape)
    }

    /// Holds the value at a place to one thing more; nothing where there is none.
    pub(super) fn limit(&mut self, place: &str, keyword: &str, text: String) {
        if let Some(entry) = self.shape.get_mut(place) {
            entry.limits.insert(keyword.to_owned(), text);
        }
    }

    /// Adds the value at a place, and what is inside of it.
    pub(super) fn value(&mut self, at: At<'_>, schema: &'d Value) {
        self.values += 1;
        if self.depth >= DEPTH_MAX || self.values > ENTRIES_MAX {
            self.give_up(Unfit::TooLarge);
        }
        if self.unfit.is_some() {
            return;
        }
        self.depth += 1;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            self.reference(at, reference);
        }
        self.inline(at, schema);
        self.depth -= 1;
    }

    fn reference(&mut self, at: At<'_>, reference: &'d str) {
        if let Some(around) = self.inside.iter().rposition(|it| *it == reference) {
            let again = format!("again({})", self.inside.len() - around);
            return self.add(at, entry(again));
        }
        match target(self.document, reference) {
            Some(found) => {
                self.inside.push(reference);
                self.value(at, found);
                self.inside.pop();
            }
            None => self.give_up(Unfit::NoTarget(reference.to_owned())),
        }
    }

    fn inline(&mut self, at: At<'_>, schema: &'d Value) {
        let Some(object) = schema.as_object() else {
            let ty = if schema == &Value::Bool(false) {
                "nothing"
            } else {
                "any"
            };
            return self.add(at, entry(ty));
        };
        let at = At {
            null: at.null || object.get("nullable") == Some(&Value::Bool(true)),
            ..at
        };
        let mut found = entry(type_of(object));
        found.limits = self.limits(at, object);
        self.add(at, found);
        for part in list(object, "allOf") {
            self.value(at, part);
        }
        for key in ["oneOf", "anyOf"] {
            self.alternatives(at, list(object, key));
        }
        self.members(at, object);
        self.elements(at, object);
    }

    fn members(&mut self, at: At<'_>, object: &'d Map<String, Value>) {
        let needed = list(object, "required").filter_map(Value::as_str);
        let inner = |name: &str| format!("{}.{}", at.place, word_of_place(name));
        self.needed.extend(needed.map(inner));
        let members = object.get("properties").and_then(Value::as_object);
        for (name, member) in members.into_iter().flatten() {
            self.value(At::new(&inner(name), false), member);
        }
        if let Some(values @ Value::Object(_)) = object.get("additionalProperties") {
            self.value(At::new(&format!("{}{{}}", at.place), true), values);
        }
    }

    fn elements(&mut self, at: At<'_>, object: &'d Map<String, Value>) {
        for (index, element) in list(object, "prefixItems").enumerate() {
            self.value(At::new(&format!("{}[{index}]", at.place), true), element);
        }
        if let Some(items) = object.get("items") {
            self.value(At::new(&format!("{}[]", at.place), true), items);
        }
    }

    fn alternatives(&mut self, at: At<'_>, all: impl Iterator<Item = &'d Value>) {
        let is_null = |it: &&Value| it.get("type").and_then(Value::as_str) == Some("null");
        let (nulls, others): (Vec<_>, Vec<_>) = all.partition(is_null);
        let at = At {
            null: at.null || !nulls.is_empty(),
            ..at
        };
        match others[..] {
            [] => {}
            // `T or null` is how an absent value is written.
            [one] => self.value(at, one),
            _ => match labels(self.document, &others) {
                Some(labels) => self.told_apart(at, &labels, &others),
                None => self.unknown(at, &others),
            },
        }
    }

    fn told_apart(&mut self, at: At<'_>, labels: &[String], all: &[&'d Value]) {
        let labels: Vec<_> = labels.iter().map(|it| word_of_place(it)).collect();
        let sorted: BTreeSet<&str> = labels.iter().map(String::as_str).collect();
        let sorted: Vec<_> = sorted.into_iter().collect();
        self.add(at, entry(format!("one of({})", sorted.join("|"))));
        for (label, alternative) in labels.iter().zip(all) {
            let place = format!("{}<{label}>", at.place);
            self.value(At::new(&place, true), alternative);
        }
    }

    fn unknown(&mut self, at: At<'_>, all: &[&'d Value]) {
        let texts: Result<BTreeSet<String>, _> =
            all.iter().map(|it| canonical(self.document, it)).collect();
        match texts {
            Ok(texts) => {
                let texts: Vec<_> = texts.into_iter().collect();
                self.add(at, entry(format!("one of {}", texts.join(" | "))));
            }
            Err(unfit) => self.give_up(unfit),
        }
    }

    /// Nothing more is looked at, and there is no shape.
    fn give_up(&mut self, unfit: Unfit) {
        self.unfit.get_or_insert(unfit);
    }

    /// What the values of a schema are held to, besides their type.
    fn limits(&mut self, at: At<'_>, object: &'d Map<String, Value>) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for (keyword, value) in object {
            let text = match value {
                Value::Number(number) if is_bound(keyword) => bound(keyword, number),
                Value::String(text) if CONDITIONS.contains(&keyword.as_str()) => Some(text.clone()),
                value if CONDITIONS.contains(&keyword.as_str()) => {
                    let text = canonical(self.document, value);
                    text.map_err(|unfit| self.give_up(unfit)).ok()
                }
                Value::Bool(true) if keyword == "uniqueItems" => Some("true".to_owned()),
                // Readers pass over what they do not know, whatever a document says.
                Value::Bool(false) if keyword == "additionalProperties" && is_taken(at.place) => {
                    Some("false".to_owned())
                }
                _ => None,
            };
            found.extend(text.map(|text| (keyword.clone(), text)));
        }
        // OpenAPI 3.0 says by a flag that a bound is no value itself.
        for (flag, keyword) in [
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ] {
            if object.get(flag) == Some(&Value::Bool(true))
                && let Some(bound) = found.remove(keyword)
            {
                found.insert(flag.to_owned(), bound);
            }
        }
        found
    }

    fn add(&mut self, at: At<'_>, mut entry: Entry) {
        if at.null && entry.ty != "any" && !entry.ty.starts_with("null") {
            entry.ty.insert_str(0, "null|");
        }
        entry.required = at.required;
        match self.shape.get_mut(at.place) {
            Some(known) => known.meet(entry),
            None => {
                self.shape.insert(at.place.to_owned(), entry);
            }
        }
    }
}

/// Whether the place is in what an operation takes.
pub(super) fn is_taken(place: &str) -> bool {
    place.starts_with("in.")
}

/// The name that starts after `root` in a place, and what follows it.
pub(super) fn split_name<'p>(place: &'p str, root: &str) -> Option<(&'p str, &'p str)> {
    let rest = place.strip_prefix(root)?;
    Some(rest.split_at(rest.find(['.', '[', '{', '<']).unwrap_or(rest.len())))
}

/// The place as it is compared: names of headers have no case.
pub(super) fn without_case(place: &str) -> String {
    match split_name(place, IN_HEADER) {
        Some((name, rest)) => format!("{IN_HEADER}{}{rest}", name.to_ascii_lowercase()),
        None => place.to_owned(),
    }
}

/// Where the headers of a request are.
const IN_HEADER: &str = "in.header.";

/// A name as part of a place, in which punctuation has a meaning.
pub(super) fn word_of_place(name: &str) -> String {
    let mut word = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_control() || " .[]{}<>()|%\"#".contains(c) {
            let _ = write!(word, "%{:02x}", u32::from(c));
        } else {
            word.push(c);
        }
    }
    word
}

fn entry(ty: impl Into<String>) -> Entry {
    Entry {
        ty: ty.into(),
        required: false,
        limits: BTreeMap::new(),
    }
}

fn list<'d>(object: &'d Map<String, Value>, key: &str) -> impl Iterator<Item = &'d Value> {
    let values = object.get(key).and_then(Value::as_array);
    values.into_iter().flatten()
}

/// A bound as a number that is written in one way; `None` for one that holds nothing back.
fn bound(keyword: &str, number: &serde_json::Number) -> Option<String> {
    let shown = match number.as_f64() {
        Some(value) if value.fract() == 0.0 && value.abs() < 9e15 => format!("{value:.0}"),
        _ => number.to_string(),
    };
    let is_nothing = shown == "0" && matches!(keyword, "minLength" | "minItems" | "minProperties");
    (!is_nothing).then_some(shown)
}

fn type_of(schema: &Map<String, Value>) -> String {
    let words = match (schema.get("const"), schema.get("enum")) {
        (Some(value), _) => Some(std::slice::from_ref(value)),
        (None, Some(Value::Array(values))) => Some(values.as_slice()),
        _ => None,
    };
    if let Some(values) = words {
        let is_null = values.contains(&Value::Null);
        let words: BTreeSet<_> = values.iter().filter(|it| !it.is_null()).map(word).collect();
        let words = words.into_iter().collect::<Vec<_>>().join("|");
        return or_null(is_null, format!("enum({words})"));
    }
    let ty = match schema.get("type") {
        Some(Value::String(ty)) => ty.clone(),
        Some(Value::Array(types)) => {
            let is_null = types.iter().any(|it| it == "null");
            let types: BTreeSet<&str> = types.iter().filter_map(Value::as_str).collect();
            let types: Vec<_> = types.into_iter().filter(|it| *it != "null").collect();
            or_null(is_null, types.join("|"))
        }
        _ if schema.contains_key("properties") => "object".to_owned(),
        _ if schema.contains_key("items") || schema.contains_key("prefixItems") => {
            "array".to_owned()
        }
        _ => return "any".to_owned(),
    };
    match schema.get("format").and_then(Value::as_str) {
        Some(format) => format!("{ty}({})", word_of_place(format)),
        None => ty,
    }
}

fn or_null(is_null: bool, ty: String) -> String {
    match (is_null, ty.as_str()) {
        (true, "") => "null".to_owned(),
        (true, _) => format!("null|{ty}"),
        (false, _) => ty,
    }
}

/// A constant as a word of a list: text as it is where that cannot be taken for something else.
fn word(value: &Value) -> String {
    let Some(text) = value.as_str() else {
        return value.to_string().replace('|', "\\u007c");
    };
    let is_other = text.is_empty() || serde_json::from_str::<Value>(text).is_ok();
    if is_other || text.contains(['|', '"', '(', ')']) {
        Value::from(text).to_string().replace('|', "\\u007c")
    } else {
        text.to_owned()
    }
}
