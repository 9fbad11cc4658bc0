//! A claim in hand: renewed while its work runs, ended once.
//!
//! Ending has two parts. First the store is tried once, for a second at most, so that whoever is
//! answered can rely on it. When the store is away the answer is given nevertheless, and keeping
//! it goes on for minutes: a runtime that restarts is no reason to do work twice.
//!
//! Invariant: a claim is settled or released by one task, and renewed until then by another, so
//! that neither a handler that blocks its thread nor a store that hangs delays the other.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use contract::task::{Boxed, spawn};
use tokio::task::AbortHandle;
use tracing::Instrument as _;

use super::store::{Answering, Claim, Settled, Store, StoreError, Work};
use super::under_way::{Entry, LatePlace, Place, Stage, UnderWay};

/// How long a claim lasts without being renewed; it is renewed three times in that.
pub const LEASE: Duration = Duration::from_secs(15);
/// Pause before a claim is renewed that could not be.
const RENEW_AGAIN: Duration = Duration::from_secs(1);
/// Time the store has to keep an outcome before anybody hears it.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Time it has for each later try, and the pauses between them, first and longest.
const TRY_MAX: Duration = Duration::from_secs(5);
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How long keeping an outcome is tried.
const SETTLE_FOR: Duration = Duration::from_secs(10 * 60);

/// What is to become of an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
pub enum Kept {
    /// Repeats are answered with it.
    Outcome,
    /// Repeats learn that the work was done.
    Done,
    /// A repeat does the work again, as the work wanted it.
    Nothing,
    /// The store is away. It is tried for ten minutes, and repeats that reach this process are
    /// answered with it meanwhile.
    Later,
    /// The store could not take it, or somebody else had taken the claim over.
    Failed,
}

/// Where claims end, and what that goes by.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Clock,
    pub(super) under_way: Arc<UnderWay>,
}

/// The right to do a piece of work, with the duty to say what came of it. Dropping it lets the work
/// go: the next one who asks does it.
#[derive(Debug)]
pub struct Grant {
    pub(super) ends: Ends,
    pub(super) entry: Arc<Entry>,
    pub(super) run_max: Duration,
    claim: Claim,
    /// Until it was settled, released or given up.
    is_open: bool,
    is_lost: Arc<AtomicBool>,
    /// Given back as soon as nothing runs.
    place: Option<Place>,
}

/// Renews a claim until it is dropped.
pub(super) struct Renewing(AbortHandle);

impl Drop for Renewing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Ends {
    async fn within<T>(
        &self,
        span: Duration,
        answering: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answered = self.clock.timeout(span, answering).await;
        answered.unwrap_or_else(|_| {
            let text = format!("the store did not answer within {} s", span.as_secs());
            Err(StoreError::Unavailable(text))
        })
    }

    /// Said and counted once, whoever notices first.
    fn lost(&self, claim: &Claim, is_lost: &AtomicBool) {
        if is_lost.swap(true, Ordering::Relaxed) {
            return;
        }
        self.under_way.counters.add(|it| &it.lost);
        let Work { operation, key, .. } = &*claim.work;
        tracing::warn!(
            operation,
            key,
            "idempotent work lost its claim: somebody else may have done it, too"
        );
    }

    async fn renew_for_ever(self, claim: Claim, is_lost: Arc<AtomicBool>) {
        let mut pause = LEASE / 3;
        loop {
            self.clock.sleep(pause).await;
            let renewing = self.store.renew(&claim, LEASE);
            match self.within(LEASE / 3, renewing).await {
                Ok(true) => pause = LEASE / 3,
                Ok(false) => return self.lost(&claim, &is_lost),
                Err(error) => {
                    if pause != RENEW_AGAIN {
                        let key = &*claim.work.key;
                        tracing::warn!(%error, key, "a claim on idempotent work was not renewed");
                    }
                    pause = RENEW_AGAIN;
                }
            }
        }
    }
}

impl Grant {
    pub(super) fn new(
        ends: Ends,
        run_max: Duration,
        entry: Arc<Entry>,
        (claim, place): (Claim, Place),
    ) -> Self {
        Self {
            ends,
            entry,
            run_max,
            claim,
            is_open: true,
            is_lost: Arc::default(),
            place: Some(place),
        }
    }

    pub(super) fn renewing(&self) -> Renewing {
        let renewing = self
            .ends
            .clone()
            .renew_for_ever(self.claim.clone(), self.is_lost.clone());
        let task = spawn(renewing.instrument(tracing::Span::current()));
        Renewing(task.abort_handle())
    }

    /// Keeps what is to be kept, for `keep`, and tells what became of it as soon as that is known;
    /// goes on afterwards if it has to.
    pub(super) async fn end(mut self, wanted: Keep, keep: Duration, tell: impl FnOnce(Kept)) {
        self.place = None;
        let outcome = match wanted {
            Keep::Outcome(outcome) => Some(outcome),
            Keep::Done => None,
            Keep::Nothing => {
                self.release().await;
                return tell(Kept::Nothing);
            }
        };
        let mut settling = self.ends.store.settle(&self.claim, outcome.clone(), keep);
        let at_once = self.ends.clock.timeout(AT_ONCE, &mut settling).await;
        let (why, settling) = match at_once {
            Ok(Ok(settled)) => {
                let kept = self.settled(settled, outcome.is_some());
                drop(self);
                return tell(kept);
            }
            Ok(Err(error)) => (error.to_string(), None),
            // It may be on its way: it is not cut off.
            Err(_) => ("the store is slow".to_owned(), Some(settling)),
        };
        let Some(late) = self.ends.under_way.late(outcome) else {
            self.give_up("too many outcomes wait to be kept");
            return tell(Kept::Failed);
        };
        let Work { operation, key, .. } = &*self.claim.work;
        tracing::warn!(
            operation,
            key,
            why,
            "an outcome is not kept yet; keeping it goes on"
        );
        self.entry.is_late(late.outcome.clone());
        tell(Kept::Later);
        self.end_later(late, keep, settling).await;
    }

    /// Goes on keeping an outcome, beginning with what was tried already.
    async fn end_later(
        mut self,
        late: LatePlace,
        keep: Duration,
        mut tried: Option<Answering<Settled>>,
    ) {
        let until = self.ends.clock.monotonic() + SETTLE_FOR;
        let mut pause = PAUSES.0;
        loop {
            let settling = match tried.take() {
                Some(settling) => settling,
                None => {
                    self.ends.clock.sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                    let store = &self.ends.store;
                    store.settle(&self.claim, late.outcome.clone(), keep)
                }
            };
            let error = match self.ends.within(TRY_MAX, settling).await {
                Ok(settled) => return self.settled_late(settled),
                Err(error) => error,
            };
            if self.ends.under_way.stage() == Stage::Closed {
                return self.give_up("the service stopped");
            }
            if self.ends.clock.monotonic() >= until {
                return self.give_up(&error.to_string());
            }
        }
    }

    /// What became of an outcome that the store took in.
    fn settled(&mut self, settled: Settled, has_body: bool) -> Kept {
        self.is_open = false;
        match settled {
            Settled::Kept if has_body => Kept::Outcome,
            Settled::Kept | Settled::WithoutBody => Kept::Done,
            Settled::Lost => {
                self.ends.lost(&self.claim, &self.is_lost);
                Kept::Failed
            }
        }
    }

    fn settled_late(&mut self, settled: Settled) {
        if self.settled(settled, true) != Kept::Failed {
            self.ends.under_way.counters.add(|it| &it.kept_late);
            let Work { operation, key, .. } = &*self.claim.work;
            tracing::info!(operation, key, "an outcome is kept after all");
        }
    }

    /// Lets the work go; its lease ends it if that cannot be said.
    pub(super) async fn release(mut self) {
        self.is_open = false;
        let releasing = self.ends.store.release(&self.claim);
        if let Err(error) = self.ends.within(AT_ONCE, releasing).await {
            tracing::warn!(%error, "a claim was not released; its lease ends it");
        }
    }

    /// Says that the work was dropped before its end.
    pub(super) fn cut_off(&self) {
        self.ends.under_way.counters.add(|it| &it.cut_off);
        let Work { operation, key, .. } = &*self.claim.work;
        tracing::error!(
            operation,
            key,
            "idempotent work was cut off; whether it was done is unknown"
        );
    }

    fn give_up(&mut self, why: &str) {
        self.is_open = false;
        self.ends.under_way.counters.add(|it| &it.given_up);
        let Work { operation, key, .. } = &*self.claim.work;
        tracing::error!(
            operation,
            key,
            why,
            "an outcome is not kept: a repeat does the work again"
        );
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.ends.under_way.leave(&self.entry);
        if !self.is_open {
            return;
        }
        if let Ok(handle) = tokio::runtime::Handle::try_current() {
            let (ends, claim) = (self.ends.clone(), self.claim.clone());
            // What cannot be released ends by itself.
            let release: Boxed<_> =
                Box::pin(async move { ends.within(AT_ONCE, ends.store.release(&claim)).await });
            handle.spawn(release);
        }
    }
}
