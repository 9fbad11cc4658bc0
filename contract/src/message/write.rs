//! Wire bytes to ProtoJSON: one small serializable view for each message, field and value.
//!
//! Invariant: keys come in the order of field numbers, map entries ascending, so that equal
//! messages give equal text.

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Error, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::level::{Elements, Level, constant_of, entries, is_default, scalar_of, whole};
use super::options::JsonOptions;
use super::path::Path;
use super::table::{FieldTable, Form, Kind, Label, MessageTable, Scalar};
use super::text::{self, Digits};
use super::wire::{Found, Value, WireError};

/// Where a walk is, and how it writes.
#[derive(Clone, Copy)]
pub(super) struct Cx<'w> {
    pub(super) options: &'w JsonOptions,
    pub(super) path: &'w Path<'w>,
    /// How many levels may still follow.
    pub(super) depth: u32,
}

impl<'w> Cx<'w> {
    fn at(self, path: &'w Path<'w>) -> Self {
        Self { path, ..self }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self { depth, ..self }),
            None => Err(self.fail(WireError::Depth)),
        }
    }

    fn fail<E: Error>(self, error: impl std::fmt::Display) -> E {
        match self.path.is_root() {
            true => E::custom(error),
            false => E::custom(format_args!("{}: {error}", self.path)),
        }
    }
}

/// A message that was sent as these values of a field.
pub(super) struct MessageJson<'s, 'a> {
    pub(super) table: &'static MessageTable,
    pub(super) values: &'s [Found<'a>],
    pub(super) cx: Cx<'s>,
}

impl Serialize for MessageJson<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (table, cx) = (self.table, self.cx);
        let level = Level::read(table, self.values).map_err(|error| cx.fail(error))?;
        match table.form {
            Form::Fields => {
                let mut map = serializer.serialize_map(None)?;
                fields(table, &level, cx, &mut map)?;
                map.end()
            }
            Form::Only => {
                let field = FieldJson {
                    field: &table.fields[0],
                    values: level.of(0),
                    cx,
                };
                field.serialize(serializer)
            }
            Form::Value => value(table, &level, cx, serializer),
            Form::Any => any(table, &level, cx, serializer),
            Form::Timestamp | Form::Duration | Form::FieldMask => {
                let text = as_text(table, &level).map_err(|error| cx.fail(error))?;
                serializer.serialize_str(&text)
            }
        }
    }
}

fn fields<M: SerializeMap>(
    table: &'static MessageTable,
    level: &Level<'_>,
    cx: Cx<'_>,
    map: &mut M,
) -> Result<(), M::Error> {
    if cx.options.print_defaults {
        for (position, field) in table.fields.iter().enumerate() {
            let values = level.of(position);
            let has_presence = matches!(field.label, Label::Explicit | Label::Required);
            if !(values.is_empty()
                && (has_presence || field.kind.message().is_some() && is_one(field)))
            {
                entry(field, values, cx, map)?;
            }
        }
        return Ok(());
    }
    for (position, values) in level.fields() {
        let field = &table.fields[position];
        if !is_unset(field, values) {
            entry(field, values, cx, map)?;
        }
    }
    Ok(())
}

fn is_one(field: &FieldTable) -> bool {
    !matches!(field.label, Label::Repeated { .. } | Label::Map(_))
}

/// Whether these values leave the field as if nothing had been sent.
fn is_unset(field: &FieldTable, values: &[Found<'_>]) -> bool {
    match field.label {
        Label::Implicit => is_default(field.kind, values),
        Label::Repeated { .. } => Elements::of(field.kind, values).next().is_none(),
        Label::Explicit | Label::Required | Label::Map(_) => false,
    }
}

fn entry<M: SerializeMap>(
    field: &FieldTable,
    values: &[Found<'_>],
    cx: Cx<'_>,
    map: &mut M,
) -> Result<(), M::Error> {
    let name = match cx.options.original_names {
        true => field.name,
        false => field.json,
    };
    let path = cx.path.field(name);
    let cx = cx.at(&path);
    map.serialize_entry(name, &FieldJson { field, values, cx })
}

/// What stands behind the key of a field.
struct FieldJson<'s, 'a> {
    field: &'s FieldTable,
    values: &'s [Found<'a>],
    cx: Cx<'s>,
}

impl Serialize for FieldJson<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (field, values, cx) = (self.field, self.values, self.cx);
        let kind = field.kind;
        match field.label {
            Label::Map(_) => {
                let cx = cx.deeper()?;
                let entries = entries(field, values).map_err(|error| cx.fail(error))?;
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for entry in &entries {
                    let (path, values) = (cx.path.key(&entry.key), entry.values());
                    let cx = cx.at(&path);
                    let one = OneJson { kind, values, cx };
                    map.serialize_entry(&Displayed(entry.key), &one)?;
                }
                map.end()
            }
            Label::Repeated { .. } => {
                let mut seq = serializer.serialize_seq(None)?;
                for (index, element) in Elements::of(kind, values).enumerate() {
                    let path = cx.path.index(index);
                    let cx = cx.at(&path);
                    let values = &[element.map_err(|error| cx.fail(error))?];
                    seq.serialize_element(&OneJson { kind, values, cx })?;
                }
                seq.end()
            }
            _ => OneJson { kind, values, cx }.serialize(serializer),
        }
    }
}

struct Displayed<T>(T);

impl<T: std::fmt::Display> Serialize for Displayed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// One value of a kind.
struct OneJson<'s, 'a> {
    kind: Kind,
    values: &'s [Found<'a>],
    cx: Cx<'s>,
}

impl Serialize for OneJson<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (values, cx) = (self.values, self.cx);
        match self.kind {
            Kind::Scalar(kind) => {
                let value = scalar_of(kind, values).map_err(|error| cx.fail(error))?;
                scalar(value, serializer)
            }
            Kind::NullValue => serializer.serialize_unit(),
            Kind::Enum(table) => {
                let number = constant_of(values);
                match table.name_of(number).filter(|_| !cx.options.enum_numbers) {
                    Some(name) => serializer.serialize_str(name),
                    None => serializer.serialize_i32(number),
                }
            }
            Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_) => {
                let cx = cx.deeper()?;
                let unfinished = || cx.fail("the pool of its message is not finished");
                let table = self.kind.message().ok_or_else(unfinished)?;
                MessageJson { table, values, cx }.serialize(serializer)
            }
        }
    }
}

fn scalar<S: Serializer>(value: Value<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Value::Bool(it) => serializer.serialize_bool(it),
        Value::Int32(it) => serializer.serialize_i32(it),
        Value::Uint32(it) => serializer.serialize_u32(it),
        // As text, because readers with floating-point numbers only would lose digits.
        Value::Int64(it) => {
            serializer.serialize_str(Digits::of(it.unsigned_abs(), it < 0).as_str())
        }
        Value::Uint64(it) => serializer.serialize_str(Digits::of(it, false).as_str()),
        Value::Float(it) if it.is_finite() => serializer.serialize_f32(it),
        Value::Float(it) => serializer.serialize_str(not_finite(it.into())),
        Value::Double(it) if it.is_finite() => serializer.serialize_f64(it),
        Value::Double(it) => serializer.serialize_str(not_finite(it)),
        Value::Text(it) => serializer.serialize_str(it),
        Value::Bytes(it) => serializer.collect_str(&Base64Display::new(it, &STANDARD)),
    }
}

fn not_finite(it: f64) -> &'static str {
    match it {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

/// Whatever member of a `Value` is set; null if none is.
fn value<S: Serializer>(
    table: &MessageTable,
    level: &Level<'_>,
    cx: Cx<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Some((position, values)) = level.fields().next() else {
        return serializer.serialize_unit();
    };
    let kind = table.fields[position].kind;
    if let Kind::Scalar(scalar @ Scalar::Double) = kind
        && let Ok(Value::Double(number)) = scalar_of(scalar, values)
        && !number.is_finite()
    {
        let number = not_finite(number);
        return Err(cx.fail(format_args!(
            "{number} is not a number that a Value can hold"
        )));
    }
    OneJson { kind, values, cx }.serialize(serializer)
}

/// A message with a form of text. Written while the text is short-lived anyway.
fn as_text(table: &MessageTable, level: &Level<'_>) -> Result<String, String> {
    let number = |position| level.number(table, position).map_err(|it| it.to_string());
    match table.form {
        Form::Timestamp => text::timestamp(number(0)?, number(1)?),
        Form::Duration => text::duration(number(0)?, number(1)?),
        _ => {
            let mut mask = String::new();
            for (index, path) in level.of(0).iter().enumerate() {
                let path = Value::read(Scalar::String, path.raw).map_err(|it| it.to_string())?;
                let Value::Text(path) = path else { continue };
                if index > 0 {
                    mask.push(',');
                }
                text::mask_path(path, &mut mask)?;
            }
            Ok(mask)
        }
    }
}

fn any<S: Serializer>(
    table: &'static MessageTable,
    level: &Level<'_>,
    cx: Cx<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let url = scalar_of(Scalar::String, level.of(0)).map_err(|error| cx.fail(error))?;
    let bytes = level.of(1).last().map_or(&[][..], Found::bytes);
    let mut map = serializer.serialize_map(None)?;
    let Value::Text(url) = url else {
        return Err(cx.fail(format_args!("{} has a type that is no text", table.name)));
    };
    if url.is_empty() && bytes.is_empty() {
        return map.end();
    }
    let inner = cx.options.resolve(url).map_err(|error| cx.fail(error))?;
    let cx = cx.deeper()?;
    let values = &[whole(bytes)];
    map.serialize_entry("@type", url)?;
    match inner.form {
        Form::Fields => {
            let level = Level::read(inner, values).map_err(|error| cx.fail(error))?;
            fields(inner, &level, cx, &mut map)?;
        }
        _ => {
            let value = MessageJson {
                table: inner,
                values,
                cx,
            };
            map.serialize_entry("value", &value)?;
        }
    }
    map.end()
}
