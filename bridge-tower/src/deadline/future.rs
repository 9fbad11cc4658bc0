//! The future of a request that has a deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use contract::clock::Sleep;
use contract::error_code::ErrorCode;
use contract::headers::TraceContext;
use contract::ids::{IdMint, OpId, TraceId};
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::DeadlineBody;
use super::{Covers, sooner};
use crate::context::{self, CallContext, Deadline, Scope};
use crate::problem::{Asked, ProblemBody};
use crate::w3c::{TraceFlags, Unread};

/// What bounds a request.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) deadline: Deadline,
    pub(super) asked: Asked,
    pub(super) covers: Covers,
    pub(super) origin: Origin,
}

/// What becomes the context of a request that nobody observes, so that its deadline travels.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) trace: Unread,
    pub(super) mint: IdMint,
}

impl Origin {
    /// The caller's trace handed on, or a new one that nobody records.
    fn context(&self) -> CallContext {
        let incoming = self.trace.read();
        let begin = || TraceContext {
            trace: TraceId::mint(&self.mint),
            parent: OpId::mint(&self.mint),
        };
        let mut context = CallContext::new(incoming.parent.unwrap_or_else(begin));
        context.flags = incoming.flags.unwrap_or(TraceFlags::NONE);
        context
    }
}

pin_project! {
    /// Resolves to the inner answer, or to a problem of status 504 when the deadline passes first.
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
        Unbounded { #[pin] answer: F },
        Refused { asked: Asked },
        // Not polled yet: what is current then becomes its context.
        Fresh { answer: Option<F>, bounds: Option<Bounds> },
        Running {
            #[pin] answer: Scope<F>,
            deadline: Deadline,
            // Made when the answer has to be waited for.
            #[pin] sleep: Option<Sleep>,
            asked: Asked,
            covers: Covers,
        },
        Done,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn unbounded(answer: F) -> Self {
        Self {
            state: State::Unbounded { answer },
        }
    }

    pub(super) fn refused(asked: Asked) -> Self {
        Self {
            state: State::Refused { asked },
        }
    }

    pub(super) fn bounded(answer: F, bounds: Bounds) -> Self {
        Self {
            state: State::Fresh {
                answer: Some(answer),
                bounds: Some(bounds),
            },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body<Data = Bytes>,
{
    type Output = Result<Response<DeadlineBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        start(state.as_mut());
        let asked = match state.as_mut().project() {
            StateProj::Unbounded { answer } => {
                return answer.poll(cx).map_ok(|response| inner(response, None));
            }
            StateProj::Refused { asked } => {
                let why = "the deadline had passed when the request arrived; nothing was done";
                let response = asked.answer(ErrorCode::Timeout, why);
                return Poll::Ready(Ok(own(response)));
            }
            StateProj::Running {
                answer,
                deadline,
                mut sleep,
                asked,
                covers,
            } => {
                if let Poll::Ready(answer) = answer.poll(cx) {
                    let deadline = (*covers == Covers::Body).then(|| deadline.clone());
                    return Poll::Ready(answer.map(|response| inner(response, deadline)));
                }
                if sleep.is_none() {
                    sleep.set(Some(deadline.sleep()));
                }
                let passed = sleep.as_pin_mut().map(|it| it.poll(cx));
                if passed != Some(Poll::Ready(())) {
                    return Poll::Pending;
                }
                *asked
            }
            StateProj::Fresh { .. } | StateProj::Done => panic!("polled after it was ready"),
        };
        // The handler is dropped here, before anybody hears that nobody waits for it.
        state.set(State::Done);
        let why =
            "the deadline passed before the answer was there; whether the work was done is unknown";
        Poll::Ready(Ok(own(asked.answer(ErrorCode::Timeout, why))))
    }
}

/// Puts a future that was not polled yet into the context it is first polled in.
fn start<F: Future>(mut state: Pin<&mut State<F>>) {
    let StateProj::Fresh { answer, bounds } = state.as_mut().project() else {
        return;
    };
    let (Some(answer), Some(bounds)) = (answer.take(), bounds.take()) else {
        return;
    };
    let context = context::current().unwrap_or_else(|| bounds.origin.context());
    let outer = context.deadline.clone();
    let Some(deadline) = sooner(Some(bounds.deadline), outer) else {
        return;
    };
    state.set(State::Running {
        answer: context::scope(context.deadline(Some(deadline.clone())), answer),
        deadline,
        sleep: None,
        asked: bounds.asked,
        covers: bounds.covers,
    });
}

fn inner<B>(response: Response<B>, deadline: Option<Deadline>) -> Response<DeadlineBody<B>> {
    response.map(|body| DeadlineBody::new(ProblemBody::inner(body), deadline))
}

fn own<B>(response: Response<ProblemBody<B>>) -> Response<DeadlineBody<B>> {
    response.map(|body| DeadlineBody::new(body, None))
}
