//! Outcomes in the memory of the process: bounded, and gone with it.
//!
//! Refuses new work when it holds as much as it may; nothing is forgotten before its time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::clock::{Clock, Monotonic};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use super::store::{Answering, Ask, Begun, Claim, Settled, Store, StoreError, Work};

/// Bounds unless told otherwise.
const ENTRIES_MAX: usize = 10_000;
const BYTES_MAX: usize = 16 * 1024 * 1024;
const OUTCOME_BYTES_MAX: usize = 256 * 1024;
/// Requests that wait for somebody else's outcome at most.
const WAITERS_MAX: usize = 1_024;
/// What an entry takes besides its texts and its outcome, in bytes, roughly.
const ENTRY_BYTES: usize = 200;
/// Least time between two searches for entries whose time is over.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A [`Store`] of one process. What it holds is lost with the process: a repeat after a restart,
/// or at another instance, does the work again. Clones share what they hold.
///
/// Holds 10,000 works and 16 MiB unless told otherwise, and of an outcome beyond 256 KiB only that
/// the work was done.
///
/// ```
/// use bridge_tower::idempotency::Memory;
///
/// let store = Memory::new().entries_max(1_000).bytes_max(1024 * 1024);
/// assert!(store.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Memory {
    clock: Clock,
    entries_max: usize,
    bytes_max: usize,
    held: Arc<Mutex<Held>>,
    /// Rung whenever a claim ends.
    ended: Arc<Notify>,
    places: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Held {
    works: HashMap<Arc<Work>, Known>,
    bytes: usize,
    epochs: u64,
    swept: Option<Monotonic>,
}

#[derive(Debug)]
struct Known {
    digest: [u8; 32],
    state: State,
    bytes: usize,
}

#[derive(Debug)]
enum State {
    Claimed {
        epoch: u64,
        until: Monotonic,
    },
    Done {
        outcome: Option<Bytes>,
        until: Monotonic,
    },
}

enum Looked {
    Begun(Begun),
    Held(Monotonic),
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// Holds nothing yet.
    pub fn new() -> Self {
        Self {
            clock: Clock::system(),
            entries_max: ENTRIES_MAX,
            bytes_max: BYTES_MAX,
            held: Arc::default(),
            ended: Arc::default(),
            places: Arc::new(Semaphore::new(WAITERS_MAX)),
        }
    }

    /// Works it holds at most, at least one.
    #[must_use]
    pub fn entries_max(mut self, works: usize) -> Self {
        self.entries_max = works.max(1);
        self
    }

    /// Bytes it takes at most, roughly.
    #[must_use]
    pub fn bytes_max(mut self, bytes: usize) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Works it holds now.
    pub fn len(&self) -> usize {
        self.held.lock().works.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn look(&self, ask: &Ask) -> Result<Looked, StoreError> {
        let now = self.clock.monotonic();
        let texts = [&ask.work.operation, &ask.work.scope, &ask.work.key];
        let bytes = ENTRY_BYTES + texts.map(String::len).iter().sum::<usize>();
        let mut held = self.held.lock();
        let is_full = |held: &Held| {
            held.works.len() >= self.entries_max || held.bytes + bytes > self.bytes_max
        };
        if is_full(&held) {
            held.sweep(now);
        }
        let is_full = is_full(&held);
        match held.works.get(&ask.work) {
            Some(known) if !known.is_over(now) => return Ok(known.means(ask)),
            None if is_full => {
                return Err(StoreError::Full(format!(
                    "the outcomes of {} works are kept, which is as many as there may be",
                    held.works.len()
                )));
            }
            _ => {}
        }
        held.epochs += 1;
        let epoch = held.epochs;
        let until = now + ask.lease;
        let claimed = Known {
            digest: ask.digest,
            state: State::Claimed { epoch, until },
            bytes,
        };
        let before = held.works.insert(ask.work.clone(), claimed);
        held.bytes = held.bytes + bytes - before.map_or(0, |it| it.bytes);
        let work = ask.work.clone();
        Ok(Looked::Begun(Begun::Run(Claim { work, epoch })))
    }

    async fn wait_and_begin(self, ask: Ask) -> Result<Begun, StoreError> {
        let patience = self.clock.monotonic() + ask.wait;
        let mut place = None;
        loop {
            let mut heard = std::pin::pin!(self.ended.notified());
            // Listening begins before looking, or an end in between would go unheard.
            heard.as_mut().enable();
            let held_until = match self.look(&ask)? {
                Looked::Begun(begun) => return Ok(begun),
                Looked::Held(until) => until,
            };
            let now = self.clock.monotonic();
            let left = patience.since(now);
            if left.is_zero() {
                return Ok(Begun::Busy);
            }
            if place.is_none() {
                let free = self.places.clone().try_acquire_owned();
                place = Some(free.map_err(|_| {
                    let text = "too many requests wait for the outcome of another one";
                    StoreError::Full(text.to_owned())
                })?);
            }
            // Either is a reason to look again.
            let _ = self
                .clock
                .timeout(left.min(held_until.since(now)), heard)
                .await;
        }
    }

    /// Changes what a claim that is still valid holds. False when it is not.
    fn change(&self, claim: &Claim, change: impl FnOnce(&mut Held, &Arc<Work>)) -> bool {
        let mut held = self.held.lock();
        let valid = held.works.get(&claim.work).is_some_and(
            |known| matches!(known.state, State::Claimed { epoch, .. } if epoch == claim.epoch),
        );
        if valid {
            change(&mut held, &claim.work);
        }
        valid
    }

    fn settle_now(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Settled {
        let until = self.clock.monotonic() + keep;
        let mut left_out = false;
        let held = self.change(claim, |held, work| {
            let more = outcome.as_ref().map_or(0, Bytes::len);
            left_out = more > OUTCOME_BYTES_MAX || held.bytes + more > self.bytes_max;
            let (outcome, more) = if left_out { (None, 0) } else { (outcome, more) };
            if let Some(known) = held.works.get_mut(work) {
                known.state = State::Done { outcome, until };
                known.bytes += more;
                held.bytes += more;
            }
        });
        self.ended.notify_waiters();
        match (held, left_out) {
            (false, _) => Settled::Lost,
            (true, true) => Settled::WithoutBody,
            (true, false) => Settled::Kept,
        }
    }
}

impl Known {
    /// What it means to whoever asks, while its time lasts.
    fn means(&self, ask: &Ask) -> Looked {
        if self.digest != ask.digest {
            return Looked::Begun(Begun::Conflict);
        }
        match &self.state {
            State::Done { outcome, .. } => Looked::Begun(Begun::Replay(outcome.clone())),
            State::Claimed { until, .. } => Looked::Held(*until),
        }
    }

    /// Whether its lease or its time has ended. Unlike a store on disk, this one saw its holder
    /// live or die: a lease that ended here was let go.
    fn is_over(&self, now: Monotonic) -> bool {
        let (State::Claimed { until, .. } | State::Done { until, .. }) = &self.state;
        *until <= now
    }
}

impl Held {
    fn sweep(&mut self, now: Monotonic) {
        if self.swept.is_some_and(|last| now.since(last) < SWEEP_EVERY) {
            return;
        }
        self.swept = Some(now);
        let mut freed = 0;
        self.works.retain(|_, known| {
            let over = known.is_over(now);
            freed += if over { known.bytes } else { 0 };
            !over
        });
        self.bytes -= freed;
    }
}

impl Store for Memory {
    fn begin(&self, ask: Ask) -> Answering<Begun> {
        Box::pin(self.clone().wait_and_begin(ask))
    }

    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool> {
        let later = self.clock.monotonic() + lease;
        let epoch = claim.epoch;
        let renewed = self.change(claim, |held, work| {
            if let Some(known) = held.works.get_mut(work) {
                known.state = State::Claimed {
                    epoch,
                    until: later,
                };
            }
        });
        Box::pin(std::future::ready(Ok(renewed)))
    }

    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled> {
        let settled = self.settle_now(claim, outcome, keep);
        Box::pin(std::future::ready(Ok(settled)))
    }

    fn release(&self, claim: &Claim) -> Answering<()> {
        self.change(claim, |held, work| {
            if let Some(known) = held.works.remove(work) {
                held.bytes -= known.bytes;
            }
        });
        self.ended.notify_waiters();
        Box::pin(std::future::ready(Ok(())))
    }
}
