//! One call with a key: claimed and run, or answered with what was kept.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::Deadline;
use bridge_tower::idempotency::{
    Ask, Begun, Keep, LEASE, Runner, StoreError, TEXT_BYTES_MAX, Work,
};
use bytes::Bytes;
use contract::clock::Elapsed;
use contract::grpc::v1::CallResponse;
use contract::transport::not_dispatched;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tonic::Status;

use super::outcomes::Outcomes;
use crate::context::Caller;
use crate::key::{Idempotent, Key};

/// How long a call without a deadline waits for the first one with its key.
const WAIT: Duration = Duration::from_secs(30);
/// How much sooner than its deadline a call stops waiting, so that it is told why.
const WAIT_MARGIN: Duration = Duration::from_millis(50);

/// A call that may have to be answered without running its handler.
pub(crate) struct Asked<'c> {
    pub(crate) idempotent: &'c Idempotent,
    pub(crate) method: &'c str,
    pub(crate) caller: Option<Caller>,
    /// What the caller named the work; may be empty.
    pub(crate) key: &'c str,
    pub(crate) payload: &'c Bytes,
    pub(crate) deadline: Option<Deadline>,
}

/// What a handler answered.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) response: CallResponse,
    /// False for a panic, and for an error that says that a repeat may succeed.
    pub(crate) is_final: bool,
}

/// Whose answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Of a handler that ran for this call.
    Fresh,
    /// Of an earlier call with the same key.
    Replayed,
}

/// Answers a call: `start` makes the handler, if it has to run, and it runs to its end whoever
/// stops waiting. `hold` is kept as long as it runs.
pub(crate) async fn once<F>(
    outcomes: &Outcomes,
    asked: Asked<'_>,
    hold: impl Send + 'static,
    start: impl FnOnce() -> Result<F, Status>,
) -> Result<(CallResponse, Replay), Status>
where
    F: Future<Output = Ended> + Send + 'static,
{
    let deadline = asked.deadline.clone();
    let Some(ask) = ask(&asked)? else {
        let ended = within(outcomes, deadline, start()?).await;
        return ended.map(|it| (it.response, Replay::Fresh)).map_err(late);
    };
    let store = outcomes.store();
    let claim = match store.begin(ask).await.map_err(unavailable)? {
        Begun::Run(claim) => claim,
        Begun::Replay(Some(kept)) => return replay(kept),
        refused => return Err(refusal(&refused, &asked)),
    };
    let handler = match start() {
        Ok(handler) => handler,
        Err(status) => {
            // A claim that cannot be released ends by itself.
            let _ = store.release(&claim).await;
            return Err(status);
        }
    };
    let runner = Runner {
        store,
        clock: outcomes.clock().clone(),
        keep: asked.idempotent.kept_for(),
    };
    let patience = deadline.clone();
    let running = runner.run(claim, async move {
        let ended = handler.await;
        drop(hold);
        let keep = keep(&ended, deadline.as_ref());
        (ended.response, keep)
    });
    let ended = within(outcomes, patience, running).await;
    ended
        .map(|(response, _)| (response, Replay::Fresh))
        .map_err(late)
}

/// What of an answer is kept. After its deadline a handler fails because of it, which says nothing
/// about the work.
fn keep(ended: &Ended, deadline: Option<&Deadline>) -> Keep {
    let failed = !ended.response.error_code.is_empty();
    let is_late = deadline.is_some_and(Deadline::has_passed);
    if ended.is_final && !(failed && is_late) {
        Keep::Outcome(ended.response.encode_to_vec().into())
    } else {
        Keep::Nothing
    }
}

/// What the store is asked; `None` when the call has no key and needs none.
fn ask(asked: &Asked<'_>) -> Result<Option<Ask>, Status> {
    let Asked { method, .. } = asked;
    let key = asked
        .idempotent
        .key(asked.payload, asked.key)
        .map_err(|why| {
            Status::invalid_argument(format!("the request is not the contract's message: {why}"))
        })?;
    if key.text().is_empty() {
        return if asked.idempotent.is_required() {
            Err(Status::invalid_argument(format!(
                "`{method}` takes an idempotency key, and the call has none"
            )))
        } else {
            Ok(None)
        };
    }
    if key.text().len() > TEXT_BYTES_MAX {
        return Err(Status::invalid_argument(format!(
            "an idempotency key has at most {TEXT_BYTES_MAX} bytes"
        )));
    }
    let scope = match (&key, asked.caller) {
        (Key::OfCaller(_), Some(caller)) => caller.service.to_string(),
        _ => String::new(),
    };
    let left = asked
        .deadline
        .as_ref()
        .map(|it| it.remaining().saturating_sub(WAIT_MARGIN));
    Ok(Some(Ask {
        work: Arc::new(Work {
            operation: (*method).to_owned(),
            scope,
            key: key.text().to_owned(),
        }),
        digest: Sha256::digest(asked.payload).into(),
        lease: LEASE,
        wait: left.unwrap_or(WAIT),
    }))
}

async fn within<F: Future>(
    outcomes: &Outcomes,
    deadline: Option<Deadline>,
    work: F,
) -> Result<F::Output, Elapsed> {
    match deadline {
        Some(deadline) => outcomes.clock().timeout(deadline.remaining(), work).await,
        None => Ok(work.await),
    }
}

fn replay(kept: Bytes) -> Result<(CallResponse, Replay), Status> {
    match CallResponse::decode(kept) {
        Ok(response) => Ok((response, Replay::Replayed)),
        Err(error) => {
            tracing::error!(%error, "a kept answer cannot be read");
            Err(Status::internal(
                "the kept answer of this call cannot be read",
            ))
        }
    }
}

fn late(_: Elapsed) -> Status {
    Status::deadline_exceeded("the deadline passed while the handler ran")
}

/// Nothing ran, so the call may be repeated at once and elsewhere.
fn unavailable(error: StoreError) -> Status {
    not_dispatched(match error {
        StoreError::Full(text) => Status::resource_exhausted(text),
        StoreError::Unavailable(text) => Status::unavailable(text),
    })
}

fn refusal(begun: &Begun, asked: &Asked<'_>) -> Status {
    let method = asked.method;
    match begun {
        Begun::Conflict => Status::failed_precondition(format!(
            "the idempotency key of this call of `{method}` was used for another request; use a \
             new key"
        )),
        Begun::Busy => Status::already_exists(format!(
            "the first call of `{method}` with this idempotency key is still being worked on"
        )),
        // Neither run nor a kept answer are refused: what is left is work without its answer.
        _ => Status::already_exists(format!(
            "the work of this call of `{method}` was done; its answer was too large to keep"
        )),
    }
}

#[cfg(test)]
mod tests;
