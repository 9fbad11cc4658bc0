//! Where a service keeps what became of its work.

use std::sync::Arc;

use bridge_tower::idempotency::{Memory, Store};
use contract::clock::Clock;

use super::remote::Remote;
use crate::session::Session;

/// Keeps outcomes: in the runtime, or without one in this process. Cheap to clone; clones keep
/// together.
///
/// ```
/// use axum::{Router, routing::post};
/// use bridge::Outcomes;
/// use bridge_tower::idempotency::{IdempotencyLayer, KeyHeader};
///
/// let outcomes = Outcomes::in_memory(); // of a started bridge: `bridge.outcomes()`
/// let once = IdempotencyLayer::shared(outcomes.store()).key(KeyHeader::standard());
/// let app: Router = Router::new().route("/orders", post(|| async { "done" })).layer(once);
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
pub struct Outcomes {
    store: Arc<dyn Store>,
    clock: Clock,
}

impl Outcomes {
    /// In bounded memory of this process; gone with it.
    pub fn in_memory() -> Self {
        Self::of(Memory::new(), &Clock::system())
    }

    /// In a store of the user's own.
    pub fn in_store(store: impl Store) -> Self {
        Self::of(store, &Clock::system())
    }

    pub(crate) fn of(store: impl Store, clock: &Clock) -> Self {
        Self {
            store: Arc::new(store),
            clock: clock.clone(),
        }
    }

    /// In the runtime that this session is with.
    pub(crate) fn in_runtime(session: &Arc<Session>) -> Self {
        Self::of(Remote::new(session), &session.clock)
    }

    /// For layers and code of the user's own.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }
}
