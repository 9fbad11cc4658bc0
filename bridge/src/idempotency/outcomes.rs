//! Where a service keeps what became of its work.

use std::sync::Arc;
use std::time::Duration;

use bridge_tower::idempotency::{IdempotencyLayer, Memory, Runner, Store, WorkCounts};
use contract::clock::Clock;

use super::remote::Remote;
use crate::session::Session;

/// Keeps outcomes: in the runtime, or without one in this process. Cheap to clone; clones keep
/// together, and know of each other's work.
///
/// ```
/// use axum::{Router, routing::post};
/// use bridge::Outcomes;
/// use bridge_tower::idempotency::KeyHeader;
///
/// let outcomes = Outcomes::in_memory(); // of a started bridge: `bridge.outcomes()`
/// let once = outcomes.layer().key(KeyHeader::standard());
/// let app: Router = Router::new().route("/orders", post(|| async { "done" })).layer(once);
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
pub struct Outcomes(Runner);

impl Outcomes {
    /// In bounded memory of this process; gone with it.
    pub fn in_memory() -> Self {
        Self::in_store(Memory::new())
    }

    /// In bounded memory of this process, by the time of `clock`.
    pub(crate) fn in_memory_by(clock: &Clock) -> Self {
        Self(Runner::new(Memory::new().clock(clock)).clock(clock))
    }

    /// In a store of the user's own.
    pub fn in_store(store: impl Store) -> Self {
        Self(Runner::new(store))
    }

    /// In the runtime that this session is with; work runs no longer than `run_max`.
    pub(crate) fn in_runtime(session: &Arc<Session>, run_max: Duration) -> Self {
        let runner = Runner::new(Remote::new(session)).clock(&session.clock);
        Self(runner.run_max(run_max))
    }

    #[cfg(test)]
    pub(super) fn by(runner: Runner) -> Self {
        Self(runner)
    }

    /// A layer that keeps outcomes here. The bridge's own waits for its requests when it stops.
    pub fn layer(&self) -> IdempotencyLayer {
        IdempotencyLayer::over(&self.0)
    }

    /// For code of the user's own that does work once, and where that is at.
    pub fn runner(&self) -> &Runner {
        &self.0
    }

    /// What became of work so far, over all that uses these outcomes.
    pub fn counts(&self) -> WorkCounts {
        self.0.counts()
    }
}
