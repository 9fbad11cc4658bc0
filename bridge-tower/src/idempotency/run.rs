//! Running work under a claim: to its end, whoever stops waiting for it.
//!
//! ```text
//!  caller ──▶ begin ──▶ work, a task of its own ──▶ its end is seen to, by another task ──▶ answer
//!   may leave            may block its thread        renews, keeps, goes on when the store is away
//! ```
//!
//! A caller that gives up and comes again meets the first run, not a second one beside a half-done
//! first. Repeats that reach the same process wait here, not at the store.
//!
//! What was asked of the store stays asked when its caller leaves: the answer may be a claim, which
//! has to be let go. So a question keeps its place until it is answered, and is asked to wait for a
//! slice at most.
//!
//! Refuses more works at once than may run, more who wait, and more questions without an answer yet
//! than may be; lets no work run for ever. Work that lost its claim, because the store did not hear
//! of it for longer than a lease, goes on: half-done work would be worse, and its caller gets its
//! answer. What is kept is the outcome of whoever took over.

use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::clock::{Clock, Monotonic};
use contract::task::{Boxed, spawn};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument as _;

use super::counts::WorkCounts;
use super::grant::{Ends, Grant, Keep, Kept};
use super::store::{Ask, Begun, Claim, Store, StoreError};
use super::under_way::{Phase, Stage, UnderWay};
use crate::context;

/// Longest time that work runs unless told otherwise, and the bounds of what can be told.
const RUN_MAX: Duration = Duration::from_secs(10 * 60);
const RUN_BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 3600));
/// Requests that wait for another one at most; those of them that wait at the store, because
/// another process has the claim.
const WAITERS_MAX: usize = 1_024;
const STORE_WAITERS_MAX: usize = 256;
/// Questions that the store has not answered yet at most, besides those of who waits there. All who
/// waited for one work may ask at the same time, and as many others beside them.
const QUESTIONS_MAX: usize = 2 * WAITERS_MAX;
/// Longest time the store is asked to wait; whoever has longer asks again. A question whose caller
/// has left keeps others from waiting for so long.
const STORE_SLICE: Duration = Duration::from_secs(1);

const TOO_MANY_WAIT: &str = "too many requests wait for the outcome of another one";
const TOO_MANY_ASK: &str = "too many requests wait to hear whether their work was done already";

/// Runs work once. Cheap to clone; clones know of each other's work.
///
/// At most 1,024 works run at once, each for ten minutes, unless told otherwise; at most 1,024
/// requests wait for another one's outcome, 256 of them because another process has the claim; at
/// most 2,048 other questions are at the store, whether or not their callers are still there. What
/// is beyond is refused as [`StoreError::Full`]. An outcome that the store does not take at once is
/// kept as soon as it does, tried for ten minutes: at most 1,024 of them, and 16 MiB, at once.
///
/// ```
/// use std::time::Duration;
/// use bridge_tower::idempotency::{IdempotencyLayer, KeyHeader, Memory, Runner};
///
/// let runner = Runner::new(Memory::new()).run_max(Duration::from_secs(60));
/// let layer = IdempotencyLayer::over(&runner).key(KeyHeader::standard());
/// assert_eq!(runner.counts().under_way, 0);
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct Runner {
    ends: Ends,
    run_max: Duration,
    waiters: Arc<Semaphore>,
    store_waiters: Arc<Semaphore>,
    questions: Arc<Semaphore>,
}

/// A place that is taken until everybody who shares it is done.
type Place = Arc<OwnedSemaphorePermit>;

/// What to do about a piece of work.
#[derive(Debug)]
#[non_exhaustive]
pub enum Turn {
    /// Do it.
    Run(Grant),
    /// Answer this: it was done. `None` when only that was kept.
    Replay(Option<Bytes>),
    /// Refuse: the key was used for another request.
    Conflict,
    /// Refuse: somebody else still does it, and the wait is over.
    Busy,
}

/// Work was dropped before its end: it took too long, or longer than stopping does. Whether it was
/// done is unknown; the next one who asks does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work took too long and was cut off; whether it was done is unknown")]
pub struct CutOff;

impl Runner {
    /// Keeps what came of work in `store`.
    pub fn new(store: impl Store) -> Self {
        Self {
            ends: Ends {
                store: Arc::new(store),
                clock: Clock::system(),
                under_way: UnderWay::new(),
            },
            run_max: RUN_MAX,
            waiters: Arc::new(Semaphore::new(WAITERS_MAX)),
            store_waiters: Arc::new(Semaphore::new(STORE_WAITERS_MAX)),
            questions: Arc::new(Semaphore::new(QUESTIONS_MAX)),
        }
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.ends.clock = clock.clone();
        self
    }

    /// Longest time that work runs, taken within 1 second to 24 hours. Then it is dropped, as it
    /// is when its process dies.
    #[must_use]
    pub fn run_max(mut self, span: Duration) -> Self {
        self.run_max = span.clamp(RUN_BOUNDS.0, RUN_BOUNDS.1);
        self
    }

    /// Works that run at once; one more is refused before anything ran. Clones made before do not
    /// count with it.
    #[must_use]
    pub fn running_max(mut self, works: usize) -> Self {
        self.ends.under_way = UnderWay::of(works);
        self
    }

    /// Where it keeps what came of work.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.ends.store
    }

    /// What it goes by.
    pub fn time(&self) -> &Clock {
        &self.ends.clock
    }

    /// What became of work so far.
    pub fn counts(&self) -> WorkCounts {
        self.ends.under_way.counts()
    }

    /// Says what to do about a piece of work, without waiting for anybody who does it now.
    ///
    /// # Errors
    ///
    /// Nothing may be done then: the store cannot say, has too many questions to answer, as many
    /// works run as may, or all is over.
    pub async fn begin_now(&self, ask: &Ask) -> Result<Turn, StoreError> {
        let under_way = &self.ends.under_way;
        if let Some(entry) = under_way.find(&ask.work) {
            if entry.digest != ask.digest {
                return Ok(Turn::Conflict);
            }
            match entry.phase() {
                Phase::Running => return Ok(Turn::Busy),
                Phase::Late(outcome) => return Ok(Turn::Replay(outcome)),
                Phase::Over => {}
            }
        }
        let at_once = Ask {
            wait: Duration::ZERO,
            ..ask.clone()
        };
        let place = place(&self.questions, TOO_MANY_ASK)?;
        self.ask(at_once, place).await
    }

    /// The same, waiting as long as is asked.
    ///
    /// # Errors
    ///
    /// As [`begin_now`](Self::begin_now), and when too many wait already.
    pub async fn begin(&self, ask: &Ask) -> Result<Turn, StoreError> {
        let until = self.ends.clock.monotonic() + ask.wait;
        match self.begin_now(ask).await? {
            Turn::Busy if !ask.wait.is_zero() => self.wait(ask, until).await,
            turn => Ok(turn),
        }
    }

    async fn wait(&self, ask: &Ask, until: Monotonic) -> Result<Turn, StoreError> {
        let _place = place(&self.waiters, TOO_MANY_WAIT)?;
        let mut at_store = None;
        loop {
            let left = until.since(self.ends.clock.monotonic());
            if left.is_zero() {
                return Ok(Turn::Busy);
            }
            let turn = if let Some(entry) = self.ends.under_way.find(&ask.work) {
                at_store = None;
                // Either is a reason to look again.
                let _ = self.ends.clock.timeout(left, entry.ended()).await;
                self.begin_now(ask).await?
            } else {
                let place = match &at_store {
                    Some(place) => Place::clone(place),
                    None => place(&self.store_waiters, TOO_MANY_WAIT)?,
                };
                at_store = Some(place.clone());
                let slice = left.min(STORE_SLICE);
                self.wait_at_store(ask, slice, place).await?
            };
            match turn {
                Turn::Busy => {}
                turn => return Ok(turn),
            }
        }
    }

    /// Waits at the store for one slice.
    async fn wait_at_store(
        &self,
        ask: &Ask,
        slice: Duration,
        place: Place,
    ) -> Result<Turn, StoreError> {
        let over = self.ends.clock.monotonic() + slice;
        let ask = Ask {
            wait: slice,
            ..ask.clone()
        };
        let work = ask.work.clone();
        let turn = self.ask(ask, place).await?;
        if matches!(turn, Turn::Busy) && self.ends.under_way.find(&work).is_none() {
            // A store that waits for less than it is asked to would be asked without a pause.
            self.ends.clock.sleep_until(over).await;
        }
        Ok(turn)
    }

    /// Asks the store, on a task of its own: a store may claim for somebody who has left by then,
    /// and that claim has to be let go. `place` is taken until the store has answered.
    async fn ask(&self, ask: Ask, place: Place) -> Result<Turn, StoreError> {
        let runner = self.clone();
        let asking = async move {
            let _place = place;
            runner.begin_at_store(ask).await
        };
        let asking = spawn(asking.instrument(tracing::Span::current()));
        match asking.await.map_err(JoinError::try_into_panic) {
            Ok(turn) => turn,
            Err(Ok(panic)) => resume_unwind(panic),
            // Only a runtime that shuts down drops it, and then nobody is answered.
            Err(Err(_)) => std::future::pending().await,
        }
    }

    async fn begin_at_store(&self, ask: Ask) -> Result<Turn, StoreError> {
        if self.ends.under_way.stage() > Stage::Open {
            let text = "the service is stopping";
            return Err(StoreError::Unavailable(text.to_owned()));
        }
        let (work, digest) = (ask.work.clone(), ask.digest);
        let claim = match self.ends.store.begin(ask).await? {
            Begun::Run(claim) => claim,
            Begun::Replay(outcome) => return Ok(Turn::Replay(outcome)),
            Begun::Conflict => return Ok(Turn::Conflict),
            Begun::Busy => return Ok(Turn::Busy),
        };
        let Some(place) = self.ends.under_way.place() else {
            self.let_go(&claim).await;
            let text = "as many idempotent requests are worked on as may be";
            return Err(StoreError::Full(text.to_owned()));
        };
        let Some(entry) = self.ends.under_way.enter(&work, digest) else {
            // Its first claim ended, and it is still at it: once at a time.
            self.let_go(&claim).await;
            return Ok(Turn::Busy);
        };
        let grant = Grant::new(self.ends.clone(), self.run_max, entry, (claim, place));
        Ok(Turn::Run(grant))
    }

    async fn let_go(&self, claim: &Claim) {
        // What cannot be released ends by itself.
        let _ = self.ends.store.release(claim).await;
    }

    /// Waits until nothing is under way, at most for `wait`. Says how many works are left, which
    /// run or wait to be kept.
    pub async fn drain(&self, wait: Duration) -> usize {
        self.ends.under_way.drain(&self.ends.clock, wait).await
    }

    /// Operations and keys of what is under way; eight, if there are more.
    pub fn under_way(&self) -> Vec<String> {
        self.ends.under_way.names()
    }

    /// Drops what runs and begins nothing more. What ended is still being kept.
    pub fn cut_off(&self) {
        self.ends.under_way.go_to(Stage::CutOff);
    }

    /// The same, and what is not kept by now is given up.
    pub fn close(&self) {
        self.ends.under_way.go_to(Stage::Closed);
    }
}

fn place(places: &Arc<Semaphore>, refusal: &str) -> Result<Place, StoreError> {
    let taken = places.clone().try_acquire_owned();
    taken
        .map(Arc::new)
        .map_err(|_| StoreError::Full(refusal.to_owned()))
}

/// What whoever waits for work is told.
enum Told<T> {
    Ended(T, Kept),
    CutOff,
    Panicked(Box<dyn Any + Send>),
}

impl Grant {
    /// Runs `work`, and keeps what it wants kept for `keep`. It goes on when the returned future is
    /// dropped.
    ///
    /// # Errors
    ///
    /// [`CutOff`] when it took too long.
    ///
    /// # Panics
    ///
    /// As the work does; then nothing is kept.
    pub async fn run<T, F>(self, keep: Duration, work: F) -> Result<(T, Kept), CutOff>
    where
        T: Send + 'static,
        F: Future<Output = (T, Keep)> + Send + 'static,
    {
        let span = tracing::Span::current();
        // What follows is compiled for a result, not for each work.
        let work: Boxed<(T, Keep)> = Box::pin(work);
        let work = work.instrument(span.clone());
        let running = match context::current() {
            Some(current) => spawn(context::scope(current, work)),
            None => spawn(work),
        };
        self.ends
            .under_way
            .began(&self.entry, running.abort_handle());
        let (tell, told) = oneshot::channel();
        spawn(self.see_to(running, keep, tell).instrument(span));
        match told.await {
            Ok(Told::Ended(answer, kept)) => Ok((answer, kept)),
            Ok(Told::CutOff) => Err(CutOff),
            Ok(Told::Panicked(panic)) => resume_unwind(panic),
            // Only a runtime that shuts down drops it, and then nobody is answered.
            Err(_) => std::future::pending().await,
        }
    }

    async fn see_to<T>(
        self,
        mut running: JoinHandle<(T, Keep)>,
        keep: Duration,
        tell: oneshot::Sender<Told<T>>,
    ) {
        let _renewing = self.renewing();
        let joined = self.ends.clock.timeout(self.run_max, &mut running).await;
        let joined = match joined {
            Ok(joined) => joined,
            Err(_) => {
                running.abort();
                running.await
            }
        };
        // Nobody may listen any more, which changes nothing.
        match joined {
            Ok((answer, wanted)) => {
                let tell = |kept| drop(tell.send(Told::Ended(answer, kept)));
                self.end(wanted, keep, tell).await;
            }
            Err(failed) => {
                let told = match failed.try_into_panic() {
                    Ok(panic) => Told::Panicked(panic),
                    Err(_) => {
                        self.cut_off();
                        Told::CutOff
                    }
                };
                self.release().await;
                drop(tell.send(told));
            }
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod place_tests;
