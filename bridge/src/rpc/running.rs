//! A handler at work for one call.
//!
//! A panic is an answer, because one call must not take the connection's others down. A handler
//! runs, and is dropped, with its call as the current one.
//!
//! Invariant: a handler that is dropped before it was done finds its context cancelled.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use bridge_tower::CallContext;
use bridge_tower::context::{Scope, scope, within};
use bytes::Bytes;
use tokio_stream::Stream;

use crate::context::Context;
use crate::handler::{Answer, Answering, Answers, INTERNAL, Refusal, Run, Starts, Undecodable};
use crate::key::Idempotent;

/// A served method.
pub(crate) struct Method {
    pub(crate) run: Run,
    /// What makes it be run once only.
    pub(crate) idempotent: Option<Idempotent>,
}

/// What a handler is given.
pub(super) struct Given {
    /// The method, for messages.
    pub(super) method: &'static str,
    pub(super) payload: Bytes,
    pub(super) context: Context,
    pub(super) current: CallContext,
}

/// How a handler ended.
#[derive(Debug)]
pub(super) struct Handled {
    pub(super) answer: Answer,
    pub(super) panicked: bool,
}

/// Starts a handler that answers once.
pub(super) fn once(start: &Starts<Answering>, given: Given) -> Result<Once, Undecodable> {
    let Given {
        method,
        payload,
        context,
        current,
    } = given;
    let leaving = Leaving(Some(context.clone()));
    // The handler's own code starts before its future is polled, and may panic there too.
    let answering = match caught(method, || start(payload, context)) {
        Ok(started) => started?,
        Err(refusal) => Box::pin(std::future::ready(Err(refusal))),
    };
    let running = scope(current, CatchPanic { method, answering });
    Ok(Once { leaving, running })
}

/// A handler's answer under way.
#[must_use = "futures do nothing until polled"]
pub(super) struct Once {
    // First, so that it goes first.
    leaving: Leaving,
    running: Scope<CatchPanic>,
}

impl Future for Once {
    type Output = Handled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Handled> {
        let handled = Pin::new(&mut self.running).poll(cx);
        if handled.is_ready() {
            self.leaving.0 = None;
        }
        handled
    }
}

/// Cancels the context when it goes while it still holds it.
struct Leaving(Option<Context>);

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(context) = &self.0 {
            context.cancel();
        }
    }
}

struct CatchPanic {
    method: &'static str,
    answering: Answering,
}

impl Future for CatchPanic {
    type Output = Handled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Handled> {
        let method = self.method;
        // The future is dropped after a panic and never polled again, so nobody sees what it
        // left half done.
        let (answer, panicked) = match caught(method, || self.answering.as_mut().poll(cx)) {
            Ok(Poll::Ready(answer)) => (answer, false),
            Ok(Poll::Pending) => return Poll::Pending,
            Err(refusal) => (Err(refusal), true),
        };
        Poll::Ready(Handled { answer, panicked })
    }
}

/// Starts a handler that answers with a stream.
pub(super) fn stream(start: &Starts<Answers>, given: Given) -> Result<Items, Undecodable> {
    let Given {
        method,
        payload,
        context,
        current,
    } = given;
    let mut current = Some(current);
    let own = context.clone();
    let answers = match within(&mut current, || caught(method, || start(payload, own))) {
        Ok(started) => started?,
        Err(refusal) => Box::pin(tokio_stream::once(Err(refusal))),
    };
    Ok(Items {
        method,
        answers: Some(answers),
        context,
        current,
    })
}

/// A handler's stream under way. Its first error is its end.
pub(super) struct Items {
    method: &'static str,
    /// `None` once it is over.
    answers: Option<Answers>,
    context: Context,
    current: Option<CallContext>,
}

impl Items {
    fn end(&mut self) {
        let answers = self.answers.take();
        within(&mut self.current, || drop(answers));
    }
}

impl Stream for Items {
    type Item = Answer;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Answer>> {
        let this = &mut *self;
        let Some(answers) = &mut this.answers else {
            return Poll::Ready(None);
        };
        let poll = || caught(this.method, || answers.as_mut().poll_next(cx));
        let next = match within(&mut this.current, poll) {
            Ok(Poll::Ready(next)) => next,
            Ok(Poll::Pending) => return Poll::Pending,
            Err(refusal) => Some(Err(refusal)),
        };
        if !matches!(next, Some(Ok(_))) {
            this.end();
        }
        Poll::Ready(next)
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        if self.answers.is_some() {
            self.context.cancel();
            self.end();
        }
    }
}

/// Runs the user's code; its panic becomes an answer.
fn caught<T>(method: &str, body: impl FnOnce() -> T) -> Result<T, Refusal> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| panicked(method, &*panic))
}

/// The panic's text goes to our log; the caller learns that something broke, not what.
fn panicked(method: &str, panic: &(dyn Any + Send)) -> Refusal {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(
        method,
        panic = text.unwrap_or("not a text"),
        "handler panicked"
    );
    Refusal {
        code: INTERNAL,
        message: format!("the handler of `{method}` panicked; see its log"),
        is_retryable: false,
    }
}
