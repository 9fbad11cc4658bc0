//! Calls with an idempotency key: forwarded once, answered from what was kept after that.
//!
//! The key is claimed before the call is forwarded. What an instance answered, a handler's error
//! included, is kept for `rpc.idempotency_rpc_ttl_ms` and synced before the caller hears it. What
//! failed on the way is not an answer: the claim is let go, and a repeat is forwarded again. So is
//! a repeat after the runtime was killed in the middle, once the first call's deadline has passed.
//!
//! A call without a key comes by here and pays for a comparison.
//!
//! Invariant: while a claim lasts, no other call of the same caller, target, method and key is
//! forwarded.

use std::time::Duration;

use contract::grpc::v1;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use tonic::Status;

use super::engine::{Forward, Proxy};
use crate::outcomes::{Asked, Begun, Claim, Outcomes, Settled, Work};

/// What the works of the proxy are called, so that they never meet those of services.
const KIND: &str = "invoke";
/// How much longer than the call itself a claim lasts, so that the answer can still be stored.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// Longest wait for an answer to be stored; the caller gets it all the same.
const SETTLE_MAX: Duration = Duration::from_secs(5);

/// An answer, and whether it is an earlier call's.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) response: v1::InvokeResponse,
    pub(super) is_replay: bool,
}

/// Forwards a unary call, or answers it as the first one with its key was answered.
pub(super) async fn unary(proxy: &Proxy, forward: Forward) -> Result<Answered, Status> {
    if forward.request.idempotency_key.is_empty() {
        let response = proxy.unary(forward).await?;
        return Ok(fresh(response));
    }
    // A caller that may not call gets no kept answer either.
    proxy.admit(&forward)?;
    let asked = asked(proxy, &forward)?;
    let claim = match proxy.outcomes().begin(asked).await? {
        Begun::Run(claim) => Held::new(proxy.outcomes(), claim),
        Begun::Replay(Some(body)) => return replay(&body),
        refused => return Err(refusal(&refused, &forward.request)),
    };
    let answered = proxy.unary(forward).await;
    match &answered {
        Ok(response) => {
            let storing = claim.settle(response.encode_to_vec(), proxy.keep());
            // What was not stored is logged; the caller has waited long enough.
            let stored = proxy.clock().timeout(SETTLE_MAX, storing).await;
            if stored.is_err() {
                tracing::warn!("the answer of an idempotent call was not stored in time");
            }
        }
        Err(_) => claim.release().await,
    }
    answered.map(fresh)
}

fn fresh(response: v1::InvokeResponse) -> Answered {
    Answered {
        response,
        is_replay: false,
    }
}

fn replay(body: &[u8]) -> Result<Answered, Status> {
    let response = v1::InvokeResponse::decode(body).map_err(|error| {
        tracing::error!(%error, "a stored answer cannot be read");
        Status::internal("the stored answer of this call cannot be read")
    })?;
    Ok(Answered {
        response,
        is_replay: true,
    })
}

fn asked(proxy: &Proxy, forward: &Forward) -> Result<Asked, Status> {
    let request = &forward.request;
    let caller = forward.caller.to_string();
    let work = Work {
        kind: KIND,
        owner: &caller,
        operation: &request.method,
        scope: &request.target_service_id,
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
        work: work.digest(),
        request: sent.finalize().into(),
        lease: left + LEASE_MARGIN,
        wait: Duration::ZERO,
    })
}

fn refusal(begun: &Begun, request: &v1::InvokeRequest) -> Status {
    let (key, method) = (&request.idempotency_key, &request.method);
    match begun {
        Begun::Conflict => Status::failed_precondition(format!(
            "the idempotency key `{key}` was used for another request to `{method}`; use a new key"
        )),
        Begun::Busy => Status::already_exists(format!(
            "a call of `{method}` with the idempotency key `{key}` is in progress"
        )),
        // Run and a kept answer are no refusals; what is left is work whose answer was not kept.
        _ => Status::already_exists(format!(
            "the call of `{method}` with the idempotency key `{key}` was carried out; its answer \
             was too large to keep"
        )),
    }
}

/// A claim that is let go unless it is settled, also when the caller goes away in between.
struct Held {
    outcomes: Outcomes,
    claim: Option<Claim>,
}

impl Held {
    fn new(outcomes: &Outcomes, claim: Claim) -> Self {
        Self {
            outcomes: outcomes.clone(),
            claim: Some(claim),
        }
    }

    /// So that whoever repeats the call at once is not told that it is in progress.
    async fn release(mut self) {
        if let Some(claim) = self.claim.take() {
            release(self.outcomes.clone(), claim).await;
        }
    }

    async fn settle(mut self, body: Vec<u8>, keep: Duration) {
        let Some(claim) = self.claim.take() else {
            return;
        };
        match self.outcomes.settle(claim, Some(body), keep).await {
            Ok(Settled::Kept | Settled::WithoutBody) => {}
            Ok(Settled::Lost) => {
                tracing::warn!("an idempotent call was answered after its claim had ended");
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the answer of an idempotent call was not stored");
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The caller went away in the middle, and with it the call.
        if let Some(claim) = self.claim.take() {
            tokio::spawn(release(self.outcomes.clone(), claim));
        }
    }
}

async fn release(outcomes: Outcomes, claim: Claim) {
    if let Err(error) = outcomes.release(claim).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "a claim was not released; it ends by itself");
    }
}
