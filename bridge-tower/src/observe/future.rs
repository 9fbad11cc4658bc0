//! The future of an observed request: the handler's, run in the request's context.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::MeteredBody;
use super::live::Live;
use crate::context::Scope;
use crate::record::Ending;

pin_project! {
    /// Resolves to the handler's response; its body goes on measuring.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        answer: Scope<F>,
        // `None` once the response has taken it along.
        live: Option<Live>,
        bodyless: bool,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(answer: Scope<F>, live: Option<Live>, bodyless: bool) -> Self {
        Self {
            answer,
            live,
            bodyless,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<MeteredBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = {
            let _entered = this.live.as_ref().and_then(Live::entered);
            this.answer.poll(cx)
        };
        match polled {
            Poll::Pending => {
                if let Some(live) = this.live {
                    live.waits();
                }
                Poll::Pending
            }
            Poll::Ready(Ok(response)) => {
                let metered = MeteredBody::of(response, this.live.take(), *this.bodyless);
                Poll::Ready(Ok(metered))
            }
            Poll::Ready(Err(error)) => {
                if let Some(mut live) = this.live.take() {
                    live.end(Ending::Failed);
                }
                Poll::Ready(Err(error))
            }
        }
    }
}
