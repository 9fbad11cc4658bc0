//! ProtoJSON to wire bytes, as it streams in.
//!
//! ```text
//! MessageSeed ─▶ fields ─▶ ContentSeed ─▶ OneSeed ─▶ MessageSeed …
//!    (form)      (keys)    (null, list,    (kind)
//!                           map, one)
//! ```
//!
//! Invariant: after an error the bytes are worthless and nobody gets them.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

mod number;
mod buffer;
mod leaf;
mod key;
mod named;
mod sink;
mod cx;
mod any;
mod value;

use crate::message::path::Path;
use crate::message::table::{FieldTable, Form, Kind, Label, MessageTable, Scalar};
use crate::message::text;
use crate::message::well_known::DURATION;
use crate::message::wire::{DEPTH_MAX, Value};
use cx::{Bits, Cx};
use key::{KeySeed, OwnKey};
use leaf::{At, ScalarSeed, TextSeed};
use named::{ConstantSeed, FieldSeed, NullSeed};
use sink::Slot;

pub(super) use cx::Reading;

/// Reads the body of a message, in the form that it has.
pub(super) struct MessageSeed<'r, 'o> {
    table: &'static MessageTable,
    cx: Cx<'r, 'o>,
}

impl<'r, 'o> MessageSeed<'r, 'o> {
    /// Reads the outermost message.
    pub(super) fn root(table: &'static MessageTable, reading: &'r mut Reading<'o>) -> Self {
        let cx = Cx {
            reading,
            path: &Path::ROOT,
            depth: DEPTH_MAX,
        };
        Self { table, cx }
    }
}

impl<'de> DeserializeSeed<'de> for MessageSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { table, cx } = self;
        match table.form {
            Form::Fields | Form::Any => deserializer.deserialize_map(Self { table, cx }),
            Form::Value => deserializer.deserialize_any(value::ValueVisitor(cx)),
            Form::Only => {
                let field = &table.fields[0];
                ContentSeed { field, cx }.content(deserializer).map(drop)
            }
            Form::Timestamp => moment(cx, text::parse_timestamp, "a time as text", deserializer),
            Form::Duration => moment(cx, text::parse_duration, "a duration as text", deserializer),
            Form::FieldMask => {
                let paths = TextSeed {
                    parse: text::parse_mask,
                    what: "the paths of a field mask as text",
                    path: cx.path,
                };
                for path in paths.deserialize(deserializer)? {
                    let (slot, sink) = (Slot::Field(1), &mut cx.reading.sink);
                    sink.scalar(slot, Scalar::String, Value::Text(&path));
                }
                Ok(())
            }
        }
    }
}

/// Reads a `Timestamp` or a `Duration`, which have the same fields.
fn moment<'de, D: Deserializer<'de>>(
    cx: Cx<'_, '_>,
    parse: fn(&str) -> Result<(i64, i64), String>,
    what: &'static str,
    deserializer: D,
) -> Result<(), D::Error> {
    let path = cx.path;
    let (seconds, nanos) = TextSeed { parse, what, path }.deserialize(deserializer)?;
    let sink = &mut cx.reading.sink;
    let nanos = i32::try_from(nanos).unwrap_or_default();
    let [seconds_field, nanos_field] = [0, 1].map(|it| DURATION.fields[it].number);
    sink.scalar(
        Slot::Implicit(seconds_field),
        Scalar::Int64,
        Value::Int64(seconds),
    );
    sink.scalar(
        Slot::Implicit(nanos_field),
        Scalar::Int32,
        Value::Int32(nanos),
    );
    Ok(())
}

impl<'de> Visitor<'de> for MessageSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object for {}{}", self.table.name, At(self.cx.path))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        match self.table.form {
            Form::Any => any::any(self.cx, map),
            _ => fields(self.table, self.cx, map),
        }
    }
}

/// Reads the keys of an object as the fields of a message.
fn fields<'de, A: MapAccess<'de>>(
    table: &'static MessageTable,
    mut cx: Cx<'_, '_>,
    mut map: A,
) -> Result<(), A::Error> {
    let (mut given, mut set, mut oneofs) = (Bits::default(), Bits::default(), Bits::default());
    let (mut guess, mut in_order) = (0, true);
    let from = cx.reading.sink.position();
    loop {
        let key = FieldSeed {
            table,
            guess,
            path: cx.path,
            ignore_unknown: cx.reading.options.ignore_unknown,
        };
        let Some(found) = map.next_key_seed(key)? else {
            break;
        };
        let Some(position) = found else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        in_order &= position >= guess;
        guess = position + 1;
        let field = &table.fields[position];
        if !given.insert(position) {
            return Err(cx.fail(format_args!("`{}` is given twice", field.json)));
        }
        let path = cx.path.field(field.json);
        let is_set = map.next_value_seed(ContentSeed {
            field,
            cx: cx.at(&path),
        })?;
        if !is_set {
            continue;
        }
        set.insert(position);
        if let Some(oneof) = field.oneof
            && !oneofs.insert(oneof.into())
        {
            let other = other_member(table, oneof, position, &set);
            return Err(cx.fail(format_args!(
                "`{}` and `{other}` exclude each other: give one of them",
                field.json
            )));
        }
    }
    if !in_order {
        cx.reading.sink.sort_fields(from);
    }
    match missing(table, &set) {
        None => Ok(()),
        Some(field) => Err(cx.fail(format_args!(
            "`{}` of {} is required and missing",
            field.json, table.name
        ))),
    }
}

/// The member of a oneof that was set before the one at `position`.
fn other_member(table: &MessageTable, oneof: u16, position: usize, set: &Bits) -> &'static str {
    let mut fields = table.fields.iter().enumerate();
    let other =
        fields.find(|(at, it)| it.oneof == Some(oneof) && *at != position && set.contains(*at));
    other.map_or("", |(_, it)| it.json)
}

fn missing(table: &MessageTable, set: &Bits) -> Option<&'static FieldTable> {
    let mut fields = table.fields.iter().enumerate();
    let missing = fields.find(|(at, it)| it.label == Label::Required && !set.contains(*at));
    missing.map(|(_, it)| it)
}

/// Reads what stands behind the key of a field. Whether that sets it: null mostly does not.
struct ContentSeed<'r, 'o> {
    field: &'static FieldTable,
    cx: Cx<'r, 'o>,
}

impl ContentSeed<'_, '_> {
    /// What is not null, or is a value of its own as null.
    fn content<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let Self { field, cx } = self;
        match field.label {
            Label::Map(key) => deserializer.deserialize_map(MapVisitor { field, key, cx })?,
            Label::Repeated { packed } => {
                deserializer.deserialize_seq(ListVisitor { field, packed, cx })?;
            }
            label => {
                let slot = match label {
                    Label::Implicit => Slot::Implicit(field.number),
                    _ => Slot::Field(field.number),
                };
                let kind = field.kind;
                return OneSeed { kind, slot, cx }.deserialize(deserializer);
            }
        }
        Ok(true)
    }
}

impl<'de> DeserializeSeed<'de> for ContentSeed<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for ContentSeed<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value or null{}", At(self.cx.path))
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        let is_one = !matches!(self.field.label, Label::Repeated { .. } | Label::Map(_));
        if !(is_one && self.field.kind.takes_null()) {
            return Ok(false);
        }
        self.content(serde::de::value::UnitDeserializer::new())
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        self.content(deserializer)
    }
}

struct ListVisitor<'r, 'o> {
    field: &'static FieldTable,
    packed: bool,
    cx: Cx<'r, 'o>,
}

impl<'de> Visitor<'de> for ListVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array{}", At(self.cx.path))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        let (kind, number) = (self.field.kind, self.field.number);
        let run = self.packed.then(|| self.cx.reading.sink.begin(number));
        let slot = match run {
            Some(_) => Slot::Packed,
            None => Slot::Field(number),
        };
        for index in 0.. {
            let path = self.cx.path.index(index);
            let cx = self.cx.at(&path);
            if seq.next_element_seed(OneSeed { kind, slot, cx })?.is_none() {
                break;
            }
        }
        if let Some(run) = run {
            self.cx.reading.sink.end_unless_empty(run);
        }
        Ok(())
    }
}

struct MapVisitor<'r, 'o> {
    field: &'static FieldTable,
    key: Scalar,
    cx: Cx<'r, 'o>,
}

impl<'de> Visitor<'de> for MapVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object as a map{}", At(self.cx.path))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut cx = self.cx.deeper()?;
        let from = cx.reading.sink.position();
        let mut entries: Vec<(OwnKey, Range<usize>)> = Vec::new();
        let seed = KeySeed {
            scalar: self.key,
            path: cx.path,
        };
        while let Some(key) = map.next_key_seed(seed)? {
            let start = cx.reading.sink.position();
            let begun = cx.reading.sink.begin(self.field.number);
            let value = key.as_value(self.key);
            cx.reading.sink.scalar(Slot::Field(1), self.key, value);
            let shown = key.as_key();
            let path = cx.path.key(&shown);
            let is_known = map.next_value_seed(OneSeed {
                kind: self.field.kind,
                slot: Slot::Field(2),
                cx: cx.at(&path),
            })?;
            match is_known {
                true => cx.reading.sink.end(begun),
                false => cx.reading.sink.undo(begun),
            }
            entries.push((key, start..cx.reading.sink.position()));
        }
        let is_sorted = entries.is_sorted_by(|(a, _), (b, _)| a < b);
        if is_sorted {
            return Ok(());
        }
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(twice) = entries.windows(2).find(|it| it[0].0 == it[1].0) {
            let shown = twice[0].0.as_key();
            let path = cx.path.key(&shown);
            return Err(cx.at(&path).fail("the key is given twice"));
        }
        let order = entries.into_iter().map(|(_, range)| range);
        cx.reading.sink.reorder(from, order);
        Ok(())
    }
}

/// Reads one value of a kind. False for the unknown name of a constant that is passed over.
struct OneSeed<'r, 'o> {
    kind: Kind,
    slot: Slot,
    cx: Cx<'r, 'o>,
}

impl<'de> DeserializeSeed<'de> for OneSeed<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let Self { kind, slot, cx } = self;
        let path = cx.path;
        match kind {
            Kind::Scalar(scalar) => {
                let sink = &mut cx.reading.sink;
                let take = |value: Value<'_>| sink.scalar(slot, scalar, value);
                ScalarSeed { scalar, path, take }.deserialize(deserializer)?;
            }
            Kind::NullValue => {
                NullSeed(path).deserialize(deserializer)?;
                cx.reading.sink.constant(slot, 0);
            }
            Kind::Enum(table) => {
                let ignore_unknown = cx.reading.options.ignore_unknown;
                let constant = ConstantSeed {
                    table,
                    path,
                    ignore_unknown,
                };
                let Some(number) = constant.deserialize(deserializer)? else {
                    return Ok(false);
                };
                cx.reading.sink.constant(slot, number);
            }
            Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_) => {
                let mut cx = cx.deeper()?;
                let unfinished = || cx.fail("the pool of its message is not finished");
                let table = kind.message().ok_or_else(unfinished)?;
                let (Slot::Field(number) | Slot::Implicit(number)) = slot else {
                    return Err(cx.fail("messages are never packed"));
                };
                let begun = cx.reading.sink.begin(number);
                MessageSeed {
                    table,
                    cx: cx.at(path),
                }
                .deserialize(deserializer)?;
                cx.reading.sink.end(begun);
            }
        }
        Ok(true)
    }
}
