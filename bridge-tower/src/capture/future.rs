//! The future of a request whose bodies are read along.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::TappedResponse;
use super::exchange::Exchange;

/// Statuses from here on are failures, as the contract has it.
const FAILED_FROM: u16 = 400;

pin_project! {
    /// Resolves to the inner answer; its body goes on being read along.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        answer: F,
        // `None` when nothing is kept, and once the answer has taken it along.
        exchange: Option<Exchange>,
        bodyless: bool,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(answer: F, exchange: Option<Exchange>, bodyless: bool) -> Self {
        Self {
            answer,
            exchange,
            bodyless,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<TappedResponse<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(exchange) = this.exchange
            && !exchange.runs()
        {
            *this.exchange = None;
        }
        let response = match ready!(this.answer.poll(cx)) {
            Ok(response) => response,
            Err(error) => {
                // Dropped open, it has failed.
                *this.exchange = None;
                return Poll::Ready(Err(error));
            }
        };
        let has_failed = response.status().as_u16() >= FAILED_FROM;
        let mut exchange = this.exchange.take();
        if let Some(open) = &mut exchange {
            open.answers(response.headers());
            // Nobody polls the body of an answer to HEAD.
            if *this.bodyless {
                open.end(has_failed);
            }
        }
        Poll::Ready(Ok(
            response.map(|body| TappedResponse::new(body, exchange, has_failed))
        ))
    }
}
