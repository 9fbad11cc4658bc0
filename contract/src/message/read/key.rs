//! Keys of maps: JSON has text for all of them.
//!
//! Invariant: keys that are equal as values of their type are equal, however they were spelled.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use super::leaf::{At, number_as, wanted};
use super::number::Number;
use crate::message::path::{Key, Path};
use crate::message::table::Scalar;
use crate::message::text::quoted;
use crate::message::wire::Value;

/// Reads the key of a map entry.
#[derive(Clone, Copy)]
pub(super) struct KeySeed<'p> {
    pub(super) scalar: Scalar,
    pub(super) path: &'p Path<'p>,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = OwnKey;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<OwnKey, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'_> {
    type Value = OwnKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key of the map{}", At(self.path))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OwnKey, E> {
        let key = OwnKey::parse(self.scalar, text);
        key.map_err(|error| E::custom(format_args!("{error}{}", At(self.path))))
    }
}

/// The key of a map entry that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OwnKey {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Text(String),
}

impl OwnKey {
    fn parse(scalar: Scalar, text: &str) -> Result<Self, String> {
        let number = || Number::parse(text).and_then(|it| number_as(scalar, it));
        let key = match scalar {
            Scalar::String => Some(Self::Text(text.to_owned())),
            Scalar::Bool => text.parse().ok().map(Self::Bool),
            _ => number().and_then(|it| match it.as_key() {
                Some(Key::Int(it)) => Some(Self::Int(it)),
                Some(Key::Uint(it)) => Some(Self::Uint(it)),
                _ => None,
            }),
        };
        key.ok_or_else(|| format!("the key {} is not {}", quoted(text), wanted(scalar)))
    }

    pub(super) fn as_key(&self) -> Key<'_> {
        match self {
            Self::Bool(it) => Key::Bool(*it),
            Self::Int(it) => Key::Int(*it),
            Self::Uint(it) => Key::Uint(*it),
            Self::Text(it) => Key::Text(it),
        }
    }

    /// As the value of the key's type.
    pub(super) fn as_value(&self, scalar: Scalar) -> Value<'_> {
        match self {
            Self::Bool(it) => Value::Bool(*it),
            Self::Text(it) => Value::Text(it),
            Self::Int(it) if Value::default_of(scalar) == Value::Int32(0) => {
                Value::Int32(*it as i32)
            }
            Self::Int(it) => Value::Int64(*it),
            Self::Uint(it) if Value::default_of(scalar) == Value::Uint32(0) => {
                Value::Uint32(*it as u32)
            }
            Self::Uint(it) => Value::Uint64(*it),
        }
    }
}
