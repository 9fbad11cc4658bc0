//! OpenAPI 3.1 of the contracts' services.
//!
//! Each rpc has its `google.api.http` bindings and the plain form `POST /package.Service/Method`,
//! bodies as ProtoJSON, failures as problem details. A stream has no plain HTTP form, a custom verb
//! no place in a document: both are left out, and [`OpenApi::left_out`] names them.
//!
//! Refuses two rpcs at one path. Invariant: operation ids and paths differ, and every `$ref` has its target.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::http_request::{CHECKED, Request, request};
use super::json_schema::Schemas;
use super::text::summary;
use crate::error::{Error, Fault};
use crate::http_path;
use crate::http_rules::field_at;
use crate::model::{HttpRule, Method, Model, Service};
use crate::render::plain;

/// What the document says about itself.
#[derive(Clone, Debug)]
pub struct About {
    /// The name of the API.
    pub title: String,
    /// The version of the API.
    pub version: String,
}

/// A document and what is not in it.
#[derive(Clone, Debug)]
pub struct OpenApi {
    /// The document.
    pub document: Value,
    /// What the document cannot say: rpcs that are streams, as `package.Service/Method`, and forms
    /// with a verb of their own, as ``package.Service/Method as `VERB /path` ``.
    pub left_out: Vec<String>,
}

/// The document of every service.
pub(crate) fn openapi(model: &Model, about: &About) -> Result<OpenApi, Error> {
    let mut writer = Writer {
        model,
        schemas: Schemas::new(model),
        paths: Map::new(),
        templates: BTreeMap::new(),
        left_out: Vec::new(),
        faults: Vec::new(),
    };
    let mut tags = Vec::new();
    for service in model
        .packages
        .values()
        .flat_map(|package| &package.services)
    {
        let mut tag = json!({ "name": service.full_name });
        let text = plain(&service.said.comments);
        if !text.is_empty() {
            tag["description"] = text.into();
        }
        tags.push(tag);
        for method in &service.methods {
            writer.method(service, method);
        }
    }
    Error::unless_empty(writer.faults)?;
    let mut schemas: Map<String, Value> = writer.schemas.finish().into_iter().collect();
    schemas.insert(PROBLEM.to_owned(), problem());
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": about.title, "version": about.version },
        "tags": tags,
        "paths": writer.paths,
        "components": {
            "schemas": schemas,
            "responses": { PROBLEM: {
                "description": "The call failed.",
                "content": { "application/problem+json": { "schema": reference(PROBLEM) } },
            } },
        },
    });
    Ok(OpenApi {
        document,
        left_out: writer.left_out,
    })
}

const PROBLEM: &str = "bridge.Problem";
/// The methods that a path of OpenAPI 3.1 can have.
const VERBS: [&str; 8] = [
    "GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE",
];

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// Problem details with our own members, RFC 9457.
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "properties": {
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string", "format": "uri-reference" },
            "code": { "type": "string", "description": "What to branch on." },
            "trace": { "type": "string", "description": "The trace of the request, 32 hex digits." },
        },
    })
}

struct Writer<'m> {
    model: &'m Model,
    schemas: Schemas<'m>,
    paths: Map<String, Value>,
    /// The paths by their form without the names of their parameters.
    templates: BTreeMap<String, String>,
    left_out: Vec<String>,
    faults: Vec<Fault>,
}

impl<'m> Writer<'m> {
    fn method(&mut self, service: &Service, method: &'m Method) {
        let name = format!("{}/{}", service.full_name, method.name);
        if method.streaming {
            self.left_out.push(name);
            return;
        }
        let plain = HttpRule {
            method: "POST".to_owned(),
            path: format!("/{name}"),
            body: Some("*".to_owned()),
            response_body: None,
        };
        let forms: Vec<_> = method.http.iter().cloned().chain([plain]).collect();
        for (index, rule) in forms.iter().enumerate() {
            if !VERBS.contains(&rule.method.as_str()) {
                let form = format!("{name} as `{} {}`", rule.method, rule.path);
                self.left_out.push(form);
                continue;
            }
            let request = request(self.model, &mut self.schemas, method, rule);
            let request = self.at_one_path(request);
            let id = match index {
                0 => format!("{}.{}", service.full_name, method.name),
                more => format!("{}.{}_{}", service.full_name, method.name, more + 1),
            };
            let path = request.path.clone();
            let reply = self.reply(method, rule);
            let operation = self.operation(service, method, (id, request, reply));
            let operations = self.paths.entry(path.clone()).or_insert_with(|| json!({}));
            let verb = rule.method.to_lowercase();
            if operations.get(&verb).is_some() {
                let text = format!(
                    "rpc `{}`: another rpc is at `{} {path}` already: give this one another path",
                    method.name, rule.method
                );
                self.faults.push(method.said.place.fault(text));
                continue;
            }
            operations[verb] = operation;
        }
    }

    /// Two paths that differ in the names of their parameters are one path to OpenAPI: the first
    /// one's names are taken.
    fn at_one_path(&mut self, mut request: Request) -> Request {
        let (form, names) = http_path::form(&request.path);
        let first = self
            .templates
            .entry(form)
            .or_insert_with(|| request.path.clone());
        let (_, known) = http_path::form(first);
        let renamed: BTreeMap<_, _> = names.into_iter().zip(known).collect();
        for parameter in request
            .parameters
            .iter_mut()
            .filter(|it| it["in"] == "path")
        {
            let name = parameter["name"].as_str().unwrap_or_default();
            if let Some(known) = renamed.get(name) {
                parameter["name"] = known.as_str().into();
            }
        }
        request.path.clone_from(first);
        request
    }

    fn operation(
        &mut self,
        service: &Service,
        method: &'m Method,
        (id, request, reply): (String, Request, Value),
    ) -> Value {
        let text = plain(&method.said.comments);
        let mut operation = json!({
            "operationId": id,
            "tags": [service.full_name],
            "responses": {
                "200": {
                    "description": "The reply.",
                    "content": { "application/json": { "schema": reply } },
                },
                "default": { "$ref": format!("#/components/responses/{PROBLEM}") },
            },
        });
        if !text.is_empty() {
            operation["summary"] = summary(&text).into();
            operation["description"] = text.into();
        }
        if method.said.deprecated {
            operation["deprecated"] = true.into();
        }
        if !request.parameters.is_empty() {
            operation["parameters"] = request.parameters.into();
        }
        if let Some(schema) = request.body {
            operation["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": schema } },
            });
        }
        operation
    }

    fn reply(&mut self, method: &'m Method, rule: &HttpRule) -> Value {
        let Some(name) = &rule.response_body else {
            return self.schemas.message(&method.output);
        };
        let message = &self.model.messages[&method.output];
        let field = field_at(self.model, message, name).expect(CHECKED);
        self.schemas.field(field)
    }
}
