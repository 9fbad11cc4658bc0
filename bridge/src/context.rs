//! What a handler may know about the call it serves.
//!
//! Invariant: a call whose caller left, or whose deadline passed, is cancelled before anything of
//! its handler is dropped; one that was answered to its end never is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bridge_tower::{CallContext, Deadline};
use contract::clock::Monotonic;
use contract::headers::TraceContext;
use contract::ids::{InstanceId, ServiceId};
use contract::w3c::TraceFlags;
use std::time::Duration;
use tokio::sync::Notify;

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
    pub(crate) flags: TraceFlags,
    pub(crate) left: Left,
}

/// Whether the caller has left before the call was over.
#[derive(Debug, Default)]
pub(crate) struct Left {
    is_set: AtomicBool,
    told: Notify,
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

    /// Whether nobody waits for this call any more: its caller left, or its deadline passed.
    pub fn is_cancelled(&self) -> bool {
        let is_late = self.0.deadline.as_ref().is_some_and(Deadline::has_passed);
        is_late || self.0.left.is_set.load(Ordering::Acquire)
    }

    /// Resolves when nobody waits for this call any more: its caller left, or its deadline passed.
    ///
    /// The handler itself needs no signal: its future or stream is dropped then. Hand a clone of
    /// the context to tasks the handler spawns, so that they can stop themselves.
    pub async fn cancelled(&self) {
        let left = async {
            let told = self.0.left.told.notified();
            if !self.0.left.is_set.load(Ordering::Acquire) {
                told.await;
            }
        };
        match &self.0.deadline {
            Some(deadline) => tokio::select! {
                () = left => {}
                () = deadline.passed() => {}
            },
            None => left.await,
        }
    }

    /// What nested work belongs to.
    pub(crate) fn as_current(&self) -> CallContext {
        let mut current = CallContext::new(self.0.trace).deadline(self.0.deadline.clone());
        current.flags = self.0.flags;
        current
    }

    /// Tells everybody who holds the context that the caller has left.
    pub(crate) fn cancel(&self) {
        self.0.left.is_set.store(true, Ordering::Release);
        self.0.left.told.notify_waiters();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use contract::clock::{Clock, Timestamp};
    use contract::ids::{IdMint, OpId, TraceId};

    use super::*;

    /// A call in a trace of its own.
    pub(crate) fn context(seed: u64, deadline: Option<Deadline>) -> Context {
        let mint = IdMint::seeded(seed, &Clock::system());
        Context::new(Parts {
            deadline,
            caller: None,
            request_id: String::new(),
            idempotency_key: String::new(),
            trace: TraceContext {
                trace: TraceId::mint(&mint),
                parent: OpId::mint(&mint),
            },
            flags: TraceFlags::SAMPLED,
            left: Left::default(),
        })
    }

    #[tokio::test]
    async fn a_caller_that_left_is_noticed_by_whoever_waits_and_whoever_asks_later() {
        let context = context(1, None);
        let waiting = tokio::spawn({
            let context = context.clone();
            async move { context.cancelled().await }
        });
        tokio::task::yield_now().await;
        assert!(!context.is_cancelled() && !waiting.is_finished());
        context.cancel();
        waiting.await.unwrap();
        context.cancelled().await;
        assert!(context.is_cancelled());
    }

    #[tokio::test]
    async fn a_deadline_that_passed_cancels() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let context = context(1, Some(Deadline::after(&clock, Duration::from_secs(1))));
        assert!(!context.is_cancelled());
        hand.advance(Duration::from_secs(1));
        context.cancelled().await;
        assert!(context.is_cancelled());
    }
}
