//! One call with a key: claimed and run, or answered with what was kept.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::Deadline;
use bridge_tower::idempotency::{
    Ask, CutOff, Keep, Kept, LEASE, StoreError, TEXT_BYTES_MAX, Turn, Work,
};
use bytes::Bytes;
use contract::clock::Elapsed;
use contract::grpc::v1::CallResponse;
use contract::transport::not_dispatched;
use sha2::{Digest as _, Sha256};
use tonic::Status;
use tonic::metadata::MetadataValue;

use super::hold::Hold;
use super::kept::{self, NotGiven};
use super::outcomes::Outcomes;
use crate::context::Caller;
use crate::key::Idempotent;

/// Trailer of a refusal that is about the key of a call, and says nothing about the instance: calls
/// without one are answered. Its value is `1`.
pub(crate) const ABOUT_KEY: &str = "x-bridge-about-key";

/// How long a call without a deadline waits for the first one with its key.
const WAIT: Duration = Duration::from_secs(30);
/// How much sooner than its deadline a call stops waiting, so that it is told why.
const WAIT_MARGIN: Duration = Duration::from_millis(50);
/// How long a call that waited for another one, and has to run after all, may wait for a place.
const ENTER_MAX: Duration = Duration::from_secs(5);

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

/// An answer, and what is to be said about it.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) response: CallResponse,
    pub(crate) replay: Replay,
    /// Set when repeats may not get it: `false`, or `later` when keeping it goes on.
    pub(crate) stored: Option<&'static str>,
}

impl Answered {
    /// An answer that nothing was promised about.
    pub(crate) fn fresh(response: CallResponse) -> Self {
        Self {
            response,
            replay: Replay::Fresh,
            stored: None,
        }
    }

    fn kept(response: CallResponse, kept: Kept) -> Self {
        let stored = match kept {
            Kept::Outcome => None,
            Kept::Later => Some("later"),
            _ => Some("false"),
        };
        Self {
            stored,
            ..Self::fresh(response)
        }
    }
}

/// Answers a call: `start` makes the handler, if it has to run, and it runs to its end whoever
/// stops waiting. `hold` is kept until its outcome is, or as long as that can be told at once; it
/// is given back while the call waits for another one.
pub(crate) async fn once<F>(
    outcomes: &Outcomes,
    asked: Asked<'_>,
    mut hold: impl Hold,
    start: impl FnOnce() -> Result<F, Status>,
) -> Result<Answered, Status>
where
    F: Future<Output = Ended> + Send + 'static,
{
    let deadline = asked.deadline.clone();
    let Some(ask) = ask(&asked)? else {
        let ended = within(outcomes, deadline, start()?).await;
        return ended.map(|it| Answered::fresh(it.response)).map_err(late);
    };
    let grant = match turn(outcomes, ask, deadline.as_ref(), &mut hold).await? {
        // The grant is dropped, which lets the work go.
        Turn::Run(_) if has_passed(deadline.as_ref()) => return Err(too_late()),
        Turn::Run(grant) => grant,
        Turn::Replay(Some(kept)) => return replay(kept, &asked),
        refused => return Err(refusal(&refused, &asked)),
    };
    // The grant lets the work go when the handler cannot be made.
    let handler = start()?;
    let (patience, contract) = (deadline.clone(), asked.idempotent.contract());
    let running = grant.run(asked.idempotent.terms().kept_for(), async move {
        let ended = handler.await;
        let keep = keep(&ended, contract, deadline.as_ref());
        ((ended.response, hold), keep)
    });
    let ran = within(outcomes, patience, running).await.map_err(late)?;
    let ((response, _hold), kept) = ran.map_err(cut_off)?;
    Ok(Answered::kept(response, kept))
}

/// What to do about a call. Nothing is held while it waits for another one.
async fn turn(
    outcomes: &Outcomes,
    mut ask: Ask,
    deadline: Option<&Deadline>,
    hold: &mut impl Hold,
) -> Result<Turn, Status> {
    let runner = outcomes.runner();
    let at_once = runner.begin_now(&ask).await.map_err(unavailable)?;
    // Asking took time, too.
    ask.wait = patience(deadline);
    if !matches!(at_once, Turn::Busy) || ask.wait.is_zero() {
        return Ok(at_once);
    }
    hold.leave();
    let turn = runner.begin(&ask).await.map_err(unavailable)?;
    if let Turn::Run(_) = &turn {
        let left = deadline.map_or(ENTER_MAX, Deadline::remaining);
        let entering = runner.time().timeout(left.min(ENTER_MAX), hold.enter());
        let too_long = |_| Err(no_place(deadline));
        entering.await.unwrap_or_else(too_long)?;
    }
    Ok(turn)
}

/// How long a call waits for another one.
fn patience(deadline: Option<&Deadline>) -> Duration {
    deadline.map_or(WAIT, |it| it.remaining().saturating_sub(WAIT_MARGIN))
}

fn has_passed(deadline: Option<&Deadline>) -> bool {
    deadline.is_some_and(Deadline::has_passed)
}

/// What of an answer is kept. After its deadline a handler fails because of it, which says nothing
/// about the work.
fn keep(ended: &Ended, contract: &str, deadline: Option<&Deadline>) -> Keep {
    let failed = !ended.response.error_code.is_empty();
    if ended.is_final && !(failed && has_passed(deadline)) {
        Keep::Outcome(kept::encode(&ended.response, contract))
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
    if key.is_empty() {
        return if asked.idempotent.terms().is_required() {
            Err(Status::invalid_argument(format!(
                "`{method}` takes an idempotency key, {}",
                asked.idempotent.lacks()
            )))
        } else {
            Ok(None)
        };
    }
    if key.len() > TEXT_BYTES_MAX {
        return Err(Status::invalid_argument(format!(
            "an idempotency key has at most {TEXT_BYTES_MAX} bytes"
        )));
    }
    let caller = asked.caller.filter(|_| asked.idempotent.is_per_caller());
    Ok(Some(Ask {
        work: Arc::new(Work {
            operation: (*method).to_owned(),
            scope: caller.map_or_else(String::new, |it| it.service.to_string()),
            key,
        }),
        digest: Sha256::digest(asked.payload).into(),
        lease: LEASE,
        wait: patience(asked.deadline.as_ref()),
    }))
}

async fn within<F: Future>(
    outcomes: &Outcomes,
    deadline: Option<Deadline>,
    work: F,
) -> Result<F::Output, Elapsed> {
    match deadline {
        Some(deadline) => {
            outcomes
                .runner()
                .time()
                .timeout(deadline.remaining(), work)
                .await
        }
        None => Ok(work.await),
    }
}

fn replay(kept: Bytes, asked: &Asked<'_>) -> Result<Answered, Status> {
    match kept::decode(kept, asked.idempotent.contract()) {
        Ok(response) => Ok(Answered {
            replay: Replay::Replayed,
            ..Answered::fresh(response)
        }),
        Err(NotGiven::OtherContract) => Err(was_done(
            asked,
            "is of another version of the contract, and cannot be given as one of this version",
        )),
        Err(NotGiven::Broken(error)) => {
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

fn cut_off(cut_off: CutOff) -> Status {
    Status::deadline_exceeded(cut_off.to_string())
}

fn no_place(deadline: Option<&Deadline>) -> Status {
    if has_passed(deadline) {
        return too_late();
    }
    not_dispatched(Status::resource_exhausted(
        "the instance is overloaded: the call waited for another one, and there is no free slot",
    ))
}

fn too_late() -> Status {
    not_dispatched(Status::deadline_exceeded(
        "the deadline passed before the call could begin; nothing ran",
    ))
}

/// Nothing ran, so the call may be repeated at once and elsewhere.
fn unavailable(error: StoreError) -> Status {
    let mut status = not_dispatched(match error {
        StoreError::Full(text) => Status::resource_exhausted(text),
        other => Status::unavailable(other.to_string()),
    });
    let one = MetadataValue::from_static("1");
    status.metadata_mut().insert(ABOUT_KEY, one);
    status
}

fn refusal(turn: &Turn, asked: &Asked<'_>) -> Status {
    let method = asked.method;
    match turn {
        Turn::Conflict => Status::failed_precondition(format!(
            "the idempotency key of this call of `{method}` was used for another request; use a \
             new key"
        )),
        Turn::Busy => Status::already_exists(format!(
            "the first call of `{method}` with this idempotency key is still being worked on"
        )),
        // Neither run nor a kept answer are refused: what is left is work without its answer.
        _ => was_done(asked, "was too large to keep"),
    }
}

fn was_done(asked: &Asked<'_>, its_answer: &str) -> Status {
    let method = asked.method;
    Status::already_exists(format!(
        "the work of this call of `{method}` was done; its answer {its_answer}"
    ))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod place_tests;
