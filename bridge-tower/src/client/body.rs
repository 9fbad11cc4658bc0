//! A response body that measures the request it answers to its last byte.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf as _;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::Call;
use crate::record::Ending;

pin_project! {
    /// Hands the inner body's frames through and ends the request with the last of them, or when
    /// it is dropped.
    #[derive(Debug)]
    pub struct MeasuredBody<B> {
        #[pin]
        inner: B,
        // `None` once the request has ended.
        call: Option<Call>,
    }
}

impl<B: Body> MeasuredBody<B> {
    /// A body that is already at its end may never be polled: the request ends here.
    pub(super) fn new(inner: B, call: Option<Call>) -> Self {
        let mut body = Self { inner, call };
        if body.inner.is_end_stream() {
            finish(&mut body.call, Ending::Answered);
        }
        body
    }
}

impl<B: Body> Body for MeasuredBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(cx);
        let Some(call) = this.call else { return polled };
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Some(Ok(frame))) => {
                call.response_bytes += frame.data_ref().map_or(0, |it| it.remaining() as u64);
                if this.inner.is_end_stream() {
                    finish(this.call, Ending::Answered);
                }
            }
            Poll::Ready(None) => finish(this.call, Ending::Answered),
            Poll::Ready(Some(Err(_))) => finish(this.call, Ending::Failed),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn finish(call: &mut Option<Call>, ending: Ending) {
    if let Some(mut call) = call.take() {
        call.end(ending);
    }
}
