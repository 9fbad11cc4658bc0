//! Calls of handlers in the same process: encoded, decoded, bounded and cut off as any call is,
//! without a socket in between.
//!
//! Invariant: what a handler sees of such a call is what it would see of one from the mesh whose
//! caller has no identity.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::{CallContext, Deadline};
use bytes::Bytes;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::headers::TraceContext;
use contract::ids::{IdMint, OpId, TraceId};
use tokio_stream::StreamExt as _;

use super::asked::{Answered, Asked, Payloads, Replied, late, until};
use super::outcome::{Failure, MESSAGE_BYTES_MAX};
use super::promised;
use super::reply::{About, Stored};
use super::running::{self, Given, Method};
use crate::context::{Context, Left, Parts};
use crate::handler::{Answering, MethodMeta, Refusal, Run, Starts, Undecodable};
use crate::idempotency::{Outcomes, Replay};
use crate::key::Idempotent;
use crate::telemetry::{self, RequestId};

/// Finds what runs one call by its method, request and idempotency key, or why there is nothing.
pub(crate) type Find = Box<
    dyn Fn(&'static MethodMeta, &Bytes, Option<&str>) -> Result<Found, (ErrorCode, String)>
        + Send
        + Sync,
>;

/// What runs one call.
pub(crate) struct Found {
    pub(crate) method: Arc<Method>,
    /// Its answer says that it was kept from an earlier call.
    pub(crate) is_replayed: bool,
}

impl Found {
    pub(crate) fn of(method: Arc<Method>) -> Self {
        let is_replayed = false;
        Self {
            method,
            is_replayed,
        }
    }
}

/// Handlers in this process.
pub(crate) struct Inside {
    pub(crate) find: Find,
    pub(crate) clock: Clock,
    pub(crate) mint: IdMint,
    /// Bounds a call that says nothing itself.
    pub(crate) timeout: Duration,
    /// Keeps what became of work that is done once.
    pub(crate) outcomes: Option<Outcomes>,
    /// It plays the part of a service of the mesh.
    pub(crate) plays: bool,
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("handlers of this process")
    }
}

impl Inside {
    pub(super) async fn unary(&self, asked: Asked) -> Result<Replied, Failure> {
        let found = self.find(&asked, Answered::Once)?;
        let (given, deadline) = self.given(asked)?;
        let method = given.method;
        let Run::Once(start) = &found.method.run else {
            return Err(other_kind(method));
        };
        if let (Some(idempotent), Some(outcomes)) = (&found.method.idempotent, &self.outcomes) {
            let promise = (idempotent, start);
            return promised(outcomes, promise, given, deadline).await;
        }
        let running = running::once(start, given).map_err(undecodable)?;
        let handled = self.clock.timeout(deadline.remaining(), running).await;
        let handled = handled.map_err(|_| late())?;
        let about = About {
            is_replayed: found.is_replayed,
            ..About::default()
        };
        let answered = handled.answer.map_err(refused);
        let payload = answered.map_err(|error| error.replayed(about.is_replayed))?;
        let payload = sized(payload)?;
        Ok(Replied { payload, about })
    }

    pub(super) fn stream(&self, asked: Asked) -> Result<Payloads, Failure> {
        let found = self.find(&asked, Answered::InAStream)?;
        let (given, deadline) = self.given(asked)?;
        let method = given.method;
        let Run::Stream(start) = &found.method.run else {
            return Err(other_kind(method));
        };
        let items = running::stream(start, given).map_err(undecodable)?;
        let payloads = items.map(|answer| answer.map_err(refused).and_then(sized));
        Ok(until(deadline, payloads))
    }

    fn find(&self, asked: &Asked, answered: Answered) -> Result<Found, Failure> {
        answered.check(asked.method)?;
        let key = asked.options.idempotency_key.as_deref();
        let found = (self.find)(asked.method, &asked.payload, key);
        found.map_err(|(code, text)| Failure::before_dispatch(code, text))
    }

    fn given(&self, asked: Asked) -> Result<(Given, Deadline), Failure> {
        let Asked {
            method,
            payload,
            options,
            ..
        } = asked;
        let outer = options.outer.clone().or_else(telemetry::current);
        let deadline = options.deadline(&self.clock, self.timeout, outer.as_ref())?;
        let current = outer.unwrap_or_else(|| {
            CallContext::new(TraceContext {
                trace: TraceId::mint(&self.mint),
                parent: OpId::NONE,
            })
        });
        let request = options
            .request_id
            .map_or_else(RequestId::random, RequestId::Given);
        let key = options.idempotency_key;
        let context = Context::new(Parts {
            deadline: Some(deadline.clone()),
            caller: None,
            request_id: request.to_string(),
            idempotency_key: key.as_deref().unwrap_or_default().to_owned(),
            trace: current.trace,
            flags: current.flags,
            left: Left::default(),
        });
        let given = Given {
            method: method.name,
            payload,
            context,
            current: current.deadline(Some(deadline.clone())),
        };
        Ok((given, deadline))
    }
}

async fn promised(
    outcomes: &Outcomes,
    promise: (&Idempotent, &Starts<Answering>),
    given: Given,
    deadline: Deadline,
) -> Result<Replied, Failure> {
    let answered = promised::answer(outcomes, promise, given, Some(deadline), ()).await;
    let answered = answered.map_err(|status| Failure::of_status(&status))?;
    let response = answered.response;
    let about = About {
        is_replayed: answered.replay == Replay::Replayed,
        stored: Stored::of(answered.stored.map(str::as_bytes)),
    };
    let answered = Failure::unless_answered(
        response.payload,
        response.error_code,
        response.error_message,
    );
    let payload = answered.map_err(|error| error.replayed(about.is_replayed))?;
    let payload = sized(payload)?;
    Ok(Replied { payload, about })
}

/// Refuses what could not be answered over the network.
fn sized(payload: Bytes) -> Result<Bytes, Failure> {
    match payload.len() {
        0..=MESSAGE_BYTES_MAX => Ok(payload),
        _ => Err(Failure::too_large_a_reply()),
    }
}

fn other_kind(method: &str) -> Failure {
    let text = format!("the handler of `{method}` does not answer as the contract says");
    Failure::before_dispatch(ErrorCode::Validation, text)
}

fn undecodable(error: Undecodable) -> Failure {
    Failure::final_(ErrorCode::Validation, error.to_string())
}

fn refused(refusal: Refusal) -> Failure {
    Failure::handler(refusal.code.to_owned(), refusal.message)
}
