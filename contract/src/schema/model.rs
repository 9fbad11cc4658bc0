//! The neutral model of a message: what a `.proto` and a `.schema.json` have in common.
//!
//! Holds shape only. Comments, options without meaning on the wire and source positions stay with
//! the reader that saw them.
//!
//! Invariant: full names begin with a dot, as in `.shop.v1.Order`, and map entries never appear
//! as messages.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

pub use crate::scalar::Scalar;

/// One root message and every message and enum it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Full name of the root message; always a key of `messages`.
    pub root: String,
    /// The root, all it refers to at any depth, and the types nested inside the root.
    pub messages: BTreeMap<String, Message>,
    /// Every enum those messages refer to or contain.
    pub enums: BTreeMap<String, Enum>,
}

impl Schema {
    /// The root message.
    #[must_use]
    pub fn root(&self) -> &Message {
        &self.messages[&self.root]
    }

    /// Whether a message or an enum of this full name is part of the schema.
    #[must_use]
    pub fn defines(&self, full_name: &str) -> bool {
        self.messages.contains_key(full_name) || self.enums.contains_key(full_name)
    }
}

/// A message type.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Full name with a leading dot.
    pub full_name: String,
    /// The syntax it was declared in.
    pub edition: Edition,
    /// Whether it is marked `deprecated`.
    pub deprecated: bool,
    /// Fields in order of declaration.
    pub fields: Vec<Field>,
    /// Oneof groups in order of declaration, those of proto3 `optional` fields among them.
    pub oneofs: Vec<OneofGroup>,
    /// Field numbers set aside for extensions.
    pub extensions: Vec<RangeInclusive<u32>>,
    /// Field numbers that may not be used again.
    pub reserved: Vec<RangeInclusive<u32>>,
    /// Field names that may not be used again.
    pub reserved_names: Vec<String>,
    /// Full names of the messages and enums declared inside it, map entries left out.
    pub nested: Vec<String>,
}

impl Message {
    /// The last segment of the full name.
    #[must_use]
    pub fn name(&self) -> &str {
        last_segment(&self.full_name)
    }
}

/// The syntax of a message's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// `syntax = "proto2"`; `.schema.json` messages count as this too.
    Proto2,
    /// `syntax = "proto3"`.
    Proto3,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The name to use in JSON: camelCase for `.proto`, verbatim for `.schema.json`.
    pub json_name: String,
    /// The field number.
    pub number: u32,
    /// How many values it holds.
    pub cardinality: Cardinality,
    /// The type of one value; for a map, of the map's values.
    pub ty: Type,
    /// Whether it is a proto3 `optional` field.
    pub proto3_optional: bool,
    /// Whether it is marked `deprecated`.
    pub deprecated: bool,
    /// The `packed` option, where the source states it.
    pub packed: Option<bool>,
    /// The proto2 default, where the source states it.
    pub default: Option<DefaultValue>,
}

/// How many values a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// One or none: plain proto3, `optional` of either syntax, or a member of a oneof.
    Optional,
    /// Exactly one (proto2).
    Required,
    /// Any number, in order.
    Repeated,
    /// Any number, each under a key of this type.
    Map(Scalar),
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A scalar.
    Scalar(Scalar),
    /// The message with this full name.
    Message(String),
    /// The enum with this full name.
    Enum(String),
}

/// A proto2 default value.
#[derive(Clone, Debug, PartialEq)]
pub enum DefaultValue {
    /// For integers, floats and booleans: the literal as JSON, never infinite or NaN.
    Literal(String),
    /// For strings, enum constants, and what JSON has no literal for.
    Text(String),
}

/// Fields of which at most one is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneofGroup {
    /// The name to use in JSON.
    pub json_name: String,
    /// Member field numbers, in order of declaration.
    pub members: Vec<u32>,
    /// Whether it only exists to mark one proto3 `optional` field.
    pub synthetic: bool,
}

/// An enum type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// Full name with a leading dot.
    pub full_name: String,
    /// Constants in order of declaration; with aliases a number appears more than once.
    pub values: Vec<(String, i32)>,
}

impl Enum {
    /// The last segment of the full name.
    #[must_use]
    pub fn name(&self) -> &str {
        last_segment(&self.full_name)
    }
}

fn last_segment(full_name: &str) -> &str {
    full_name
        .rsplit_once('.')
        .map_or(full_name, |(_, name)| name)
}
