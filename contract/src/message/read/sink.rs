//! The wire bytes of a message while it is read from JSON.
//!
//! Invariant: what was begun and not ended is not yet a message; everything else is. Fields and map
//! entries are put in order, so that equal messages are equal bytes, however their JSON was ordered.

use std::ops::Range;

use crate::message::table::{Kind, Scalar};
use crate::message::wire::{Value, Width, next, width};

/// Where a value goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// Under a field number.
    Field(u32),
    /// Under a field number, unless it is the default.
    Implicit(u32),
    /// Behind the value before it, in a packed run.
    Packed,
}

/// A message of unknown length that has begun.
#[derive(Debug)]
#[must_use]
pub(super) struct Begun {
    tag_at: usize,
    body_at: usize,
}

#[derive(Debug, Default)]
pub(super) struct Sink {
    bytes: Vec<u8>,
}

impl Sink {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn tag(&mut self, number: u32, width: Width) {
        self.varint(u64::from(number) << 3 | width as u64);
    }

    /// Begins a field that holds a message, a map entry or a packed run.
    pub(super) fn begin(&mut self, number: u32) -> Begun {
        let tag_at = self.bytes.len();
        self.tag(number, Width::Bytes);
        // Most are shorter than 128 bytes, and need no more room for their length.
        self.bytes.push(0);
        Begun {
            tag_at,
            body_at: self.bytes.len(),
        }
    }

    /// Ends it: its length goes in front of what was written since.
    pub(super) fn end(&mut self, begun: Begun) {
        let at = begun.body_at - 1;
        let length = self.bytes.len() - begun.body_at;
        if length < 0x80 {
            self.bytes[at] = length as u8;
            return;
        }
        let end = self.bytes.len();
        self.varint(length as u64);
        // The length stands behind the body now: change places, and lose the byte kept for it.
        let width = self.bytes.len() - end;
        self.bytes[at + 1..].rotate_right(width);
        self.bytes.remove(at);
    }

    /// Ends a packed run, or bytes; without anything inside it leaves nothing.
    pub(super) fn end_unless_empty(&mut self, begun: Begun) {
        if self.bytes.len() == begun.body_at {
            self.undo(begun);
        } else {
            self.end(begun);
        }
    }

    /// Takes back all that was written since the beginning.
    pub(super) fn undo(&mut self, begun: Begun) {
        self.bytes.truncate(begun.tag_at);
    }

    /// How much is written.
    pub(super) fn position(&self) -> usize {
        self.bytes.len()
    }

    /// Puts the pieces of all that was written since `from` into another order.
    pub(super) fn reorder(&mut self, from: usize, order: impl Iterator<Item = Range<usize>>) {
        let written = self.bytes.split_off(from);
        for piece in order {
            let piece = piece.start - from..piece.end - from;
            self.bytes.extend_from_slice(&written[piece]);
        }
    }

    /// Puts the fields that were written since `from` into the order of their numbers.
    pub(super) fn sort_fields(&mut self, from: usize) {
        let mut fields = Vec::new();
        let mut rest = &self.bytes[from..];
        while let (start, Ok((number, _))) = (self.bytes.len() - rest.len(), next(&mut rest)) {
            fields.push((number, start..self.bytes.len() - rest.len()));
        }
        fields.sort_by_key(|(number, _)| *number);
        self.reorder(from, fields.into_iter().map(|(_, range)| range));
    }

    pub(super) fn constant(&mut self, slot: Slot, number: i32) {
        if self.enter(slot, Width::Varint, number == 0) {
            self.varint(number as i64 as u64);
        }
    }

    pub(super) fn scalar(&mut self, slot: Slot, scalar: Scalar, value: Value<'_>) {
        if !self.enter(slot, width(Kind::Scalar(scalar)), value.is_default()) {
            return;
        }
        let fixed = matches!(
            scalar,
            Scalar::Sfixed32 | Scalar::Sfixed64 | Scalar::Fixed32 | Scalar::Fixed64
        );
        let zigzag = matches!(scalar, Scalar::Sint32 | Scalar::Sint64);
        match value {
            Value::Bool(it) => self.varint(it.into()),
            Value::Int32(it) if fixed => self.bytes.extend(it.to_le_bytes()),
            Value::Int64(it) if fixed => self.bytes.extend(it.to_le_bytes()),
            Value::Uint32(it) if fixed => self.bytes.extend(it.to_le_bytes()),
            Value::Uint64(it) if fixed => self.bytes.extend(it.to_le_bytes()),
            Value::Int32(it) if zigzag => self.varint(u64::from((it << 1 ^ it >> 31) as u32)),
            Value::Int64(it) if zigzag => self.varint((it << 1 ^ it >> 63) as u64),
            Value::Int32(it) => self.varint(it as i64 as u64),
            Value::Int64(it) => self.varint(it as u64),
            Value::Uint32(it) => self.varint(it.into()),
            Value::Uint64(it) => self.varint(it),
            Value::Float(it) => self.bytes.extend(it.to_le_bytes()),
            Value::Double(it) => self.bytes.extend(it.to_le_bytes()),
            Value::Text(it) => self.piece(it.as_bytes()),
            Value::Bytes(it) => self.piece(it),
        }
    }

    fn piece(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    /// Writes the tag where the slot has one. False if the value is not to be written.
    fn enter(&mut self, slot: Slot, width: Width, is_default: bool) -> bool {
        match slot {
            Slot::Implicit(_) if is_default => return false,
            Slot::Implicit(number) | Slot::Field(number) => self.tag(number, width),
            Slot::Packed => {}
        }
        true
    }
}
