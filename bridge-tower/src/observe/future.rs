//! The future of an observed request: the handler's, run in the operation's context.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::{ObservedBody, Running};
use crate::context::Scope;
use crate::recorder::{Outcome, RecordedOp};

pin_project! {
    /// Resolves to the handler's response; its body goes on measuring.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<F, O: RecordedOp> {
        #[pin]
        answer: Scope<F>,
        // `None` once the response has taken it along.
        running: Option<Running<O>>,
        bodyless: bool,
    }
}

impl<F: Future, O: RecordedOp> ResponseFuture<F, O> {
    pub(super) fn new(answer: Scope<F>, running: Running<O>, bodyless: bool) -> Self {
        Self {
            answer,
            running: Some(running),
            bodyless,
        }
    }
}

impl<F, O, B, E> Future for ResponseFuture<F, O>
where
    F: Future<Output = Result<Response<B>, E>>,
    O: RecordedOp,
    B: Body,
{
    type Output = Result<Response<ObservedBody<B, O>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.answer.poll(cx));
        let running = this.running.take();
        Poll::Ready(match answer {
            Ok(response) => {
                let status = response.status().as_u16();
                let bodyless = *this.bodyless;
                Ok(response.map(|body| ObservedBody::new(body, running, status, bodyless)))
            }
            Err(error) => {
                if let Some(mut running) = running {
                    running.end(Outcome::Failed);
                }
                Err(error)
            }
        })
    }
}
