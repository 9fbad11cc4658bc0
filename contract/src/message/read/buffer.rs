//! A value held until it is known what it is: an `Any` says its type under a key that may come last.
//!
//! Keeps what a plain map would lose: the order of keys, and keys given twice. Nesting is bounded
//! by [`DEPTH_MAX`], size by the input.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;

use crate::message::wire::DEPTH_MAX;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Buffer {
    Null,
    Bool(bool),
    Positive(u64),
    Negative(i64),
    Float(f64),
    Text(String),
    List(Vec<Buffer>),
    Map(Vec<(String, Buffer)>),
}

impl<'de> Deserialize<'de> for Buffer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Filled(DEPTH_MAX).deserialize(deserializer)
    }
}

/// Fills a buffer with at most so many levels.
#[derive(Clone, Copy)]
struct Filled(u32);

impl Filled {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.0.checked_sub(1).map(Self);
        depth.ok_or_else(|| E::custom(format_args!("JSON is nested deeper than {DEPTH_MAX}")))
    }
}

impl<'de> DeserializeSeed<'de> for Filled {
    type Value = Buffer;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Buffer, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Filled {
    type Value = Buffer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Buffer, E> {
        Ok(Buffer::Null)
    }

    fn visit_none<E>(self) -> Result<Buffer, E> {
        Ok(Buffer::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Buffer, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Buffer, E> {
        Ok(Buffer::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Buffer, E> {
        Ok(Buffer::Positive(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Buffer, E> {
        Ok(Buffer::Negative(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Buffer, E> {
        Ok(Buffer::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Buffer, E> {
        Ok(Buffer::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Buffer, A::Error> {
        let (inside, mut list) = (self.deeper()?, Vec::new());
        while let Some(element) = seq.next_element_seed(inside)? {
            list.push(element);
        }
        Ok(Buffer::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Buffer, A::Error> {
        let (inside, mut entries) = (self.deeper()?, Vec::new());
        while let Some(key) = map.next_key()? {
            entries.push((key, map.next_value_seed(inside)?));
        }
        Ok(Buffer::Map(entries))
    }
}

/// A buffer that is read, with errors of the deserializer that filled it.
pub(super) struct Reader<E> {
    buffer: Buffer,
    error: std::marker::PhantomData<E>,
}

impl<'de, E: Error> IntoDeserializer<'de, E> for Buffer {
    type Deserializer = Reader<E>;

    fn into_deserializer(self) -> Reader<E> {
        Reader {
            buffer: self,
            error: std::marker::PhantomData,
        }
    }
}

impl<'de, E: Error> Deserializer<'de> for Reader<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.buffer {
            Buffer::Null => visitor.visit_unit(),
            Buffer::Bool(it) => visitor.visit_bool(it),
            Buffer::Positive(it) => visitor.visit_u64(it),
            Buffer::Negative(it) => visitor.visit_i64(it),
            Buffer::Float(it) => visitor.visit_f64(it),
            Buffer::Text(it) => visitor.visit_string(it),
            Buffer::List(list) => visitor.visit_seq(SeqDeserializer::new(list.into_iter())),
            Buffer::Map(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.buffer {
            Buffer::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_waited_reads_as_the_one_that_did_not() {
        let text = r#"{"b":[1,-2,0.5,null,true],"a":{"a":"x"},"b":{}}"#;
        let held: Buffer = serde_json::from_str(text).expect("JSON");
        let reader: Reader<serde_json::Error> = held.clone().into_deserializer();
        assert_eq!(Buffer::deserialize(reader).expect("the same"), held);
        let Buffer::Map(entries) = held else {
            panic!("a map");
        };
        assert_eq!(entries.len(), 3, "the key given twice is kept twice");
    }
}
