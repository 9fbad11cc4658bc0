//! A streamed answer on its way through the proxy.
//!
//! ```text
//!  callee ──HTTP/2 window──▶ pump ──CHUNKS_AHEAD──▶ Chunks ──HTTP/2 window──▶ caller
//! ```
//!
//! A task of its own moves the chunks, so that a caller that stops reading holds the callee up and
//! nothing else: at the deadline the callee is let go, read or not. A caller that goes away ends
//! the callee's stream at once.
//!
//! Refuses to vouch: once an instance began to answer, no ending says that nothing ran, unless
//! the instance says so itself and sent nothing.
//!
//! Invariant: chunks come in the order they were sent, each at most once; a stream that did not
//! end by itself never looks as if it had.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use contract::clock::{Clock, Monotonic};
use contract::grpc::v1;
use contract::transport::{ChannelError, is_not_dispatched, not_dispatched};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tonic::{Status, Streaming};

/// Chunks that may wait between a callee and its caller, besides those in HTTP/2's own windows.
const CHUNKS_AHEAD: usize = 1;

/// A forwarded stream, and what is held while it lasts.
pub(super) struct Source {
    pub(super) flow: Flow,
    pub(super) held: Box<dyn Send>,
}

/// Where a forwarded stream comes from.
pub(super) struct Flow {
    pub(super) from: Streaming<v1::StreamChunk>,
    pub(super) clock: Clock,
    pub(super) deadline: Monotonic,
    /// Told when the connection broke.
    pub(super) on_break: Box<dyn Fn() + Send + Sync>,
}

/// The chunks of one streamed answer, as the caller gets them.
#[derive(Debug)]
pub struct Chunks {
    chunks: mpsc::Receiver<v1::InvokeChunk>,
    /// How it ended; `None` once that was said.
    ending: Option<oneshot::Receiver<Result<(), Status>>>,
}

impl Chunks {
    /// Starts to move the chunks of `source`.
    pub(super) fn forward(source: Source) -> Self {
        let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
        let (end, ending) = oneshot::channel();
        tokio::spawn(async move {
            let held = source.held;
            let ended = source.flow.pump(sender).await;
            drop(held);
            // The caller may be gone, and then nobody asks.
            let _ = end.send(ended);
        });
        Self {
            chunks,
            ending: Some(ending),
        }
    }
}

impl Flow {
    /// Moves chunks until either side ends.
    async fn pump(mut self, to: mpsc::Sender<v1::InvokeChunk>) -> Result<(), Status> {
        let mut is_first = true;
        let mut passed = std::pin::pin!(self.clock.sleep_until(self.deadline));
        loop {
            let moved = async {
                let room = to.reserve().await;
                let next = self.from.message().await;
                (room, next)
            };
            let (room, next) = tokio::select! {
                biased;
                () = &mut passed => {
                    let text = "the deadline passed before the stream was complete";
                    return Err(Status::deadline_exceeded(text));
                }
                () = to.closed() => return Ok(()),
                moved = moved => moved,
            };
            match (room, next) {
                (_, Err(status)) => return Err(self.broken(is_first, status)),
                (_, Ok(None)) | (Err(_), _) => return Ok(()),
                (Ok(room), Ok(Some(chunk))) => room.send(v1::InvokeChunk {
                    payload: chunk.payload,
                    error_code: chunk.error_code,
                    error_message: chunk.error_message,
                }),
            }
            is_first = false;
        }
    }

    fn broken(&self, nothing_came: bool, status: Status) -> Status {
        if let Some(broken) = ChannelError::behind(&status) {
            (self.on_break)();
            return Status::unavailable(broken.to_string());
        }
        let plain = Status::new(status.code(), status.message());
        if nothing_came && is_not_dispatched(&status) {
            return not_dispatched(plain);
        }
        plain
    }
}

impl Stream for Chunks {
    type Item = Result<v1::InvokeChunk, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(chunk) = ready!(self.chunks.poll_recv(cx)) {
            return Poll::Ready(Some(Ok(chunk)));
        }
        let Some(ending) = &mut self.ending else {
            return Poll::Ready(None);
        };
        let ended = ready!(Pin::new(ending).poll(cx));
        self.ending = None;
        let lost = |_| Err(Status::internal("forwarding the stream failed half-way"));
        Poll::Ready(ended.unwrap_or_else(lost).err().map(Err))
    }
}
