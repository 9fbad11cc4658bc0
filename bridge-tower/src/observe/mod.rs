//! Middleware that makes one recorded operation of each HTTP request and runs the handler in its
//! context.
//!
//! Put it inside the router (`Router::layer`), so that the route's template is known when the
//! operation starts; outside it records raw paths. The response body is measured to its end:
//! a stream that breaks half way is not a success.

mod body;
mod future;
mod layer;

use std::task::{Context, Poll};

use contract::headers::IDEMPOTENCY_KEY;
use http::{Method, Request, Response};
use http_body::Body;
use tower_service::Service;

pub use self::body::ObservedBody;
pub use self::future::ResponseFuture;
pub use self::layer::ObserveLayer;

use crate::context::{self, CallContext};
use crate::recorder::{HttpRequest, Outcome, RecordedOp, Recorder};
use crate::trace;

/// Finds the route's template in a request's extensions; the router decides under which type.
pub type RouteOf = fn(&http::Extensions) -> Option<&str>;

/// Records the requests that pass through to `S`.
#[derive(Clone, Copy, Debug)]
pub struct Observe<S, R> {
    inner: S,
    recorder: R,
    route_of: RouteOf,
}

impl<S, R, Req, Res> Service<Request<Req>> for Observe<S, R>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    R: Recorder,
    Res: Body,
{
    type Response = Response<ObservedBody<Res, R::Op>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R::Op>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let op = self.recorder.start(HttpRequest {
            method: request.method(),
            path: (self.route_of)(request.extensions()).unwrap_or(request.uri().path()),
            trace: trace::extract(request.headers()),
            idempotency_key: request
                .headers()
                .get(IDEMPOTENCY_KEY)
                .and_then(|value| value.to_str().ok()),
        });
        let bodyless = *request.method() == Method::HEAD;
        let deadline = context::current().and_then(|outer| outer.deadline);
        let current = CallContext {
            trace: op.context(),
            deadline,
        };
        // The handler may start work while `call` runs, before its future is first polled; only
        // the future runs in the scope, which is where every async handler does its work.
        let answer = context::scope(current, self.inner.call(request));
        ResponseFuture::new(answer, Running::new(op), bodyless)
    }
}

/// An operation that is ended once, as aborted when nobody says otherwise.
#[derive(Debug)]
struct Running<O: RecordedOp> {
    op: Option<O>,
}

impl<O: RecordedOp> Running<O> {
    fn new(op: O) -> Self {
        Self { op: Some(op) }
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(op) = self.op.take() {
            op.end(outcome);
        }
    }
}

impl<O: RecordedOp> Drop for Running<O> {
    fn drop(&mut self) {
        self.end(Outcome::Aborted);
    }
}

#[cfg(test)]
mod tests;
