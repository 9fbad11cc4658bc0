//! Running work under a claim: to its end, whoever stops waiting for it.
//!
//! The work has a task of its own. A caller that gives up and comes again meets the first run,
//! not a second one beside a half-done first. The claim is renewed while the work runs; what came
//! of it is kept before anybody hears it.
//!
//! Invariant: a claim is settled or released exactly once, also when the work panics.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use tracing::Instrument as _;

use super::store::{Claim, Settled, Store};
use crate::context;

/// How long a claim lasts without being renewed; it is renewed three times in that.
pub const LEASE: Duration = Duration::from_secs(15);
/// Tries to keep an outcome, and the pause after the first; each further pause is four times as
/// long.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(100);

/// What is to become of an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Repeats are answered with it.
    Outcome(Bytes),
    /// Repeats learn that the work was done.
    Done,
    /// A repeat does the work again.
    Nothing,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Repeats are answered with it.
    Outcome,
    /// Repeats learn that the work was done.
    Done,
    /// A repeat does the work again, as the work wanted it.
    Nothing,
    /// A repeat does the work again, because the store could not keep the outcome.
    Failed,
}

/// How work is run.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Where outcomes are kept.
    pub store: Arc<dyn Store>,
    /// Leases and pauses go by it.
    pub clock: Clock,
    /// How long an outcome is kept.
    pub keep: Duration,
}

impl Runner {
    /// Runs `work` under `claim`. It goes on when the returned future is dropped.
    ///
    /// # Panics
    ///
    /// As the work does; then nothing is kept.
    pub async fn run<T, F>(self, claim: Claim, work: F) -> (T, Kept)
    where
        T: Send + 'static,
        F: Future<Output = (T, Keep)> + Send + 'static,
    {
        let held = Held {
            runner: self,
            claim: Some(claim),
        };
        let running = async move {
            let (answer, keep) = held.renewing(work).await;
            let kept = held.end(keep).await;
            (answer, kept)
        };
        let running = running.instrument(tracing::Span::current());
        let joined = match context::current() {
            Some(current) => tokio::spawn(context::scope(current, running)).await,
            None => tokio::spawn(running).await,
        };
        match joined {
            Ok(ended) => ended,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Only a runtime that shuts down cancels it, and then nobody is answered.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

/// A claim that is let go unless it was ended.
struct Held {
    runner: Runner,
    claim: Option<Claim>,
}

impl Held {
    async fn renewing<F: Future>(&self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        loop {
            match self.runner.clock.timeout(LEASE / 3, work.as_mut()).await {
                Ok(ended) => return ended,
                Err(_) => self.renew(),
            }
        }
    }

    /// Asks for another lease, without keeping the work from going on meanwhile.
    fn renew(&self) {
        let Some(claim) = &self.claim else { return };
        let renewing = self.runner.store.renew(claim, LEASE);
        tokio::spawn(async move {
            match renewing.await {
                Ok(true) => {}
                Ok(false) => tracing::warn!("idempotent work goes on whose claim has ended"),
                Err(error) => tracing::warn!(%error, "a claim on idempotent work was not renewed"),
            }
        });
    }

    async fn end(mut self, keep: Keep) -> Kept {
        let Some(claim) = self.claim.take() else {
            return Kept::Nothing;
        };
        let (outcome, wanted) = match keep {
            Keep::Outcome(outcome) => (Some(outcome), Kept::Outcome),
            Keep::Done => (None, Kept::Done),
            Keep::Nothing => {
                self.runner.release(&claim).await;
                return Kept::Nothing;
            }
        };
        match self.runner.settle(&claim, outcome).await {
            Some(Settled::Kept) => wanted,
            Some(Settled::WithoutBody) => Kept::Done,
            Some(Settled::Lost) => {
                tracing::warn!(
                    "idempotent work ended after its claim had; its outcome is not kept"
                );
                Kept::Failed
            }
            None => Kept::Failed,
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(claim) = self.claim.take() else {
            return;
        };
        // The work panicked, or everything ends and the lease does it.
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            let runner = self.runner.clone();
            handle.spawn(async move { runner.release(&claim).await });
        }
    }
}

impl Runner {
    async fn settle(&self, claim: &Claim, outcome: Option<Bytes>) -> Option<Settled> {
        let mut pause = PAUSE;
        for left in (0..TRIES).rev() {
            match self.store.settle(claim, outcome.clone(), self.keep).await {
                Ok(settled) => return Some(settled),
                Err(error) if left == 0 => {
                    let key = &*claim.work.key;
                    tracing::error!(%error, key, "an outcome is not kept: a repeat does the work again");
                }
                Err(_) => {
                    self.clock.sleep(pause).await;
                    pause *= 4;
                }
            }
        }
        None
    }

    async fn release(&self, claim: &Claim) {
        if let Err(error) = self.store.release(claim).await {
            tracing::warn!(%error, "a claim was not released; its lease ends it");
        }
    }
}
