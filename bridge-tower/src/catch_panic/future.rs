//! The future of a handler that may panic.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::Origin;
use super::body::PanicBody;
use crate::problem::ProblemBody;

pin_project! {
    /// Resolves to the inner answer, or to a problem of status 500.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<F> {
        // `None` once it has panicked.
        #[pin]
        answer: Option<F>,
        origin: Option<Origin>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(answer: F, origin: Origin) -> Self {
        Self {
            answer: Some(answer),
            origin: Some(origin),
        }
    }

    pub(super) fn panicked(origin: Origin) -> Self {
        Self {
            answer: None,
            origin: Some(origin),
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<PanicBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Some(answer) = this.answer.as_mut().as_pin_mut() {
            match catch_unwind(AssertUnwindSafe(|| answer.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(answer)) => {
                    let origin = this.origin.take();
                    let inner = |body| PanicBody::new(ProblemBody::inner(body), origin);
                    return Poll::Ready(answer.map(|response| response.map(inner)));
                }
                Err(panic) => {
                    if let Some(origin) = this.origin.as_ref() {
                        origin.log(&*panic, "a handler panicked");
                    }
                    // Whatever it still does while it is dropped is not worth a second word.
                    let _ = catch_unwind(AssertUnwindSafe(|| this.answer.set(None)));
                }
            }
        }
        let origin = this.origin.take().expect("polled after it was ready");
        Poll::Ready(Ok(origin.answer()))
    }
}
