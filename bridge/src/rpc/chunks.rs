//! A handler's stream as the transport takes it.
//!
//! The transport asks for a chunk when it has room, and the handler is asked then, so a reader
//! that is slow holds the handler back.
//!
//! Invariant: the slot of the call is held until the handler's stream is over, and no longer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bridge_tower::Deadline;
use contract::grpc::v1::StreamChunk;
use tokio_stream::Stream;
use tonic::Status;

use super::admission::HeldSlot;
use super::running::Items;
use super::until::{CutOff, Until};
use crate::handler::{Answer, Refusal};

/// The chunks of one answer.
pub(crate) struct Chunks(Until<Held>);

/// A handler's stream and the slot it has.
struct Held {
    items: Items,
    /// `None` once the stream is over.
    slot: Option<HeldSlot>,
}

impl Chunks {
    pub(super) fn new(items: Items, slot: HeldSlot, deadline: Option<Deadline>) -> Self {
        let slot = Some(slot);
        Self(Until::new(Held { items, slot }, deadline))
    }
}

impl Stream for Held {
    type Item = Answer;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Answer>> {
        let next = ready!(Pin::new(&mut self.items).poll_next(cx));
        // An error is the last that comes, and whoever reads it may not ask again.
        if !matches!(next, Some(Ok(_))) {
            self.slot = None;
        }
        Poll::Ready(next)
    }
}

impl Stream for Chunks {
    type Item = Result<StreamChunk, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(next.map(|answer| {
            let answer = answer.map_err(|CutOff| {
                Status::deadline_exceeded("the deadline passed while the handler answered")
            })?;
            Ok(answer.map_or_else(failed, whole))
        }))
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
