//! The JSON description of a message that a registration carries.
//!
//! It is the reflection format of protobufjs, not JSON Schema: own fields and the types nested
//! inside, keys in a fixed order, absent when empty. Best effort by design: the runtime stores it
//! for people to read, and routes by the hash alone.
//!
//! Invariant: the same schema always gives the same bytes.

use std::ops::RangeInclusive;

use super::model::{
    Cardinality, DefaultValue, Edition, Enum, Field, Message, OneofGroup, Schema, Type,
};

/// The description of a schema's root message.
///
/// # Example
///
/// ```
/// # let text = r#"{"input":{"A":{"id":{"type":"string","fieldNumber":1}}},
/// #              "output":{"B":{"ok":{"type":"bool","fieldNumber":1}}}}"#;
/// let contract = contract::schema::parse_schema_json("order.schema.json", text).expect("valid");
/// assert_eq!(
///     contract::schema::message_json(&contract.input),
///     r#"{"edition":"proto2","fields":{"id":{"type":"string","id":1}}}"#,
/// );
/// ```
#[must_use]
pub fn message_json(schema: &Schema) -> String {
    message(schema, schema.root(), true)
}

/// The JSON name of a `.proto` field: each `_` before an ASCII lowercase letter, except a leading
/// one, goes and the letter turns upper case. `user_id` is `userId`, `a_1` stays.
#[must_use]
pub fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '_' && !out.is_empty() && next.is_ascii_lowercase() => {
                out.push(next.to_ascii_uppercase());
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

fn message(schema: &Schema, of: &Message, outermost: bool) -> String {
    let mut entries = Vec::new();
    if outermost && of.edition == Edition::Proto2 {
        entries.push(("edition".to_owned(), text("proto2")));
    }
    if of.deprecated {
        entries.push(("options".to_owned(), r#"{"deprecated":true}"#.to_owned()));
    }
    let groups: Vec<_> = of.oneofs.iter().map(|group| oneof(of, group)).collect();
    if !groups.is_empty() {
        entries.push(("oneofs".to_owned(), object(&groups)));
    }
    let fields: Vec<_> = of
        .fields
        .iter()
        .map(|it| (it.json_name.clone(), field(schema, of, it)))
        .collect();
    entries.push(("fields".to_owned(), object(&fields)));
    if !of.extensions.is_empty() {
        entries.push((
            "extensions".to_owned(),
            array(of.extensions.iter().map(range)),
        ));
    }
    let reserved = || {
        let names = of.reserved_names.iter().map(|name| text(name));
        of.reserved.iter().map(range).chain(names)
    };
    if reserved().next().is_some() {
        entries.push(("reserved".to_owned(), array(reserved())));
    }
    let nested: Vec<_> = of
        .nested
        .iter()
        .filter_map(|name| nested_type(schema, name))
        .collect();
    if !nested.is_empty() {
        entries.push(("nested".to_owned(), object(&nested)));
    }
    object(&entries)
}

fn nested_type(schema: &Schema, full_name: &str) -> Option<(String, String)> {
    if let Some(inner) = schema.messages.get(full_name) {
        return Some((inner.name().to_owned(), message(schema, inner, false)));
    }
    let inner = schema.enums.get(full_name)?;
    Some((inner.name().to_owned(), enumeration(inner)))
}

fn enumeration(of: &Enum) -> String {
    let values: Vec<_> = of
        .values
        .iter()
        .map(|(name, number)| (name.clone(), number.to_string()))
        .collect();
    object(&[("values".to_owned(), object(&values))])
}

fn oneof(of: &Message, group: &OneofGroup) -> (String, String) {
    let members = of
        .fields
        .iter()
        .filter(|field| group.members.contains(&field.number))
        .map(|field| text(&field.json_name));
    (
        group.json_name.clone(),
        object(&[("oneof".to_owned(), array(members))]),
    )
}

fn field(schema: &Schema, owner: &Message, of: &Field) -> String {
    let mut entries = Vec::new();
    match of.cardinality {
        Cardinality::Optional => {}
        Cardinality::Required => entries.push(("rule".to_owned(), text("required"))),
        Cardinality::Repeated => entries.push(("rule".to_owned(), text("repeated"))),
        Cardinality::Map(key) => entries.push(("keyType".to_owned(), text(key.keyword()))),
    }
    let ty = match &of.ty {
        Type::Scalar(scalar) => text(scalar.keyword()),
        Type::Message(name) | Type::Enum(name) => text(&reference(schema, owner, name)),
    };
    entries.push(("type".to_owned(), ty));
    entries.push(("id".to_owned(), of.number.to_string()));
    let options = field_options(of);
    if !options.is_empty() {
        entries.push(("options".to_owned(), object(&options)));
    }
    object(&entries)
}

fn field_options(of: &Field) -> Vec<(String, String)> {
    let mut options = Vec::new();
    if of.proto3_optional {
        options.push(("proto3_optional".to_owned(), "true".to_owned()));
    }
    if of.deprecated {
        options.push(("deprecated".to_owned(), "true".to_owned()));
    }
    if let Some(packed) = of.packed {
        options.push(("packed".to_owned(), packed.to_string()));
    }
    match &of.default {
        Some(DefaultValue::Literal(literal)) => {
            options.push(("default".to_owned(), literal.clone()))
        }
        Some(DefaultValue::Text(value)) => options.push(("default".to_owned(), text(value))),
        None => {}
    }
    options
}

/// The shortest name that finds `target` from inside `owner`, as a person would have written it.
///
/// Descriptors no longer know the spelling of the source. A name found in a nearer scope would
/// mean another type, so a longer one is tried then, and the full one at last.
fn reference(schema: &Schema, owner: &Message, target: &str) -> String {
    let mut scope = owner.full_name.as_str();
    loop {
        if let Some(relative) = target
            .strip_prefix(scope)
            .and_then(|it| it.strip_prefix('.'))
            && !shadowed(schema, &owner.full_name, scope, relative)
        {
            return relative.to_owned();
        }
        match scope.rsplit_once('.') {
            Some((outer, _)) => scope = outer,
            None => return target.to_owned(),
        }
    }
}

/// Whether the first segment of `relative` means something nearer than `scope`, seen from `from`.
fn shadowed(schema: &Schema, from: &str, scope: &str, relative: &str) -> bool {
    let first = relative.split('.').next().unwrap_or(relative);
    let mut nearer = from;
    while nearer.len() > scope.len() {
        if schema.defines(&format!("{nearer}.{first}")) {
            return true;
        }
        nearer = nearer.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
    false
}

fn range(range: &RangeInclusive<u32>) -> String {
    format!("[{},{}]", range.start(), range.end())
}

fn object(entries: &[(String, String)]) -> String {
    let entries: Vec<_> = entries
        .iter()
        .map(|(key, value)| format!("{}:{value}", text(key)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
