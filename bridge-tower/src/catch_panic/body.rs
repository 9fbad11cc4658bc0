//! A body that breaks off when it panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Origin;
use crate::problem::ProblemBody;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body panicked while it was sent; the log says how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the response body panicked")]
pub struct BodyPanicked;

pin_project! {
    /// The inner body; an error in place of a panic.
    #[derive(Debug)]
    pub struct PanicBody<B> {
        // `None` once it has panicked.
        #[pin]
        inner: Option<ProblemBody<B>>,
        origin: Option<Origin>,
    }
}

impl<B> PanicBody<B> {
    pub(super) fn new(inner: ProblemBody<B>, origin: Option<Origin>) -> Self {
        Self {
            inner: Some(inner),
            origin,
        }
    }
}

impl<B> From<Vec<u8>> for PanicBody<B> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes.into(), None)
    }
}

impl<B> Body for PanicBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        match catch_unwind(AssertUnwindSafe(|| inner.poll_frame(cx))) {
            Ok(polled) => polled.map(|frame| frame.map(|it| it.map_err(Into::into))),
            Err(panic) => {
                if let Some(origin) = this.origin {
                    origin.log(&*panic, "a response body panicked");
                }
                // Whatever it still does while it is dropped is not worth a second word.
                let _ = catch_unwind(AssertUnwindSafe(|| this.inner.set(None)));
                Poll::Ready(Some(Err(BodyPanicked.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}
