//! The message schemas behind a contract, from either of the two sources a service may use.
//!
//! A [`Schema`] is one root message with everything it refers to, independent of where it came
//! from: [`from_descriptor`] reads a compiled `.proto` message, [`parse_schema_json`] and
//! [`load_schema_json`] read the `.schema.json` form. [`message_json`] writes the description a
//! registration carries; [`crate::hash`] computes the routing identity.
//!
//! Refuses what the contract cannot say: groups, and any `.schema.json` that breaks a rule of its
//! format. Invariant: every name a [`Field`] refers to is present in its schema.

mod model;
mod kind;

mod json_keys;
mod json_file;
mod message_json;
mod proto;

pub use json_file::{Fault, Faults, InputOutput, load_schema_json, parse_schema_json};
pub use kind::ValueKind;
pub use message_json::{camel_case, message_json};
pub use model::{
    Cardinality, DefaultValue, Edition, Enum, Field, Message, OneofGroup, Scalar, Schema, Type,
};
pub use proto::{Error, default_text, from_descriptor};
