//! JSON Schemas of messages, for what ProtoJSON writes and reads.
//!
//! The same schemas as those of the generated types at run time (`contract::message`), which a test
//! compares. Written here a second time, because a build script should not have to compile the
//! crates that those are made with.
//!
//! Invariant: every `$ref` of a schema is a key of [`Schemas::finish`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{Enum, Field, Label, Message, Model, Scalar, Type};
use crate::place::Said;
use crate::render::plain;

/// The schemas that one document needs, by full name.
pub(crate) struct Schemas<'m> {
    model: &'m Model,
    pending: Vec<&'m str>,
    done: BTreeMap<String, Value>,
}

impl<'m> Schemas<'m> {
    pub(crate) fn new(model: &'m Model) -> Self {
        Self {
            model,
            pending: Vec::new(),
            done: BTreeMap::new(),
        }
    }

    /// The schema of a message, to put where one is needed.
    pub(crate) fn message(&mut self, full_name: &'m str) -> Value {
        well_known(full_name).unwrap_or_else(|| self.reference(full_name))
    }

    /// The schema of a field, all of its values.
    pub(crate) fn field(&mut self, field: &'m Field) -> Value {
        let one = match &field.ty {
            Type::Scalar(scalar) => self::scalar(*scalar),
            Type::Message(name) => self.message(name),
            Type::Enum(name) if name == "google.protobuf.NullValue" => json!({ "type": "null" }),
            Type::Enum(name) => self.reference(name),
        };
        let whole = match field.label {
            Label::Repeated { .. } => json!({ "type": "array", "items": one }),
            Label::Map(key) => map(key, one),
            Label::Implicit | Label::Explicit | Label::Required { .. } => one,
        };
        said(whole, &field.said)
    }

    /// Every schema that was referred to, and what those refer to.
    pub(crate) fn finish(mut self) -> BTreeMap<String, Value> {
        while let Some(name) = self.pending.pop() {
            if self.done.contains_key(name) {
                continue;
            }
            // Entered before its fields, so that a circle of messages ends.
            self.done.insert(name.to_owned(), Value::Null);
            let schema = if let Some(schema) = self.recursive(name) {
                schema
            } else if let Some(message) = self.model.messages.get(name) {
                self.object(message)
            } else {
                self.model.enums.get(name).map_or(json!({}), constants)
            };
            self.done.insert(name.to_owned(), schema);
        }
        self.done
    }

    fn reference(&mut self, full_name: &'m str) -> Value {
        self.pending.push(full_name);
        json!({ "$ref": format!("#/components/schemas/{full_name}") })
    }

    /// The well-known messages that hold themselves, and so need a name.
    fn recursive(&mut self, full_name: &str) -> Option<Value> {
        match full_name {
            "google.protobuf.Struct" => {
                let value = self.reference("google.protobuf.Value");
                Some(map(Scalar::String, value))
            }
            "google.protobuf.ListValue" => {
                let value = self.reference("google.protobuf.Value");
                Some(json!({ "type": "array", "items": value }))
            }
            "google.protobuf.Value" => Some(json!({ "description": "Any JSON value." })),
            "google.protobuf.Any" => Some(json!({
                "type": "object",
                "properties": { "@type": { "type": "string" } },
                "description": "A message with its type under `@type`.",
            })),
            "google.protobuf.Timestamp" => Some(json!({ "type": "string", "format": "date-time" })),
            "google.protobuf.Duration" => Some(json!({
                "type": "string",
                "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$",
                "description": "Seconds: `1.5s`.",
            })),
            _ => None,
        }
    }

    fn object(&mut self, message: &'m Message) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        let mut fields: Vec<_> = message.fields.iter().collect();
        fields.sort_by_key(|field| field.number);
        for field in fields {
            properties.insert(field.json.clone(), self.field(field));
            if matches!(field.label, Label::Required { .. }) {
                required.push(Value::from(field.json.as_str()));
            }
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema["required"] = Value::Array(required);
        }
        let groups: Vec<_> = (0..message.oneofs.len())
            .filter_map(|group| exclusive(message, group))
            .collect();
        if !groups.is_empty() {
            schema["allOf"] = Value::Array(groups);
        }
        said(schema, &message.said)
    }
}

fn map(key: Scalar, values: Value) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": values });
    let names = match key {
        Scalar::String => return schema,
        Scalar::Bool => json!({ "enum": ["true", "false"] }),
        Scalar::Uint32 | Scalar::Uint64 | Scalar::Fixed32 | Scalar::Fixed64 => {
            json!({ "pattern": "^[0-9]+$" })
        }
        _ => json!({ "pattern": "^-?[0-9]+$" }),
    };
    schema["propertyNames"] = names;
    schema
}

/// One of the group's members, or none.
fn exclusive(message: &Message, group: usize) -> Option<Value> {
    let mut members: Vec<_> = message.members(group).collect();
    members.sort_by_key(|field| field.number);
    let members = members
        .iter()
        .map(|field| json!({ "required": [field.json] }));
    let mut members: Vec<_> = members.collect();
    if members.len() < 2 {
        return None;
    }
    let none = json!({ "not": { "anyOf": members.clone() } });
    members.push(none);
    Some(json!({ "oneOf": members }))
}

fn constants(found: &Enum) -> Value {
    let names: Vec<_> = found
        .values
        .iter()
        .map(|value| value.name.as_str())
        .collect();
    let named = json!({ "type": "string", "enum": names });
    let schema = if found.closed {
        named
    } else {
        json!({ "anyOf": [named, { "type": "integer", "format": "int32" }] })
    };
    said(schema, &found.said)
}

/// Adds what a declaration says about itself.
fn said(mut schema: Value, said: &Said) -> Value {
    let text = plain(&said.comments);
    if !text.is_empty() {
        schema["description"] = text.into();
    }
    if said.deprecated {
        schema["deprecated"] = true.into();
    }
    schema
}

pub(crate) fn scalar(scalar: Scalar) -> Value {
    let float = |format: &str| {
        json!({ "anyOf": [
            { "type": "number", "format": format },
            { "enum": ["NaN", "Infinity", "-Infinity"] },
        ] })
    };
    match scalar {
        Scalar::Bool => json!({ "type": "boolean" }),
        Scalar::String => json!({ "type": "string" }),
        Scalar::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Scalar::Float => float("float"),
        Scalar::Double => float("double"),
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => {
            json!({ "type": "integer", "format": "int32" })
        }
        Scalar::Uint32 | Scalar::Fixed32 => {
            json!({ "type": "integer", "format": "uint32", "minimum": 0 })
        }
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => {
            json!({ "type": ["string", "integer"], "format": "int64", "pattern": "^-?[0-9]+$" })
        }
        Scalar::Uint64 | Scalar::Fixed64 => {
            json!({ "type": ["string", "integer"], "format": "uint64", "pattern": "^[0-9]+$" })
        }
    }
}

/// The wrappers and what else is written in place.
fn well_known(full_name: &str) -> Option<Value> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "FieldMask" => json!({
            "type": "string",
            "description": "Paths in lowerCamelCase, with commas in between.",
        }),
        "DoubleValue" => scalar(Scalar::Double),
        "FloatValue" => scalar(Scalar::Float),
        "Int64Value" => scalar(Scalar::Int64),
        "UInt64Value" => scalar(Scalar::Uint64),
        "Int32Value" => scalar(Scalar::Int32),
        "UInt32Value" => scalar(Scalar::Uint32),
        "BoolValue" => scalar(Scalar::Bool),
        "StringValue" => scalar(Scalar::String),
        "BytesValue" => scalar(Scalar::Bytes),
        _ => return None,
    })
}
