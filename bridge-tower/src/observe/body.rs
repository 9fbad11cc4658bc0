//! A response body that measures the request to its last byte.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf as _;
use http::Response;
use http::header::CONTENT_LENGTH;
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
        // Bytes after which nobody asks for more, where the head has announced them.
        announced: Option<u64>,
    }
}

impl<B: Body> MeteredBody<B> {
    /// The response with its body metered. A body that is already at its end is never polled by
    /// the server, and neither is the body of an answer to HEAD: those requests end here.
    pub(crate) fn of(
        response: Response<B>,
        mut live: Option<Live>,
        bodyless: bool,
    ) -> Response<Self> {
        let mut announced = None;
        if let Some(it) = &mut live {
            it.status = response.status().as_u16();
            if bodyless || response.body().is_end_stream() {
                finish(&mut live, Ending::Answered);
            } else {
                announced = content_length(&response);
            }
        }
        response.map(|inner| Self {
            inner,
            live,
            announced,
        })
    }
}

/// The length that the head announces. A file's body, for one, does not know its own.
fn content_length<B>(response: &Response<B>) -> Option<u64> {
    let text = response.headers().get(CONTENT_LENGTH)?.to_str().ok()?;
    text.parse().ok()
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
            let _entered = this.live.as_ref().and_then(Live::entered);
            this.inner.as_mut().poll_frame(cx)
        };
        let Some(live) = this.live else { return polled };
        match &polled {
            Poll::Pending => live.waits(),
            Poll::Ready(Some(Ok(frame))) => {
                live.response_bytes += frame.data_ref().map_or(0, |it| it.remaining() as u64);
                // Servers stop polling once the length they announced is reached.
                let is_whole = this.announced.is_some_and(|all| live.response_bytes >= all);
                if is_whole || this.inner.is_end_stream() {
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
