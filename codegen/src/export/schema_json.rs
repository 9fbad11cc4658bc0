//! An rpc as a `.schema.json` file, for services in languages that read that format.
//!
//! The format has scalars, lists and objects. Refuses what it cannot say, each with its field:
//! enums, maps, oneofs, `optional`, the signed and fixed integers, defaults, required fields,
//! well-known types, and a message inside of itself.
//!
//! Invariant: messages without messages inside keep their contract hash; types inside get names of
//! their place there (`.Input_card`), which are part of the hash, so [`is_same_contract`] tells.

use contract::hash::contract_hash;
use contract::schema::parse_schema_json;
use serde_json::{Map, Value, json};

use super::text;
use crate::error::{Error, Fault};
use crate::model::{Field, Label, Message, Method, Model, Origin, Scalar, Type};

/// The file of an rpc.
pub(crate) fn schema_json(model: &Model, method: &Method) -> Result<String, Error> {
    let mut writer = Writer {
        model,
        inside: Vec::new(),
        faults: Vec::new(),
    };
    let mut section = |name: &str| {
        let message = model.messages.get(name);
        let fields = message
            .map(|it| writer.message(it, method))
            .unwrap_or_default();
        let name = message.map_or("Message", |it| it.name.as_str());
        json!({ name: fields })
    };
    let (input, output) = (section(&method.input), section(&method.output));
    Error::unless_empty(writer.faults)?;
    Ok(text::json(&json!({ "input": input, "output": output })))
}

/// Whether a caller by the file and a handler by the contract find each other.
pub(crate) fn is_same_contract(text: &str, method: &Method) -> bool {
    parse_schema_json("exported", text)
        .is_ok_and(|file| contract_hash(&file.input, &file.output) == method.contract_hash)
}

struct Writer<'m> {
    model: &'m Model,
    /// The messages around the one that is written.
    inside: Vec<&'m str>,
    faults: Vec<Fault>,
}

impl<'m> Writer<'m> {
    fn message(&mut self, message: &'m Message, method: &Method) -> Map<String, Value> {
        if message.is_well_known() {
            let text = format!("`{}` has no form in .schema.json", message.full_name);
            self.faults.push(method.said.place.fault(text));
            return Map::new();
        }
        self.inside.push(&message.full_name);
        let fields = message.fields.iter().filter_map(|field| {
            let written = self.field(message, field, method);
            match written {
                Ok(written) => Some((field.json.clone(), written)),
                Err(problem) => {
                    let text = format!(
                        "field `{}` {problem}, which .schema.json cannot say: leave it out of the \
                         messages of rpc `{}`, or give the .proto file to the other side",
                        field.name, method.name
                    );
                    self.faults.push(field.said.place.fault(text));
                    None
                }
            }
        });
        let fields = fields.collect();
        self.inside.pop();
        fields
    }

    fn field(
        &mut self,
        message: &Message,
        field: &'m Field,
        method: &Method,
    ) -> Result<Value, String> {
        if let Some(group) = field.oneof {
            return Err(format!("is in the oneof `{}`", message.oneofs[group].name));
        }
        if field.default.is_some() {
            return Err("has a default".to_owned());
        }
        let mut written = match &field.ty {
            Type::Scalar(scalar) => json!({ "type": keyword(*scalar)? }),
            Type::Enum(name) => return Err(format!("is of the enum `{name}`")),
            Type::Message(name) => self.nested(name, method)?,
        };
        match field.label {
            Label::Implicit => {}
            Label::Explicit if field.message().is_some() => {}
            Label::Explicit if message.origin == Origin::Proto2 => {}
            Label::Explicit => return Err("is `optional`".to_owned()),
            Label::Required { .. } => return Err("is required".to_owned()),
            Label::Map(_) => return Err("is a map".to_owned()),
            Label::Repeated { .. } => written = json!({ "type": "array", "array": written }),
        }
        written["fieldNumber"] = field.number.into();
        Ok(written)
    }

    fn nested(&mut self, name: &str, method: &Method) -> Result<Value, String> {
        let model = self.model;
        let found = model.messages.get(name).filter(|it| !it.is_well_known());
        let Some(message) = found else {
            return Err(format!("is a `{name}`"));
        };
        if self.inside.contains(&name) {
            return Err(format!("holds a `{name}` inside of a `{name}`"));
        }
        Ok(json!({ "type": "object", "nested": self.message(message, method) }))
    }
}

fn keyword(scalar: Scalar) -> Result<&'static str, String> {
    match scalar {
        Scalar::String
        | Scalar::Bool
        | Scalar::Int32
        | Scalar::Int64
        | Scalar::Uint32
        | Scalar::Uint64
        | Scalar::Float
        | Scalar::Double
        | Scalar::Bytes => Ok(scalar.keyword()),
        other => Err(format!("is a {}", other.keyword())),
    }
}
