//! A JSON Schema whose fields have numbers as a `.schema.json` file.
//!
//! A contract needs numbers that never change, which JSON Schema does not have; a schema says them
//! in `x-field-number`. Refuses a schema with a field without one, naming every such field, and
//! what the format cannot say. Nothing is guessed: a number that is made up here would be another
//! one after the next field.
//!
//! Invariant: what is written is read by the contract's own parser without a fault.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::text;
use crate::error::{Error, Fault};

/// Where a field says its number.
pub const NUMBER_KEY: &str = "x-field-number";
/// Objects inside objects.
const DEPTH_MAX: usize = 32;

/// The request and the reply of an rpc as JSON Schemas.
#[derive(Clone, Copy, Debug)]
pub struct Schemas<'s> {
    /// The request, and the file it is in.
    pub input: (&'s Path, &'s Value),
    /// The reply, and the file it is in.
    pub output: (&'s Path, &'s Value),
}

/// Converts; the text of the file.
///
/// # Errors
///
/// Every field without a number, and everything that `.schema.json` cannot say.
pub fn convert(schemas: Schemas<'_>) -> Result<String, Error> {
    let mut faults = Vec::new();
    let mut section = |(file, schema): (&Path, &Value), fallback: &str| {
        let mut reader = Reader {
            file,
            document: schema,
            inside: Vec::new(),
            faults: Vec::new(),
        };
        let fields = reader.object("#", schema);
        faults.append(&mut reader.faults);
        let title = schema
            .get("title")
            .and_then(Value::as_str)
            .unwrap_or(fallback);
        json!({ title: fields })
    };
    let (input, output) = (
        section(schemas.input, "Input"),
        section(schemas.output, "Output"),
    );
    Error::unless_empty(faults)?;
    let text = text::json(&json!({ "input": input, "output": output }));
    match contract::schema::parse_schema_json(&schemas.input.0.display().to_string(), &text) {
        Ok(_) => Ok(text),
        Err(faults) => {
            let faults = faults.iter().map(|it| Fault {
                file: format!("{} ({})", it.file, it.path),
                position: None,
                message: it.problem.clone(),
            });
            Err(Error::unless_empty(faults.collect())
                .err()
                .unwrap_or_else(|| Fault::new(schemas.input.0, "cannot be converted").into()))
        }
    }
}

struct Reader<'d> {
    file: &'d Path,
    document: &'d Value,
    inside: Vec<String>,
    faults: Vec<Fault>,
}

impl<'d> Reader<'d> {
    fn fault(&mut self, pointer: &str, text: impl Into<String>) {
        self.faults.push(Fault {
            file: format!("{}{pointer}", self.file.display()),
            position: None,
            message: text.into(),
        });
    }

    fn object(&mut self, pointer: &str, schema: &'d Value) -> Map<String, Value> {
        let mut fields = Map::new();
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            self.fault(pointer, "must be an object with `properties`");
            return fields;
        };
        if self.inside.len() >= DEPTH_MAX {
            self.fault(pointer, format!("is more than {DEPTH_MAX} objects deep"));
            return fields;
        }
        self.inside.push(pointer.to_owned());
        for (name, property) in properties {
            let at = format!("{pointer}/properties/{name}");
            if let Some(field) = self.field(&at, name, property) {
                fields.insert(name.clone(), field);
            }
        }
        self.inside.pop();
        fields
    }

    fn field(&mut self, pointer: &str, name: &str, property: &'d Value) -> Option<Value> {
        let number = property.get(NUMBER_KEY).cloned();
        if number.is_none() {
            let text = format!(
                "field `{name}` has no number: add `\"{NUMBER_KEY}\": N`, and never change it; a \
                 contract is read by numbers"
            );
            self.fault(pointer, text);
        }
        let ty = self.value(pointer, property);
        let (mut field, number) = (ty?, number?);
        field["fieldNumber"] = number;
        Some(field)
    }

    fn value(&mut self, pointer: &str, schema: &'d Value) -> Option<Value> {
        let (pointer, schema) = self.resolved(pointer, schema)?;
        for word in [
            "enum",
            "const",
            "oneOf",
            "anyOf",
            "allOf",
            "patternProperties",
        ] {
            if schema.get(word).is_some() {
                let text = format!("`{word}` has no form in .schema.json: write a .proto instead");
                self.fault(&pointer, text);
                return None;
            }
        }
        let (ty, format) = (
            schema.get("type"),
            schema.get("format").and_then(Value::as_str),
        );
        let ty = ty.and_then(Value::as_str).unwrap_or_default();
        if ty == "object" {
            let of = self.object(&pointer, schema);
            return Some(json!({ "type": "object", "nested": of }));
        }
        if ty == "array" {
            let Some(items) = schema.get("items") else {
                self.fault(&pointer, "an array needs `items`");
                return None;
            };
            let element = self.value(&format!("{pointer}/items"), items)?;
            return Some(json!({ "type": "array", "array": element }));
        }
        let is_base64 = schema
            .get("contentEncoding")
            .is_some_and(|it| it == "base64");
        match scalar(ty, format, is_base64) {
            Some(scalar) => Some(json!({ "type": scalar })),
            None => {
                let text = format!(
                    "type `{}` has no form in .schema.json: write string, boolean, integer, \
                     number, array or object",
                    schema.get("type").unwrap_or(&Value::Null)
                );
                self.fault(&pointer, text);
                None
            }
        }
    }

    /// What a reference inside the document stands for.
    fn resolved(&mut self, pointer: &str, schema: &'d Value) -> Option<(String, &'d Value)> {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return Some((pointer.to_owned(), schema));
        };
        if self.inside.iter().any(|it| it == reference) {
            let text = format!("holds `{reference}` inside of itself: write a .proto instead");
            self.fault(pointer, text);
            return None;
        }
        let target = reference
            .strip_prefix('#')
            .and_then(|it| self.document.pointer(it));
        if target.is_none() {
            let text = format!("`{reference}` is not in this file: put it under `$defs`");
            self.fault(pointer, text);
        }
        Some((reference.to_owned(), target?))
    }
}

fn scalar(ty: &str, format: Option<&str>, is_base64: bool) -> Option<&'static str> {
    Some(match (ty, format) {
        ("string", Some("byte" | "binary")) => "bytes",
        ("string", _) if is_base64 => "bytes",
        ("string", Some("int64")) => "int64",
        ("string", Some("uint64")) => "uint64",
        ("string", _) => "string",
        ("boolean", _) => "bool",
        ("integer", Some("int32" | "int16" | "int8")) => "int32",
        ("integer", Some("uint32" | "uint16" | "uint8")) => "uint32",
        ("integer", Some("uint64" | "uint")) => "uint64",
        ("integer", _) => "int64",
        ("number", Some("float")) => "float",
        ("number", _) => "double",
        _ => return None,
    })
}
