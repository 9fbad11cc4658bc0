//! An axum handler as data: what it is mounted at and what was said about it.
//!
//! Nothing here is in the way of a request. Who observes the application reads it once.
//!
//! Invariant: everything in it was checked by the macro that wrote it.

use std::time::Duration;

#[cfg(feature = "mesh")]
use super::client::Calls;
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
    /// Headers within whose values keys are unique, besides.
    pub(crate) within: Vec<&'static str>,
    #[cfg(feature = "mesh")]
    pub(crate) calls: Vec<Calls>,
    pub(crate) tag: Option<&'static str>,
    pub(crate) is_deprecated: bool,
    /// Says what its signature says.
    #[cfg(feature = "openapi")]
    pub(crate) tell: Option<fn(&mut crate::openapi::Docs<'_>)>,
}

/// Which requests are the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdempotentBy {
    pub(crate) header: &'static str,
    pub(crate) keep: Duration,
    /// Whether a request without a key is refused.
    pub(crate) is_required: bool,
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
            within: Vec::new(),
            #[cfg(feature = "mesh")]
            calls: Vec::new(),
            tag: None,
            is_deprecated: false,
            #[cfg(feature = "openapi")]
            tell: None,
        }
    }

    #[doc(hidden)]
    #[must_use]
    pub fn tag(mut self, tag: &'static str) -> Self {
        self.tag = Some(tag);
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn deprecated(mut self) -> Self {
        self.is_deprecated = true;
        self
    }

    #[cfg(feature = "openapi")]
    #[doc(hidden)]
    pub fn told_by(&mut self, tell: fn(&mut crate::openapi::Docs<'_>)) {
        self.tell = Some(tell);
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
        self.idempotent = Some(IdempotentBy {
            header,
            keep,
            is_required: false,
        });
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn key_required(mut self) -> Self {
        if let Some(by) = &mut self.idempotent {
            by.is_required = true;
        }
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn within(mut self, header: &'static str) -> Self {
        self.within.push(header);
        self
    }

    /// The contracts it calls by clients in its signature.
    pub(crate) fn called(&self) -> Vec<&'static str> {
        #[cfg(feature = "mesh")]
        return self.calls.iter().map(|it| it.contract).collect();
        #[cfg(not(feature = "mesh"))]
        Vec::new()
    }
}
