//! A response body that measures the request to its last byte.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf as _;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::live::Live;
use crate::record::Ending;

pin_project! {
    /// Hands the inner body's frames through and ends the request with the last of them.
    #[derive(Debug)]
    pub struct MeteredBody<B> {
        #[pin]
        inner: B,
        // `None` once the request has ended.
        live: Option<Live>,
    }
}

impl<B: Body> MeteredBody<B> {
    /// A body that is already at its end is never polled by the server, and neither is the body
    /// of an answer to HEAD: those requests end here.
    pub(crate) fn new(inner: B, live: Option<Live>, status: u16, bodyless: bool) -> Self {
        let mut body = Self { inner, live };
        if let Some(live) = &mut body.live {
            live.status = status;
            if bodyless || body.inner.is_end_stream() {
                finish(&mut body.live, Ending::Answered);
            }
        }
        body
    }
}

impl<B: Body> Body for MeteredBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = {
            let _entered = this.live.as_ref().map(Live::entered);
            this.inner.as_mut().poll_frame(cx)
        };
        let Some(live) = this.live else { return polled };
        match &polled {
            Poll::Pending => live.waits(),
            Poll::Ready(Some(Ok(frame))) => {
                live.response_bytes += frame.data_ref().map_or(0, |it| it.remaining() as u64);
                // Servers stop polling once the length they announced is reached.
                if this.inner.is_end_stream() {
                    finish(this.live, Ending::Answered);
                }
            }
            Poll::Ready(None) => finish(this.live, Ending::Answered),
            Poll::Ready(Some(Err(_))) => finish(this.live, Ending::Failed),
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

fn finish(live: &mut Option<Live>, ending: Ending) {
    if let Some(mut live) = live.take() {
        live.end(ending);
    }
}
