//! One streaming call in the mesh, from its opening to its end.
//!
//! The reader sets the pace: what it leaves unread stays at the callee, beyond a window of 1 MiB.
//!
//! Invariant: the call's operation ends with the stream, once; a stream that is dropped before
//! its end was cancelled, here and at the callee.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use contract::clock::Sleep;
use contract::grpc::v1::StreamChunk;
use contract::transport::Messages;
use prost::Message as _;
use tokio_stream::Stream;

use super::asked::{Answered, Asked, Payloads, late};
use super::exchange::{Captured, finish};
use super::mesh::Mesh;
use super::outcome::Failure;
use crate::handler::MethodMeta;
use crate::instance::{InFlight, InstanceLink};
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
            in_flight: opened.in_flight,
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
    in_flight: Option<InFlight<Arc<InstanceLink>>>,
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
            return Poll::Ready(next);
        }
        let failure = next.as_ref().and_then(|it| it.as_ref().err());
        if let Some(in_flight) = this.in_flight.take() {
            in_flight
                .instance()
                .stream_ended(failure.map(Failure::outcome));
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
