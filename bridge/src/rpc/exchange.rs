//! One logical call in the mesh, around its attempts: its deadline, its operation, and the
//! payloads that are kept of it.
//!
//! Invariant: a call leaves one operation, whichever way it ends.

use std::sync::Arc;

use bridge_tower::capture::Mode;
use bytes::Bytes;
use contract::error_code::ErrorCode;
use contract::ids::ServiceId;
use contract::w3c::TraceFlags;

use super::asked::{Answered, Asked, Replied, late};
use super::attempts::Attempts;
use super::mesh::Mesh;
use super::outcome::Failure;
use super::wire::CallParts;
use crate::handler::MethodMeta;
use crate::session::Session;
use crate::telemetry::{self, CallStart, Direction, Ended, Op, RequestId, Served};

/// A call that was begun: it has an operation now, so it has to be finished.
pub(super) struct Begun<'m> {
    pub(super) session: &'m Arc<Session>,
    pub(super) op: Op,
    pub(super) captured: Captured,
    pub(super) attempts: Attempts<'m>,
}

impl Mesh {
    /// Makes a call that is answered once. Nothing here depends on its types.
    pub(super) async fn unary(&self, asked: Asked) -> Result<Replied, Failure> {
        let method = asked.method;
        let begun = self.begin(asked, Answered::Once)?;
        let (session, mut attempts) = (begun.session, begun.attempts);
        let left = attempts.deadline.remaining();
        let result = session.clock.timeout(left, attempts.run()).await;
        let result = result.unwrap_or_else(|_| Err(late()));
        match &result {
            Ok(reply) => begun.captured.answered(&begun.op, &reply.payload, method),
            Err(_) => begun.captured.failed(&begun.op, method),
        }
        let operation = || self.operation(method);
        let ended = result.as_ref().err();
        finish(session, begun.op, attempts.served, ended, operation);
        result
    }

    /// What comes before the first attempt.
    pub(super) fn begin(&self, asked: Asked, answered: Answered) -> Result<Begun<'_>, Failure> {
        let (session, caller) = self.ready(&asked, answered)?;
        let Asked {
            method,
            index,
            payload,
            options,
        } = asked;
        let current = || telemetry::current();
        let outer = options.outer.clone().or_else(current);
        let limits = &session.options.limits;
        let deadline = options.deadline(&session.clock, limits.call_timeout, outer.as_ref())?;
        let request = options
            .request_id
            .map_or_else(RequestId::random, RequestId::Given);
        let key = options.idempotency_key;
        let start = CallStart {
            service: &self.service,
            method: method.name,
            request: &request,
            key: key.as_ref(),
        };
        let op = session.telemetry.start_call(outer.as_ref(), &start);
        let captured = Captured::begin(&op, &payload, method);
        let slot = self.first_slot + index;
        let attempts = Attempts {
            session,
            slot,
            dependency: &session.registry.dependencies()[slot],
            transport: options.transport.unwrap_or(limits.transport),
            retry: limits.retry,
            parts: CallParts {
                method: method.name,
                payload,
                caller,
                request,
                key,
                trace: op.context(),
                flags: outer.map_or(TraceFlags::SAMPLED, |it| it.flags),
            },
            deadline,
            served: Served::default(),
        };
        Ok(Begun {
            session,
            op,
            captured,
            attempts,
        })
    }

    /// What a call needs to be made: the session, and who we are.
    fn ready(
        &self,
        asked: &Asked,
        answered: Answered,
    ) -> Result<(&Arc<Session>, ServiceId), Failure> {
        let started = self.session();
        let Some(ready) = started.and_then(|it| Some((it, it.service()?))) else {
            let text = "the bridge has not started; await `start()` first";
            return Err(Failure::before_dispatch(ErrorCode::State, text));
        };
        answered.check(asked.method)?;
        Ok(ready)
    }
}

/// The request of a call that is kept in case the runtime wants to see it.
#[derive(Debug)]
pub(super) enum Captured {
    Nothing,
    /// It is attached if the call fails.
    OnError(Bytes),
    /// It is attached; the reply is, too.
    Everything,
}

impl Captured {
    fn begin(op: &Op, request: &Bytes, method: &'static MethodMeta) -> Self {
        match op.capture() {
            Mode::None => Self::Nothing,
            Mode::Errors => Self::OnError(request.clone()),
            Mode::All => {
                op.attach(Direction::In, request, method.contract_hash);
                Self::Everything
            }
        }
    }

    pub(super) fn failed(&self, op: &Op, method: &'static MethodMeta) {
        if let Self::OnError(request) = self {
            op.attach(Direction::In, request, method.contract_hash);
        }
    }

    fn answered(&self, op: &Op, reply: &Bytes, method: &'static MethodMeta) {
        if let Self::Everything = self {
            op.attach(Direction::Out, reply, method.contract_hash);
        }
    }
}

/// Ends the operation of a call.
pub(super) fn finish(
    session: &Session,
    op: Op,
    served: Served,
    failure: Option<&Failure>,
    operation: impl FnOnce() -> String,
) {
    let Some(failure) = failure else {
        return op.end(Ended::Success, served, String::new);
    };
    if failure.code == ErrorCode::AccessDenied {
        session.denied(operation(), failure.message.clone());
    }
    let ended = match failure.code {
        ErrorCode::Timeout => Ended::Timeout,
        _ => Ended::Error,
    };
    op.end(ended, served, || describe(failure));
}

fn describe(failure: &Failure) -> String {
    let code = failure
        .handler_code
        .as_deref()
        .unwrap_or(failure.code.as_str());
    format!("{code}: {}", failure.message)
}
