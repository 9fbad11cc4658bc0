//! The future of a request that needs a slot.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Sleep;
use contract::error_code::ErrorCode;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::SlotBody;
use super::gate::{Slot, Ticket};
use crate::problem::{Asked, ProblemBody};

/// A request that waits for a slot, and the service that was ready for it.
#[derive(Debug)]
pub(super) struct Waiting<S, R> {
    pub(super) service: S,
    pub(super) request: R,
    pub(super) ticket: Ticket,
    pub(super) asked: Asked,
    pub(super) retry_after: Duration,
}

pin_project! {
    /// Resolves to the inner answer, or to a problem of status 503 when there is no slot.
    #[derive(Debug)]
    #[must_use = "futures do nothing until polled"]
    pub struct ResponseFuture<S, R, F> {
        #[pin]
        state: State<S, R, F>,
    }
}

pin_project! {
    #[project = StateProj]
    #[derive(Debug)]
    enum State<S, R, F> {
        Shed { asked: Asked, retry_after: Duration },
        Waits { waiting: Option<Waiting<S, R>>, #[pin] patience: Sleep },
        Runs { #[pin] answer: F, slot: Option<Slot> },
    }
}

impl<S, R, F> ResponseFuture<S, R, F> {
    pub(super) fn running(answer: F, slot: Slot) -> Self {
        Self {
            state: State::Runs {
                answer,
                slot: Some(slot),
            },
        }
    }

    pub(super) fn waiting(waiting: Waiting<S, R>, patience: Sleep) -> Self {
        Self {
            state: State::Waits {
                waiting: Some(waiting),
                patience,
            },
        }
    }

    pub(super) fn shed(asked: Asked, retry_after: Duration) -> Self {
        Self {
            state: State::Shed { asked, retry_after },
        }
    }
}

impl<S, R, F, B, E> Future for ResponseFuture<S, R, F>
where
    S: Service<R, Future = F>,
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<SlotBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Shed { asked, retry_after } => {
                    return Poll::Ready(Ok(shed(*asked, *retry_after)));
                }
                StateProj::Runs { answer, slot } => {
                    let answer = ready!(answer.poll(cx));
                    let slot = slot.take();
                    let hold = |body| SlotBody::new(ProblemBody::inner(body), slot);
                    return Poll::Ready(answer.map(|response| response.map(hold)));
                }
                StateProj::Waits { waiting, patience } => {
                    ready!(poll_waiting(waiting, patience, cx))
                }
            };
            state.set(next);
        }
    }
}

fn poll_waiting<S: Service<R>, R>(
    waiting: &mut Option<Waiting<S, R>>,
    patience: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
) -> Poll<State<S, R, S::Future>> {
    let ticket = &waiting.as_ref().expect("polled after it was ready").ticket;
    let slot = match ticket.poll_slot(cx) {
        Poll::Ready(slot) => Some(slot),
        Poll::Pending => {
            ready!(patience.poll(cx));
            None
        }
    };
    let Waiting {
        mut service,
        request,
        ticket,
        asked,
        retry_after,
    } = waiting.take().expect("it was there a moment ago");
    Poll::Ready(match slot {
        Some(slot) => State::Runs {
            answer: service.call(request),
            slot: Some(slot),
        },
        None => {
            ticket.give_up();
            State::Shed { asked, retry_after }
        }
    })
}

fn shed<B: Body<Data = Bytes>>(asked: Asked, retry_after: Duration) -> Response<SlotBody<B>> {
    let why = "the service has no free slot; repeat after a pause";
    let mut response = asked.answer(ErrorCode::Overloaded, why);
    let seconds = retry_after.as_millis().div_ceil(1_000).max(1);
    let seconds = HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX));
    response.headers_mut().insert(RETRY_AFTER, seconds);
    response.map(|body| SlotBody::new(body, None))
}
