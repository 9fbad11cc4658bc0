//! What JSON gives by name: fields, enum constants, `NULL_VALUE`.
//!
//! Refuses an unknown name with those that there are, unless they are to be passed over.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use super::leaf::At;
use super::number::Number;
use crate::message::path::Path;
use crate::message::table::{EnumTable, MessageTable};
use crate::message::text::quoted;

/// Reads an enum constant. None for a name that is unknown and to be passed over.
pub(super) struct ConstantSeed<'p> {
    pub(super) table: &'static EnumTable,
    pub(super) path: &'p Path<'p>,
    pub(super) ignore_unknown: bool,
}

impl ConstantSeed<'_> {
    fn number<E: Error>(self, number: Option<i128>) -> Result<Option<i32>, E> {
        let number = number.and_then(|it| i32::try_from(it).ok());
        match number.filter(|it| self.table.admits(*it)) {
            Some(number) => Ok(Some(number)),
            None if number.is_some() && self.ignore_unknown => Ok(None),
            None => Err(E::custom(format_args!(
                "the number is no constant of {}{}",
                self.table.name,
                At(self.path)
            ))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ConstantSeed<'_> {
    type Value = Option<i32>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<i32>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ConstantSeed<'_> {
    type Value = Option<i32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a name or number of {}{}",
            self.table.name,
            At(self.path)
        )
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.number(Some(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.number(Some(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.number(Number::Float(value).as_integer())
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        match self.table.number_of(name) {
            Some(number) => Ok(Some(number)),
            None if self.ignore_unknown => Ok(None),
            None => Err(E::custom(format_args!(
                "{} is no constant of {}{}; it has {}",
                quoted(name),
                self.table.name,
                At(self.path),
                listed(self.table.values.iter().map(|(name, _)| *name)),
            ))),
        }
    }
}

/// Reads `google.protobuf.NullValue`.
pub(super) struct NullSeed<'p>(pub(super) &'p Path<'p>);

impl<'de> DeserializeSeed<'de> for NullSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NullSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "null{}", At(self.0))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match value {
            0 => Ok(()),
            _ => Err(E::invalid_value(
                serde::de::Unexpected::Unsigned(value),
                &self,
            )),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match text {
            "NULL_VALUE" => Ok(()),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
        }
    }
}

/// Reads the key of an object as the position of a field.
pub(super) struct FieldSeed<'p> {
    pub(super) table: &'static MessageTable,
    /// Where the field is if the text has the order of the table.
    pub(super) guess: usize,
    pub(super) path: &'p Path<'p>,
    pub(super) ignore_unknown: bool,
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the name of a field of {}{}",
            self.table.name,
            At(self.path)
        )
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let fields = self.table.fields;
        if fields.get(self.guess).is_some_and(|it| it.json == name) {
            return Ok(Some(self.guess));
        }
        let by_json = fields.iter().position(|it| it.json == name);
        let found = by_json.or_else(|| fields.iter().position(|it| it.name == name));
        if found.is_some() || self.ignore_unknown {
            return Ok(found);
        }
        Err(E::custom(format_args!(
            "{} is no field of {}{}; it has {}",
            quoted(name),
            self.table.name,
            At(self.path),
            listed(fields.iter().map(|it| it.json)),
        )))
    }
}

/// The first few of some names.
fn listed(names: impl ExactSizeIterator<Item = &'static str>) -> String {
    const SHOWN_MAX: usize = 8;
    let more = names.len().saturating_sub(SHOWN_MAX);
    let shown: Vec<_> = names.take(SHOWN_MAX).collect();
    match (shown.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (_, 0) => shown.join(", "),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
