//! A handler's stream as the transport takes it.
//!
//! The transport asks for a chunk when it has room, and the handler is asked then, so a reader
//! that is slow holds the handler back. A reader that reads nothing at all is not waited for
//! beyond the deadline: that passes whether anybody asks or not.
//!
//! Invariant: the slot of the call is held until the handler's stream is over, and no longer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bridge_tower::Deadline;
use contract::grpc::v1::StreamChunk;
use contract::task::spawn;
use parking_lot::Mutex;
use tokio::task::AbortHandle;
use tokio_stream::Stream;
use tonic::Status;

use super::admission::HeldSlot;
use super::running::Items;
use crate::handler::Refusal;

/// The chunks of one answer.
pub(crate) struct Chunks {
    work: Arc<Mutex<Work>>,
    /// Ends the work at its deadline.
    watch: Option<AbortHandle>,
}

struct Work {
    stage: Stage,
    /// Who waits for the next chunk.
    waker: Option<Waker>,
}

enum Stage {
    Running {
        items: Items,
        _slot: HeldSlot,
    },
    /// The deadline has passed; nobody was told yet.
    Late,
    Over,
}

impl Chunks {
    pub(super) fn new(items: Items, slot: HeldSlot, deadline: Option<Deadline>) -> Self {
        let stage = Stage::Running { items, _slot: slot };
        let work = Arc::new(Mutex::new(Work { stage, waker: None }));
        let watch = deadline.map(|deadline| {
            let watched = Arc::downgrade(&work);
            let watch = spawn(async move {
                deadline.passed().await;
                if let Some(work) = watched.upgrade() {
                    cut(&work);
                }
            });
            watch.abort_handle()
        });
        Self { work, watch }
    }
}

/// Ends what still runs.
fn cut(work: &Mutex<Work>) {
    let mut locked = work.lock();
    if let Stage::Running { .. } = &locked.stage {
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

impl Stream for Chunks {
    type Item = Result<StreamChunk, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut work = self.work.lock();
        let next = match &mut work.stage {
            Stage::Running { items, .. } => match Pin::new(items).poll_next(cx) {
                Poll::Ready(next) => next,
                Poll::Pending => {
                    work.waker = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            },
            Stage::Late => {
                work.stage = Stage::Over;
                let text = "the deadline passed while the handler answered";
                return Poll::Ready(Some(Err(Status::deadline_exceeded(text))));
            }
            Stage::Over => None,
        };
        let next = next.map(|answer| Ok(answer.map_or_else(failed, whole)));
        if !matches!(&next, Some(Ok(chunk)) if chunk.error_code.is_empty()) {
            work.stage = Stage::Over;
        }
        Poll::Ready(next)
    }
}

fn whole(payload: bytes::Bytes) -> StreamChunk {
    StreamChunk {
        payload,
        ..StreamChunk::default()
    }
}

/// The last chunk of a handler that failed.
fn failed(refusal: Refusal) -> StreamChunk {
    StreamChunk {
        error_code: refusal.code.to_owned(),
        error_message: refusal.message,
        ..StreamChunk::default()
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.abort();
        }
    }
}
