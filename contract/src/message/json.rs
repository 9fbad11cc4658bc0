//! ProtoJSON, the JSON of protobuf messages, without a Rust type for each: messages are read from
//! and written to their wire bytes by table.
//!
//! ```text
//! T ──encode──▶ bytes ──Json (serde Serialize)──▶ any serde format
//! T ◀──decode── bytes ◀──Read (serde DeserializeSeed)── any self-describing serde format
//! ```
//!
//! Refuses, naming the way to it (`items[3].sku`): keys that the message does not have, keys given
//! twice, two members of a oneof, values out of range, nesting deeper than 100, an `Any` of a type
//! that was not given. Invariant: what is written is read back as the same message, except that an
//! empty `Value` reads as null.

use bytes::Bytes;
use prost::Message;
use serde::de::{DeserializeSeed, Deserializer, Error as _};
use serde::{Serialize, Serializer};

use super::level::whole;
use super::options::JsonOptions;
use super::path::Path;
use super::read::{MessageSeed, Reading};
use super::table::{Described, MessageTable};
use super::wire::DEPTH_MAX;
use super::write::{Cx, MessageJson};

/// A JSON text that is no such message, or a message that has no JSON.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JsonError(#[from] serde_json::Error);

/// Writes a message as ProtoJSON. All of a generated `Serialize`.
///
/// # Errors
///
/// Those of the serializer; a message without JSON: a time out of its range, an `Any` of a type
/// that is not known, a `Value` that is not finite, text that is not UTF-8.
pub fn to_json<T, S>(message: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Message + Described,
    S: Serializer,
{
    Json::new(T::TABLE, &message.encode_to_vec()).serialize(serializer)
}

/// Reads a message from ProtoJSON. All of a generated `Deserialize`.
///
/// # Errors
///
/// What is not JSON or not such a message, with the way to what is wrong.
pub fn from_json<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Message + Default + Described,
    D: Deserializer<'de>,
{
    let bytes = Read::new(T::TABLE).deserialize(deserializer)?;
    T::decode(Bytes::from(bytes)).map_err(D::Error::custom)
}

/// An encoded message that is written as ProtoJSON when it is serialized.
///
/// # Example
///
/// ```
/// use contract::message::{Json, well_known};
///
/// let bytes = [0x08, 0x2a];
/// let shown = serde_json::to_string(&Json::new(&well_known::DURATION, &bytes)).expect("a duration");
/// assert_eq!(shown, r#""42s""#);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Json<'a> {
    table: &'static MessageTable,
    bytes: &'a [u8],
    options: JsonOptions,
}

impl<'a> Json<'a> {
    /// The message of this type in these bytes.
    #[must_use]
    pub fn new(table: &'static MessageTable, bytes: &'a [u8]) -> Self {
        Self {
            table,
            bytes,
            options: JsonOptions::default(),
        }
    }

    /// Writes it in another way than the default.
    #[must_use]
    pub fn options(self, options: JsonOptions) -> Self {
        Self { options, ..self }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let message = MessageJson {
            table: self.table,
            values: &[whole(self.bytes)],
            cx: Cx {
                options: &self.options,
                path: &Path::ROOT,
                depth: DEPTH_MAX,
            },
        };
        message.serialize(serializer)
    }
}

/// Reads ProtoJSON as an encoded message.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    table: &'static MessageTable,
    options: JsonOptions,
}

impl Read {
    /// Reads a message of this type.
    #[must_use]
    pub fn new(table: &'static MessageTable) -> Self {
        Self {
            table,
            options: JsonOptions::default(),
        }
    }

    /// Reads it in another way than the default.
    #[must_use]
    pub fn options(self, options: JsonOptions) -> Self {
        Self { options, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Read {
    type Value = Vec<u8>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<u8>, D::Error> {
        let mut reading = Reading::new(&self.options);
        MessageSeed::root(self.table, &mut reading).deserialize(deserializer)?;
        Ok(reading.into_bytes())
    }
}

/// The wire bytes of a message that is given as JSON text.
///
/// # Errors
///
/// What is not JSON or not such a message, with line, column and the way to what is wrong.
///
/// # Example
///
/// ```
/// use contract::message::{JsonOptions, json_to_bytes, well_known};
///
/// let bytes = json_to_bytes(&well_known::DURATION, br#""42s""#, JsonOptions::default());
/// assert_eq!(bytes.expect("a duration"), [0x08, 0x2a]);
/// ```
pub fn json_to_bytes(
    table: &'static MessageTable,
    json: &[u8],
    options: JsonOptions,
) -> Result<Vec<u8>, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let bytes = Read::new(table)
        .options(options)
        .deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(bytes)
}

/// The JSON text of an encoded message.
///
/// # Errors
///
/// As [`to_json`], and for bytes that are no such message.
pub fn bytes_to_json(
    table: &'static MessageTable,
    bytes: &[u8],
    options: JsonOptions,
) -> Result<String, JsonError> {
    Ok(serde_json::to_string(
        &Json::new(table, bytes).options(options),
    )?)
}
