//! A body that breaks off when its deadline passes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::clock::Sleep;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::context::Deadline;
use crate::problem::ProblemBody;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The deadline passed before the body was through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed before the body was complete")]
pub struct BodyLate;

pin_project! {
    /// The inner body; with a deadline, until that passes.
    #[derive(Debug)]
    pub struct DeadlineBody<B> {
        #[pin]
        inner: ProblemBody<B>,
        // `None` when the body may take its time, or has broken off.
        deadline: Option<Deadline>,
        // Made when the body has to wait for the first time.
        #[pin]
        sleep: Option<Sleep>,
    }
}

impl<B> DeadlineBody<B> {
    pub(super) fn new(inner: ProblemBody<B>, deadline: Option<Deadline>) -> Self {
        Self {
            inner,
            deadline,
            sleep: None,
        }
    }
}

impl<B> From<Vec<u8>> for DeadlineBody<B> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes.into(), None)
    }
}

impl<B> Body for DeadlineBody<B>
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
        if let Poll::Ready(frame) = this.inner.poll_frame(cx) {
            return Poll::Ready(frame.map(|it| it.map_err(Into::into)));
        }
        let Some(deadline) = &*this.deadline else {
            return Poll::Pending;
        };
        if this.sleep.is_none() {
            this.sleep.set(Some(deadline.sleep()));
        }
        let passed = this.sleep.as_mut().as_pin_mut().map(|it| it.poll(cx));
        if passed == Some(Poll::Ready(())) {
            *this.deadline = None;
            return Poll::Ready(Some(Err(BodyLate.into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
