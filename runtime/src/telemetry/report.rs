//! The queue between report streams and storage: bounded in bytes, acknowledged in order.
//!
//! ```text
//!  stream ─▶ room in the queue ─┬─ operations ─▶ one task, many batches a transaction ─┐
//!    ▲         (16 MiB, all)    └─ the others ─▶ stored as they come, side by side ────┤
//!    └── acknowledgement ◀── window, oldest first ◀── receipt ◀── committed ───────────┘
//! ```
//!
//! A batch holds its room until it is stored, so the level tells how far storage is behind. A stream
//! with [`WAITING_MAX`] batches underway is not read until one of them is done, so a fast reporter
//! is slowed before it fills the queue.
//!
//! Refuses a batch when the queue is full: its stream ends, and the service sends it again.
//!
//! Invariant: a batch's receipt comes after its commit, and receipts of one stream are taken in the
//! order in which its batches came.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc, oneshot};

use super::counters::QUEUE_BYTES_MAX;
use super::engine::{Batch, Telemetry};
use super::model::{Actor, Frame};
use crate::db::{DbError, DbErrorKind};

/// Batches of one stream that may be underway.
const WAITING_MAX: usize = 32;
/// Batches of operations that may wait; room in the queue usually ends first.
const BATCHES_MAX: usize = 8_192;
/// Bytes and batches of operations that are merged together.
const GROUP_BYTES: usize = 2 << 20;
const GROUP_BATCHES: usize = 256;
/// Batches that are stored one by one after some could not be stored together for a reason that will
/// not pass: then the fault of one does not become that of all.
const APART: usize = 1_000;

/// The queue. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reports {
    telemetry: Telemetry,
    queue: mpsc::Sender<Waiting>,
    waiting: Arc<Mutex<mpsc::Receiver<Waiting>>>,
}

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} MiB of telemetry wait to be stored already; send it again later",
    QUEUE_BYTES_MAX >> 20
)]
pub(super) struct Full;

/// Room in the queue, given back when dropped.
#[derive(Debug)]
struct Room {
    telemetry: Telemetry,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.telemetry.counting().leave(self.bytes);
    }
}

/// Operations that wait.
#[derive(Debug)]
struct Waiting {
    batch: Batch,
    /// Items that were dropped before.
    dropped: usize,
    room: Room,
    receipt: oneshot::Sender<Result<usize, DbError>>,
}

/// What becomes of a batch: how many of its items were dropped on purpose.
pub(super) type Receipt = oneshot::Receiver<Result<usize, DbError>>;

impl Reports {
    /// Into `telemetry`. Nothing is stored unless [`Reports::store_for_ever`] runs.
    pub fn new(telemetry: &Telemetry) -> Self {
        let (queue, waiting) = mpsc::channel(BATCHES_MAX);
        Self {
            telemetry: telemetry.clone(),
            queue,
            waiting: Arc::new(Mutex::new(waiting)),
        }
    }

    pub(super) fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// How full the queue is, as acknowledgements say it: 0, 1 or 2.
    pub(super) fn level(&self) -> u32 {
        self.telemetry.counters().level
    }

    /// Queues frames that `actor` reported in a batch of `bytes` and so many items. What is missing
    /// could not be read; frames of kinds that only the runtime writes are dropped here.
    ///
    /// # Errors
    ///
    /// [`Full`]; nothing was queued.
    pub(super) fn ops(
        &self,
        (bytes, items): (usize, usize),
        actor: Actor,
        mut frames: Vec<Frame>,
    ) -> Result<Receipt, Full> {
        let room = self.enter(bytes)?;
        frames.retain(|it| !it.is_runtime_owned());
        let dropped = items.saturating_sub(frames.len());
        let (receipt, receiver) = oneshot::channel();
        let batch = Batch { actor, frames };
        let waiting = Waiting {
            batch,
            dropped,
            room,
            receipt,
        };
        self.queue.try_send(waiting).map_err(|_| Full)?;
        Ok(receiver)
    }

    /// Stores a batch of `bytes` of another kind, which is what `work` does; it answers with the
    /// number of items dropped on purpose.
    ///
    /// # Errors
    ///
    /// [`Full`]; `work` was not begun.
    pub(super) fn run(
        &self,
        bytes: usize,
        work: impl Future<Output = Result<usize, DbError>> + Send + 'static,
    ) -> Result<Receipt, Full> {
        let room = self.enter(bytes)?;
        let (receipt, receiver) = oneshot::channel();
        tokio::spawn(async move {
            let outcome = work.await;
            if let Ok(dropped) = outcome {
                room.telemetry.counting().refuse(dropped);
            }
            drop(room);
            // Its stream may have ended; what is stored stays.
            let _ = receipt.send(outcome);
        });
        Ok(receiver)
    }

    fn enter(&self, bytes: usize) -> Result<Room, Full> {
        if self.telemetry.counting().enter(bytes) {
            Ok(Room {
                telemetry: self.telemetry.clone(),
                bytes,
            })
        } else {
            Err(Full)
        }
    }

    /// Stores operations for ever; run it as a background task. While a transaction runs the next
    /// one gathers, so transactions grow with the load.
    pub async fn store_for_ever(self) {
        let mut waiting = self.waiting.lock().await;
        let mut apart = 0;
        while let Some(first) = waiting.recv().await {
            let batches_max = if apart > 0 { 1 } else { GROUP_BATCHES };
            let mut group = vec![first];
            let mut bytes = group[0].room.bytes;
            while bytes < GROUP_BYTES && group.len() < batches_max {
                let Ok(next) = waiting.try_recv() else { break };
                bytes += next.room.bytes;
                group.push(next);
            }
            apart = match self.store(group).await {
                Err(error) if !error.is_transient() => APART,
                _ => apart.saturating_sub(1),
            };
        }
    }

    async fn store(&self, group: Vec<Waiting>) -> Result<(), DbError> {
        let mut batches = Vec::with_capacity(group.len());
        let mut receipts = Vec::with_capacity(group.len());
        for it in group {
            batches.push(it.batch);
            receipts.push((it.dropped, it.room, it.receipt));
        }
        let stored = self.telemetry.store(batches).await;
        for (index, (dropped, room, receipt)) in receipts.into_iter().enumerate() {
            drop(room);
            let outcome = stored.as_ref().map(|of_batch| {
                self.telemetry.counting().refuse(dropped);
                of_batch.get(index).map_or(0, |it| it.refused) + dropped
            });
            // Its stream may have ended; what is stored stays.
            let _ = receipt.send(outcome.map_err(DbError::clone));
        }
        stored.map(|_| ())
    }
}

/// What of one stream is underway, in the order of its batches.
#[derive(Debug, Default)]
pub(super) struct Window {
    underway: VecDeque<(Mark, Receipt)>,
    dropped: u64,
}

/// How far a stream has come with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sequence: u64,
    /// Received on the stream so far.
    pub(super) bytes: u64,
}

/// Everything up to a batch is stored, or was dropped on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) mark: Mark,
    /// Items of the stream that were dropped on purpose so far.
    pub(super) dropped: u64,
}

impl Window {
    /// Whether another batch may be read.
    pub(super) fn has_room(&self) -> bool {
        self.underway.len() < WAITING_MAX
    }

    /// Whether nothing is underway.
    pub(super) fn is_empty(&self) -> bool {
        self.underway.is_empty()
    }

    /// Adds the latest batch.
    pub(super) fn push(&mut self, mark: Mark, receipt: Receipt) {
        self.underway.push_back((mark, receipt));
    }

    /// Adds a batch that there is nothing to wait for.
    pub(super) fn push_done(&mut self, mark: Mark) {
        let (done, receipt) = oneshot::channel();
        let _ = done.send(Ok(0));
        self.push(mark, receipt);
    }

    /// Waits for the oldest batch underway, and takes along those after it that are done too. Waits
    /// for ever while nothing is underway. Can be cancelled at no loss.
    ///
    /// # Errors
    ///
    /// The error that kept a batch from being stored: the stream has to end.
    pub(super) async fn done(&mut self) -> Result<Done, DbError> {
        let Some((mark, receipt)) = self.underway.front_mut() else {
            return std::future::pending().await;
        };
        let mut done = *mark;
        self.dropped += answer(receipt.await)?;
        self.underway.pop_front();
        while let Some((mark, receipt)) = self.underway.front_mut() {
            match receipt.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => break,
                // The error is for the next call; what is stored is told first.
                Ok(Err(error)) => {
                    let (failed, receipt) = oneshot::channel();
                    let _ = failed.send(Err(error));
                    self.underway[0].1 = receipt;
                    break;
                }
                Ok(Ok(dropped)) => {
                    self.dropped += dropped as u64;
                    done = *mark;
                    self.underway.pop_front();
                }
                Err(oneshot::error::TryRecvError::Closed) => break,
            }
        }
        Ok(Done {
            mark: done,
            dropped: self.dropped,
        })
    }
}

fn answer(
    receipt: Result<Result<usize, DbError>, oneshot::error::RecvError>,
) -> Result<u64, DbError> {
    let lost = |_| {
        let detail = "the task that stores it has ended";
        DbError::new(DbErrorKind::Unavailable, "store a report", detail)
    };
    Ok(receipt.map_err(lost)?? as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(sequence: u64) -> Mark {
        Mark {
            sequence,
            bytes: sequence * 10,
        }
    }

    #[tokio::test]
    async fn batches_are_acknowledged_in_order_and_several_at_once() {
        let mut window = Window::default();
        let mut receipts = Vec::new();
        for sequence in 1..=4 {
            let (sender, receipt) = oneshot::channel();
            receipts.push(sender);
            window.push(mark(sequence), receipt);
        }
        let mut receipts = receipts.into_iter();
        let [first, second, third] = [(); 3].map(|()| receipts.next().expect("four"));
        second.send(Ok(2)).expect("is waited for");
        {
            let mut done = std::pin::pin!(window.done());
            let pending = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(done.as_mut().poll(cx).is_pending())
            });
            assert!(pending.await, "the second is done, the first is not");
        }
        first.send(Ok(0)).expect("is waited for");
        let done = window.done().await.expect("stored");
        assert_eq!((done.mark, done.dropped), (mark(2), 2));

        let error = DbError::new(DbErrorKind::Unavailable, "store", "on purpose");
        third.send(Err(error)).expect("is waited for");
        window.done().await.expect_err("the third failed");
    }

    #[tokio::test]
    async fn what_is_stored_is_told_before_what_failed() {
        let mut window = Window::default();
        window.push_done(mark(1));
        let (failed, receipt) = oneshot::channel();
        let error = DbError::new(DbErrorKind::Unavailable, "store", "on purpose");
        failed.send(Err(error)).expect("is waited for");
        window.push(mark(2), receipt);
        assert_eq!(window.done().await.expect("stored").mark, mark(1));
        window.done().await.expect_err("failed");
        drop(window);

        let mut window = Window::default();
        let (lost, receipt) = oneshot::channel();
        window.push(mark(1), receipt);
        drop(lost);
        window.done().await.expect_err("nobody will answer");
    }

    #[test]
    fn a_stream_waits_when_enough_is_underway() {
        let mut window = Window::default();
        for sequence in 0..WAITING_MAX as u64 {
            assert!(window.has_room());
            window.push_done(mark(sequence));
        }
        assert!(!window.has_room());
    }
}
