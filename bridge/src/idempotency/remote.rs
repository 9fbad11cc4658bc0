//! Outcomes in the runtime, over `bridge.v1.Outcomes`.
//!
//! A runtime that does not know that service (another implementation of `servicebridge.v1`) is
//! said once in the log; from then on outcomes are in bounded memory of this process.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bridge_tower::idempotency::{
    Answering, Ask, Begun, Claim, Memory, Settled, Store, StoreError, Work,
};
use bytes::Bytes;
use contract::grpc::bridge as wire;
use contract::grpc::bridge::begin_response::Result as Wire;
use contract::grpc::bridge::outcomes_client::OutcomesClient;
use contract::transport::Channel;
use tonic::{Code, Request, Response, Status};

use crate::link::CONNECT_TIMEOUT_MAX;
use crate::session::Session;

/// Time the runtime has for an answer, besides what it waits for others.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Longest wait the runtime takes.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);
/// Largest outcome that is sent; of a larger one only that the work was done. The runtime takes
/// messages of 4 MiB.
const OUTCOME_BYTES_MAX: usize = 4 * 1024 * 1024 - 4 * 1024;

/// Outcomes of this service in the runtime. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remote(Arc<Inner>);

struct Inner {
    session: Arc<Session>,
    /// Set once the runtime turned out not to keep outcomes.
    is_absent: AtomicBool,
    instead: Memory,
}

impl Remote {
    pub(super) fn new(session: &Arc<Session>) -> Self {
        Self(Arc::new(Inner {
            session: session.clone(),
            is_absent: AtomicBool::new(false),
            instead: Memory::new().clock(&session.clock),
        }))
    }

    /// Asks the runtime with `ask`, or, where it keeps no outcomes, the memory with `instead`.
    async fn answer<T, A>(
        self,
        wait: Duration,
        ask: impl FnOnce(OutcomesClient<Channel>, Duration) -> A,
        instead: impl FnOnce(&Memory) -> Answering<T>,
    ) -> Result<T, StoreError>
    where
        A: Future<Output = Result<T, Status>>,
    {
        if self.0.is_absent.load(Ordering::Relaxed) {
            return instead(&self.0.instead).await;
        }
        let channel = self.0.session.runtime.channel(CONNECT_TIMEOUT_MAX).await;
        let channel = channel.map_err(|error| {
            StoreError::Unavailable(format!(
                "the runtime, which keeps outcomes, is away: {error}"
            ))
        })?;
        let origin = channel.origin();
        let client = OutcomesClient::with_origin(channel, origin);
        let within = wait + ANSWER_MAX;
        let asking = self.0.session.clock.timeout(within, ask(client, within));
        match asking.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(status)) if status.code() == Code::Unimplemented => {
                if !self.0.is_absent.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        "the runtime keeps no outcomes: work is done once per process only, and \
                         not beyond its end; use a runtime that serves bridge.v1.Outcomes"
                    );
                }
                instead(&self.0.instead).await
            }
            Ok(Err(status)) if status.code() == Code::ResourceExhausted => {
                Err(StoreError::Full(status.message().to_owned()))
            }
            Ok(Err(status)) => {
                let text = format!(
                    "the runtime, which keeps outcomes, failed: {}",
                    status.message()
                );
                Err(StoreError::Unavailable(text))
            }
            Err(_) => {
                let text = "the runtime, which keeps outcomes, did not answer in time";
                Err(StoreError::Unavailable(text.to_owned()))
            }
        }
    }
}

impl Store for Remote {
    fn begin(&self, ask: Ask) -> Answering<Begun> {
        let remote = self.clone();
        let wait = ask.wait.min(WAIT_MAX);
        Box::pin(async move {
            let request = wire::BeginRequest {
                work: Some(named(&ask.work)),
                request_digest: ask.digest.to_vec(),
                lease_ms: millis(ask.lease),
                wait_ms: millis(wait),
            };
            let work = ask.work.clone();
            let asking = move |mut client: OutcomesClient<Channel>, within| async move {
                let answer = client.begin(timed(request, within)).await?;
                begun(answer.into_inner(), work)
            };
            remote
                .answer(wait, asking, |memory| memory.begin(ask))
                .await
        })
    }

    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool> {
        let (remote, claim) = (self.clone(), claim.clone());
        Box::pin(async move {
            let request = wire::RenewRequest {
                work: Some(named(&claim.work)),
                epoch: claim.epoch,
                lease_ms: millis(lease),
            };
            let asking = move |mut client: OutcomesClient<Channel>, within| async move {
                let answer = client.renew(timed(request, within)).await;
                answer.map(|it| it.into_inner().held)
            };
            let instead = |memory: &Memory| memory.renew(&claim, lease);
            remote.answer(Duration::ZERO, asking, instead).await
        })
    }

    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled> {
        let (remote, claim) = (self.clone(), claim.clone());
        Box::pin(async move {
            let sent = outcome.clone().filter(|it| it.len() <= OUTCOME_BYTES_MAX);
            let wanted = outcome.is_some();
            let request = wire::SettleRequest {
                work: Some(named(&claim.work)),
                epoch: claim.epoch,
                outcome: Some(wire::Outcome {
                    body: sent.map(Into::into),
                }),
                keep_ms: millis(keep),
            };
            let asking = move |mut client: OutcomesClient<Channel>, within| async move {
                let answer = client.settle(timed(request, within)).await;
                answer.map(Response::into_inner)
            };
            let kept = |answer: wire::SettleResponse| match (answer.held, answer.body_kept) {
                (false, _) => Settled::Lost,
                (true, false) if wanted => Settled::WithoutBody,
                (true, _) => Settled::Kept,
            };
            let asking = move |client, within| {
                let asked = asking(client, within);
                async move { asked.await.map(kept) }
            };
            let instead = |memory: &Memory| memory.settle(&claim, outcome, keep);
            remote.answer(Duration::ZERO, asking, instead).await
        })
    }

    fn release(&self, claim: &Claim) -> Answering<()> {
        let (remote, claim) = (self.clone(), claim.clone());
        Box::pin(async move {
            let request = wire::ReleaseRequest {
                work: Some(named(&claim.work)),
                epoch: claim.epoch,
            };
            let asking = move |mut client: OutcomesClient<Channel>, within| async move {
                client.release(timed(request, within)).await.map(|_| ())
            };
            let instead = |memory: &Memory| memory.release(&claim);
            remote.answer(Duration::ZERO, asking, instead).await
        })
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote")
    }
}

fn named(work: &Work) -> wire::Work {
    wire::Work {
        operation: work.operation.clone(),
        scope: work.scope.clone(),
        key: work.key.clone(),
    }
}

fn timed<T>(message: T, within: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(within);
    request
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn begun(answer: wire::BeginResponse, work: Arc<Work>) -> Result<Begun, Status> {
    Ok(match answer.result {
        Some(Wire::Run(claim)) => Begun::Run(Claim {
            work,
            epoch: claim.epoch,
        }),
        Some(Wire::Replay(outcome)) => Begun::Replay(outcome.body.map(Into::into)),
        Some(Wire::Conflict(_)) => Begun::Conflict,
        Some(Wire::Busy(_)) => Begun::Busy,
        None => {
            let text = "the runtime's answer about an outcome is one of a newer version";
            return Err(Status::internal(text));
        }
    })
}
