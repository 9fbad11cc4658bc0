//! What goes back: JSON with a status, nothing, or an answer that goes on.

use std::marker::PhantomData;

use axum::Json;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

/// An answer that says of itself what it looks like.
pub(crate) trait Reply {
    /// The one status it has.
    const STATUS: StatusCode;
    /// Media type and schema of its body; `None` when it has none.
    fn content(generator: &mut SchemaGenerator) -> Option<(&'static str, Schema)>;
    /// The answer.
    fn into_response(self) -> Response;
}

/// 200 with JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<T>(pub(crate) T);

/// 201 with JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made<T>(pub(crate) T);

/// 204.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done;

/// An answer with headers of its own: a cookie.
#[derive(Clone, Debug)]
pub(crate) struct Headed<R>(pub(crate) HeaderMap, pub(crate) R);

/// 200 with text that goes on until somebody has enough; `T` is what a piece of it holds.
#[derive(Debug)]
pub(crate) struct Stream<const KIND: usize, T>(Body, PhantomData<fn() -> T>);

impl<const KIND: usize, T> Stream<KIND, T> {
    /// Of what `body` brings.
    pub(crate) fn of(body: Body) -> Self {
        Self(body, PhantomData)
    }
}

/// 200 with a file.
#[derive(Debug)]
pub(crate) struct Download(pub(crate) Body);

/// Media type of a file.
const FILE: &str = "application/octet-stream";

/// Media types of answers that go on.
const KINDS: [&str; 2] = ["application/jsonl", "text/event-stream"];

/// One JSON object a line.
pub(crate) const LINES: usize = 0;
/// Server-sent events.
pub(crate) const EVENTS: usize = 1;

impl<T: Serialize + JsonSchema> Reply for Shown<T> {
    const STATUS: StatusCode = StatusCode::OK;

    fn content(generator: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
        Some(("application/json", generator.subschema_for::<T>()))
    }

    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

impl<T: Serialize + JsonSchema> Reply for Made<T> {
    const STATUS: StatusCode = StatusCode::CREATED;

    fn content(generator: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
        Some(("application/json", generator.subschema_for::<T>()))
    }

    fn into_response(self) -> Response {
        (Self::STATUS, Json(self.0)).into_response()
    }
}

impl Reply for Done {
    const STATUS: StatusCode = StatusCode::NO_CONTENT;

    fn content(_: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
        None
    }

    fn into_response(self) -> Response {
        Self::STATUS.into_response()
    }
}

impl<R: Reply> Reply for Headed<R> {
    const STATUS: StatusCode = R::STATUS;

    fn content(generator: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
        R::content(generator)
    }

    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        response.headers_mut().extend(self.0);
        response
    }
}

impl<const KIND: usize, T: JsonSchema> Reply for Stream<KIND, T> {
    const STATUS: StatusCode = StatusCode::OK;

    fn content(generator: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
        let piece = generator.subschema_for::<T>();
        let schema = json_schema!({
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": piece,
        });
        Some((KINDS[KIND], schema))
    }

    fn into_response(self) -> Response {
        let kind = [(CONTENT_TYPE, HeaderValue::from_static(KINDS[KIND]))];
        (kind, self.0).into_response()
    }
}

impl Reply for Download {
    const STATUS: StatusCode = StatusCode::OK;

    fn content(_: &mut SchemaGenerator) -> Option<(&'static str, Schema)> {
        Some((FILE, json_schema!({ "type": "string", "format": "binary" })))
    }

    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, HeaderValue::from_static(FILE))], self.0).into_response()
    }
}
