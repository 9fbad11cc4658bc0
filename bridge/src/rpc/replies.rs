//! The answer of a streaming call, as its caller reads it.
//!
//! Invariant: nothing follows the first error or the end, and dropping it cancels the call.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use contract::error_code::ErrorCode;
use tokio_stream::Stream;

use super::asked::Payloads;
use crate::call_error::CallError;

/// The messages that a streaming call is answered with.
///
/// Read them with [`next`](Self::next), or as a [`Stream`](crate::Stream). The first error is the
/// end; messages that came before it stay valid. Leaving the stream unread holds the callee back:
/// it may be ahead by 1 MiB and little more. Dropping the stream tells the callee to stop.
///
/// # Errors
///
/// `HANDLER` when the handler ended with an error of its own, `TIMEOUT` when the call's deadline
/// passed, which bounds the whole stream, `CONNECTION` when the callee is gone.
#[must_use = "a stream that is dropped is cancelled"]
pub struct Replies<Item> {
    /// `None` once it is over.
    payloads: Option<Payloads>,
    operation: Box<str>,
    item: PhantomData<fn() -> Item>,
}

impl<Item> Replies<Item> {
    pub(super) fn new(payloads: Payloads, operation: String) -> Self {
        Self {
            payloads: Some(payloads),
            operation: operation.into(),
            item: PhantomData,
        }
    }
}

impl<Item: prost::Message + Default> Replies<Item> {
    /// The next message; `None` after the last one.
    ///
    /// # Errors
    ///
    /// See [`Replies`]; `None` follows.
    pub async fn next(&mut self) -> Option<Result<Item, CallError>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    fn decode(&self, payload: Bytes) -> Result<Item, CallError> {
        Item::decode(payload).map_err(|error| {
            let text = format!("a message of the stream is not that of the contract: {error}");
            CallError::new(ErrorCode::Internal, self.operation.to_string(), text)
        })
    }
}

impl<Item: prost::Message + Default> Stream for Replies<Item> {
    type Item = Result<Item, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(payloads) = &mut self.payloads else {
            return Poll::Ready(None);
        };
        let next = match ready!(payloads.as_mut().poll_next(cx)) {
            Some(Ok(payload)) => Some(self.decode(payload)),
            Some(Err(failure)) => Some(Err(failure.into_error(self.operation.to_string()))),
            None => None,
        };
        if !matches!(next, Some(Ok(_))) {
            self.payloads = None;
        }
        Poll::Ready(next)
    }
}

impl<Item> fmt::Debug for Replies<Item> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies")
            .field("operation", &self.operation)
            .field("is_over", &self.payloads.is_none())
            .finish_non_exhaustive()
    }
}
