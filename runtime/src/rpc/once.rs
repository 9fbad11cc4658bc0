//! Calls with an idempotency key: forwarded once, answered from what was kept after that.
//!
//! ```text
//!  place ─▶ claim ─▶ forward ─┬─ answered ──────────▶ settle, synced, then the caller hears it
//!                             ├─ error, not to keep ▶ release: a repeat is forwarded at once
//!                             ├─ failed on the way ─▶ release: likewise
//!                             └─ cut off ───────────▶ held for HOLD: refused as in progress
//! ```
//!
//! What an instance answered, a handler's error included, is kept for
//! `rpc.idempotency_rpc_ttl_ms`; but for an error of which the instance says that repeats may not
//! get it, because they may succeed. What failed on the way is not an answer. A call is cut off when
//! its deadline passes or its caller leaves: the instance is told to stop, and nobody knows how far
//! it got; a repeat waits until it had time to stop, and is forwarded then. So is a repeat after the
//! runtime was killed in the middle, once the first call's deadline has passed, or the lease that
//! claims get when a runtime starts.
//!
//! An answer that the store refuses is told at once, as one that is kept later, and storing it is
//! tried [again](SETTLE_AGAIN). When that was for nothing a repeat is forwarded once the claim has
//! ended: the work may then be done **again**, unless the instance keeps outcomes too.
//!
//! From the claim on this runs in a task of its own, so that a caller that leaves takes nothing
//! with it but the call: a claim that was stored is ended, and an answer that came is kept.
//!
//! A call without a key comes by here and pays for a comparison.
//!
//! Invariant: while a claim lasts, no other call of the same caller, target, method and key is
//! forwarded; every claim has a place among [`CALLS_MAX`](super::engine::CALLS_MAX) calls.

use std::time::Duration;

use contract::grpc::v1;
use contract::transport::not_dispatched;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use tonic::Status;

use super::engine::Proxy;
use super::forward::{Answered, Forward, NOT_STORED, STORED_LATER, is_unknown};
use super::peers::Lane;
use crate::outcomes::{self, Asked, Begun, Claim, Outcomes, Settled, Work};

/// What the works of the proxy are called, so that they never meet those of services.
const KIND: &str = "invoke";
/// How long a repeat is refused after a call was cut off: what its instance has for stopping. A
/// claim outlasts its call by as much, so that an answer in the last moment can still be stored.
pub(super) const HOLD: Duration = Duration::from_secs(5);
/// Longest wait for an answer to be stored; the caller gets it all the same, and storing goes on.
const SETTLE_MAX: Duration = Duration::from_secs(5);
/// Pauses before an answer that the store refused is given to it again. The call keeps its place
/// meanwhile, so that what waits is bounded.
pub(super) const SETTLE_AGAIN: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(4),
    Duration::from_secs(15),
];

type Answer = Result<Answered, Status>;

/// Forwards a unary call, or answers it as the first one with its key was answered.
pub(super) async fn unary(proxy: &Proxy, forward: Forward) -> Answer {
    // First of all: a claim costs two writes, and overload is no time for them.
    let place = proxy.enter(Lane::Calls)?;
    if forward.request.idempotency_key.is_empty() {
        return proxy.unary(&forward).await;
    }
    let asked = asked(proxy, &forward)?;
    let (tell, told) = oneshot::channel();
    let proxy = proxy.clone();
    tokio::spawn(async move {
        let _place = place;
        match begin(&proxy, &forward.request, asked).await {
            Ok(claim) => run(&proxy, &forward, claim, tell).await,
            // A caller that has left misses nothing.
            Err(known) => drop(tell.send(known)),
        }
    });
    let lost = |_| Err(Status::internal("forwarding the call failed half-way"));
    told.await.unwrap_or_else(lost)
}

/// A claim, or what the caller is told without one.
async fn begin(proxy: &Proxy, request: &v1::InvokeRequest, asked: Asked) -> Result<Claim, Answer> {
    match proxy.outcomes().begin(asked).await {
        Ok(Begun::Run(claim)) => Ok(claim),
        Ok(Begun::Replay(Some(body))) => Err(replay(&body)),
        Ok(refused) => Err(Err(refusal(&refused, request))),
        Err(error) => Err(Err(error.into())),
    }
}

/// Forwards the call and ends its claim. `tell` closes when the caller leaves.
async fn run(proxy: &Proxy, forward: &Forward, claim: Claim, mut tell: oneshot::Sender<Answer>) {
    let left = || Status::cancelled("the caller left");
    let answered = if tell.is_closed() {
        Err(not_dispatched(left()))
    } else {
        tokio::select! {
            answered = proxy.unary(forward) => answered,
            () = tell.closed() => Err(left()),
        }
    };
    match answered {
        Ok(answered) if answered.is_not_to_keep() => {
            // As below. A claim that could not be released ends by itself.
            release(proxy.outcomes(), claim).await;
            drop(tell.send(Ok(answered)));
        }
        Ok(answered) => keep(proxy, claim, answered, tell).await,
        Err(status) => {
            // Before the caller hears of it: its next try may come at once.
            let_go(proxy.outcomes(), claim, &status).await;
            drop(tell.send(Err(status)));
        }
    }
}

/// Tells an answer once it is stored, or when that takes too long or fails. What the instance says
/// of repeats goes before what is said here: it knows of repeats on every way.
async fn keep(proxy: &Proxy, claim: Claim, mut answered: Answered, tell: oneshot::Sender<Answer>) {
    let response = answered.response.clone();
    let mut storing = std::pin::pin!(settle(proxy, claim, &response));
    let stored = proxy.clock().timeout(SETTLE_MAX, storing.as_mut()).await;
    let said = match &stored {
        Ok(Ok(said)) => *said,
        Ok(Err(_)) | Err(_) => Some(STORED_LATER),
    };
    answered.stored = answered.stored.or(said);
    drop(tell.send(Ok(answered)));
    let stored = match stored {
        Ok(stored) => stored,
        Err(_) => {
            tracing::warn!("the answer of an idempotent call takes long to be stored");
            storing.await
        }
    };
    if let Err(error) = stored {
        settle_again(proxy, claim, &response, error).await;
    }
}

/// What is to be said of repeats, if they may not get the answer.
async fn settle(
    proxy: &Proxy,
    claim: Claim,
    response: &v1::InvokeResponse,
) -> Result<Option<&'static str>, outcomes::Error> {
    let body = response.encode_to_vec();
    let settling = proxy.outcomes().settle(claim, Some(body), proxy.keep());
    Ok(match settling.await? {
        Settled::Kept => None,
        Settled::WithoutBody => Some(NOT_STORED),
        Settled::Lost => {
            tracing::warn!("an idempotent call was answered after its claim had ended");
            Some(NOT_STORED)
        }
    })
}

/// Settles what the store refused, unless it goes on refusing.
async fn settle_again(
    proxy: &Proxy,
    claim: Claim,
    response: &v1::InvokeResponse,
    mut refused: outcomes::Error,
) {
    for pause in SETTLE_AGAIN {
        tracing::warn!(error = %refused, "the answer of an idempotent call is not stored yet");
        proxy.clock().sleep(pause).await;
        match settle(proxy, claim, response).await {
            Ok(_) => return,
            Err(error) => refused = error,
        }
    }
    let error: &dyn std::error::Error = &refused;
    tracing::error!(error, "the answer of an idempotent call was not stored");
}

/// Ends a claim without an answer: at once, unless a handler may still be at work.
async fn let_go(outcomes: &Outcomes, claim: Claim, status: &Status) {
    if !is_unknown(status) {
        release(outcomes, claim).await;
    } else if let Err(error) = outcomes.renew(claim, HOLD).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "a claim was not shortened; it ends by itself");
    }
}

async fn release(outcomes: &Outcomes, claim: Claim) {
    if let Err(error) = outcomes.release(claim).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "a claim was not released; it ends by itself");
    }
}

fn replay(body: &[u8]) -> Answer {
    let response = v1::InvokeResponse::decode(body).map_err(|error| {
        tracing::error!(%error, "a stored answer cannot be read");
        Status::internal("the stored answer of this call cannot be read")
    })?;
    Ok(Answered {
        response,
        is_replay: true,
        stored: None,
    })
}

fn asked(proxy: &Proxy, forward: &Forward) -> Result<Asked, Status> {
    // A caller that may not call gets no kept answer either.
    let (service, _) = proxy.admit(forward)?;
    let request = &forward.request;
    let (caller, target) = (forward.caller.to_string(), service.to_string());
    let work = Work {
        kind: KIND,
        owner: &caller,
        operation: &request.method,
        // Not as it was sent: an id may be spelt in several ways.
        scope: &target,
        key: &request.idempotency_key,
    };
    if let Some(fault) = work.fault() {
        return Err(Status::invalid_argument(fault));
    }
    let mut sent = Sha256::new();
    sent.update(request.contract_hash.len().to_be_bytes());
    sent.update(&request.contract_hash);
    sent.update(&request.payload);
    let left = forward.deadline.since(proxy.clock().monotonic());
    Ok(Asked {
        owner: forward.caller,
        work: work.digest(),
        request: sent.finalize().into(),
        lease: left + HOLD,
        wait: Duration::ZERO,
    })
}

fn refusal(begun: &Begun, request: &v1::InvokeRequest) -> Status {
    let (key, method) = (&request.idempotency_key, &request.method);
    match begun {
        Begun::Conflict => Status::failed_precondition(format!(
            "the idempotency key `{key}` was used for another request to `{method}`, or for one of \
             another version of its contract; use a new key for new work"
        )),
        Begun::Busy => Status::already_exists(format!(
            "a call of `{method}` with the idempotency key `{key}` is in progress, or was cut off a \
             moment ago"
        )),
        // Run and a kept answer are no refusals; what is left is work whose answer was not kept.
        _ => Status::already_exists(format!(
            "the call of `{method}` with the idempotency key `{key}` was carried out; its answer \
             was not kept"
        )),
    }
}
