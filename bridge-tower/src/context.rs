//! The call that the current task is working for: its trace and its deadline.
//!
//! A task-local, set around a handler by whoever runs it and read by every client the handler
//! uses, so that nested calls join the trace and inherit the deadline without being told. A task
//! spawned by the handler does not inherit it: pass [`current`] along and [`scope`] it there.
//!
//! Invariant: a deadline is a point, never a span, and remembers the clock it was read on.

use std::future::Future;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::headers::TraceContext;
use tokio::task::futures::TaskLocalFuture;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// What the work of a task belongs to.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The trace, and the operation under which nested operations hang.
    pub trace: TraceContext,
    /// When whoever asked for this work stops waiting. `None` means they never said.
    pub deadline: Option<Deadline>,
}

/// A point in time after which nobody waits for a result.
#[derive(Clone, Debug)]
pub struct Deadline {
    clock: Clock,
    at: Monotonic,
}

impl Deadline {
    /// The point `span` from now on `clock`.
    pub fn after(clock: &Clock, span: Duration) -> Self {
        Self {
            clock: clock.clone(),
            at: clock.monotonic() + span,
        }
    }

    /// The point itself. It means something only on the clock it was made with.
    pub fn at(&self) -> Monotonic {
        self.at
    }

    /// Time left, zero when it has passed.
    pub fn remaining(&self) -> Duration {
        self.at.since(self.clock.monotonic())
    }

    /// Whether it has passed.
    pub fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Waits until it has passed.
    pub async fn passed(&self) {
        self.clock.sleep_until(self.at).await;
    }
}

/// The context of the current task, if anybody set one.
pub fn current() -> Option<CallContext> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Runs `future` with `context` as the current one.
pub fn scope<F: Future>(context: CallContext, future: F) -> Scope<F> {
    CURRENT.scope(context, future)
}

/// Future of [`scope`].
pub type Scope<F> = TaskLocalFuture<CallContext, F>;

#[cfg(test)]
mod tests {
    use contract::clock::Timestamp;
    use contract::ids::{IdMint, OpId, TraceId};

    use super::*;

    #[tokio::test]
    async fn the_current_context_is_seen_inside_the_scope_only() {
        let clock = Clock::system();
        let mint = IdMint::seeded(1, &clock);
        let trace = TraceContext {
            trace: TraceId::mint(&mint),
            parent: OpId::mint(&mint),
        };
        let seen = scope(
            CallContext {
                trace,
                deadline: None,
            },
            async { current() },
        )
        .await;
        assert_eq!(seen.map(|it| it.trace), Some(trace));
        assert!(current().is_none());
    }

    #[test]
    fn a_deadline_runs_down_and_stays_at_zero() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let deadline = Deadline::after(&clock, Duration::from_secs(2));
        hand.advance(Duration::from_millis(1_500));
        assert_eq!(deadline.remaining(), Duration::from_millis(500));
        hand.advance(Duration::from_secs(9));
        assert!(deadline.has_passed());
    }
}
