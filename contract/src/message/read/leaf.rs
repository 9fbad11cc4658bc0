//! What JSON gives for values without anything inside: scalars, and text that means something.
//!
//! Refuses a value that is not exactly one of the type, saying where and what is expected.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use super::number::Number;
use crate::message::path::Path;
use crate::message::table::Scalar;
use crate::message::text::quoted;
use crate::message::wire::Value;

/// Reads the padded and the unpadded form.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// ` at items[3].sku`, or nothing at the root.
pub(super) struct At<'p>(pub(super) &'p Path<'p>);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_root() {
            true => Ok(()),
            false => write!(f, " at `{}`", self.0),
        }
    }
}

/// Reads one scalar and hands it on. The value borrows the text, so it cannot be returned.
pub(super) struct ScalarSeed<'p, F> {
    pub(super) scalar: Scalar,
    pub(super) path: &'p Path<'p>,
    pub(super) take: F,
}

impl<'de, F: FnOnce(Value<'_>)> DeserializeSeed<'de> for ScalarSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<F: FnOnce(Value<'_>)> ScalarSeed<'_, F> {
    fn number<E: Error>(self, number: Number) -> Result<(), E> {
        let value = number_as(self.scalar, number);
        let value = value.ok_or_else(|| {
            let shown = match number {
                Number::Positive(it) => it.to_string(),
                Number::Negative(it) => it.to_string(),
                Number::Float(it) => it.to_string(),
            };
            E::custom(format_args!(
                "{shown} is not {}{}",
                wanted(self.scalar),
                At(self.path)
            ))
        })?;
        (self.take)(value);
        Ok(())
    }
}

/// The number as a value of the type, where it is exactly one (floats: near one).
pub(super) fn number_as(scalar: Scalar, number: Number) -> Option<Value<'static>> {
    let integer = || number.as_integer();
    Some(match scalar {
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => {
            Value::Int32(integer()?.try_into().ok()?)
        }
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => {
            Value::Int64(integer()?.try_into().ok()?)
        }
        Scalar::Uint32 | Scalar::Fixed32 => Value::Uint32(integer()?.try_into().ok()?),
        Scalar::Uint64 | Scalar::Fixed64 => Value::Uint64(integer()?.try_into().ok()?),
        Scalar::Float => Value::Float(number.as_float()?),
        Scalar::Double => Value::Double(Some(number.as_double()).filter(|it| it.is_finite())?),
        Scalar::Bool | Scalar::String | Scalar::Bytes => return None,
    })
}

/// What a type takes, as the end of a sentence.
pub(super) fn wanted(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => "an integer of 32 bits",
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => "an integer of 64 bits",
        Scalar::Uint32 | Scalar::Fixed32 => "an integer of 32 bits from 0",
        Scalar::Uint64 | Scalar::Fixed64 => "an integer of 64 bits from 0",
        Scalar::Float => "a number of 32 bits, \"NaN\", \"Infinity\" or \"-Infinity\"",
        Scalar::Double => "a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
        Scalar::Bool => "true or false",
        Scalar::String => "a string",
        Scalar::Bytes => "a string of base64",
    }
}

impl<'de, F: FnOnce(Value<'_>)> Visitor<'de> for ScalarSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", wanted(self.scalar), At(self.path))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        if self.scalar != Scalar::Bool {
            return Err(E::invalid_type(serde::de::Unexpected::Bool(value), &self));
        }
        (self.take)(Value::Bool(value));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(Number::Positive(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(Number::Negative(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(Number::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let named = match text {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        };
        let refused = || {
            E::custom(format_args!(
                "{} is not {}{}",
                quoted(text),
                wanted(self.scalar),
                At(self.path)
            ))
        };
        match (self.scalar, named) {
            (Scalar::String, _) => (self.take)(Value::Text(text)),
            (Scalar::Bytes, _) => {
                let bytes = decode_base64(text).ok_or_else(refused)?;
                (self.take)(Value::Bytes(&bytes));
            }
            (Scalar::Bool, _) => return Err(refused()),
            (Scalar::Float, Some(named)) => (self.take)(Value::Float(named as f32)),
            (Scalar::Double, Some(named)) => (self.take)(Value::Double(named)),
            _ => {
                let number = Number::parse(text).ok_or_else(refused)?;
                return self.number(number);
            }
        }
        Ok(())
    }
}

/// Both alphabets, with or without padding.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    if !text.contains(['-', '_']) {
        return LENIENT.decode(text).ok();
    }
    let standard: Vec<u8> = text
        .bytes()
        .map(|it| match it {
            b'-' => b'+',
            b'_' => b'/',
            it => it,
        })
        .collect();
    LENIENT.decode(standard).ok()
}

/// Reads text and turns it into something by a function that says what is wrong with it.
pub(super) struct TextSeed<'p, T> {
    pub(super) parse: fn(&str) -> Result<T, String>,
    pub(super) what: &'static str,
    pub(super) path: &'p Path<'p>,
}

impl<'de, T> DeserializeSeed<'de> for TextSeed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, T> Visitor<'de> for TextSeed<'_, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.what, At(self.path))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        let parsed = (self.parse)(text);
        parsed.map_err(|error| E::custom(format_args!("{error}{}", At(self.path))))
    }
}
