//! The OpenAPI 3.1 document of the routes that exist.
//!
//! Schemas of questions say what may be sent, schemas of answers what is sent; a type that is both
//! must look the same from both sides.

use axum::http::StatusCode;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::problem::{PROBLEM_JSON, ProblemBody};

/// Where schemas are in the document.
const DEFINITIONS: &str = "/components/schemas";

/// Both sides of the schemas.
pub(super) struct Schemas {
    pub(super) takes: SchemaGenerator,
    pub(super) gives: SchemaGenerator,
}

/// One route as it is written down.
pub(super) struct Operation {
    /// `/api/v1/services/{name}`.
    pub(super) path: String,
    /// `get`.
    pub(super) method: &'static str,
    /// Its part of the document.
    pub(super) write: Box<dyn Fn(&mut Schemas) -> Value + Send + Sync>,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = DEFINITIONS.into();
            settings
        };
        Self {
            takes: settings().for_deserialize().into_generator(),
            gives: settings().for_serialize().into_generator(),
        }
    }

    /// Everything that was referred to, by name.
    fn take(&mut self) -> Map<String, Value> {
        let mut all = self.gives.take_definitions(true);
        for (name, schema) in self.takes.take_definitions(true) {
            debug_assert!(
                all.get(&name).is_none_or(|it| *it == schema),
                "two schemas are called {name}; give one of the types another name"
            );
            all.insert(name, schema);
        }
        all
    }
}

/// A generator that writes everything in place, for the members of a path, query or body.
pub(super) fn inline() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    settings.into_generator()
}

/// The whole document.
pub(super) fn document(operations: &[&Operation]) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for operation in operations {
        let written = (operation.write)(&mut schemas);
        paths.entry(&operation.path).or_insert_with(|| json!({}))[operation.method] = written;
    }
    schemas.gives.subschema_for::<ProblemBody>();
    let refusals = STATUSES
        .iter()
        .map(|(status, words)| (name_of(*status), refusal(*status, words)));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "bridge",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0" },
            "description": "The runtime's API: what the console and the command line use. \
                Times are unix milliseconds, spans milliseconds. Unknown query parameters and \
                members of a body are refused. A refusal is RFC 9457 problem details; its `detail` \
                is a sentence that says what to do. Roles: `viewer` may read, `admin` may change.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "session": [] }, { "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "bridge_session",
                    "description": "Given by a login. Whatever changes something needs the \
                        session's `x-csrf-token` besides.",
                },
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "An API token.",
                },
            },
            "responses": refusals.collect::<Map<_, _>>(),
            "schemas": schemas.take(),
        },
    })
}

/// Statuses of refusals, and when they are answered.
const STATUSES: [(StatusCode, &str); 11] = [
    (
        StatusCode::BAD_REQUEST,
        "The body is not what it should be.",
    ),
    (
        StatusCode::UNAUTHORIZED,
        "Nobody is logged in, or the token is not known.",
    ),
    (
        StatusCode::FORBIDDEN,
        "The role does not allow it, or the CSRF token is missing.",
    ),
    (StatusCode::NOT_FOUND, "There is no such thing."),
    (
        StatusCode::REQUEST_TIMEOUT,
        "The body did not arrive in time.",
    ),
    (
        StatusCode::CONFLICT,
        "The thing is in a state that does not allow it.",
    ),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too long."),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is not declared as JSON.",
    ),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "A parameter or member has a value that cannot be meant.",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "Too many tries; repeat after the seconds of `Retry-After`.",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "Not now; repeat after the seconds of `Retry-After`.",
    ),
];

fn name_of(status: StatusCode) -> String {
    format!("Refused{}", status.as_u16())
}

fn refusal(status: StatusCode, words: &str) -> Value {
    let schema = json!({ "$ref": "#/components/schemas/ProblemBody" });
    let mut response = json!({
        "description": words,
        "content": { PROBLEM_JSON: { "schema": schema } },
    });
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        response["headers"] = json!({ "Retry-After": {
            "description": "Seconds.",
            "schema": { "type": "integer", "minimum": 0 },
        } });
    }
    response
}

/// A declared refusal, by reference.
pub(super) fn refused(status: StatusCode) -> (String, Value) {
    let known = STATUSES.iter().any(|(it, _)| *it == status);
    debug_assert!(known, "{status} is not described among the refusals");
    let reference = format!("#/components/responses/{}", name_of(status));
    (status.as_u16().to_string(), json!({ "$ref": reference }))
}

/// The members of a schema as parameters in `place` (`path` or `query`).
pub(super) fn parameters(schema: &Value, place: &str) -> Vec<Value> {
    let none = Map::new();
    let members = schema["properties"].as_object().unwrap_or(&none);
    let required = |name: &str| {
        let mut names = schema["required"].as_array().into_iter().flatten();
        place == "path" || names.any(|it| it == name)
    };
    let parameter = |(name, member): (&String, &Value)| {
        let mut member = member.clone();
        let words = member
            .as_object_mut()
            .and_then(|it| it.remove("description"));
        not_null(&mut member);
        json!({
            "name": name,
            "in": place,
            "required": required(name),
            "description": words,
            "schema": member,
        })
    };
    members.iter().map(parameter).collect()
}

/// An absent parameter is absent, never null.
fn not_null(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
}
