//! What a business error says: for each variant its status, and the problem with its fields.
//!
//! Invariant: a variant is one component, `OrderError.OUT_OF_STOCK`, whichever handlers fail so.

use std::any::type_name;
use std::collections::BTreeMap;

use contract::message::schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::docs::Answer;
use super::schemas::{Schemas, Way, reference};
use super::told::Told;

/// The component of problems of which nothing more is known.
pub(crate) const PROBLEM: &str = "bridge.Problem";
const PROBLEM_JSON: &str = "application/problem+json";

/// An error whose problems are known; `#[derive(bridge::Error)]` implements it.
pub trait ErrorDocs {
    /// `OrderError`
    const NAME: &'static str;
    /// Says the problem of each variant.
    fn tell(problems: &mut Problems<'_>);
}

/// Where an error puts what its variants say.
#[derive(Debug)]
pub struct Problems<'s> {
    schemas: &'s mut Schemas,
    told: Vec<Variant>,
    has_any: bool,
}

/// One variant.
#[derive(Debug)]
struct Variant {
    code: &'static str,
    status: u16,
    text: &'static str,
    is_retryable: bool,
    fields: Map<String, Value>,
}

impl Problems<'_> {
    /// A variant with this code; its fields follow.
    pub fn variant(&mut self, code: &'static str, status: u16, text: &'static str) -> &mut Self {
        self.told.push(Variant {
            code,
            status,
            text,
            is_retryable: false,
            fields: Map::new(),
        });
        self
    }

    /// The same request may succeed later.
    pub fn retryable(&mut self) {
        if let Some(last) = self.told.last_mut() {
            last.is_retryable = true;
        }
    }

    /// A variant that is whatever a call came to.
    pub fn any(&mut self) {
        self.has_any = true;
    }

    fn field(&mut self, name: &str, schema: Value) {
        if let Some(last) = self.told.last_mut() {
            last.fields.insert(name.to_owned(), schema);
        }
    }
}

/// A field of a type with a schema.
pub trait DescribedField {
    /// Adds it to the last variant.
    fn field(&self, name: &str, problems: &mut Problems<'_>);
}

/// Any field.
pub trait OpaqueField {
    /// Adds it to the last variant.
    fn field(&self, name: &str, problems: &mut Problems<'_>);
}

impl<T> OpaqueField for Told<T> {
    fn field(&self, name: &str, problems: &mut Problems<'_>) {
        problems.field(name, json!({}));
    }
}

impl<T: JsonSchema> DescribedField for &Told<T> {
    fn field(&self, name: &str, problems: &mut Problems<'_>) {
        let schema = problems.schemas.of::<T>(Way::Out);
        problems.field(name, schema);
    }
}

/// The answers of an error: one for each status.
pub(super) fn answers<E: ErrorDocs>(schemas: &mut Schemas) -> Vec<Answer> {
    let mut problems = Problems {
        schemas,
        told: Vec::new(),
        has_any: false,
    };
    E::tell(&mut problems);
    let (told, has_any) = (problems.told, problems.has_any);
    let mut by_status: BTreeMap<u16, Vec<(Variant, Value)>> = BTreeMap::new();
    for variant in told {
        let name = format!("{}.{}", E::NAME, variant.code);
        schemas.add(name.clone(), type_name::<E>(), variant.schema());
        let at_status = by_status.entry(variant.status).or_default();
        at_status.push((variant, reference(&name)));
    }
    let mut answers: Vec<_> = by_status.into_iter().map(answer).collect();
    if has_any {
        answers.push(Answer {
            status: "default".to_owned(),
            description: "A call of another service failed.".to_owned(),
            content: Some((PROBLEM_JSON, reference(PROBLEM))),
            may_be_problem: false,
        });
    }
    answers
}

fn answer((status, variants): (u16, Vec<(Variant, Value)>)) -> Answer {
    let lines = variants.iter().map(|(it, _)| it.line());
    let description = lines.collect::<Vec<_>>().join("\n");
    let schema = match variants.as_slice() {
        [(_, only)] => only.clone(),
        _ => {
            let target =
                |(it, schema): &(Variant, Value)| (it.code.to_owned(), schema["$ref"].clone());
            let mapping: Map<_, _> = variants.iter().map(target).collect();
            let schemas: Vec<_> = variants.into_iter().map(|(_, schema)| schema).collect();
            json!({
                "oneOf": schemas,
                "discriminator": { "propertyName": "code", "mapping": mapping },
            })
        }
    };
    Answer {
        status: status.to_string(),
        description,
        content: Some((PROBLEM_JSON, schema)),
        may_be_problem: false,
    }
}

impl Variant {
    /// `OUT_OF_STOCK: {left} of {sku} left`
    fn line(&self) -> String {
        match self.text {
            "" => self.code.to_owned(),
            text => format!("{}: {}", self.code, without_formats(text)),
        }
    }

    fn schema(&self) -> Value {
        let mut properties = Map::new();
        properties.insert("code".to_owned(), json!({ "const": self.code }));
        properties.insert("status".to_owned(), json!({ "const": self.status }));
        let mut required = vec![json!("code"), json!("status")];
        if self.is_retryable {
            properties.insert("retryable".to_owned(), json!({ "const": true }));
            required.push(json!("retryable"));
        }
        required.extend(self.fields.keys().map(|it| json!(it)));
        properties.extend(self.fields.clone());
        json!({
            "allOf": [reference(PROBLEM)],
            "type": "object",
            "properties": properties,
            "required": required,
        })
    }
}

/// A message with the names of its fields, and nothing of how they are written: `{left:?} left` is
/// `{left} left`.
fn without_formats(template: &str) -> String {
    let mut text = String::with_capacity(template.len());
    let mut left = template;
    while let Some(at) = left.find(['{', '}']) {
        let (before, brace) = left.split_at(at);
        text.push_str(before);
        // A doubled brace means itself.
        if brace.starts_with("{{") || brace.starts_with("}}") {
            text.push_str(&brace[..1]);
            left = &brace[2..];
            continue;
        }
        let (field, rest) = brace.split_once('}').unwrap_or((brace, ""));
        let name = field.split(':').next().unwrap_or_default();
        text.push_str(name.trim_end());
        text.push('}');
        left = rest;
    }
    text + left
}

impl Schemas {
    /// Adds the problem that every other one is, as documents of contracts have it.
    pub(crate) fn add_problem(&mut self) {
        let uri = json!({ "type": "string", "format": "uri-reference" });
        let text = json!({ "type": "string" });
        let schema = json!({
            "type": "object",
            "description": "Problem details (RFC 9457).",
            "properties": {
                "type": uri,
                "title": text,
                "status": { "type": "integer" },
                "detail": text,
                "instance": uri,
                "code": { "type": "string", "description": "What to branch on." },
                "trace": { "type": "string", "description": "The trace of the request, 32 hex digits." },
            },
        });
        self.add(PROBLEM.to_owned(), PROBLEM, schema);
    }
}
