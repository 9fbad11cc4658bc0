//! Outcomes in the runtime, over `bridge.v1.Outcomes`.
//!
//! A runtime that does not know that service (another implementation of `servicebridge.v1`, or an
//! older one for as long as an upgrade takes) is said once in the log; outcomes are in bounded
//! memory of this process for a minute then, and after it the runtime is asked again.
//!
//! Invariant: a claim ends where it was begun, and what memory knows of a piece of work counts for
//! as long as it does.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bridge_tower::idempotency::{
    Answering, Ask, Begun, Claim, Memory, Settled, Store, StoreError, Work,
};
use bytes::Bytes;
use contract::clock::Monotonic;
use contract::grpc::bridge as wire;
use contract::grpc::bridge::begin_response::Result as Wire;
use contract::grpc::bridge::outcomes_client::OutcomesClient;
use contract::transport::Channel;
use parking_lot::Mutex;
use tonic::{Code, Request, Response, Status};

use crate::link::CONNECT_TIMEOUT_MAX;
use crate::session::Session;

/// Time the runtime has for an answer, besides what it waits for others.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Longest wait the runtime takes.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long a runtime that keeps no outcomes is not asked.
const ABSENT: Duration = Duration::from_secs(60);
/// Marks epochs of claims in memory; the runtime's are positive numbers of 63 bits.
const IN_MEMORY: u64 = 1 << 63;
/// Largest outcome that is sent; of a larger one only that the work was done. The runtime takes
/// messages of 4 MiB.
const OUTCOME_BYTES_MAX: usize = 4 * 1024 * 1024 - 4 * 1024;

/// Outcomes of this service in the runtime. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remote(Arc<Inner>);

struct Inner {
    session: Arc<Session>,
    /// Until when the runtime, which turned out not to keep outcomes, is not asked.
    absent: Mutex<Option<Monotonic>>,
    instead: Memory,
}

/// Why the runtime gave no answer.
enum Unanswered {
    /// It does not know the question.
    Absent,
    Failed(StoreError),
}

impl Remote {
    pub(super) fn new(session: &Arc<Session>) -> Self {
        Self(Arc::new(Inner {
            session: session.clone(),
            absent: Mutex::default(),
            instead: Memory::new().clock(&session.clock),
        }))
    }

    /// Whether the runtime keeps no outcomes, as far as is known.
    fn is_absent(&self) -> bool {
        let absent = *self.0.absent.lock();
        absent.is_some_and(|until| until > self.0.session.clock.monotonic())
    }

    /// Says once that the runtime keeps no outcomes.
    fn found_absent(&self) {
        let until = self.0.session.clock.monotonic() + ABSENT;
        if self.0.absent.lock().replace(until).is_none() {
            tracing::error!(
                "the runtime keeps no outcomes: work is done once per process only, and not \
                 beyond its end; use a runtime that serves bridge.v1.Outcomes"
            );
        }
    }

    fn found(&self) {
        if self.0.absent.lock().take().is_some() {
            tracing::info!("the runtime keeps outcomes again");
        }
    }

    /// Asks the runtime with `ask`, which gets the time it has.
    async fn runtime<T, A>(
        &self,
        wait: Duration,
        ask: impl FnOnce(OutcomesClient<Channel>, Duration) -> A,
    ) -> Result<T, Unanswered>
    where
        A: Future<Output = Result<T, Status>>,
    {
        let failed = |text: String| Unanswered::Failed(StoreError::Unavailable(text));
        let session = &self.0.session;
        let channel = session.runtime.channel(CONNECT_TIMEOUT_MAX).await;
        let channel = channel.map_err(|error| {
            failed(format!(
                "the runtime, which keeps outcomes, is away: {error}"
            ))
        })?;
        let origin = channel.origin();
        let client = OutcomesClient::with_origin(channel, origin);
        let within = wait + ANSWER_MAX;
        let asking = session.clock.timeout(within, ask(client, within));
        let answered = asking.await.map_err(|_| {
            failed("the runtime, which keeps outcomes, did not answer in time".to_owned())
        })?;
        match answered {
            Ok(answer) => {
                self.found();
                Ok(answer)
            }
            Err(status) if status.code() == Code::Unimplemented => {
                self.found_absent();
                Err(Unanswered::Absent)
            }
            Err(status) if status.code() == Code::ResourceExhausted => Err(Unanswered::Failed(
                StoreError::Full(status.message().to_owned()),
            )),
            Err(status) => Err(failed(format!(
                "the runtime, which keeps outcomes, failed: {}",
                status.message()
            ))),
        }
    }

    /// The same about a claim, which is where it was begun.
    async fn about<T, A>(
        self,
        claim: Claim,
        ask: impl FnOnce(OutcomesClient<Channel>, Duration) -> A,
        instead: impl FnOnce(&Memory, &Claim) -> Answering<T>,
    ) -> Result<T, StoreError>
    where
        A: Future<Output = Result<T, Status>>,
    {
        if claim.epoch & IN_MEMORY != 0 {
            let claim = Claim {
                epoch: claim.epoch & !IN_MEMORY,
                ..claim
            };
            return instead(&self.0.instead, &claim).await;
        }
        let asked = self.runtime(Duration::ZERO, ask).await;
        asked.map_err(|unanswered| match unanswered {
            Unanswered::Failed(error) => error,
            Unanswered::Absent => StoreError::Unavailable(
                "the runtime keeps no outcomes any more; it did when this one was begun".to_owned(),
            ),
        })
    }

    async fn begin_in_memory(&self, ask: Ask) -> Result<Begun, StoreError> {
        Ok(match self.0.instead.begin(ask).await? {
            Begun::Run(claim) => Begun::Run(Claim {
                epoch: claim.epoch | IN_MEMORY,
                ..claim
            }),
            begun => begun,
        })
    }
}

impl Store for Remote {
    fn begin(&self, ask: Ask) -> Answering<Begun> {
        let remote = self.clone();
        Box::pin(async move {
            if remote.0.instead.holds(&ask.work) || remote.is_absent() {
                return remote.begin_in_memory(ask).await;
            }
            let wait = ask.wait.min(WAIT_MAX);
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
            match remote.runtime(wait, asking).await {
                Ok(begun) => Ok(begun),
                Err(Unanswered::Absent) => remote.begin_in_memory(ask).await,
                Err(Unanswered::Failed(error)) => Err(error),
            }
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
            let instead = |memory: &Memory, claim: &Claim| memory.renew(claim, lease);
            remote.about(claim, asking, instead).await
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
            let instead = |memory: &Memory, claim: &Claim| memory.settle(claim, outcome, keep);
            remote.about(claim, asking, instead).await
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
            let instead = |memory: &Memory, claim: &Claim| memory.release(claim);
            remote.about(claim, asking, instead).await
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
