//! One streaming call in the mesh, from its opening to its end.
//!
//! The reader sets the pace: what it leaves unread stays at the callee, beyond a window of 1 MiB.
//!
//! The callee's breaker hears how it ended, once; nothing of one that was quiet until its deadline.
//!
//! Invariant: the call's operation ends with the stream, once; a stream that is dropped before
//! its end was cancelled, here and at the callee.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use contract::clock::Sleep;
use contract::error_code::ErrorCode;
use contract::grpc::v1::StreamChunk;
use contract::transport::Messages;
use prost::Message as _;
use tokio_stream::Stream;

use super::asked::{Answered, Asked, Payloads, late};
use super::exchange::{Captured, finish};
use super::mesh::Mesh;
use super::opening::Working;
use super::outcome::Failure;
use crate::breaker::Outcome;
use crate::handler::MethodMeta;
use crate::session::Session;
use crate::telemetry::{Ended, Op, Served};

impl Mesh {
    /// Makes a call that is answered with a stream; ready when the callee begins to answer.
    pub(super) async fn stream(&self, asked: Asked) -> Result<Payloads, Failure> {
        let method = asked.method;
        let begun = self.begin(asked, Answered::InAStream)?;
        let (session, mut attempts) = (begun.session, begun.attempts);
        let left = attempts.deadline.remaining();
        let opened = session.clock.timeout(left, attempts.open()).await;
        let opened = match opened.unwrap_or_else(|_| Err(late())) {
            Ok(opened) => opened,
            Err(failure) => {
                begun.captured.failed(&begun.op, method);
                let operation = || self.operation(method);
                finish(
                    session,
                    begun.op,
                    attempts.served,
                    Some(&failure),
                    operation,
                );
                return Err(failure);
            }
        };
        let late = session.clock.sleep(attempts.deadline.remaining());
        Ok(Box::pin(Live {
            messages: opened.messages,
            late: Box::pin(late),
            op: Some(begun.op),
            captured: begun.captured,
            served: attempts.served,
            working: opened.working,
            session: session.clone(),
            mesh: self.clone(),
            method,
        }))
    }
}

/// A stream that has begun.
struct Live {
    messages: Messages,
    late: Pin<Box<Sleep>>,
    /// `None` once the stream is over.
    op: Option<Op>,
    captured: Captured,
    served: Served,
    /// `None` on the way through the runtime, and once the stream is over.
    working: Option<Working>,
    session: Arc<Session>,
    mesh: Mesh,
    method: &'static MethodMeta,
}

impl Live {
    fn poll_payload(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        // Asked first: a callee that never pauses has a deadline as well.
        if self.late.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(late())));
        }
        let message = ready!(self.messages.poll_next(cx));
        Poll::Ready(message.map(|message| {
            let message = message.map_err(|status| Failure::of_status(&status))?;
            let chunk = StreamChunk::decode(message).map_err(Failure::unreadable)?;
            Failure::unless_answered(chunk.payload, chunk.error_code, chunk.error_message)
        }))
    }
}

impl Stream for Live {
    type Item = Result<Bytes, Failure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.op.is_none() {
            return Poll::Ready(None);
        }
        let next = ready!(this.poll_payload(cx));
        if let Some(Ok(_)) = &next {
            if let Some(working) = &mut this.working {
                working.trial.answered();
            }
            return Poll::Ready(next);
        }
        let failure = next.as_ref().and_then(|it| it.as_ref().err());
        // A trial that is not ended is forgotten.
        if let Some(Working { trial, .. }) = this.working.take()
            && let Some(outcome) = came_to(failure, trial.is_answered())
        {
            trial.ended(outcome);
        }
        if let Some(op) = this.op.take() {
            if failure.is_some() {
                this.captured.failed(&op, this.method);
            }
            let operation = || this.mesh.operation(this.method);
            finish(&this.session, op, this.served, failure, operation);
        }
        Poll::Ready(next)
    }
}

/// What the end of a stream says about its callee. One that went on until its deadline did its
/// work: the caller asked for no more. One that was quiet until then says nothing: there may have
/// been nothing to tell.
fn came_to(failure: Option<&Failure>, is_answered: bool) -> Option<Outcome> {
    match failure {
        Some(failure) if failure.code == ErrorCode::Timeout => {
            is_answered.then_some(Outcome::Success)
        }
        Some(failure) => Some(failure.outcome()),
        None => Some(Outcome::Success),
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(op) = self.op.take() {
            self.captured.failed(&op, self.method);
            op.end(Ended::Error, self.served, || {
                "cancelled by the caller".to_owned()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_reaches_its_deadline_did_its_work_or_says_nothing() {
        let broken = Failure::final_(ErrorCode::Connection, "broken");
        let refused = Failure::final_(ErrorCode::Overloaded, "full");
        for (failure, is_answered, expected) in [
            (Some(late()), true, Some(Outcome::Success)),
            (Some(late()), false, None),
            (Some(refused), false, Some(Outcome::Failure)),
            (Some(broken), true, Some(Outcome::Failure)),
            (None, false, Some(Outcome::Success)),
        ] {
            let outcome = came_to(failure.as_ref(), is_answered);
            assert_eq!(outcome, expected, "{failure:?}");
        }
    }
}
