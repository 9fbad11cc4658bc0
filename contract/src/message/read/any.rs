//! JSON as a `google.protobuf.Any`: the message inside, with its type under `@type`.

use serde::de::value::MapDeserializer;
use serde::de::{IgnoredAny, MapAccess};

use super::buffer::Buffer;
use super::cx::Cx;
use super::sink::Slot;
use super::{MessageSeed, fields};
use crate::message::table::{Form, Scalar};
use crate::message::well_known::EMPTY;
use crate::message::wire::Value;

/// Reads an `Any`: at once if its type comes first, otherwise after holding what came before.
pub(super) fn any<'de, A: MapAccess<'de>>(cx: Cx<'_, '_>, mut map: A) -> Result<(), A::Error> {
    let Some(first) = map.next_key::<String>()? else {
        return Ok(());
    };
    if first == TYPE {
        let url: String = map.next_value()?;
        return any_of(&url, cx, map);
    }
    let mut held = vec![(first, map.next_value::<Buffer>()?)];
    while let Some(entry) = map.next_entry()? {
        held.push(entry);
    }
    let Some(at) = held.iter().position(|(key, _)| key == TYPE) else {
        return Err(cx.fail("an Any needs its type under `@type`"));
    };
    let (_, Buffer::Text(url)) = held.remove(at) else {
        return Err(cx.fail("`@type` of an Any is not text"));
    };
    any_of(&url, cx, MapDeserializer::new(held.into_iter()))
}

/// The key of an `Any` that says its type.
const TYPE: &str = "@type";

/// Reads what an `Any` of this type holds.
fn any_of<'de, A: MapAccess<'de>>(url: &str, cx: Cx<'_, '_>, mut map: A) -> Result<(), A::Error> {
    let mut cx = cx.deeper()?;
    let table = cx
        .reading
        .options
        .resolve(url)
        .map_err(|error| cx.fail(error))?;
    cx.reading
        .sink
        .scalar(Slot::Field(1), Scalar::String, Value::Text(url));
    let begun = cx.reading.sink.begin(2);
    let path = cx.path;
    if table.name == EMPTY.name {
        empty(cx.at(path), map)?;
    } else if table.form == Form::Fields {
        fields(table, cx.at(path), map)?;
    } else {
        let key = map.next_key::<String>()?;
        if key.as_deref() != Some("value") {
            return Err(cx.fail(format_args!(
                "an Any of {} needs `value` and nothing else",
                table.name
            )));
        }
        map.next_value_seed(MessageSeed {
            table,
            cx: cx.at(path),
        })?;
        if map.next_key::<IgnoredAny>()?.is_some() {
            return Err(cx.fail(format_args!(
                "an Any of {} needs `value` and nothing else",
                table.name
            )));
        }
    }
    cx.reading.sink.end_unless_empty(begun);
    Ok(())
}

/// Nothing, which some write as no key at all and others as an empty `value`.
fn empty<'de, A: MapAccess<'de>>(mut cx: Cx<'_, '_>, mut map: A) -> Result<(), A::Error> {
    let mut given = false;
    while let Some(key) = map.next_key::<String>()? {
        let path = cx.path;
        if key == "value" {
            if std::mem::replace(&mut given, true) {
                return Err(cx.fail("`value` is given twice"));
            }
            map.next_value_seed(MessageSeed {
                table: &EMPTY,
                cx: cx.at(path),
            })?;
        } else if cx.reading.options.ignore_unknown {
            map.next_value::<IgnoredAny>()?;
        } else {
            return Err(cx.fail("an Any of google.protobuf.Empty has an empty `value` or no keys"));
        }
    }
    Ok(())
}
