//! What a message looks like, as constants: generated code writes one table for each message, and
//! everything that handles messages at run time walks it.
//!
//! A table holds shape and names. It has no behaviour and refuses nothing: whoever writes it (the
//! generator, a derive, or [`Pool`](super::Pool)) keeps its invariants.
//!
//! Invariants: fields are ascending by number; full names have no leading dot; `requires` is true
//! for every message from which a required field can be reached.

use std::sync::OnceLock;

pub use crate::scalar::Scalar;

/// A message type.
#[derive(Debug)]
pub struct MessageTable {
    /// Full name without a leading dot: `shop.v1.Order`.
    pub name: &'static str,
    /// Its comment, empty where there is none.
    pub doc: &'static str,
    /// How it is written in JSON.
    pub form: Form,
    /// Whether it has a required field, or holds a message that does, at any depth. A derive says
    /// so of all that hold messages: it does not see what is in them.
    pub requires: bool,
    /// Its fields, ascending by number.
    pub fields: &'static [FieldTable],
}

impl MessageTable {
    /// The last segment of the full name.
    #[must_use]
    pub fn short_name(&self) -> &'static str {
        self.name
            .rsplit_once('.')
            .map_or(self.name, |(_, short)| short)
    }
}

/// The position of a number among fields that ascend by it. Most messages count from one without
/// gaps, so the first guess is usually right.
pub(super) fn position(fields: &[FieldTable], number: u32) -> Option<usize> {
    let guess = (number as usize).wrapping_sub(1);
    match fields.get(guess) {
        Some(field) if field.number == number => Some(guess),
        _ => fields.binary_search_by_key(&number, |it| it.number).ok(),
    }
}

/// How a message is written in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As an object with a key for each field. Every message but some of `google.protobuf`.
    Fields,
    /// As the value of its only field: the wrappers, `Struct`, `ListValue`.
    Only,
    /// As whatever its one set field holds: `google.protobuf.Value`.
    Value,
    /// As RFC 3339 text: `google.protobuf.Timestamp`.
    Timestamp,
    /// As seconds with an `s`: `google.protobuf.Duration`.
    Duration,
    /// As paths with commas in between: `google.protobuf.FieldMask`.
    FieldMask,
    /// As the message inside, with its type under `@type`: `google.protobuf.Any`.
    Any,
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub struct FieldTable {
    /// Its number on the wire.
    pub number: u32,
    /// Its name as the contract spells it.
    pub name: &'static str,
    /// Its name in JSON.
    pub json: &'static str,
    /// Its comment, empty where there is none.
    pub doc: &'static str,
    /// How many values it holds, and whether it knows that it was set.
    pub label: Label,
    /// The type of one value; for a map, of the map's values.
    pub kind: Kind,
    /// Which oneof of the message it belongs to. That of a proto3 `optional` field is none.
    pub oneof: Option<u16>,
}

/// How many values a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// One, and the default counts as not set: plain proto3.
    Implicit,
    /// One or none: `optional`, messages, members of a oneof.
    Explicit,
    /// Exactly one.
    Required,
    /// Any number, in order.
    Repeated {
        /// Whether it is written packed. Both are read.
        packed: bool,
    },
    /// Any number, each under a key of this type.
    Map(Scalar),
}

/// The type of one value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A scalar.
    Scalar(Scalar),
    /// An enum.
    Enum(&'static EnumTable),
    /// `google.protobuf.NullValue`, the enum that JSON writes as `null`.
    NullValue,
    /// A message.
    Message(&'static MessageTable),
    /// A message that is declared in Rust: a constant cannot hold the table of a type that holds
    /// itself, but what answers with it.
    Declared(fn() -> &'static MessageTable),
    /// A message of a [`Pool`](super::Pool), whose tables refer to each other before they are
    /// complete. Generated code never has it.
    Linked(&'static OnceLock<MessageTable>),
}

impl Kind {
    /// The table of the message, where it is one.
    #[must_use]
    pub fn message(self) -> Option<&'static MessageTable> {
        match self {
            Self::Message(table) => Some(table),
            Self::Declared(table) => Some(table()),
            Self::Linked(table) => table.get(),
            Self::Scalar(_) | Self::Enum(_) | Self::NullValue => None,
        }
    }

    /// Whether `null` is a value of it, and does not mean that there is none.
    pub(super) fn takes_null(self) -> bool {
        match self {
            Self::NullValue => true,
            _ => self.message().is_some_and(|it| it.form == Form::Value),
        }
    }
}

/// An enum type.
#[derive(Debug)]
pub struct EnumTable {
    /// Full name without a leading dot.
    pub name: &'static str,
    /// Its comment, empty where there is none.
    pub doc: &'static str,
    /// Whether a number without a name is no value of it: enums of proto2.
    pub closed: bool,
    /// Names and numbers in order of declaration, aliases included.
    pub values: &'static [(&'static str, i32)],
}

impl EnumTable {
    /// The first name declared for a number.
    #[must_use]
    pub fn name_of(&self, number: i32) -> Option<&'static str> {
        let found = self.values.iter().find(|(_, it)| *it == number);
        found.map(|(name, _)| *name)
    }

    /// The number of a name.
    #[must_use]
    pub fn number_of(&self, name: &str) -> Option<i32> {
        let found = self.values.iter().find(|(it, _)| *it == name);
        found.map(|(_, number)| *number)
    }

    /// Whether a field of this type can hold the number.
    pub(super) fn admits(&self, number: i32) -> bool {
        !self.closed || self.name_of(number).is_some()
    }
}

/// A message type that has a table.
pub trait Described {
    /// Its table.
    const TABLE: &'static MessageTable;
}
