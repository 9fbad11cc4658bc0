//! A response body that ends the operation with its last byte.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Running;
use crate::recorder::{Outcome, RecordedOp};

pin_project! {
    /// Hands over `B` unchanged and ends the operation when it is through, or as aborted when it
    /// is dropped before.
    #[derive(Debug)]
    pub struct ObservedBody<B, O: RecordedOp> {
        #[pin]
        inner: B,
        running: Option<Running<O>>,
        status: u16,
    }
}

impl<B: Body, O: RecordedOp> ObservedBody<B, O> {
    /// A body that is already at its end is never polled by the server, and neither is the body
    /// of an answer to HEAD: those operations end here.
    pub(super) fn new(inner: B, running: Option<Running<O>>, status: u16, bodyless: bool) -> Self {
        let ended = bodyless || inner.is_end_stream();
        let mut body = Self {
            inner,
            running,
            status,
        };
        if ended {
            finish(&mut body.running, Outcome::Answered(status));
        }
        body
    }
}

impl<B: Body, O: RecordedOp> Body for ObservedBody<B, O> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        match &frame {
            // Servers stop polling once the length they announced is reached.
            Some(Ok(_)) if !this.inner.is_end_stream() => {}
            Some(Ok(_)) | None => finish(this.running, Outcome::Answered(*this.status)),
            Some(Err(_)) => finish(this.running, Outcome::Failed),
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

fn finish<O: RecordedOp>(running: &mut Option<Running<O>>, outcome: Outcome) {
    if let Some(mut running) = running.take() {
        running.end(outcome);
    }
}
