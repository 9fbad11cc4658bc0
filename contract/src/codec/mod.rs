//! How one field of a message is written and read: what generated messages are made of.
//!
//! A [`Codec`] is a kind of value; generated code names one for each field and one function for
//! how often the field occurs. The bytes are those of the public wire format: fields that have
//! their default are left out where the contract says so, entries of a map have key and value
//! always and go in order of their keys, so that equal messages are equal bytes.
//!
//! Refuses what is not of the field's wire type; packed and plain repeats are both read, whichever
//! the contract names. Fields without a meaning here are passed over.

mod wire;
mod numbers;
mod kinds;
mod maps;
mod native;
mod oneofs;

mod macros;

#[cfg(test)]
mod tests;

pub use prost::bytes::{Buf, BufMut};
pub use prost::encoding::{DecodeContext, WireType, skip_field};
pub use prost::{DecodeError, Message};

pub use self::kinds::{Blob, DoubleValue, FloatValue, Msg, Str};
pub use self::maps::{encode_map, map_len, merge_map};
pub use self::native::{ByType, Field, Key, Native, Octets, Wrapper};
pub use self::numbers::{
    Bool, Double, Enum, Enumerated, Fixed32, Fixed64, Float, Int32, Int64, NullValue, Number,
    Sfixed32, Sfixed64, Sint32, Sint64, Uint32, Uint64,
};
pub use self::oneofs::{
    Oneof, any_between, count, has, holds_messages, joined, names_differ, next, requires,
};
#[doc(hidden)]
pub use crate::__implicit_field as implicit_field;

use crate::message::MessageTable;

/// What reading a field comes to.
pub type Merged = Result<(), DecodeError>;

/// One kind of value on the wire.
pub trait Codec {
    /// The Rust type of a value.
    type Value: Default;

    /// Writes a value, whatever it is.
    fn encode(tag: u32, value: &Self::Value, buf: &mut impl BufMut);

    /// How many bytes [`encode`](Self::encode) writes.
    fn encoded_len(tag: u32, value: &Self::Value) -> usize;

    /// Reads a value over the one that is there; messages become one.
    fn merge(
        wire_type: WireType,
        value: &mut Self::Value,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged;

    /// Whether a field without presence would not be written.
    fn is_default(value: &Self::Value) -> bool;

    /// Reads a value of its own.
    fn read(
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<Self::Value, DecodeError> {
        let mut value = Self::Value::default();
        Self::merge(wire_type, &mut value, buf, ctx)?;
        Ok(value)
    }

    /// Writes a field without presence.
    #[inline]
    fn implicit(tag: u32, value: &Self::Value, buf: &mut impl BufMut) {
        if !Self::is_default(value) {
            Self::encode(tag, value, buf);
        }
    }

    /// How many bytes [`implicit`](Self::implicit) writes.
    #[inline]
    fn implicit_len(tag: u32, value: &Self::Value) -> usize {
        if Self::is_default(value) {
            0
        } else {
            Self::encoded_len(tag, value)
        }
    }

    /// Writes a field with presence.
    #[inline]
    fn optional(tag: u32, value: &Option<Self::Value>, buf: &mut impl BufMut) {
        if let Some(value) = value {
            Self::encode(tag, value, buf);
        }
    }

    /// How many bytes [`optional`](Self::optional) writes.
    #[inline]
    fn optional_len(tag: u32, value: &Option<Self::Value>) -> usize {
        value
            .as_ref()
            .map_or(0, |value| Self::encoded_len(tag, value))
    }

    /// Reads a field with presence.
    #[inline]
    fn merge_optional(
        wire_type: WireType,
        value: &mut Option<Self::Value>,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        Self::merge(wire_type, value.get_or_insert_default(), buf, ctx)
    }

    /// Writes each value as a field of its own.
    fn repeated(tag: u32, values: &[Self::Value], buf: &mut impl BufMut) {
        for value in values {
            Self::encode(tag, value, buf);
        }
    }

    /// How many bytes [`repeated`](Self::repeated) writes.
    fn repeated_len(tag: u32, values: &[Self::Value]) -> usize {
        values
            .iter()
            .map(|value| Self::encoded_len(tag, value))
            .sum()
    }

    /// Reads one more value, or all of a packed field.
    fn merge_repeated(
        wire_type: WireType,
        values: &mut Vec<Self::Value>,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        values.push(Self::read(wire_type, buf, ctx)?);
        Ok(())
    }

    /// Writes all values as one packed field; as [`repeated`](Self::repeated) where a kind cannot.
    fn packed(tag: u32, values: &[Self::Value], buf: &mut impl BufMut) {
        Self::repeated(tag, values, buf);
    }

    /// How many bytes [`packed`](Self::packed) writes.
    fn packed_len(tag: u32, values: &[Self::Value]) -> usize {
        Self::repeated_len(tag, values)
    }
}

/// Adds to an error which field it happened in.
#[cold]
#[must_use]
pub fn at(mut error: DecodeError, table: &'static MessageTable, tag: u32) -> DecodeError {
    if let Some(field) = table.fields.iter().find(|field| field.number == tag) {
        error.push(table.name, field.name);
    }
    error
}
