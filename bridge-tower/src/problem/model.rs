//! The problem itself: what RFC 9457 says it has, and members of our own.

use contract::error_code::ErrorCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::context;

/// Media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, for programs and people.
///
/// ```
/// use bridge_tower::problem::Problem;
/// use http::StatusCode;
///
/// let problem = Problem::new(StatusCode::CONFLICT)
///     .detail("order 7 is paid already")
///     .with("order", 7);
/// assert_eq!(
///     problem.to_json(),
///     r#"{"detail":"order 7 is paid already","order":7,"status":409,"title":"Conflict","type":"about:blank"}"#
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem that its status says all about: type `about:blank`, title as the status has it.
    pub fn new(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Unknown Status");
        let mut members = Map::new();
        members.insert("type".into(), "about:blank".into());
        members.insert("title".into(), title.into());
        members.insert("status".into(), status.as_u16().into());
        Self { status, members }
    }

    /// A problem of this catalogued kind: its HTTP status, and its text as member `code`.
    pub fn of(code: ErrorCode) -> Self {
        let status = StatusCode::from_u16(code.http_status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status).with("code", code.as_str())
    }

    /// Names the kind of problem by a URI of its own, and what all problems of it have in common.
    #[must_use]
    pub fn kind(self, uri: &str, title: &str) -> Self {
        self.with("type", uri).with("title", title)
    }

    /// What went wrong this time, and what to do about it.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        self.with("detail", detail.into())
    }

    /// Names this very occurrence by a URI.
    #[must_use]
    pub fn instance(self, uri: impl Into<String>) -> Self {
        self.with("instance", uri.into())
    }

    /// Adds a member, replacing one of the same name. `status` cannot be replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if name != "status" || !self.members.contains_key(name) {
            self.members.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Adds the trace that the current task works for as member `trace`, 32 hex digits as in a
    /// `traceparent`; nothing outside of a call.
    #[must_use]
    pub fn traced(self) -> Self {
        match context::current() {
            Some(current) => self.trace(&current.trace.trace),
            None => self,
        }
    }

    /// Adds this trace as member `trace`.
    #[must_use]
    pub fn trace(self, trace: &contract::ids::TraceId) -> Self {
        self.with("trace", trace.as_uuid().simple().to_string())
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// The body.
    pub fn to_json(&self) -> String {
        // A map of values always has a text; the fallback keeps the shape.
        serde_json::to_string(&self.members).unwrap_or_else(|_| "{}".to_owned())
    }

    /// The answer, for services whose bodies can be made of bytes.
    pub fn into_response<B: From<Vec<u8>>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.to_json().into_bytes()));
        *response.status_mut() = self.status;
        let json = HeaderValue::from_static(PROBLEM_JSON);
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        self.into_response()
    }
}
