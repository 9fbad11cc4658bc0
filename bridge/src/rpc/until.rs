//! A stream that ends at a deadline, whether anybody reads it or not.
//!
//! Whoever makes a stream is asked when its reader asks. A reader that asks for nothing is not
//! waited for beyond the deadline: a task of its own ends the work then, and the reader hears of it
//! when it asks again.
//!
//! Invariant: the stream within is dropped at its end, at its deadline or with its reader, whichever
//! is first.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bridge_tower::Deadline;
use contract::task::spawn;
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio_stream::Stream;

/// A stream with a deadline, if it has one.
pub(super) struct Until<S> {
    work: Arc<Mutex<Work<S>>>,
    deadline: Option<Deadline>,
    /// Ends the work at its deadline.
    watch: Option<AbortHandle>,
}

/// The deadline passed before the stream was over. Nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CutOff;

struct Work<S> {
    stage: Stage<S>,
    /// Who waits for the next item.
    waker: Option<Waker>,
}

enum Stage<S> {
    Running(S),
    /// The deadline has passed; nobody was told yet.
    Late,
    Over,
}

impl<S: Send + 'static> Until<S> {
    pub(super) fn new(stream: S, deadline: Option<Deadline>) -> Self {
        let stage = Stage::Running(stream);
        let work = Arc::new(Mutex::new(Work { stage, waker: None }));
        let watch = deadline.clone().map(|deadline| {
            let watched = Arc::downgrade(&work);
            let watch = spawn(async move {
                deadline.passed().await;
                if let Some(work) = watched.upgrade() {
                    cut(&work);
                }
            });
            watch.abort_handle()
        });
        Self {
            work,
            deadline,
            watch,
        }
    }
}

/// Ends what still runs.
fn cut<S>(work: &Mutex<Work<S>>) {
    let mut locked = work.lock();
    if let Stage::Running(_) = &locked.stage {
        let running = std::mem::replace(&mut locked.stage, Stage::Late);
        let waker = locked.waker.take();
        drop(locked);
        // The user's own code runs here.
        drop(running);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<S: Stream + Unpin> Stream for Until<S> {
    type Item = Result<S::Item, CutOff>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Asked first: a reader and a stream that never pause may leave the task no time.
        if self.deadline.as_ref().is_some_and(Deadline::has_passed) {
            cut(&self.work);
        }
        let mut work = self.work.lock();
        let Work { stage, waker } = &mut *work;
        let next = match stage {
            Stage::Running(stream) => {
                let next = Pin::new(stream).poll_next(cx);
                if next.is_pending() {
                    *waker = Some(cx.waker().clone());
                }
                ready!(next).map(Ok)
            }
            Stage::Late => Some(Err(CutOff)),
            Stage::Over => None,
        };
        if !matches!(next, Some(Ok(_))) {
            work.stage = Stage::Over;
        }
        Poll::Ready(next)
    }
}

impl<S> Drop for Until<S> {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}
