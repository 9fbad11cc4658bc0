//! What a handler may know about the call it serves.

use std::sync::Arc;

use bridge_tower::Deadline;
use contract::clock::Monotonic;
use contract::headers::TraceContext;
use contract::ids::{InstanceId, ServiceId};
use std::time::Duration;

/// The call a handler is serving. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) deadline: Option<Deadline>,
    pub(crate) caller: Option<Caller>,
    pub(crate) request_id: String,
    pub(crate) idempotency_key: String,
    pub(crate) trace: TraceContext,
}

/// Who called, as its certificate says; nothing in a message can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The calling service.
    pub service: ServiceId,
    /// Which of its processes. `None` when the call came through the runtime.
    pub instance: Option<InstanceId>,
}

impl Context {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// When the caller stops waiting, on the bridge's clock. `None` when it never said.
    pub fn deadline(&self) -> Option<Monotonic> {
        self.0.deadline.as_ref().map(Deadline::at)
    }

    /// Time until the deadline; zero when it has passed, `None` without one.
    pub fn remaining(&self) -> Option<Duration> {
        self.0.deadline.as_ref().map(Deadline::remaining)
    }

    /// The calling service; `None` when the peer has no identity of that kind.
    pub fn caller(&self) -> Option<Caller> {
        self.0.caller
    }

    /// Correlates all attempts of one logical call. Empty when the caller sent none.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// What the caller named the work, to recognise a repeat.
    pub fn idempotency_key(&self) -> Option<&str> {
        Some(&*self.0.idempotency_key).filter(|key| !key.is_empty())
    }

    /// The trace, and the operation nested work hangs under.
    pub fn trace(&self) -> TraceContext {
        self.0.trace
    }

    /// Resolves when the deadline passes; never without one.
    ///
    /// A caller that goes away earlier needs no signal: the handler's future is dropped at its
    /// next `await`. Hand a clone of the context to tasks the handler spawns, so that they can
    /// stop themselves.
    pub async fn cancelled(&self) {
        match &self.0.deadline {
            Some(deadline) => deadline.passed().await,
            None => std::future::pending().await,
        }
    }
}
