//! A JSON Schema whose fields have numbers as a `.schema.json` file.
//!
//! A contract needs numbers that never change, which JSON Schema does not have; a schema says them
//! in `x-field-number`. Refuses a schema with a field without one, naming every such field, and
//! what the format cannot say of the values themselves. What only narrows them, such as `required` and
//! `maxLength`, is left out, and told. Nothing is guessed: a number that is made up here would be another
//! one after the next field.
//!
//! Invariant: what is written is read by the contract's own parser without a fault.

use std::collections::BTreeSet;
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

/// A `.schema.json` file made of JSON Schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The text of the file.
    pub text: String,
    /// What the format has no word for and the file does without, in order of place.
    pub left_out: Vec<Fault>,
}

/// Converts.
///
/// # Errors
///
/// Every field without a number, and everything that `.schema.json` cannot say.
pub fn convert(schemas: Schemas<'_>) -> Result<Converted, Error> {
    let mut faults = Vec::new();
    let mut left_out = BTreeSet::new();
    let mut section = |(file, schema): (&Path, &Value), fallback: &str| {
        let mut reader = Reader {
            file,
            document: schema,
            inside: Vec::new(),
            faults: Vec::new(),
            left_out: BTreeSet::new(),
        };
        reader.leave_out("#", schema, &["type"]);
        let fields = reader.object("#", schema);
        left_out.append(&mut reader.left_out);
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
        Ok(_) => Ok(Converted {
            text,
            left_out: left_out.into_iter().collect(),
        }),
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
    left_out: BTreeSet<Fault>,
}

/// Words that say nothing of values, or that are read wherever they are.
const READ: [&str; 8] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "properties",
    NUMBER_KEY,
];

impl<'d> Reader<'d> {
    fn fault(&mut self, pointer: &str, text: impl Into<String>) {
        self.faults.push(Fault {
            file: format!("{}{pointer}", self.file.display()),
            position: None,
            message: text.into(),
        });
    }

    /// Notes the words of a schema that are not among those that were read.
    fn leave_out(&mut self, pointer: &str, schema: &Value, read: &[&str]) {
        let words = schema.as_object().into_iter().flatten().map(|(key, _)| key);
        let is_read = |word: &str| READ.contains(&word) || read.contains(&word);
        let unread: Vec<_> = words
            .filter(|it| !is_read(it))
            .map(|it| format!("`{it}`"))
            .collect();
        if !unread.is_empty() {
            self.left_out.insert(Fault {
                file: format!("{}{pointer}", self.file.display()),
                position: None,
                message: format!(
                    "left out, since .schema.json has no word for it: {}",
                    unread.join(", ")
                ),
            });
        }
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
        let ty = schema.get("type").and_then(Value::as_str);
        match ty.unwrap_or_default() {
            "object" => {
                self.leave_out(&pointer, schema, &["type"]);
                let of = self.object(&pointer, schema);
                Some(json!({ "type": "object", "nested": of }))
            }
            "array" => {
                self.leave_out(&pointer, schema, &["type", "items"]);
                let Some(items) = schema.get("items") else {
                    self.fault(&pointer, "an array needs `items`");
                    return None;
                };
                let element = self.value(&format!("{pointer}/items"), items)?;
                Some(json!({ "type": "array", "array": element }))
            }
            ty => self.scalar(&pointer, schema, ty),
        }
    }

    fn scalar(&mut self, pointer: &str, schema: &Value, ty: &str) -> Option<Value> {
        let format = schema.get("format").and_then(Value::as_str);
        let encoding = schema.get("contentEncoding");
        let is_base64 = encoding.is_some_and(|it| it == "base64");
        let Some(scalar) = scalar(ty, format, is_base64) else {
            let text = format!(
                "type `{}` has no form in .schema.json: write string, boolean, integer, number, \
                 array or object",
                schema.get("type").unwrap_or(&Value::Null)
            );
            self.fault(pointer, text);
            return None;
        };
        let mut read = vec!["type"];
        if is_base64 {
            read.push("contentEncoding");
        }
        if format.is_some_and(|it| FORMATS.contains(&it)) {
            read.push("format");
        }
        self.leave_out(pointer, schema, &read);
        Some(json!({ "type": scalar }))
    }

    /// What a reference inside the document stands for.
    fn resolved(&mut self, pointer: &str, schema: &'d Value) -> Option<(String, &'d Value)> {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return Some((pointer.to_owned(), schema));
        };
        self.leave_out(pointer, schema, &["$ref"]);
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

/// Formats that say which scalar a value is. Those of narrower numbers are not among them, although
/// they say it, too: that the number is narrower is lost.
const FORMATS: [&str; 9] = [
    "byte", "binary", "int32", "int64", "uint32", "uint64", "uint", "float", "double",
];

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
