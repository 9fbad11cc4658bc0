//! One level of an encoded message, by field: what the walkers ask of it.
//!
//! Every value is shown as a slice of [`Found`]: a message is all of them merged, a scalar is the
//! last one. What it holds borrows the input.

use std::slice;

use super::path::Key;
use super::table::{FieldTable, Kind, Label, MessageTable, Scalar};
use super::wire::{Found, Raw, Value, Width, WireError, constant, next, scan, unpack, width};

/// The fields of one message that occur, in the order of its table.
#[derive(Debug)]
pub(super) struct Level<'a> {
    found: Vec<Found<'a>>,
}

impl<'a> Level<'a> {
    /// Reads a message that was sent as these values of a field, or as one piece at the root.
    pub(super) fn read(table: &MessageTable, sent: &[Found<'a>]) -> Result<Self, WireError> {
        let found = scan(table.fields, sent.iter().map(Found::bytes))?;
        Ok(Self { found })
    }

    /// The values of the field at this position of the table.
    pub(super) fn of(&self, position: usize) -> &[Found<'a>] {
        let from = self.found.partition_point(|it| it.position < position);
        let to = self.found.partition_point(|it| it.position <= position);
        &self.found[from..to]
    }

    /// The fields that occur, each with its values.
    pub(super) fn fields(&self) -> impl Iterator<Item = (usize, &[Found<'a>])> {
        let same = |a: &Found<'_>, b: &Found<'_>| a.position == b.position;
        self.found
            .chunk_by(same)
            .filter_map(|them| Some((them.first()?.position, them)))
    }

    /// The integer in the field at this position; the default where it does not occur.
    pub(super) fn number(&self, table: &MessageTable, position: usize) -> Result<i64, WireError> {
        let Kind::Scalar(scalar) = table.fields[position].kind else {
            return Ok(0);
        };
        Ok(match scalar_of(scalar, self.of(position))? {
            Value::Int32(it) => it.into(),
            Value::Int64(it) => it,
            _ => 0,
        })
    }
}

/// The whole of an encoded message, as what its outermost level was sent as.
pub(super) fn whole(bytes: &[u8]) -> Found<'_> {
    Found {
        position: 0,
        raw: Raw::Bytes(bytes),
    }
}

/// The scalar that these values of a field come to.
pub(super) fn scalar_of<'a>(scalar: Scalar, values: &[Found<'a>]) -> Result<Value<'a>, WireError> {
    match values.last() {
        Some(last) => Value::read(scalar, last.raw),
        None => Ok(Value::default_of(scalar)),
    }
}

/// The enum constant that these values of a field come to.
pub(super) fn constant_of(values: &[Found<'_>]) -> i32 {
    values.last().map_or(0, |last| constant(last.raw))
}

/// Whether these values are what a field without presence would not have sent.
pub(super) fn is_default(kind: Kind, values: &[Found<'_>]) -> bool {
    match (kind, values.last()) {
        (_, None) => true,
        (Kind::Scalar(scalar), Some(last)) => last.raw.is_default(scalar),
        (Kind::Enum(_), Some(last)) => constant(last.raw) == 0,
        // JSON has one word for all its numbers, and reads it as the default.
        (Kind::NullValue, Some(_)) => true,
        (Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_), Some(_)) => false,
    }
}

/// The elements of a repeated field one by one, packed or not.
pub(super) struct Elements<'s, 'a> {
    kind: Kind,
    values: slice::Iter<'s, Found<'a>>,
    packed: &'a [u8],
}

impl<'s, 'a> Elements<'s, 'a> {
    pub(super) fn of(kind: Kind, values: &'s [Found<'a>]) -> Self {
        Self {
            kind,
            values: values.iter(),
            packed: &[],
        }
    }

    fn next_of_any_number(&mut self) -> Option<Result<Found<'a>, WireError>> {
        loop {
            if let Some(raw) = unpack(&mut self.packed, self.kind) {
                return Some(raw.map(|raw| Found { position: 0, raw }));
            }
            let found = *self.values.next()?;
            match found.raw {
                Raw::Bytes(packed) if width(self.kind) != Width::Bytes => self.packed = packed,
                _ => return Some(Ok(found)),
            }
        }
    }
}

impl<'a> Iterator for Elements<'_, 'a> {
    type Item = Result<Found<'a>, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = self.next_of_any_number()?;
            match (&found, self.kind) {
                (Ok(it), Kind::Enum(table)) if !table.admits(constant(it.raw)) => {}
                (Err(_), _) => {
                    // What follows an unreadable element cannot be told from it.
                    self.packed = &[];
                    self.values = [].iter();
                    return Some(found);
                }
                _ => return Some(found),
            }
        }
    }
}

/// One entry of a map.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: Key<'a>,
    value: Found<'a>,
    /// All pieces of a value that was sent in several.
    pieces: Vec<Found<'a>>,
}

impl<'a> Entry<'a> {
    pub(super) fn values(&self) -> &[Found<'a>] {
        match self.pieces.as_slice() {
            [] => slice::from_ref(&self.value),
            pieces => pieces,
        }
    }
}

/// The entries of a map, ascending by key; of those with the same key the last.
pub(super) fn entries<'a>(
    field: &FieldTable,
    values: &[Found<'a>],
) -> Result<Vec<Entry<'a>>, WireError> {
    let mut entries = Vec::with_capacity(values.len());
    for found in values {
        let entry = entry(field, found.bytes())?;
        match field.kind {
            Kind::Enum(table) if !table.admits(constant(entry.value.raw)) => {}
            _ => entries.push(entry),
        }
    }
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    // Of equal ones the first is kept, so the later one is moved there.
    entries.dedup_by(|later, earlier| {
        let same = later.key == earlier.key;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
    Ok(entries)
}

fn entry<'a>(field: &FieldTable, bytes: &'a [u8]) -> Result<Entry<'a>, WireError> {
    let Label::Map(scalar) = field.label else {
        return Err(WireError::Mismatch(field.number));
    };
    let mut key = Value::default_of(scalar);
    let mut value: Option<Found<'a>> = None;
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        match next(&mut rest)? {
            (1, Some(raw)) if raw.is(width(Kind::Scalar(scalar))) => {
                key = Value::read(scalar, raw)?;
            }
            (2, Some(raw)) if raw.is(width(field.kind)) => {
                let found = Found { position: 1, raw };
                if let (Some(before), Some(_)) = (value, field.kind.message()) {
                    if pieces.is_empty() {
                        pieces.push(before);
                    }
                    pieces.push(found);
                }
                value = Some(found);
            }
            (1 | 2, _) => return Err(WireError::Mismatch(field.number)),
            _ => {}
        }
    }
    let absent = Found {
        position: 1,
        raw: Raw::default_of(width(field.kind)),
    };
    let key = key.as_key().ok_or(WireError::Mismatch(field.number))?;
    let value = value.unwrap_or(absent);
    Ok(Entry { key, value, pieces })
}
