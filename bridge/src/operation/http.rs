//! An axum handler as data: what it is mounted at and what was said about it.
//!
//! Nothing here is in the way of a request. Who observes the application reads it once.
//!
//! Invariant: everything in it was checked by the macro that wrote it.

use std::time::Duration;

use super::client::{Calls, ServiceClient};
use super::id::OperationId;

/// How long an outcome is kept when nothing is said.
pub(crate) const KEEP_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);

/// An axum handler under `#[bridge::rpc(method, "/path")]`.
#[derive(Clone, Debug)]
pub struct HttpOperation {
    pub(crate) id: OperationId,
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) deadline: Option<Duration>,
    pub(crate) idempotent: Option<IdempotentBy>,
    pub(crate) calls: Vec<Calls>,
}

/// Which requests are the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdempotentBy {
    pub(crate) header: &'static str,
    pub(crate) keep: Duration,
}

impl HttpOperation {
    #[doc(hidden)]
    pub const fn new(id: OperationId, name: &'static str, doc: &'static str) -> Self {
        Self {
            id,
            name,
            doc,
            deadline: None,
            idempotent: None,
            calls: Vec::new(),
        }
    }

    #[doc(hidden)]
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn idempotent_by(mut self, header: &'static str, keep: Option<Duration>) -> Self {
        let keep = keep.unwrap_or(KEEP_DEFAULT);
        self.idempotent = Some(IdempotentBy { header, keep });
        self
    }

    pub(crate) fn add_calls<T: ServiceClient>(&mut self) {
        self.calls.push(Calls::of::<T>());
    }
}
