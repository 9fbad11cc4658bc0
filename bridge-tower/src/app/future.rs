//! The future of an observed application: the router's, then maybe a problem, then a metered body.

use std::any::Any;
use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::routing::RouterIntoService;
use contract::error_code::ErrorCode;
use http::{Request, Response};
use http_body::Body as _;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::context::Scope;
use crate::idempotency::not_stored;
use crate::observe::MeteredBody;
use crate::observe::live::Live;
use crate::problem::{Problem, Reading, Wanted, head_of_problem, says_nothing_of_its_own};
use crate::record::Ending;

/// A body that announces at most so many bytes is not metered when the request leaves no record
/// but a count: it is one piece in nearly every service, and ends with the head.
const UNMETERED_BYTES_MAX: u64 = 16 * 1_024;

type Answer = <RouterIntoService<Body> as Service<Request<Body>>>::Future;

/// What of a request its answer goes by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// It is a HEAD, whose answer has no body.
    pub(super) bodyless: bool,
    /// Its work is done once.
    pub(super) keyed: bool,
}

pin_project! {
    /// Future of [`Observed`](super::Observed).
    #[must_use = "futures do nothing until polled"]
    pub struct AppFuture {
        #[pin]
        answer: Scope<Answer>,
        // `None` once the response has taken it along.
        live: Option<Live>,
        wanted: Wanted,
        asked: Asked,
        // Of the few answers that become a problem, while their text is read.
        problem: Option<Box<Reading<Body>>>,
    }
}

impl AppFuture {
    #[inline]
    pub(super) fn new(
        answer: Scope<Answer>,
        live: Option<Live>,
        wanted: Wanted,
        asked: Asked,
    ) -> Self {
        Self {
            answer,
            live,
            wanted,
            asked,
            problem: None,
        }
    }
}

impl std::fmt::Debug for AppFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppFuture").finish_non_exhaustive()
    }
}

impl Future for AppFuture {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_mut().project();
        if this.problem.is_some() {
            return self.read_problem(cx);
        }
        let polled = {
            let _entered = this.live.as_ref().and_then(Live::entered);
            catch_unwind(AssertUnwindSafe(|| this.answer.poll(cx)))
        };
        let mut polled = match polled {
            Ok(polled) => polled,
            Err(panic) => return Poll::Ready(Ok(self.panicked(&*panic))),
        };
        match &mut polled {
            Poll::Pending => {
                if let Some(live) = this.live {
                    live.waits();
                }
            }
            Poll::Ready(Ok(response)) => {
                if *this.wanted != Wanted::No && says_nothing_of_its_own(response) {
                    return self.begin_problem(std::mem::take(response), cx);
                }
                meter(response, this.live, this.asked.bodyless);
            }
            Poll::Ready(Err(never)) => match *never {},
        }
        // Changed where it is: an answer is large.
        polled
    }
}

impl AppFuture {
    #[cold]
    fn begin_problem(
        mut self: Pin<&mut Self>,
        response: Response<Body>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<Body>, Infallible>> {
        let this = self.as_mut().project();
        if *this.wanted == Wanted::HeadOnly {
            let mut head = head_of_problem(response).map(Body::new);
            meter(&mut head, this.live, true);
            return Poll::Ready(Ok(head));
        }
        *this.problem = Some(Box::new(Reading::new(response)));
        self.read_problem(cx)
    }

    #[cold]
    fn read_problem(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<Body>, Infallible>> {
        let this = self.project();
        let Some(reading) = this.problem else {
            return Poll::Pending;
        };
        // In the request's context, because the problem names the trace.
        match this.answer.inside(|| Pin::new(&mut **reading).poll(cx)) {
            Poll::Pending => {
                if let Some(live) = this.live {
                    live.waits();
                }
                Poll::Pending
            }
            Poll::Ready(problem) => {
                let mut problem = problem.map(Body::new);
                meter(&mut problem, this.live, this.asked.bodyless);
                Poll::Ready(Ok(problem))
            }
        }
    }

    /// What a client hears of a panic, which is not what it said.
    #[cold]
    fn panicked(self: Pin<&mut Self>, panic: &(dyn Any + Send)) -> Response<Body> {
        let this = self.project();
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = text.unwrap_or("of an unknown type");
        let response: Response<Body> = this.answer.inside(|| {
            let trace = crate::context::current().map(|it| it.trace.trace);
            tracing::error!(panic = text, trace = ?trace, "a handler panicked");
            Problem::of(ErrorCode::Internal).traced().into_response()
        });
        let response = match this.asked.keyed {
            true => not_stored(response),
            false => response,
        };
        if let Some(mut live) = this.live.take() {
            live.status = response.status().as_u16();
            live.end(Ending::Panicked);
        }
        response
    }
}

/// Meters the body of `response`; leaves it alone when the request ends here.
#[inline]
fn meter(response: &mut Response<Body>, request: &mut Option<Live>, bodyless: bool) {
    let Some(live) = request else { return };
    live.status = response.status().as_u16();
    let body = response.body();
    let short = if live.is_counted_only() {
        let announced = body.size_hint().exact();
        announced.filter(|bytes| *bytes <= UNMETERED_BYTES_MAX)
    } else {
        None
    };
    if bodyless || short.is_some() || body.is_end_stream() {
        live.response_bytes = short.filter(|_| !bodyless).unwrap_or(0);
        live.end(Ending::Answered);
        return;
    }
    let answer = std::mem::take(response);
    *response = MeteredBody::of(answer, request.take(), false).map(Body::new);
}
