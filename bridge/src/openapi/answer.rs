//! What a return type says: success and failure of a result apart, known answers with a schema where
//! their type has one.
//!
//! Invariant: a type that is not known is an answer of which nothing is said.

use std::any::type_name;
use std::borrow::Cow;

use axum::Json;
use axum::body::Bytes;
use axum::response::{Html, NoContent, Redirect, Sse};
use contract::message::schemars::JsonSchema;
use http::StatusCode;
use serde_json::{Value, json};

use super::docs::{Docs, Part, TEXT};
use super::problems::{self, ErrorDocs};
use super::schemas::Way;
use super::told::Told;

const JSON: &str = "application/json";
const BYTES: &str = "application/octet-stream";

/// What does not fail.
#[derive(Debug)]
pub enum Never {}

/// A return type that is no result, and an answer that is no tuple.
pub trait Whole {
    /// The same type.
    type Whole;
    /// What is answered when all is well.
    fn good(&self, docs: &mut Docs<'_>) -> Told<Self::Whole>;
    /// What is answered when not.
    fn failure(&self, docs: &mut Docs<'_>) -> Told<Never>;
    /// What of an answer is its body.
    fn last(&self, docs: &mut Docs<'_>) -> Told<Self::Whole>;
}

impl<T> Whole for Told<T> {
    type Whole = T;

    fn good(&self, docs: &mut Docs<'_>) -> Told<T> {
        docs.part = Part::Whole;
        Self::new()
    }

    fn failure(&self, docs: &mut Docs<'_>) -> Told<Never> {
        docs.part = Part::Failure;
        Told::new()
    }

    fn last(&self, docs: &mut Docs<'_>) -> Told<T> {
        docs.is_status_chosen = false;
        Self::new()
    }
}

impl<T, E> Told<Result<T, E>> {
    /// What is answered when all is well.
    pub fn good(&self, docs: &mut Docs<'_>) -> Told<T> {
        docs.part = Part::Good;
        Told::new()
    }

    /// What is answered when not.
    pub fn failure(&self, docs: &mut Docs<'_>) -> Told<E> {
        docs.part = Part::Failure;
        Told::new()
    }
}

macro_rules! tuples {
    ($(($first:ident $($middle:ident)*) $last:ident;)*) => {$(
        impl<$first, $($middle,)* $last> Told<($first, $($middle,)* $last)> {
            /// What of an answer is its body: the last part. A status in front is chosen by the
            /// handler.
            pub fn last(&self, docs: &mut Docs<'_>) -> Told<$last> {
                docs.is_status_chosen = type_name::<$first>() == type_name::<StatusCode>();
                Told::new()
            }
        }
    )*};
}
tuples! {
    (A) Z;
    (A B) Z;
    (A B C) Z;
    (A B C D) Z;
}

/// An error that says its problems.
pub trait FailedAnswer {
    /// Says them.
    fn answer(&self, docs: &mut Docs<'_>);
}

/// A known answer of a type with a schema.
pub trait DescribedAnswer {
    /// Says what is written.
    fn answer(&self, docs: &mut Docs<'_>);
}

/// A known answer of any type.
pub trait KnownAnswer {
    /// Says what is known.
    fn answer(&self, docs: &mut Docs<'_>);
}

/// Any answer.
pub trait OpaqueAnswer {
    /// Says that there is one.
    fn answer(&self, docs: &mut Docs<'_>);
}

impl<T> OpaqueAnswer for Told<T> {
    fn answer(&self, docs: &mut Docs<'_>) {
        docs.some_answer();
    }
}

impl<E: ErrorDocs> FailedAnswer for &&&Told<E> {
    fn answer(&self, docs: &mut Docs<'_>) {
        let answers = problems::answers::<E>(docs.schemas);
        docs.gathered.answers.extend(answers);
    }
}

impl<T: JsonSchema> DescribedAnswer for &&Told<Json<T>> {
    fn answer(&self, docs: &mut Docs<'_>) {
        let schema = docs.schemas.of::<T>(Way::Out);
        docs.answer("200", Some((JSON, schema)));
    }
}

impl KnownAnswer for &Told<Never> {
    fn answer(&self, _: &mut Docs<'_>) {}
}

impl KnownAnswer for &Told<StatusCode> {
    fn answer(&self, docs: &mut Docs<'_>) {
        docs.is_status_chosen = true;
        docs.answer("200", None);
    }
}

/// Answers that are the same whatever their type holds.
macro_rules! known {
    ($($ty:ty $([$generic:ident])? => $status:literal $content:expr;)*) => {$(
        impl$(<$generic>)? KnownAnswer for &Told<$ty> {
            fn answer(&self, docs: &mut Docs<'_>) {
                let content: Option<(&'static str, Value)> = $content;
                docs.answer($status, content);
            }
        }
    )*};
}
known! {
    Json<T> [T] => "200" Some((JSON, json!({})));
    Html<T> [T] => "200" Some(("text/html", text()));
    Sse<S> [S] => "200" Some(("text/event-stream", text()));
    String => "200" Some((TEXT, text()));
    &'static str => "200" Some((TEXT, text()));
    Cow<'static, str> => "200" Some((TEXT, text()));
    Bytes => "200" Some((BYTES, json!({})));
    Vec<u8> => "200" Some((BYTES, json!({})));
    () => "200" None;
    NoContent => "204" None;
    Redirect => "3XX" None;
}

fn text() -> Value {
    json!({ "type": "string" })
}
