//! OpenAPI 3.1 of the axum handlers that are declared, at the paths they are mounted at.
//!
//! Refuses two types of one name and two operations of one name, with the paths of both: a document
//! in which `Order` is sometimes another one is worse than none.
//!
//! Invariant: an operation is in the document at each place it is mounted at; those that are mounted
//! nowhere are named in [`OpenApi::left_out`].

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value, json};

use super::around::{headers, responses};
use super::http::HttpOperation;
use crate::openapi::{Components, Docs, Gathered, Schemas, parameters, template};

/// The methods that OpenAPI knows.
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// The version of a document that nobody gave one.
const VERSION_DEFAULT: &str = "0.0.0";

/// An OpenAPI 3.1 document of an application's annotated handlers.
///
/// It is an answer, so a route that serves it is one line; see [`openapi`](crate::openapi()).
#[derive(Clone, Debug, PartialEq)]
pub struct OpenApi {
    document: Value,
    /// Where what is in the document is defined, by pointers into it.
    pub(crate) sites: BTreeMap<String, String>,
    left_out: Vec<String>,
}

/// Why there is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenApiError {
    pub(crate) faults: Vec<String>,
}

impl OpenApiError {
    /// Everything that is wrong, a sentence each, with where it is.
    pub fn faults(&self) -> impl Iterator<Item = &str> {
        self.faults.iter().map(String::as_str)
    }
}

impl fmt::Display for OpenApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.faults.join("\n"))
    }
}

impl std::error::Error for OpenApiError {}

impl OpenApi {
    /// Names the API and its version. Without it the name is that of the crate with the first handler,
    /// and the version `0.0.0`.
    #[must_use]
    pub fn info(mut self, title: &str, version: &str) -> Self {
        self.document["info"] = json!({ "title": title, "version": version });
        self
    }

    /// The document.
    pub fn json(&self) -> &Value {
        &self.document
    }

    /// Declared operations that are not in the document, each with the reason: it is not mounted, or
    /// its method is one that OpenAPI does not know. A test that nothing is left out is one line:
    /// `assert!(document.left_out().is_empty(), "{:?}", document.left_out())`.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

impl axum::response::IntoResponse for OpenApi {
    fn into_response(self) -> axum::response::Response {
        axum::Json(self.document).into_response()
    }
}

/// The document of `operations`, each at all of its `places`.
pub(super) fn document<'a>(
    operations: &[HttpOperation],
    places: impl Fn(&HttpOperation) -> Vec<&'a str>,
) -> Result<OpenApi, OpenApiError> {
    let mut writer = Writer::default();
    let mut schemas = Schemas::new();
    schemas.add_problem();
    for operation in operations {
        match places(operation)[..] {
            [] => writer.leave_out(operation),
            [place] => writer.operation(&mut schemas, operation, (place, operation.name.into())),
            ref places => {
                for place in places {
                    let id = id_at(operation, place);
                    writer.operation(&mut schemas, operation, (place, id));
                }
            }
        }
    }
    let title = operations.first().map_or("api", |it| crate_of(it.id.site));
    writer.finish(schemas, title)
}

fn crate_of(site: &str) -> &str {
    site.split("::").next().unwrap_or(site)
}

/// What an operation is called at one of several places, as names in a document are unique: `list_v1`
/// where it is nested below `/v1`.
fn id_at(operation: &HttpOperation, place: &str) -> String {
    let segments = |path: &str| path.split('/').filter(|it| !it.is_empty()).count();
    let nested = segments(place).saturating_sub(segments(operation.id.name));
    let below = place.split('/').filter(|it| !it.is_empty()).take(nested);
    let mut id = operation.name.to_owned();
    for segment in below {
        let word = segment.trim_matches(['{', '}', '*']);
        id.push('_');
        id.extend(
            word.chars()
                .map(|it| if it.is_alphanumeric() { it } else { '_' }),
        );
    }
    id
}

#[derive(Default)]
struct Writer {
    paths: Map<String, Value>,
    tags: Vec<Value>,
    /// The operations by their names.
    named: BTreeMap<String, &'static str>,
    sites: BTreeMap<String, String>,
    left_out: Vec<String>,
    faults: Vec<String>,
}

impl Writer {
    /// Adds an operation at one place, under the name it has there.
    fn operation(
        &mut self,
        schemas: &mut Schemas,
        operation: &HttpOperation,
        (mounted, name): (&str, String),
    ) {
        let site = operation.id.site;
        let method = operation.id.verb.to_ascii_lowercase();
        if !METHODS.contains(&method.as_str()) {
            let text = format!("`{name}` at {site}: OpenAPI has no {}", operation.id.verb);
            self.left_out.push(text);
            return;
        }
        if let Some(other) = self.named.insert(name.clone(), site) {
            self.faults.push(format!(
                "`{name}` is the name of two operations, `{other}` and `{site}`: give one another \
                 name, as `name = \"…\"` in its attribute"
            ));
            return;
        }
        let tag = operation.tag.map(|it| json!({ "name": it }));
        if let Some(tag) = tag.filter(|it| !self.tags.contains(it)) {
            self.tags.push(tag);
        }
        let told = |tell| Docs::told_by(schemas, operation.id.verb, tell);
        let gathered = operation.tell.map(told);
        let path = template(mounted);
        let pointer = format!(
            "/paths/{}/{method}",
            path.replace('~', "~0").replace('/', "~1")
        );
        self.sites.insert(pointer, site.to_owned());
        let said = said(operation, (mounted, &name), gathered.unwrap_or_default());
        let at_path = self.paths.entry(path).or_insert_with(|| json!({}));
        at_path[method] = said;
    }

    fn leave_out(&mut self, operation: &HttpOperation) {
        let HttpOperation { id, name, .. } = operation;
        let text = format!("`{name}` ({} {}) is not mounted", id.verb, id.name);
        self.left_out.push(text);
    }

    fn finish(mut self, schemas: Schemas, title: &str) -> Result<OpenApi, OpenApiError> {
        let mut paths = Value::Object(std::mem::take(&mut self.paths));
        let components = schemas.finish(&mut paths).unwrap_or_else(|faults| {
            self.faults.extend(faults);
            Components::default()
        });
        if !self.faults.is_empty() {
            let faults = self.faults;
            return Err(OpenApiError { faults });
        }
        for (name, site) in components.sites {
            self.sites
                .insert(format!("/components/schemas/{name}"), site);
        }
        let mut document = json!({
            "openapi": "3.1.0",
            "info": { "title": title, "version": VERSION_DEFAULT },
            "paths": paths,
            "components": { "schemas": components.schemas },
        });
        if !self.tags.is_empty() {
            document["tags"] = self.tags.into();
        }
        Ok(OpenApi {
            document,
            sites: self.sites,
            left_out: self.left_out,
        })
    }
}

/// An operation object, of the operation at a place under a name.
fn said(operation: &HttpOperation, (mounted, name): (&str, &str), gathered: Gathered) -> Value {
    let mut said = json!({ "operationId": name });
    if let Some(tag) = operation.tag {
        said["tags"] = json!([tag]);
    }
    if operation.is_deprecated {
        said["deprecated"] = true.into();
    }
    if !operation.doc.is_empty() {
        said["summary"] = summary(operation.doc).into();
        said["description"] = operation.doc.into();
    }
    let mut parameters = parameters(mounted, gathered.path.as_ref(), &gathered.query);
    parameters.extend(headers(operation));
    if !parameters.is_empty() {
        said["parameters"] = parameters.into();
    }
    if let Some(body) = gathered.body {
        said["requestBody"] = json!({
            "required": body.is_required,
            "content": { body.media: { "schema": body.schema } },
        });
    }
    said["responses"] = responses(operation, gathered.answers);
    said
}

/// The first sentence.
fn summary(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default();
    let line = paragraph.replace('\n', " ");
    let sentence = line.split(". ").next().unwrap_or_default();
    sentence.trim_end_matches('.').to_owned()
}
