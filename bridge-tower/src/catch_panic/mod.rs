//! Middleware that answers for a handler that panics.
//!
//! The client gets a problem of status 500 that says nothing of the panic; its text goes into the
//! log, with the trace. A body that panics after the head was sent breaks off: its connection (its
//! stream, in HTTP/2) ends with an error, and the process lives on.
//!
//! It cannot help where panics abort the process (`panic = "abort"`).
//!
//! Invariant: what has panicked is dropped and never polled again.

mod body;
mod future;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::error_code::ErrorCode;
use contract::ids::TraceId;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::{BodyPanicked, PanicBody};
pub use self::future::ResponseFuture;

use crate::context;
use crate::problem::Asked;
use crate::w3c::Unread;

/// Makes [`CatchPanic`] services. Outermost in a stack it answers for everything inside; nested
/// layers see what has panicked dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct CatchPanicLayer;

impl CatchPanicLayer {
    /// The layer; there is nothing to choose.
    pub fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CatchPanic { inner }
    }
}

/// Answers for `S` when it panics.
#[derive(Clone, Copy, Debug)]
pub struct CatchPanic<S> {
    inner: S,
}

impl<S, Req, Res> Service<Request<Req>> for CatchPanic<S>
where
    S: Service<Request<Req>, Response = Response<Res>>,
    Res: Body<Data = Bytes>,
{
    type Response = Response<PanicBody<Res>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Req>) -> Self::Future {
        let origin = Origin::of(request.headers());
        // What the service keeps between requests is its own to keep whole, as with a panic of
        // another thread that holds a clone of it.
        match catch_unwind(AssertUnwindSafe(|| self.inner.call(request))) {
            Ok(answer) => ResponseFuture::new(answer, origin),
            Err(panic) => {
                origin.log(&*panic, "a handler panicked");
                ResponseFuture::panicked(origin)
            }
        }
    }
}

/// What is known of the request once it is gone: where its trace stands, and how its client hears
/// of a failure.
#[derive(Clone, Debug)]
struct Origin {
    trace: Unread,
    asked: Asked,
}

impl Origin {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            trace: Unread::of(headers),
            asked: Asked::with(headers),
        }
    }

    /// The trace of the current call; outside of one the caller's.
    fn trace(&self) -> Option<TraceId> {
        let current = context::current().map(|it| it.trace);
        current
            .or_else(|| self.trace.read().parent)
            .map(|it| it.trace)
    }

    fn answer<B>(&self) -> Response<PanicBody<B>> {
        let why = "the service failed; its log says how";
        let response = self.asked.answer_in(ErrorCode::Internal, why, self.trace());
        response.map(|body| PanicBody::new(body, None))
    }

    fn log(&self, panic: &(dyn Any + Send), what: &'static str) {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("of a type that has no text");
        match self.trace() {
            Some(trace) => {
                let trace = trace.as_uuid().simple();
                tracing::error!(panic = text, trace_id = %trace, "{what}");
            }
            None => tracing::error!(panic = text, "{what}"),
        }
    }
}

#[cfg(test)]
mod tests;
