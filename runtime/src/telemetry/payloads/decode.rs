//! Walks an encoded message by its description: masks its secrets and renders it as JSON at once.
//!
//! The masked bytes are the same fields in the same order, so whatever the description does not
//! know stays as it came. A message that was cut off is walked up to the cut.
//!
//! Refuses bytes that are no message of this shape: [`Broken`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::super::mask::{MASK, MaskKeys};
use super::schema::{Description, Field, Message, Scalar, Shape, Type};

/// Deepest nesting of messages that is walked.
const DEPTH_MAX: usize = 64;

/// The bytes are no message of this description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// What a walk found.
#[derive(Debug, PartialEq)]
pub(super) struct Walked {
    /// The message without its secrets.
    pub(super) masked: Vec<u8>,
    /// The same as JSON.
    pub(super) json: Value,
    /// Whether a field was found that the description does not have.
    pub(super) unknown_fields: bool,
}

/// Walks `bytes`; with `cut` they may end anywhere.
pub(super) fn walk(
    description: &Description,
    bytes: &[u8],
    cut: bool,
    keys: &MaskKeys,
) -> Result<Walked, Broken> {
    let mut walker = Walker {
        description,
        keys,
        cut,
        unknown_fields: false,
    };
    let (masked, members) = walker.message(description.root(), bytes, DEPTH_MAX)?;
    Ok(Walked {
        masked,
        json: Value::Object(members),
        unknown_fields: walker.unknown_fields,
    })
}

struct Walker<'w> {
    description: &'w Description,
    keys: &'w MaskKeys,
    cut: bool,
    unknown_fields: bool,
}

/// One value on the wire.
#[derive(Clone, Copy)]
enum Wire<'b> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'b [u8]),
}

struct Record<'b> {
    number: u32,
    tag: u64,
    value: Wire<'b>,
    /// The whole record as it came.
    raw: &'b [u8],
}

impl Walker<'_> {
    fn message(
        &mut self,
        message: &Message,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(Vec<u8>, Map<String, Value>), Broken> {
        let depth = depth.checked_sub(1).ok_or(Broken)?;
        let (mut masked, mut members) = (Vec::with_capacity(bytes.len()), Map::new());
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(record) = self.record(&mut rest)? else {
                break;
            };
            let Some(field) = message.get(&record.number) else {
                self.unknown_fields = true;
                masked.extend_from_slice(record.raw);
                continue;
            };
            let is_secret = self.keys.matches(&field.name);
            let value = if is_secret {
                write_secret(field, &record, &mut masked);
                Value::from(MASK)
            } else {
                self.field(field, &record, depth, &mut masked)?
            };
            add(&mut members, field, value, is_secret);
        }
        Ok((masked, members))
    }

    /// The next record; `None` where the message was cut off inside it.
    fn record<'b>(&self, rest: &mut &'b [u8]) -> Result<Option<Record<'b>>, Broken> {
        let before = *rest;
        let Some((tag, value)) = wire(rest, self.cut)? else {
            return if self.cut { Ok(None) } else { Err(Broken) };
        };
        let number = u32::try_from(tag >> 3).map_err(|_| Broken)?;
        if number == 0 {
            return Err(Broken);
        }
        let raw = &before[..before.len() - rest.len()];
        Ok(Some(Record {
            number,
            tag,
            value,
            raw,
        }))
    }

    fn field(
        &mut self,
        field: &Field,
        record: &Record<'_>,
        depth: usize,
        masked: &mut Vec<u8>,
    ) -> Result<Value, Broken> {
        if let Shape::Keyed(key) = field.shape {
            return self.entry((key, field.ty), record, depth, masked);
        }
        match (field.ty, record.value) {
            (Type::Message(index), Wire::Bytes(inner)) => {
                let message = self.description.message(index);
                let (inner, members) = self.message(message, inner, depth)?;
                write_bytes(record.tag, &inner, masked);
                Ok(Value::Object(members))
            }
            (Type::Message(_), _) => Err(Broken),
            (ty, Wire::Bytes(packed)) if field.shape == Shape::Many && is_packable(ty) => {
                masked.extend_from_slice(record.raw);
                self.packed(ty, packed)
            }
            (ty, value) => {
                masked.extend_from_slice(record.raw);
                self.single(ty, value)
            }
        }
    }

    /// One entry of a map: a message of a key, 1, and a value, 2.
    fn entry(
        &mut self,
        (key, ty): (Scalar, Type),
        record: &Record<'_>,
        depth: usize,
        masked: &mut Vec<u8>,
    ) -> Result<Value, Broken> {
        let Wire::Bytes(bytes) = record.value else {
            return Err(Broken);
        };
        let field = |name: &str, ty| Field {
            name: name.to_owned(),
            ty,
            shape: Shape::One,
        };
        // The key comes first in every encoder; it names the value.
        let keys = Message::from([(1, field("", Type::Scalar(key)))]);
        let known = std::mem::replace(&mut self.unknown_fields, false);
        let name = self.message(&keys, bytes, depth)?.1.remove("");
        self.unknown_fields = known;
        let name = match name {
            Some(Value::String(name)) => name,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let both = Message::from([(1, field("", Type::Scalar(key))), (2, field(&name, ty))]);
        let (entry, mut members) = self.message(&both, bytes, depth)?;
        write_bytes(record.tag, &entry, masked);
        let value = members.remove(&name).unwrap_or(Value::Null);
        Ok(Value::Object(Map::from_iter([(name, value)])))
    }

    fn packed(&mut self, ty: Type, bytes: &[u8]) -> Result<Value, Broken> {
        let mut rest = bytes;
        let mut items = Vec::new();
        while !rest.is_empty() {
            let Some(value) = packed_value(ty, &mut rest) else {
                if self.cut {
                    break;
                }
                return Err(Broken);
            };
            items.push(self.single(ty, value)?);
        }
        Ok(Value::Array(items))
    }

    fn single(&self, ty: Type, value: Wire<'_>) -> Result<Value, Broken> {
        match (ty, value) {
            (Type::Scalar(scalar), value) => self.scalar(scalar, value),
            (Type::Enum(index), Wire::Varint(number)) => {
                let number = low_i32(number);
                let constant = self.description.constant(index, i64::from(number));
                Ok(constant.map_or(Value::from(number), Value::from))
            }
            (Type::Opaque, Wire::Bytes(bytes)) => Ok(Value::from(STANDARD.encode(bytes))),
            (Type::Opaque, Wire::Varint(number)) => Ok(Value::from(low_i32(number))),
            _ => Err(Broken),
        }
    }

    fn scalar(&self, scalar: Scalar, value: Wire<'_>) -> Result<Value, Broken> {
        Ok(match (scalar, value) {
            (Scalar::Bool, Wire::Varint(it)) => Value::from(it != 0),
            (Scalar::Int32, Wire::Varint(it)) => Value::from(low_i32(it)),
            (Scalar::Int64, Wire::Varint(it)) => Value::from(it.cast_signed()),
            (Scalar::Uint32, Wire::Varint(it)) => Value::from(it & u64::from(u32::MAX)),
            (Scalar::Uint64, Wire::Varint(it)) => Value::from(it),
            (Scalar::Sint32 | Scalar::Sint64, Wire::Varint(it)) => {
                Value::from((it >> 1).cast_signed() ^ -(it & 1).cast_signed())
            }
            (Scalar::Fixed32, Wire::Fixed32(it)) => Value::from(it),
            (Scalar::Fixed64, Wire::Fixed64(it)) => Value::from(it),
            (Scalar::Sfixed32, Wire::Fixed32(it)) => Value::from(it.cast_signed()),
            (Scalar::Sfixed64, Wire::Fixed64(it)) => Value::from(it.cast_signed()),
            (Scalar::Float, Wire::Fixed32(it)) => float(f64::from(f32::from_bits(it))),
            (Scalar::Double, Wire::Fixed64(it)) => float(f64::from_bits(it)),
            (Scalar::String, Wire::Bytes(it)) => match std::str::from_utf8(it) {
                Ok(text) => Value::from(text),
                // Only a cut may end inside a character.
                Err(_) if self.cut => Value::from(String::from_utf8_lossy(it)),
                Err(_) => return Err(Broken),
            },
            (Scalar::Bytes, Wire::Bytes(it)) => Value::from(STANDARD.encode(it)),
            _ => return Err(Broken),
        })
    }
}

fn add(members: &mut Map<String, Value>, field: &Field, value: Value, is_secret: bool) {
    if field.shape == Shape::One || is_secret {
        members.insert(field.name.clone(), value);
        return;
    }
    let slot = members.entry(field.name.clone());
    match (field.shape, value) {
        (Shape::Keyed(_), Value::Object(entry)) => {
            if let Value::Object(all) = slot.or_insert_with(|| Value::Object(Map::new())) {
                all.extend(entry);
            }
        }
        (_, Value::Array(items)) => append(slot.or_insert_with(array), items),
        (_, value) => append(slot.or_insert_with(array), vec![value]),
    }
}

fn array() -> Value {
    Value::Array(Vec::new())
}

fn append(slot: &mut Value, items: Vec<Value>) {
    if let Value::Array(all) = slot {
        all.extend(items);
    }
}

/// Text and bytes become the mask; numbers and messages go.
fn write_secret(field: &Field, record: &Record<'_>, masked: &mut Vec<u8>) {
    let is_text = matches!(field.ty, Type::Scalar(Scalar::String | Scalar::Bytes));
    if is_text && !matches!(field.shape, Shape::Keyed(_)) {
        write_bytes(record.tag, MASK.as_bytes(), masked);
    }
}

fn write_bytes(tag: u64, bytes: &[u8], out: &mut Vec<u8>) {
    prost::encoding::encode_varint(tag, out);
    prost::encoding::encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn float(number: f64) -> Value {
    // JSON has no spelling for these; the protobuf mapping writes them as text.
    serde_json::Number::from_f64(number)
        .map_or_else(|| Value::from(number.to_string()), Value::from)
}

fn low_i32(varint: u64) -> i32 {
    let low = u32::try_from(varint & u64::from(u32::MAX)).unwrap_or_default();
    low.cast_signed()
}

fn is_packable(ty: Type) -> bool {
    match ty {
        Type::Scalar(scalar) => !matches!(scalar, Scalar::String | Scalar::Bytes),
        Type::Enum(_) => true,
        Type::Message(_) | Type::Opaque => false,
    }
}

/// Tag and value of the next record. `None` when the bytes end inside; a length that goes beyond
/// the end is taken as the rest when the message was cut.
fn wire<'b>(rest: &mut &'b [u8], cut: bool) -> Result<Option<(u64, Wire<'b>)>, Broken> {
    let Some(tag) = varint(rest)? else {
        return Ok(None);
    };
    let value = match tag & 7 {
        0 => varint(rest)?.map(Wire::Varint),
        1 => fixed(rest).map(|it| Wire::Fixed64(u64::from_le_bytes(it))),
        2 => varint(rest)?.and_then(|length| {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let taken = if cut { length.min(rest.len()) } else { length };
            rest.split_off(..taken).map(Wire::Bytes)
        }),
        5 => fixed(rest).map(|it| Wire::Fixed32(u32::from_le_bytes(it))),
        _ => return Err(Broken),
    };
    if value.is_none() {
        // Nothing of a half record is kept.
        *rest = &[];
    }
    Ok(value.map(|value| (tag, value)))
}

fn packed_value(ty: Type, rest: &mut &[u8]) -> Option<Wire<'static>> {
    match ty {
        Type::Scalar(Scalar::Fixed64 | Scalar::Sfixed64 | Scalar::Double) => {
            fixed(rest).map(|it| Wire::Fixed64(u64::from_le_bytes(it)))
        }
        Type::Scalar(Scalar::Fixed32 | Scalar::Sfixed32 | Scalar::Float) => {
            fixed(rest).map(|it| Wire::Fixed32(u32::from_le_bytes(it)))
        }
        _ => varint(rest).ok().flatten().map(Wire::Varint),
    }
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*first)
}

/// `None` when the bytes end inside; at most ten bytes.
fn varint(rest: &mut &[u8]) -> Result<Option<u64>, Broken> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let Some((byte, tail)) = rest.split_first() else {
            return Ok(None);
        };
        *rest = tail;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Err(Broken)
}
