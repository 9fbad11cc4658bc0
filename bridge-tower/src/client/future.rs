//! The future of a request that was sent: the inner client's, until the deadline.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use contract::clock::Sleep;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::ClientError;
use super::body::MeasuredBody;
use super::call::{Call, Refused};
use crate::context::Deadline;
use crate::record::Ending;

pin_project! {
    /// Resolves to the response; its body goes on measuring.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<F> {
        Refused { peer: Arc<str> },
        Sent {
            #[pin]
            answer: F,
            #[pin]
            expires: Option<Sleep>,
            // `None` once the response has taken it along.
            call: Option<Call>,
        },
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn sent(answer: F, call: Call) -> Self {
        let expires = call.deadline.as_ref().map(Deadline::sleep);
        let call = Some(call);
        Self {
            state: State::Sent {
                answer,
                expires,
                call,
            },
        }
    }

    pub(super) fn refused(refused: Refused) -> Self {
        let peer = refused.peer;
        Self {
            state: State::Refused { peer },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<MeasuredBody<B>>, ClientError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (answer, expires, call) = match self.project().state.project() {
            StateProj::Refused { peer } => {
                let peer = peer.clone();
                return Poll::Ready(Err(ClientError::DeadlinePassed { peer }));
            }
            StateProj::Sent {
                answer,
                expires,
                call,
            } => (answer, expires, call),
        };
        match answer.poll(cx) {
            Poll::Ready(Ok(response)) => {
                let mut call = call.take();
                if let Some(call) = &mut call {
                    call.answered(response.status().as_u16(), response.version());
                }
                Poll::Ready(Ok(response.map(|body| MeasuredBody::new(body, call))))
            }
            Poll::Ready(Err(error)) => {
                if let Some(mut call) = call.take() {
                    call.end(Ending::Failed);
                }
                Poll::Ready(Err(ClientError::Call(error)))
            }
            Poll::Pending => {
                let Some(expires) = expires.as_pin_mut() else {
                    return Poll::Pending;
                };
                std::task::ready!(expires.poll(cx));
                let Some(mut call) = call.take() else {
                    return Poll::Pending;
                };
                call.end(Ending::Aborted);
                let peer = call.peer();
                Poll::Ready(Err(ClientError::DeadlineExceeded { peer }))
            }
        }
    }
}
