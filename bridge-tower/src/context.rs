//! The call that the current task is working for: its trace and its deadline.
//!
//! A task-local, set around a handler by whoever runs it and read by every client the handler
//! uses, so that nested calls join the trace and inherit the deadline without being told. A task
//! spawned by the handler does not inherit it: pass [`current`] along and [`scope`] it there.
//!
//! Invariant: a deadline is a point, never a span, and remembers the clock it was read on.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use contract::clock::{Clock, Monotonic, Sleep};
use contract::headers::TraceContext;
use contract::w3c::TraceFlags;
use pin_project_lite::pin_project;

use crate::w3c::Carried;

thread_local! {
    static CURRENT: RefCell<Option<CallContext>> = const { RefCell::new(None) };
    /// Scopes this thread is in. Asked first, because a number costs less to look at.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// What the work of a task belongs to.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The trace, and the operation under which nested operations hang.
    pub trace: TraceContext,
    /// When whoever asked for this work stops waiting. `None` means they never said.
    pub deadline: Option<Deadline>,
    /// Whether the trace is recorded, and the caller's other flags.
    pub flags: TraceFlags,
    /// What other vendors and the user sent along, if anything.
    pub carried: Option<Arc<Carried>>,
}

impl CallContext {
    /// Work of a recorded trace, without deadline and without anything carried along.
    pub fn new(trace: TraceContext) -> Self {
        Self {
            trace,
            deadline: None,
            flags: TraceFlags::SAMPLED,
            carried: None,
        }
    }

    /// With this deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: Option<Deadline>) -> Self {
        self.deadline = deadline;
        self
    }
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
        self.sleep().await;
    }

    /// The same as a future that has a name.
    pub(crate) fn sleep(&self) -> Sleep {
        self.clock.sleep_until(self.at)
    }
}

/// The context of the current task, if anybody set one.
pub fn current() -> Option<CallContext> {
    CURRENT.with_borrow(Clone::clone)
}

/// The deadline of the current task, if anybody set one.
#[inline]
pub fn deadline() -> Option<Deadline> {
    if DEPTH.get() == 0 {
        return None;
    }
    CURRENT.with_borrow(|current| current.as_ref()?.deadline.clone())
}

/// Runs `future` with `context` as the current one, and drops it there too.
#[inline]
pub fn scope<F: Future>(context: CallContext, future: F) -> Scope<F> {
    Scope {
        future: Some(future),
        context: Some(context),
    }
}

/// Runs `body` with `context` as the current one, which is left where it was. For work that is
/// polled in other ways than as a future: see [`scope`] for that.
pub fn within<T>(context: &mut Option<CallContext>, body: impl FnOnce() -> T) -> T {
    let _inside = Inside::enter(context);
    body()
}

pin_project! {
    /// Future of [`scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct Scope<F> {
        // `None` once it is done.
        #[pin]
        future: Option<F>,
        // While the future runs: what was the current context outside.
        context: Option<CallContext>,
    }

    impl<F> PinnedDrop for Scope<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                let _inside = Inside::enter(this.context);
                this.future.set(None);
            }
        }
    }
}

impl<F> Scope<F> {
    /// Runs `body` where the future runs.
    #[cfg(feature = "axum")]
    pub(crate) fn inside<T>(self: Pin<&mut Self>, body: impl FnOnce() -> T) -> T {
        let _inside = Inside::enter(self.project().context);
        body()
    }
}

impl<F: Future> Future for Scope<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _inside = Inside::enter(this.context);
        let future = this.future.as_mut().as_pin_mut();
        let polled = future.expect("polled after it was done").poll(cx);
        // Left where it is: an answer is large.
        if polled.is_ready() {
            this.future.set(None);
        }
        polled
    }
}

/// The current context of this thread exchanged for another one, until it is dropped.
struct Inside<'c>(&'c mut Option<CallContext>);

impl<'c> Inside<'c> {
    #[inline]
    fn enter(context: &'c mut Option<CallContext>) -> Self {
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, context));
        DEPTH.set(DEPTH.get() + 1);
        Self(context)
    }
}

impl Drop for Inside<'_> {
    #[inline]
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        CURRENT.with_borrow_mut(|current| std::mem::swap(current, self.0));
    }
}

#[cfg(test)]
mod tests {
    use contract::clock::Timestamp;
    use contract::ids::{IdMint, OpId, TraceId};

    use parking_lot::Mutex;

    use super::*;

    #[tokio::test]
    async fn the_current_context_is_seen_inside_the_scope_only() {
        let clock = Clock::system();
        let mint = IdMint::seeded(1, &clock);
        let trace = TraceContext {
            trace: TraceId::mint(&mint),
            parent: OpId::mint(&mint),
        };
        let seen = scope(CallContext::new(trace), async { current() }).await;
        assert_eq!(seen.map(|it| it.trace), Some(trace));
        assert!(current().is_none());
    }

    #[tokio::test]
    async fn a_future_is_dropped_in_its_scope_and_scopes_nest() {
        struct Tell(Arc<Mutex<Vec<Option<TraceContext>>>>);
        impl Drop for Tell {
            fn drop(&mut self) {
                self.0.lock().push(current().map(|it| it.trace));
            }
        }
        let mint = IdMint::seeded(1, &Clock::system());
        let [outer, inner] = [(); 2].map(|()| TraceContext {
            trace: TraceId::mint(&mint),
            parent: OpId::mint(&mint),
        });
        let told = Arc::default();
        let tell = Tell(Arc::clone(&told));
        let never = scope(CallContext::new(inner), async move {
            let _tell = tell;
            std::future::pending::<()>().await;
        });
        scope(CallContext::new(outer), async {
            let mut never = Box::pin(never);
            assert!(
                std::future::poll_fn(|cx| Poll::Ready(never.as_mut().poll(cx).is_pending())).await
            );
            drop(never);
            assert_eq!(current().map(|it| it.trace), Some(outer));
        })
        .await;
        assert_eq!(*told.lock(), [Some(inner)]);
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
