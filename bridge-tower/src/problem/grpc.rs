//! How the asker wants to hear of a problem: gRPC clients know nothing of problem details.

use contract::error_code::ErrorCode;
use contract::ids::TraceId;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use super::body::ProblemBody;
use super::model::Problem;
use crate::context;

/// What the asker understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Http,
    Grpc,
}

impl Asked {
    pub(crate) fn with(headers: &HeaderMap) -> Self {
        let is_grpc = headers
            .get(CONTENT_TYPE)
            .is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"));
        if is_grpc { Self::Grpc } else { Self::Http }
    }

    /// The answer to a request that a layer answers by itself, within the call's context.
    pub(crate) fn answer<B>(self, code: ErrorCode, detail: &str) -> Response<ProblemBody<B>> {
        let current = context::current().map(|it| it.trace.trace);
        self.answer_in(code, detail, current)
    }

    /// The same, in a trace that the caller knows.
    pub(crate) fn answer_in<B>(
        self,
        code: ErrorCode,
        detail: &str,
        trace: Option<TraceId>,
    ) -> Response<ProblemBody<B>> {
        if self == Self::Grpc {
            return trailers_only(code, detail);
        }
        let mut problem = Problem::of(code).detail(detail);
        if let Some(trace) = &trace {
            problem = problem.trace(trace);
        }
        problem.into_response().map(ProblemBody::own)
    }
}

/// A gRPC answer that consists of its status: the head is the trailers.
fn trailers_only<B>(code: ErrorCode, detail: &str) -> Response<ProblemBody<B>> {
    let mut response = Response::new(ProblemBody::own(Vec::new()));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert("grpc-status", HeaderValue::from(code.to_grpc()));
    // Our own details are plain ASCII, which needs no percent-encoding but for `%`.
    if let Ok(message) = HeaderValue::try_from(detail.replace('%', "%25")) {
        headers.insert("grpc-message", message);
    }
    response
}
