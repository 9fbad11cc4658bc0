//! What arguments say: extractors that are known, with a schema where their type has one.
//!
//! Invariant: an argument that is not known adds nothing, and no bound is asked of it.

use std::any::type_name;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Form, Path, Query};
use contract::message::schemars::JsonSchema;
use serde_json::json;

use super::docs::Docs;
use super::schemas::Way;
use super::told::Told;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
/// Extractors of multipart bodies, by the names their types have: naming the types would ask for
/// features and crates of everybody.
const MULTIPARTS: [&str; 3] = [
    "axum::extract::multipart::Multipart",
    "axum_extra::extract::multipart::Multipart",
    "axum_typed_multipart::typed_multipart::TypedMultipart",
];

/// An argument that may be missing is told of as what it is when it is there.
pub trait Present {
    /// The same type.
    type Present;
    /// The type to tell of.
    fn value(&self, docs: &mut Docs<'_>) -> Told<Self::Present>;
}

impl<T> Present for Told<T> {
    type Present = T;

    fn value(&self, docs: &mut Docs<'_>) -> Told<T> {
        docs.is_optional = false;
        Self::new()
    }
}

impl<T> Told<Option<T>> {
    /// What is there, if anything is.
    pub fn value(&self, docs: &mut Docs<'_>) -> Told<T> {
        docs.is_optional = true;
        Told::new()
    }
}

impl<T, E> Told<Result<T, E>> {
    /// What is there, if it can be read.
    pub fn value(&self, docs: &mut Docs<'_>) -> Told<T> {
        docs.is_optional = true;
        Told::new()
    }
}

/// A known extractor of a type with a schema.
pub trait DescribedArgument {
    /// Says what is read.
    fn argument(&self, docs: &mut Docs<'_>);
}

/// A known extractor of any type.
pub trait KnownArgument {
    /// Says that something is read.
    fn argument(&self, docs: &mut Docs<'_>);
}

/// Any argument.
pub trait UnknownArgument {
    /// Says what the name of its type says.
    fn argument(&self, docs: &mut Docs<'_>);
}

impl<T> UnknownArgument for Told<T> {
    fn argument(&self, docs: &mut Docs<'_>) {
        let name = type_name::<T>();
        let is_one = |it: &str| name.strip_prefix(it).is_some_and(is_end);
        if MULTIPARTS.iter().any(|it| is_one(it)) {
            docs.body(MULTIPART, json!({ "type": "object" }));
        }
    }
}

fn is_end(behind: &str) -> bool {
    behind.is_empty() || behind.starts_with('<')
}

impl<T> KnownArgument for &Told<Json<T>> {
    fn argument(&self, docs: &mut Docs<'_>) {
        docs.body(JSON, json!({}));
    }
}

impl<T> KnownArgument for &Told<Form<T>> {
    fn argument(&self, docs: &mut Docs<'_>) {
        if !docs.has_forms_in_query {
            docs.body(FORM, json!({ "type": "object" }));
        }
    }
}

impl KnownArgument for &Told<Bytes> {
    fn argument(&self, docs: &mut Docs<'_>) {
        docs.body("application/octet-stream", json!({}));
    }
}

impl KnownArgument for &Told<String> {
    fn argument(&self, docs: &mut Docs<'_>) {
        docs.body("text/plain", json!({ "type": "string" }));
    }
}

impl<T: JsonSchema> DescribedArgument for &&Told<Json<T>> {
    fn argument(&self, docs: &mut Docs<'_>) {
        let schema = docs.schemas.of::<T>(Way::In);
        docs.body(JSON, schema);
    }
}

impl<T: JsonSchema> DescribedArgument for &&Told<Form<T>> {
    fn argument(&self, docs: &mut Docs<'_>) {
        if docs.has_forms_in_query {
            return query::<T>(docs);
        }
        let schema = docs.schemas.of::<T>(Way::In);
        docs.body(FORM, schema);
    }
}

impl<T: JsonSchema> DescribedArgument for &&Told<Path<T>> {
    fn argument(&self, docs: &mut Docs<'_>) {
        docs.gathered.path = Some(docs.schemas.read_plainly::<T>());
    }
}

impl<T: JsonSchema> DescribedArgument for &&Told<Query<T>> {
    fn argument(&self, docs: &mut Docs<'_>) {
        query::<T>(docs);
    }
}

/// What is read of the query: by `Query`, or by `Form` where a request has no body.
fn query<T: JsonSchema>(docs: &mut Docs<'_>) {
    let mut schema = docs.schemas.read_plainly::<T>();
    if docs.is_optional {
        // None of its fields has to be there, then.
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("required");
        }
    }
    docs.gathered.query.push(schema);
}
