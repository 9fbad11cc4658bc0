//! Bodies that are read along.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use pin_project_lite::pin_project;

use super::exchange::Exchange;
use super::tap::Tap;

pin_project! {
    /// A request's body `B`, unchanged.
    #[derive(Debug)]
    pub struct TappedRequest<B> {
        #[pin]
        inner: B,
        // `None`: nothing is kept.
        tap: Option<Arc<Mutex<Tap>>>,
    }
}

impl<B> TappedRequest<B> {
    pub(super) fn new(inner: B, tap: Option<Arc<Mutex<Tap>>>) -> Self {
        Self { inner, tap }
    }
}

impl<B: Body<Data = Bytes>> Body for TappedRequest<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(cx));
        if let (Some(Ok(frame)), Some(tap)) = (&frame, this.tap)
            && let Some(data) = frame.data_ref()
        {
            tap.lock().pass(data);
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

pin_project! {
    /// A response's body `B`, unchanged.
    #[derive(Debug)]
    pub struct TappedResponse<B> {
        #[pin]
        inner: B,
        // `None` once the answer is through, and when nothing is kept.
        exchange: Option<Exchange>,
        // Whether the head said so.
        has_failed: bool,
    }
}

impl<B: Body<Data = Bytes>> TappedResponse<B> {
    /// A body that is at its end already is never polled by servers: the answer ends here.
    pub(super) fn new(inner: B, exchange: Option<Exchange>, has_failed: bool) -> Self {
        let is_through = inner.is_end_stream();
        let mut body = Self {
            inner,
            exchange,
            has_failed,
        };
        if is_through {
            end(&mut body.exchange, has_failed);
        }
        body
    }
}

impl<B: From<Vec<u8>>> From<Vec<u8>> for TappedResponse<B> {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            inner: bytes.into(),
            exchange: None,
            has_failed: false,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for TappedResponse<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        let Some(exchange) = &mut *this.exchange else {
            return Poll::Ready(frame);
        };
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    exchange.pass(data);
                }
                // Servers stop polling once the length they announced is reached.
                if this.inner.is_end_stream() {
                    end(this.exchange, *this.has_failed);
                }
            }
            Some(Err(_)) => end(this.exchange, true),
            None => end(this.exchange, *this.has_failed),
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

fn end(exchange: &mut Option<Exchange>, has_failed: bool) {
    if let Some(mut exchange) = exchange.take() {
        exchange.end(has_failed);
    }
}
