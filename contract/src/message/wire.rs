//! Reading encoded messages by their tables, without their Rust types.
//!
//! [`scan`] reads one level: which fields occur, in the order of the table, each with its value as
//! it lies in the input. Nothing is copied, so what it costs is bounded by the input: a field takes
//! two bytes at least, and 40 in the result. Levels inside are scanned by whoever wants them.
//!
//! Refuses what is not a message, and a field that is written as another type than its own.
//! Invariant: the result is what a decoder would have kept, merges and oneofs included.

use super::path::Key;
use super::table::{FieldTable, Kind, Label, Scalar, position};

/// Deepest nesting of messages, map entries counted, below the outermost one. The limit of prost.
pub(super) const DEPTH_MAX: u32 = 100;

/// Fields that most messages have no more of.
const USUAL_FIELDS: usize = 12;

/// An encoded message that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    #[error("the bytes end inside of a field")]
    Cut,
    #[error("a number on the wire is longer than 10 bytes")]
    LongVarint,
    #[error("a field has the number 0 or one above 536870911")]
    Number,
    #[error("a field has the unknown wire type {0}")]
    WireType(u8),
    #[error("field {0} is written as another type than it has")]
    Mismatch(u32),
    #[error("a group ends that did not begin, or does not end")]
    Group,
    #[error("a string is not UTF-8")]
    Utf8,
    #[error("messages are nested deeper than {DEPTH_MAX}")]
    Depth,
}

/// A value as it lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Raw<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

impl Raw<'_> {
    pub(super) fn is(&self, width: Width) -> bool {
        let own = match self {
            Self::Varint(_) => Width::Varint,
            Self::Fixed64(_) => Width::Fixed64,
            Self::Fixed32(_) => Width::Fixed32,
            Self::Bytes(_) => Width::Bytes,
        };
        own == width
    }

    /// Whether it is what a plain proto3 field of this type does not send; known without reading
    /// the value.
    pub(super) fn is_default(&self, scalar: Scalar) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::Fixed64(bits) => *bits == 0,
            Self::Fixed32(bits) => *bits == 0,
            // Numbers of 32 bits are sent with 64, and readers cut them.
            Self::Varint(number) => match scalar {
                Scalar::Int32 | Scalar::Uint32 | Scalar::Sint32 => *number as u32 == 0,
                _ => *number == 0,
            },
        }
    }

    pub(super) fn default_of(width: Width) -> Self {
        match width {
            Width::Varint => Self::Varint(0),
            Width::Fixed64 => Self::Fixed64(0),
            Width::Fixed32 => Self::Fixed32(0),
            Width::Bytes => Self::Bytes(&[]),
        }
    }
}

/// A field of the table at `position`, and one of its values (or a packed run of them).
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) position: usize,
    pub(super) raw: Raw<'a>,
}

impl<'a> Found<'a> {
    /// The bytes of a message. Empty for what is none, which the scan does not let through.
    pub(super) fn bytes(&self) -> &'a [u8] {
        match self.raw {
            Raw::Bytes(bytes) => bytes,
            _ => &[],
        }
    }
}

/// One level of a message that lies in `parts`: the pieces of a message that was sent in several,
/// which is the same as if they were one behind the other.
pub(super) fn scan<'a>(
    fields: &[FieldTable],
    parts: impl Iterator<Item = &'a [u8]>,
) -> Result<Vec<Found<'a>>, WireError> {
    // Room for a message of the usual size at once; it grows from there.
    let mut found = Vec::with_capacity(fields.len().min(USUAL_FIELDS));
    let (mut in_order, mut of_oneofs) = (true, 0);
    for bytes in parts {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (number, raw) = next(&mut rest)?;
            let Some(raw) = raw else { continue };
            let Some(position) = position(fields, number) else {
                continue;
            };
            let field = &fields[position];
            if !fits(field, raw) {
                return Err(WireError::Mismatch(number));
            }
            if is_unknown_constant(field, raw) {
                continue;
            }
            of_oneofs += usize::from(field.oneof.is_some());
            in_order &= found
                .last()
                .is_none_or(|last: &Found<'_>| last.position <= position);
            found.push(Found { position, raw });
        }
    }
    if of_oneofs > 1 {
        keep_last_members(fields, &mut found);
    }
    if !in_order {
        found.sort_by_key(|it| it.position);
    }
    Ok(found)
}

/// Of each oneof only the member that came last counts, from where it began to be the last.
fn keep_last_members(fields: &[FieldTable], found: &mut Vec<Found<'_>>) {
    let oneofs = fields.iter().filter_map(|it| it.oneof).max();
    let mut last = vec![(None, true); oneofs.map_or(0, |it| usize::from(it) + 1)];
    let mut keep = vec![true; found.len()];
    for (it, keep) in found.iter().zip(&mut keep).rev() {
        let Some(oneof) = fields[it.position].oneof else {
            continue;
        };
        let (member, still) = &mut last[usize::from(oneof)];
        *still &= *member.get_or_insert(it.position) == it.position;
        *keep = *still;
    }
    let mut keep = keep.into_iter();
    found.retain(|_| keep.next().unwrap_or(true));
}

/// A closed enum does not have the number, so the field is unknown, as its readers treat it.
fn is_unknown_constant(field: &FieldTable, raw: Raw<'_>) -> bool {
    match (field.kind, raw) {
        (Kind::Enum(table), Raw::Varint(number)) => !table.admits(number as i32),
        _ => false,
    }
}

fn fits(field: &FieldTable, raw: Raw<'_>) -> bool {
    match field.label {
        Label::Map(_) => raw.is(Width::Bytes),
        // Repeated scalars may be packed.
        Label::Repeated { .. } => raw.is(width(field.kind)) || raw.is(Width::Bytes),
        _ => raw.is(width(field.kind)),
    }
}

/// How a value of a kind lies on the wire, not packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

pub(super) fn width(kind: Kind) -> Width {
    match kind {
        Kind::Enum(_) | Kind::NullValue => Width::Varint,
        Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_) => Width::Bytes,
        Kind::Scalar(scalar) => match scalar {
            Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64 => Width::Fixed64,
            Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32 => Width::Fixed32,
            Scalar::String | Scalar::Bytes => Width::Bytes,
            _ => Width::Varint,
        },
    }
}

/// Reads one field: its number, and its value unless it is a group, which is passed over.
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Result<(u32, Option<Raw<'a>>), WireError> {
    const NUMBER_MAX: u64 = (1 << 29) - 1;
    let tag = varint(rest)?;
    let (number, wire_type) = (tag >> 3, (tag & 7) as u8);
    if number == 0 || number > NUMBER_MAX {
        return Err(WireError::Number);
    }
    let raw = match wire_type {
        3 => {
            pass_group(rest, number)?;
            None
        }
        4 => return Err(WireError::Group),
        _ => Some(value(rest, wire_type)?),
    };
    Ok((number as u32, raw))
}

fn value<'a>(rest: &mut &'a [u8], wire_type: u8) -> Result<Raw<'a>, WireError> {
    Ok(match wire_type {
        0 => Raw::Varint(varint(rest)?),
        1 => Raw::Fixed64(u64::from_le_bytes(fixed(rest)?)),
        2 => {
            let length = varint(rest)?;
            let length = usize::try_from(length).map_err(|_| WireError::Cut)?;
            let (bytes, after) = rest.split_at_checked(length).ok_or(WireError::Cut)?;
            *rest = after;
            Raw::Bytes(bytes)
        }
        5 => Raw::Fixed32(u32::from_le_bytes(fixed(rest)?)),
        other => return Err(WireError::WireType(other)),
    })
}

/// Passes over a group, and those inside of it, without recursion.
fn pass_group(rest: &mut &[u8], number: u64) -> Result<(), WireError> {
    let mut open = vec![number];
    while let Some(innermost) = open.last() {
        let tag = varint(rest)?;
        match (tag & 7) as u8 {
            3 if open.len() >= DEPTH_MAX as usize => return Err(WireError::Depth),
            3 => open.push(tag >> 3),
            4 if tag >> 3 == *innermost => drop(open.pop()),
            4 => return Err(WireError::Group),
            wire_type => drop(value(rest, wire_type)?),
        }
    }
    Ok(())
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], WireError> {
    let (bytes, after) = rest.split_first_chunk::<N>().ok_or(WireError::Cut)?;
    *rest = after;
    Ok(*bytes)
}

fn varint(rest: &mut &[u8]) -> Result<u64, WireError> {
    // Most tags and lengths have one byte.
    match rest.split_first() {
        Some((byte, after)) if *byte < 0x80 => {
            *rest = after;
            Ok(u64::from(*byte))
        }
        _ => long_varint(rest),
    }
}

fn long_varint(rest: &mut &[u8]) -> Result<u64, WireError> {
    let mut value = 0;
    for (at, byte) in rest.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if *byte < 0x80 {
            // The tenth byte has one bit left.
            if at == 9 && *byte > 1 {
                return Err(WireError::LongVarint);
            }
            *rest = &rest[at + 1..];
            return Ok(value);
        }
    }
    Err(if rest.len() < 10 {
        WireError::Cut
    } else {
        WireError::LongVarint
    })
}

/// Reads the values of a packed run, one after the other.
pub(super) fn unpack<'a>(rest: &mut &'a [u8], kind: Kind) -> Option<Result<Raw<'a>, WireError>> {
    (!rest.is_empty()).then(|| value(rest, width(kind) as u8))
}

/// A scalar, read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Bool(bool),
    Int32(i32),
    Int64(i64),
    Uint32(u32),
    Uint64(u64),
    Float(f32),
    Double(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The value of a scalar. `raw` fits it, or the default stands for it.
    pub(super) fn read(scalar: Scalar, raw: Raw<'a>) -> Result<Self, WireError> {
        let (number, bytes) = match raw {
            Raw::Varint(number) | Raw::Fixed64(number) => (number, &[][..]),
            Raw::Fixed32(number) => (u64::from(number), &[][..]),
            Raw::Bytes(bytes) => (0, bytes),
        };
        Ok(match scalar {
            Scalar::Bool => Self::Bool(number != 0),
            // Numbers of 32 bits are sent with 64, and readers cut them.
            Scalar::Int32 | Scalar::Sfixed32 => Self::Int32(number as i32),
            Scalar::Int64 | Scalar::Sfixed64 => Self::Int64(number as i64),
            Scalar::Uint32 | Scalar::Fixed32 => Self::Uint32(number as u32),
            Scalar::Uint64 | Scalar::Fixed64 => Self::Uint64(number),
            Scalar::Sint32 => {
                let number = number as u32;
                Self::Int32((number >> 1) as i32 ^ -((number & 1) as i32))
            }
            Scalar::Sint64 => Self::Int64((number >> 1) as i64 ^ -((number & 1) as i64)),
            Scalar::Float => Self::Float(f32::from_bits(number as u32)),
            Scalar::Double => Self::Double(f64::from_bits(number)),
            Scalar::String => Self::Text(std::str::from_utf8(bytes).map_err(|_| WireError::Utf8)?),
            Scalar::Bytes => Self::Bytes(bytes),
        })
    }

    pub(super) fn default_of(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Bool => Self::Bool(false),
            Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => Self::Int32(0),
            Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => Self::Int64(0),
            Scalar::Uint32 | Scalar::Fixed32 => Self::Uint32(0),
            Scalar::Uint64 | Scalar::Fixed64 => Self::Uint64(0),
            Scalar::Float => Self::Float(0.0),
            Scalar::Double => Self::Double(0.0),
            Scalar::String => Self::Text(""),
            Scalar::Bytes => Self::Bytes(&[]),
        }
    }

    /// Whether it is what a plain proto3 field does not send. The negative zero is sent.
    pub(super) fn is_default(&self) -> bool {
        match self {
            Self::Bool(it) => !it,
            Self::Int32(it) => *it == 0,
            Self::Int64(it) => *it == 0,
            Self::Uint32(it) => *it == 0,
            Self::Uint64(it) => *it == 0,
            Self::Float(it) => it.to_bits() == 0,
            Self::Double(it) => it.to_bits() == 0,
            Self::Text(it) => it.is_empty(),
            Self::Bytes(it) => it.is_empty(),
        }
    }

    /// The same as the key of a map. None for what cannot be one.
    pub(super) fn as_key(&self) -> Option<Key<'a>> {
        Some(match *self {
            Self::Bool(it) => Key::Bool(it),
            Self::Int32(it) => Key::Int(it.into()),
            Self::Int64(it) => Key::Int(it),
            Self::Uint32(it) => Key::Uint(it.into()),
            Self::Uint64(it) => Key::Uint(it),
            Self::Text(it) => Key::Text(it),
            Self::Float(_) | Self::Double(_) | Self::Bytes(_) => return None,
        })
    }
}

/// The number of an enum constant.
pub(super) fn constant(raw: Raw<'_>) -> i32 {
    match raw {
        Raw::Varint(number) => number as i32,
        _ => 0,
    }
}
