//! The `.schema.json` form of a contract: one input and one output message, no imports.
//!
//! Refuses every file that breaks a rule of the format or has a key that it does not know, and
//! reports all faults of a file at once, each with its place and what to do. Enums, maps, oneofs and references do not exist here.
//!
//! Invariant: the two messages are called `Input` and `Output` whatever the file calls them, so
//! that renaming them does not change the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

use super::json_keys::{self, Object};
use super::model::{Cardinality, Edition, Field, Message, Scalar, Schema, Type};

/// The largest field number of the wire format.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;
/// Field numbers that the wire format keeps for itself.
const WIRE_RESERVED: std::ops::RangeInclusive<u64> = 19_000..=19_999;

/// The two messages of a `.schema.json` file.
#[derive(Clone, Debug, PartialEq)]
pub struct InputOutput {
    /// The request, or an event's payload.
    pub input: Schema,
    /// The reply; an event ignores it.
    pub output: Schema,
}

/// One broken rule in a `.schema.json` file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {path}: {problem}")]
pub struct Fault {
    /// The file as it was named by the caller.
    pub file: String,
    /// Where in the document, as in `$.input.Order.items`.
    pub path: String,
    /// What is wrong and what to do about it.
    pub problem: String,
}

/// Every fault found in one `.schema.json` file, at least one; one line each when printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// The faults in order of discovery.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Reads a `.schema.json` file from disk.
///
/// # Errors
///
/// When the file cannot be read, and as [`parse_schema_json`].
pub fn load_schema_json(path: &Path) -> Result<InputOutput, Faults> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        one_fault(
            &file,
            format!("cannot read the file ({error}): check the path"),
        )
    })?;
    parse_schema_json(&file, &text)
}

/// Reads the text of a `.schema.json` file; `file` is the name to use in faults.
///
/// # Errors
///
/// All faults of the document, each with its JSON path.
pub fn parse_schema_json(file: &str, text: &str) -> Result<InputOutput, Faults> {
    let document: Value = serde_json::from_str(text)
        .map_err(|error| one_fault(file, format!("not valid json ({error}): correct the text")))?;
    let mut reader = Reader {
        file,
        faults: Vec::new(),
    };
    if let Some(document) = document.as_object() {
        reader.known_keys("$", Object::File, document);
    }
    let input = reader.section(&document, "input", "Input");
    let output = reader.section(&document, "output", "Output");
    if reader.faults.is_empty() {
        Ok(InputOutput { input, output })
    } else {
        Err(Faults(reader.faults))
    }
}

fn one_fault(file: &str, problem: String) -> Faults {
    Faults(vec![Fault {
        file: file.to_owned(),
        path: "$".to_owned(),
        problem,
    }])
}

struct Reader<'f> {
    file: &'f str,
    faults: Vec<Fault>,
}

/// What a field's own entry, or an array's `array` entry, says about its values.
struct Element<'v> {
    path: &'v str,
    of: &'v Map<String, Value>,
    /// The name of the nested message, if there is one.
    message_name: String,
}

impl Reader<'_> {
    fn fault(&mut self, path: &str, problem: impl Into<String>) {
        let (file, path) = (self.file.to_owned(), path.to_owned());
        self.faults.push(Fault {
            file,
            path,
            problem: problem.into(),
        });
    }

    fn object<'v>(&mut self, path: &str, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.fault(path, "must be a json object");
        }
        object
    }

    fn known_keys(&mut self, path: &str, object: Object<'_>, of: &Map<String, Value>) {
        for (key, problem) in json_keys::unknown(object, of) {
            self.fault(&format!("{path}.{key}"), problem);
        }
    }

    fn section(&mut self, document: &Value, key: &str, message_name: &str) -> Schema {
        let root = format!(".{message_name}");
        let mut schema = Schema {
            root: root.clone(),
            messages: BTreeMap::new(),
            enums: BTreeMap::new(),
        };
        let path = format!("$.{key}");
        let Some(section) = document.get(key) else {
            let object = document.as_object();
            if !object.is_some_and(|it| json_keys::is_misspelt(key, it)) {
                let problem = format!("`{key}` is missing: add it with exactly one message");
                self.fault("$", problem);
            }
            return schema;
        };
        let Some(section) = self.object(&path, section) else {
            return schema;
        };
        let mut messages = section.iter();
        match (messages.next(), messages.next()) {
            (Some((name, fields)), None) => {
                self.message(&mut schema, &format!("{path}.{name}"), &root, fields);
            }
            (None, _) => self.fault(&path, "has no message: declare exactly one"),
            (Some(_), Some(_)) => {
                let problem = format!("has {} messages: keep exactly one", section.len());
                self.fault(&path, problem);
            }
        }
        schema
    }

    fn message(&mut self, schema: &mut Schema, path: &str, full_name: &str, fields: &Value) {
        if schema.defines(full_name) {
            let name = full_name.trim_start_matches('.');
            self.fault(
                path,
                format!("its nested type is the second called `{name}`: rename it"),
            );
            return;
        }
        // Entered before its fields, so that a type below it cannot take the same name.
        schema
            .messages
            .insert(full_name.to_owned(), empty_message(full_name));
        let Some(fields) = self.object(path, fields) else {
            return;
        };
        let mut taken = BTreeSet::new();
        let mut read = Vec::new();
        for (name, field) in fields {
            let path = format!("{path}.{name}");
            let Some(field) = self.object(&path, field) else {
                continue;
            };
            self.known_keys(&path, Object::Field(known_type(field)), field);
            let number = self.field_number(&path, field);
            if let Some(number) = number.filter(|number| !taken.insert(*number)) {
                let problem = format!("`fieldNumber` {number} is used twice: choose another");
                self.fault(&path, problem);
            }
            let typed = self.field(schema, &path, field, &format!("{full_name}_{name}"));
            if let (Some(number), Some((cardinality, ty))) = (number, typed) {
                read.push(plain_field(name, number, cardinality, ty));
            }
        }
        read.sort_by_key(|field| field.number);
        if let Some(message) = schema.messages.get_mut(full_name) {
            message.fields = read;
        }
    }

    fn field_number(&mut self, path: &str, field: &Map<String, Value>) -> Option<u32> {
        let Some(number) = field.get("fieldNumber") else {
            if !json_keys::is_misspelt("fieldNumber", field) {
                let problem = "`fieldNumber` is missing: give the field a number of its own";
                self.fault(path, problem);
            }
            return None;
        };
        let in_range = |number: &u64| {
            (1..=MAX_FIELD_NUMBER).contains(number) && !WIRE_RESERVED.contains(number)
        };
        match number
            .as_u64()
            .filter(in_range)
            .and_then(|number| u32::try_from(number).ok())
        {
            Some(number) => Some(number),
            None => {
                let problem = format!(
                    "`fieldNumber` {number} is not usable: choose a whole number from 1 to \
                     {MAX_FIELD_NUMBER}, outside 19000 to 19999"
                );
                self.fault(path, problem);
                None
            }
        }
    }

    fn field(
        &mut self,
        schema: &mut Schema,
        path: &str,
        field: &Map<String, Value>,
        message_name: &str,
    ) -> Option<(Cardinality, Type)> {
        if field.get("type").and_then(Value::as_str) != Some("array") {
            let message_name = message_name.to_owned();
            let ty = self.element(
                schema,
                &Element {
                    path,
                    of: field,
                    message_name,
                },
            )?;
            return Some((Cardinality::Optional, ty));
        }
        let Some(array) = field.get("array") else {
            self.fault(
                path,
                "type `array` needs `array`: say there what its elements are",
            );
            return None;
        };
        let path = format!("{path}.array");
        let of = self.object(&path, array)?;
        if of.get("type").and_then(Value::as_str) == Some("array") {
            self.fault(
                &path,
                "an array of arrays does not exist: put the inner one in an object",
            );
            return None;
        }
        self.known_keys(&path, Object::Element(known_type(of)), of);
        let message_name = format!("{message_name}_elem");
        let ty = self.element(
            schema,
            &Element {
                path: &path,
                of,
                message_name,
            },
        )?;
        Some((Cardinality::Repeated, ty))
    }

    fn element(&mut self, schema: &mut Schema, element: &Element<'_>) -> Option<Type> {
        let Element {
            path,
            of,
            message_name,
        } = element;
        let Some(keyword) = of.get("type") else {
            if !json_keys::is_misspelt("type", of) {
                self.fault(path, format!("`type` is missing: write {TYPES}"));
            }
            return None;
        };
        let keyword = keyword
            .as_str()
            .map_or_else(|| keyword.to_string(), str::to_owned);
        if let Some(scalar) = scalar(&keyword) {
            return Some(Type::Scalar(scalar));
        }
        if keyword != "object" {
            self.fault(path, format!("type `{keyword}` is unknown: write {TYPES}"));
            return None;
        }
        let Some(nested) = of.get("nested") else {
            self.fault(path, "type `object` needs `nested`: list its fields there");
            return None;
        };
        self.message(schema, &format!("{path}.nested"), message_name, nested);
        Some(Type::Message(message_name.clone()))
    }
}

/// The type that an entry has. What is wrong with another one is a fault of its own, and what may
/// stand beside it is not known.
fn known_type(of: &Map<String, Value>) -> Option<&str> {
    let ty = of.get("type")?.as_str()?;
    let is_known = scalar(ty).is_some() || ["object", "array"].contains(&ty);
    is_known.then_some(ty)
}

const TYPES: &str =
    "string, bool, int32, int64, uint32, uint64, float, double, bytes, object or array";

fn scalar(keyword: &str) -> Option<Scalar> {
    Some(match keyword {
        "string" => Scalar::String,
        "bool" => Scalar::Bool,
        "int32" => Scalar::Int32,
        "int64" => Scalar::Int64,
        "uint32" => Scalar::Uint32,
        "uint64" => Scalar::Uint64,
        "float" => Scalar::Float,
        "double" => Scalar::Double,
        "bytes" => Scalar::Bytes,
        _ => return None,
    })
}

fn empty_message(full_name: &str) -> Message {
    Message {
        full_name: full_name.to_owned(),
        edition: Edition::Proto2,
        deprecated: false,
        fields: Vec::new(),
        oneofs: Vec::new(),
        extensions: Vec::new(),
        reserved: Vec::new(),
        reserved_names: Vec::new(),
        nested: Vec::new(),
    }
}

fn plain_field(name: &str, number: u32, cardinality: Cardinality, ty: Type) -> Field {
    Field {
        json_name: name.to_owned(),
        number,
        cardinality,
        ty,
        proto3_optional: false,
        deprecated: false,
        packed: None,
        default: None,
    }
}
