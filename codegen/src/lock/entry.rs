//! One value that travels in JSON: its type, whether it must be there, what it is held to.
//!
//! Types and limits are compared by what they let through: a value that the narrower one has is a
//! value that the wider one has. What cannot be ordered, two patterns for example, is neither.
//!
//! Invariant: an entry is plain words, so that it is written in a line and read back as it was.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What an operation takes and gives: entries by place, such as `body.items[].sku`.
pub type Shape = BTreeMap<String, Entry>;

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its type: `string`, `integer(int64)`, `enum(a|b)`, `object`, `one of(card|cash)`, with
    /// `null|` before it where null is a value of it.
    pub ty: String,
    /// Whether it must be there.
    pub required: bool,
    /// What its values are held to besides, by the keyword of JSON Schema: `maxLength` is `20`.
    pub limits: BTreeMap<String, String>,
}

/// Keywords whose larger number lets more through.
const UPPER: [&str; 5] = [
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
/// Keywords whose larger number lets less through.
const LOWER: [&str; 5] = [
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];
/// How a parameter is written. None of them lets through what another one does.
const FORMS: [&str; 3] = ["style", "explode", "content"];
/// Formats whose values are values of the other one.
const NARROWER_FORMATS: [(&str, &str); 2] = [("int32", "int64"), ("float", "double")];

pub(super) fn is_bound(keyword: &str) -> bool {
    UPPER.contains(&keyword) || LOWER.contains(&keyword)
}

impl Entry {
    /// Holds this value to what another entry of the same place says too.
    pub(super) fn meet(&mut self, other: Self) {
        self.required |= other.required;
        self.ty = meet_types(&self.ty, &other.ty);
        for (keyword, value) in other.limits {
            let met = match self.limits.get(&keyword) {
                None => value,
                Some(own) if limit_lets_through(&keyword, Some(own), Some(&value)) => value,
                Some(own) if limit_lets_through(&keyword, Some(&value), Some(own)) => continue,
                Some(own) => format!("{own} & {value}"),
            };
            self.limits.insert(keyword, met);
        }
    }
}

/// Whether each value that `narrower` lets through is one that `wider` lets through.
pub(super) fn limit_lets_through(
    keyword: &str,
    wider: Option<&String>,
    narrower: Option<&String>,
) -> bool {
    if FORMS.contains(&keyword) {
        return wider == narrower;
    }
    let (Some(wider), Some(narrower)) = (wider, narrower) else {
        return wider.is_none();
    };
    let numbers = wider.parse::<f64>().ok().zip(narrower.parse::<f64>().ok());
    let order = numbers.and_then(|(wider, narrower)| wider.partial_cmp(&narrower));
    match order {
        Some(Ordering::Greater) if UPPER.contains(&keyword) => true,
        Some(Ordering::Less) if LOWER.contains(&keyword) => true,
        _ => wider == narrower,
    }
}

/// Whether each value of the type `narrower` is one of the type `wider`.
pub(super) fn type_lets_through(wider: &str, narrower: &str) -> bool {
    let (wider_null, wider) = split_null(wider);
    let (narrower_null, narrower) = split_null(narrower);
    let wider = Type::of(wider);
    if matches!(wider, Type::Any) {
        return true;
    }
    (wider_null || !narrower_null) && wider.holds(&Type::of(narrower))
}

fn meet_types(one: &str, other: &str) -> String {
    let is_null = |ty: &str| split_null(ty).0 || ty == "any";
    let null = is_null(one) && is_null(other);
    let bodies = [split_null(one).1, split_null(other).1];
    let [first, second] = bodies.map(Type::of);
    let met = match (&first, &second) {
        _ if first.holds(&second) => bodies[1].to_owned(),
        _ if second.holds(&first) => bodies[0].to_owned(),
        (Type::OneOf(_), Type::Plain(types, _)) if types.contains("object") => bodies[0].to_owned(),
        (Type::Plain(types, _), Type::OneOf(_)) if types.contains("object") => bodies[1].to_owned(),
        (Type::Enum(one), Type::Enum(other)) => {
            let both: Vec<_> = one.intersection(other).copied().collect();
            format!("enum({})", both.join("|"))
        }
        _ => {
            let (low, high) = (bodies[0].min(bodies[1]), bodies[0].max(bodies[1]));
            format!("{low} & {high}")
        }
    };
    if null && met != "any" {
        format!("null|{met}")
    } else {
        met
    }
}

fn split_null(ty: &str) -> (bool, &str) {
    match ty.strip_prefix("null|") {
        Some(rest) => (true, rest),
        None => (false, ty),
    }
}

/// The text of a type, taken apart.
enum Type<'t> {
    Any,
    Enum(BTreeSet<&'t str>),
    OneOf(BTreeSet<&'t str>),
    /// Types of JSON, and their format.
    Plain(BTreeSet<&'t str>, Option<&'t str>),
    /// What is only equal to itself.
    Other(&'t str),
}

impl<'t> Type<'t> {
    fn of(ty: &'t str) -> Self {
        let list = |name: &str| {
            let inside = ty.strip_prefix(name)?.strip_suffix(')')?;
            Some(inside.split('|').collect())
        };
        if ty == "any" {
            return Self::Any;
        }
        if let Some(words) = list("enum(") {
            return Self::Enum(words);
        }
        if let Some(labels) = list("one of(") {
            return Self::OneOf(labels);
        }
        let (types, format) = match ty.strip_suffix(')').and_then(|it| it.split_once('(')) {
            Some((types, format)) => (types, Some(format)),
            None => (ty, None),
        };
        let types: BTreeSet<_> = types.split('|').collect();
        if types.iter().all(|it| PLAIN.contains(it)) {
            Self::Plain(types, format)
        } else {
            Self::Other(ty)
        }
    }

    fn holds(&self, other: &Type<'_>) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Enum(wider), Type::Enum(narrower))
            | (Self::OneOf(wider), Type::OneOf(narrower)) => wider.is_superset(narrower),
            (Self::Plain(types, None), Type::Enum(words)) => words
                .iter()
                .all(|word| holds_type(types, type_of_word(word))),
            (Self::Plain(wider, formatted), Type::Plain(narrower, format)) => {
                narrower.iter().all(|ty| holds_type(wider, ty)) && holds_format(*formatted, *format)
            }
            (Self::Other(one), Type::Other(other)) => one == other,
            _ => false,
        }
    }
}

const PLAIN: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

fn holds_type(types: &BTreeSet<&str>, ty: &str) -> bool {
    types.contains(ty) || (ty == "integer" && types.contains("number"))
}

fn holds_format(wider: Option<&str>, narrower: Option<&str>) -> bool {
    match (wider, narrower) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wider), Some(narrower)) => {
            wider == narrower || NARROWER_FORMATS.contains(&(narrower, wider))
        }
    }
}

/// Words that are no strings are written as JSON has them, and so are strings that JSON could read
/// as something else: `01` is no number of JSON, and a string.
fn type_of_word(word: &str) -> &'static str {
    match serde_json::from_str(word) {
        Ok(Value::Bool(_)) => "boolean",
        Ok(Value::Null) => "null",
        Ok(Value::Number(number)) if number.is_f64() => "number",
        Ok(Value::Number(_)) => "integer",
        Ok(Value::Array(_) | Value::Object(_)) => "any",
        Ok(Value::String(_)) | Err(_) => "string",
    }
}
