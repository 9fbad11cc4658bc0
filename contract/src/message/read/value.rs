//! Any JSON as a `google.protobuf.Value`.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};

use super::cx::Cx;
use super::leaf::At;
use super::sink::Slot;
use super::{ListVisitor, MapVisitor};
use crate::message::table::Scalar;
use crate::message::well_known::{LIST_VALUE, STRUCT};
use crate::message::wire::Value;

/// Reads any JSON as a `google.protobuf.Value`.
pub(super) struct ValueVisitor<'r, 'o>(pub(super) Cx<'r, 'o>);

impl ValueVisitor<'_, '_> {
    fn scalar<E>(self, number: u32, scalar: Scalar, value: Value<'_>) -> Result<(), E> {
        self.0
            .reading
            .sink
            .scalar(Slot::Field(number), scalar, value);
        Ok(())
    }
}

impl<'de> Visitor<'de> for ValueVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "any JSON value{}", At(self.0.path))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.0.reading.sink.constant(Slot::Field(1), 0);
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(self.0.fail(format_args!(
                "{value} is not a number that a Value can hold"
            )));
        }
        self.scalar(2, Scalar::Double, Value::Double(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.scalar(3, Scalar::String, Value::Text(value))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(4, Scalar::Bool, Value::Bool(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut cx = self.0.deeper()?;
        let begun = cx.reading.sink.begin(5);
        let (field, path) = (&STRUCT.fields[0], cx.path);
        let entries = MapVisitor {
            field,
            key: Scalar::String,
            cx: cx.at(path),
        };
        entries.visit_map(map)?;
        cx.reading.sink.end(begun);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
        let mut cx = self.0.deeper()?;
        let begun = cx.reading.sink.begin(6);
        let (field, path) = (&LIST_VALUE.fields[0], cx.path);
        let elements = ListVisitor {
            field,
            packed: false,
            cx: cx.at(path),
        };
        elements.visit_seq(seq)?;
        cx.reading.sink.end(begun);
        Ok(())
    }
}
