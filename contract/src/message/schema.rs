//! JSON Schema (2020-12) of what ProtoJSON writes for a message.
//!
//! Every message and enum is one definition under its full name, so that two of the same short name
//! never meet. Says more than it must where readers gain from it (patterns, formats), and nothing
//! that would refuse what is written: a reader of a newer contract may meet keys it does not know.
//!
//! Invariant: what is written conforms.

use schemars::{Schema, SchemaGenerator, json_schema as schema};
use serde_json::{Map, Value, json};

use super::table::{EnumTable, FieldTable, Form, Kind, Label, MessageTable, Scalar};

/// The schema of a message. What it refers to goes into the generator's definitions.
///
/// # Example
///
/// ```
/// use contract::message::{json_schema, well_known};
///
/// let mut generator = schemars::SchemaGenerator::default();
/// let schema = json_schema(&well_known::DURATION, &mut generator);
/// assert_eq!(schema.get("type"), Some(&"string".into()));
/// ```
pub fn json_schema(table: &MessageTable, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = of_form(table, generator);
    describe(&mut schema, table.doc);
    schema
}

fn describe(schema: &mut Schema, doc: &str) {
    if !doc.is_empty() {
        schema.insert("description".to_owned(), doc.into());
    }
}

fn of_form(table: &MessageTable, generator: &mut SchemaGenerator) -> Schema {
    match table.form {
        Form::Fields => object(table, generator),
        Form::Only => of_field(&table.fields[0], generator),
        Form::Value => schema!({ "description": "Any JSON value." }),
        Form::Timestamp => schema!({ "type": "string", "format": "date-time" }),
        Form::Duration => schema!({
            "type": "string",
            "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$",
            "description": "Seconds: `1.5s`.",
        }),
        Form::FieldMask => schema!({
            "type": "string",
            "description": "Paths in lowerCamelCase, with commas in between.",
        }),
        Form::Any => schema!({
            "type": "object",
            "properties": { "@type": { "type": "string" } },
            "description": "A message with its type under `@type`.",
        }),
    }
}

fn object(table: &MessageTable, generator: &mut SchemaGenerator) -> Schema {
    let mut properties = Map::new();
    for field in table.fields {
        let mut schema = of_field(field, generator);
        // Next to a reference it says what the field is for, not what the type is for.
        describe(&mut schema, field.doc);
        properties.insert(field.json.to_owned(), schema.to_value());
    }
    let mut schema = schema!({ "type": "object", "properties": properties });
    let required = table.fields.iter().filter(|it| it.label == Label::Required);
    let required: Vec<_> = required.map(|it| it.json).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    let exclusive = exclusive(table);
    if !exclusive.is_empty() {
        schema.insert("allOf".to_owned(), exclusive.into());
    }
    schema
}

/// For each oneof: one of its members or none.
fn exclusive(table: &MessageTable) -> Vec<Value> {
    let oneofs = table.fields.iter().filter_map(|it| it.oneof).max();
    let oneofs = 0..oneofs.map_or(0, |it| it + 1);
    let members = |oneof| {
        let of_it = move |it: &&FieldTable| it.oneof == Some(oneof);
        table
            .fields
            .iter()
            .filter(of_it)
            .map(|it| json!({ "required": [it.json] }))
    };
    oneofs
        .map(|oneof| members(oneof).collect::<Vec<_>>())
        .filter(|members| members.len() > 1)
        .map(|mut members| {
            let none = json!({ "not": { "anyOf": members.clone() } });
            members.push(none);
            json!({ "oneOf": members })
        })
        .collect()
}

fn of_field(field: &FieldTable, generator: &mut SchemaGenerator) -> Schema {
    let one = of_kind(field.kind, generator);
    match field.label {
        Label::Repeated { .. } => schema!({ "type": "array", "items": one }),
        Label::Map(key) => {
            let mut map = schema!({ "type": "object", "additionalProperties": one });
            if let Some(names) = names(key) {
                map.insert("propertyNames".to_owned(), names);
            }
            map
        }
        _ => one,
    }
}

/// What the keys of a map look like; none for any text.
fn names(key: Scalar) -> Option<Value> {
    match key {
        Scalar::String => None,
        Scalar::Bool => Some(json!({ "enum": ["true", "false"] })),
        Scalar::Uint32 | Scalar::Uint64 | Scalar::Fixed32 | Scalar::Fixed64 => {
            Some(json!({ "pattern": "^[0-9]+$" }))
        }
        _ => Some(json!({ "pattern": "^-?[0-9]+$" })),
    }
}

fn of_kind(kind: Kind, generator: &mut SchemaGenerator) -> Schema {
    match kind {
        Kind::Scalar(scalar) => of_scalar(scalar),
        Kind::NullValue => schema!({ "type": "null" }),
        Kind::Enum(table) => defined(table.name, generator, |_| of_enum(table)),
        Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_) => match kind.message() {
            Some(table) if is_plain(table) => of_form(table, generator),
            Some(table) => defined(table.name, generator, |it| json_schema(table, it)),
            None => schema!(true),
        },
    }
}

/// Whether it is as short as its name: a wrapper or a field mask. `Struct` and `ListValue` also
/// stand for their only field, but hold themselves.
fn is_plain(table: &MessageTable) -> bool {
    let of_scalar = |it: &FieldTable| matches!(it.kind, Kind::Scalar(_));
    matches!(table.form, Form::Only | Form::FieldMask) && table.fields.iter().all(of_scalar)
}

/// A reference to a definition, which is made if it is not there yet.
fn defined(
    name: &str,
    generator: &mut SchemaGenerator,
    make: impl FnOnce(&mut SchemaGenerator) -> Schema,
) -> Schema {
    if !generator.definitions().contains_key(name) {
        // Taken while it is being made, so that what refers to itself ends.
        generator
            .definitions_mut()
            .insert(name.to_owned(), true.into());
        let made = make(generator).to_value();
        generator.definitions_mut().insert(name.to_owned(), made);
    }
    let path = generator.settings().definitions_path.trim_end_matches('/');
    Schema::new_ref(format!("#{path}/{name}"))
}

fn of_enum(table: &EnumTable) -> Schema {
    let names: Vec<_> = table.values.iter().map(|(name, _)| *name).collect();
    let named = json!({ "type": "string", "enum": names });
    let mut schema = match table.closed {
        true => schema!({ "type": "string", "enum": names }),
        // A constant that this contract does not know yet is written as its number.
        false => schema!({ "anyOf": [named, { "type": "integer", "format": "int32" }] }),
    };
    describe(&mut schema, table.doc);
    schema
}

fn of_scalar(scalar: Scalar) -> Schema {
    match scalar {
        Scalar::Bool => schema!({ "type": "boolean" }),
        Scalar::String => schema!({ "type": "string" }),
        Scalar::Bytes => schema!({ "type": "string", "contentEncoding": "base64" }),
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => {
            schema!({ "type": "integer", "format": "int32" })
        }
        Scalar::Uint32 | Scalar::Fixed32 => {
            schema!({ "type": "integer", "format": "uint32", "minimum": 0 })
        }
        Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64 => {
            schema!({ "type": ["string", "integer"], "format": "int64", "pattern": "^-?[0-9]+$" })
        }
        Scalar::Uint64 | Scalar::Fixed64 => {
            schema!({ "type": ["string", "integer"], "format": "uint64", "pattern": "^[0-9]+$" })
        }
        Scalar::Float => of_float("float"),
        Scalar::Double => of_float("double"),
    }
}

fn of_float(format: &str) -> Schema {
    schema!({
        "anyOf": [
            { "type": "number", "format": format },
            { "enum": ["NaN", "Infinity", "-Infinity"] },
        ],
    })
}
