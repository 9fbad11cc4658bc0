//! What one HTTP form of an rpc sends: parameters of the path and the query, and a body.
//!
//! Relies on [`http_rules`](crate::http_rules), which no rule gets past that names what is not there.
//! Invariant: a field of the request is in one of the three places, or has no form there: maps and
//! lists of messages are no query parameters.

use serde_json::{Value, json};

use super::json_schema::{Schemas, scalar};
use crate::http_path::{self, Variable};
use crate::http_rules::field_at;
use crate::model::{Field, HttpRule, Label, Message, Method, Model, Type};

/// Messages inside messages that query parameters are taken from.
const QUERY_DEPTH_MAX: usize = 4;

/// Why a rule fits.
pub(super) const CHECKED: &str = "rules that do not fit are refused when contracts are read";

/// The parts of a request.
pub(super) struct Request {
    pub(super) path: String,
    pub(super) parameters: Vec<Value>,
    /// The schema of the body.
    pub(super) body: Option<Value>,
}

/// The request of a method by one rule.
pub(super) fn request<'m>(
    model: &'m Model,
    schemas: &mut Schemas<'m>,
    method: &'m Method,
    rule: &HttpRule,
) -> Request {
    let mut reader = Reader { model, schemas };
    reader.request(method, rule)
}

struct Reader<'r, 'm> {
    model: &'m Model,
    schemas: &'r mut Schemas<'m>,
}

impl<'m> Reader<'_, 'm> {
    fn request(&mut self, method: &'m Method, rule: &HttpRule) -> Request {
        let path = http_path::parse(&rule.path).expect(CHECKED);
        let message = &self.model.messages[&method.input];
        let mut parameters = Vec::new();
        for variable in &path.variables {
            let field = field_at(self.model, message, &variable.field).expect(CHECKED);
            parameters.extend(self.path_parameters(variable, field));
        }
        for unnamed in unnamed(&path.text, &path.variables) {
            parameters.push(parameter("path", &unnamed, json!({ "type": "string" })));
        }
        let body = rule.body.as_deref().map(|body| match body {
            "*" => self.schemas.message(&method.input),
            name => {
                let field = field_at(self.model, message, name).expect(CHECKED);
                self.schemas.field(field)
            }
        });
        if rule.body.as_deref() != Some("*") {
            let mut taken: Vec<_> = path.variables.iter().map(|it| it.field.clone()).collect();
            taken.extend(rule.body.clone());
            self.query(message, ("", ""), &taken, &mut parameters);
        }
        Request {
            path: path.text,
            parameters,
            body,
        }
    }

    fn path_parameters(&mut self, variable: &Variable, field: &'m Field) -> Vec<Value> {
        let mut schema = match &field.ty {
            Type::Scalar(found) if variable.made_of.is_none() => scalar(*found),
            Type::Enum(_) => self.schemas.field(field),
            _ => json!({ "type": "string" }),
        };
        if let Some(made_of) = &variable.made_of {
            schema["description"] = format!(
                "A part of the field `{}`, which is `{made_of}`.",
                variable.field
            )
            .into();
        }
        let one = |name: &String| parameter("path", name, schema.clone());
        variable.parameters.iter().map(one).collect()
    }

    /// What neither path nor body takes, as query parameters; lists of messages have no such form.
    fn query(
        &mut self,
        message: &'m Message,
        (prefix, json_prefix): (&str, &str),
        taken: &[String],
        parameters: &mut Vec<Value>,
    ) {
        let model = self.model;
        for field in &message.fields {
            let name = format!("{prefix}{}", field.name);
            let json_name = format!("{json_prefix}{}", field.json);
            if taken.contains(&name) || matches!(field.label, Label::Map(_)) {
                continue;
            }
            let inner = field.message().and_then(|it| model.messages.get(it));
            match inner.filter(|it| !it.is_well_known()) {
                Some(_) if !field.is_singular() => {}
                Some(inner) if prefix.matches('.').count() + 1 < QUERY_DEPTH_MAX => {
                    let (prefix, json_prefix) = (format!("{name}."), format!("{json_name}."));
                    self.query(inner, (&prefix, &json_prefix), taken, parameters);
                }
                Some(_) => {}
                None => {
                    let schema = self.schemas.field(field);
                    parameters.push(parameter("query", &json_name, schema));
                }
            }
        }
    }
}

fn parameter(place: &str, name: &str, mut schema: Value) -> Value {
    let description = schema
        .as_object_mut()
        .and_then(|it| it.remove("description"));
    let mut parameter = json!({ "in": place, "name": name, "schema": schema });
    if let Some(description) = description {
        parameter["description"] = description;
    }
    if place == "path" {
        parameter["required"] = true.into();
    }
    parameter
}

/// Parameters of the path that belong to no field.
fn unnamed(path: &str, variables: &[Variable]) -> Vec<String> {
    let is_known = |name: &String| variables.iter().any(|it| it.parameters.contains(name));
    let (_, mut names) = http_path::form(path);
    names.retain(|name| !is_known(name));
    names
}
