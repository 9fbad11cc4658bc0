//! What becomes of an observed HTTP request: the seam between the layer and whoever keeps
//! operations.
//!
//! The layer calls [`Recorder::start`] before the handler runs and [`RecordedOp::end`] exactly
//! once afterwards. Both are on the request's path: they must neither block nor fail.

use contract::headers::TraceContext;
use http::Method;

/// Keeps operations.
pub trait Recorder: Clone + Send + Sync + 'static {
    /// One started operation.
    type Op: RecordedOp;

    /// Starts the operation of `request`.
    fn start(&self, request: HttpRequest<'_>) -> Self::Op;
}

/// An operation that has been started.
pub trait RecordedOp: Send + 'static {
    /// The context nested work runs in: this operation is its parent.
    fn context(&self) -> TraceContext;

    /// Ends the operation.
    fn end(self, outcome: Outcome);
}

/// What is known about a request when it arrives.
#[derive(Clone, Copy, Debug)]
pub struct HttpRequest<'r> {
    /// The method.
    pub method: &'r Method,
    /// The route's template (`/orders/{id}`) when the router knows it, else the path as sent.
    pub path: &'r str,
    /// The caller's trace context.
    pub trace: Option<TraceContext>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<&'r str>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered completely, with this status.
    Answered(u16),
    /// The client went away before the answer was complete.
    Aborted,
    /// The service or the response body failed.
    Failed,
}
