//! A body that holds its request's slot until it is through.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::gate::Slot;
use crate::problem::ProblemBody;

pin_project! {
    /// The inner body unchanged.
    #[derive(Debug)]
    pub struct SlotBody<B> {
        #[pin]
        inner: ProblemBody<B>,
        // `None` once the body is through, or when the request never had one.
        slot: Option<Slot>,
    }
}

impl<B: Body<Data = Bytes>> SlotBody<B> {
    /// A body that is at its end already is never polled by servers: its slot is free at once.
    pub(super) fn new(inner: ProblemBody<B>, slot: Option<Slot>) -> Self {
        let slot = slot.filter(|_| !inner.is_end_stream());
        Self { inner, slot }
    }
}

impl<B> From<Vec<u8>> for SlotBody<B> {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            inner: bytes.into(),
            slot: None,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for SlotBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        let goes_on = matches!(&frame, Some(Ok(_))) && !this.inner.is_end_stream();
        if !goes_on {
            *this.slot = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
