//! Outcomes in the memory of the process: bounded, and gone with it.
//!
//! Invariant: claimed work is never forgotten while its lease lasts. When there is no room for new
//! work, the outcomes that were settled longest ago go first, counted; when all there is is
//! claimed, new work is refused.

use std::collections::{BTreeMap, HashMap};
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
const KEEP_MAX: Duration = Duration::from_secs(3600);
/// A body of 256 KiB with its headers.
const OUTCOME_BYTES_MAX: usize = 256 * 1024 + 20 * 1024;
/// Requests that wait for somebody else's outcome at most.
const WAITERS_MAX: usize = 1_024;
/// What an entry takes besides its texts and its outcome, in bytes, roughly.
const ENTRY_BYTES: usize = 200;
/// Least time between two searches for entries whose time is over.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A [`Store`] of one process. What it holds is lost with the process: a repeat after a restart,
/// or at another instance, does the work again. Clones share what they hold.
///
/// Holds 10,000 works and 16 MiB unless told otherwise, an outcome for an hour at most, and of one
/// beyond 276 KiB only that the work was done. When it is full, what was settled longest ago is
/// forgotten before its time: its repeats do the work again.
///
/// ```
/// use bridge_tower::idempotency::Memory;
///
/// let store = Memory::new().entries_max(1_000).bytes_max(1024 * 1024);
/// assert!(store.is_empty());
/// assert_eq!(store.evicted(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Memory {
    clock: Clock,
    limits: Limits,
    keep_max: Duration,
    held: Arc<Mutex<Held>>,
    /// Rung whenever a claim ends.
    ended: Arc<Notify>,
    places: Arc<Semaphore>,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    entries: usize,
    bytes: usize,
    outcome: usize,
}

#[derive(Debug, Default)]
struct Held {
    works: HashMap<Arc<Work>, Known>,
    /// Those that are done, by the order in which they were settled.
    settled: BTreeMap<u64, Arc<Work>>,
    bytes: usize,
    /// Of those, what is settled takes.
    settled_bytes: usize,
    /// Numbers claims and settlements.
    last: u64,
    swept: Option<Monotonic>,
    evicted: u64,
}

#[derive(Debug)]
struct Known {
    digest: [u8; 32],
    epoch: u64,
    until: Monotonic,
    /// `None` while it is claimed.
    done: Option<Done>,
    bytes: usize,
}

#[derive(Debug)]
struct Done {
    outcome: Option<Bytes>,
    order: u64,
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
            limits: Limits {
                entries: ENTRIES_MAX,
                bytes: BYTES_MAX,
                outcome: OUTCOME_BYTES_MAX,
            },
            keep_max: KEEP_MAX,
            held: Arc::default(),
            ended: Arc::default(),
            places: Arc::new(Semaphore::new(WAITERS_MAX)),
        }
    }

    /// Works it holds at most, at least one.
    #[must_use]
    pub fn entries_max(mut self, works: usize) -> Self {
        self.limits.entries = works.max(1);
        self
    }

    /// Bytes it takes at most, roughly.
    #[must_use]
    pub fn bytes_max(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Largest outcome it holds, 276 KiB unless told otherwise: an answer with its headers. Of a
    /// larger one it holds that the work was done.
    #[must_use]
    pub fn outcome_bytes_max(mut self, bytes: usize) -> Self {
        self.limits.outcome = bytes;
        self
    }

    /// Longest time it holds an outcome, whatever is asked: an hour unless told otherwise.
    #[must_use]
    pub fn keep_max(mut self, span: Duration) -> Self {
        self.keep_max = span;
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

    /// Outcomes that had to go before their time.
    pub fn evicted(&self) -> u64 {
        self.held.lock().evicted
    }

    /// Whether it knows of this work: somebody does it, or did.
    pub fn holds(&self, work: &Work) -> bool {
        let now = self.clock.monotonic();
        let held = self.held.lock();
        held.works.get(work).is_some_and(|it| it.until > now)
    }

    fn look(&self, ask: &Ask) -> Result<Looked, StoreError> {
        let now = self.clock.monotonic();
        let texts = [&ask.work.operation, &ask.work.scope, &ask.work.key];
        let bytes = ENTRY_BYTES + texts.map(String::len).iter().sum::<usize>();
        let mut held = self.held.lock();
        // Unlike a store on disk, this one saw its holder live or die: a lease that ended here was
        // let go.
        match held.works.get(&ask.work) {
            Some(known) if known.until > now => return Ok(known.means(ask)),
            Some(_) => held.remove(&ask.work),
            None => {}
        }
        if !held.has_room((1, bytes), self.limits) {
            held.sweep(now);
        }
        if !held.make_room((1, bytes), self.limits) {
            return Err(StoreError::Full(format!(
                "{} works are under way, which is as many as there may be",
                held.works.len()
            )));
        }
        let epoch = held.next();
        let claimed = Known {
            digest: ask.digest,
            epoch,
            until: now + ask.lease,
            done: None,
            bytes,
        };
        held.bytes += bytes;
        held.works.insert(ask.work.clone(), claimed);
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

    fn settle_now(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Settled {
        let until = self.clock.monotonic() + keep.min(self.keep_max);
        let wanted = outcome.is_some();
        let mut held = self.held.lock();
        let kept = match held.of(claim) {
            None => return Settled::Lost,
            // Its holder did not hear that it was.
            Some(Known {
                done: Some(done), ..
            }) => done.outcome.is_some(),
            Some(_) => held.settle((claim, until), outcome, self.limits),
        };
        drop(held);
        self.ended.notify_waiters();
        if wanted && !kept {
            Settled::WithoutBody
        } else {
            Settled::Kept
        }
    }
}

impl Known {
    /// What it means to whoever asks, while its time lasts.
    fn means(&self, ask: &Ask) -> Looked {
        if self.digest != ask.digest {
            return Looked::Begun(Begun::Conflict);
        }
        match &self.done {
            Some(done) => Looked::Begun(Begun::Replay(done.outcome.clone())),
            None => Looked::Held(self.until),
        }
    }
}

impl Held {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The work of a claim that nobody took over.
    fn of(&mut self, claim: &Claim) -> Option<&mut Known> {
        let known = self.works.get_mut(&claim.work);
        known.filter(|it| it.epoch == claim.epoch)
    }

    /// Whether the outcome was kept, too.
    fn settle(
        &mut self,
        (claim, until): (&Claim, Monotonic),
        outcome: Option<Bytes>,
        limits: Limits,
    ) -> bool {
        let more = outcome.as_ref().map_or(0, Bytes::len);
        let fits = more <= limits.outcome && self.make_room((0, more), limits);
        let (outcome, more) = if fits { (outcome, more) } else { (None, 0) };
        let kept = outcome.is_some();
        let order = self.next();
        if let Some(known) = self.works.get_mut(&claim.work) {
            known.done = Some(Done { outcome, order });
            known.until = until;
            known.bytes += more;
            self.bytes += more;
            self.settled_bytes += known.bytes;
            self.settled.insert(order, claim.work.clone());
        }
        kept
    }

    fn has_room(&self, (works, bytes): (usize, usize), limits: Limits) -> bool {
        self.works.len() + works <= limits.entries && self.bytes + bytes <= limits.bytes
    }

    /// Forgets what was settled longest ago until there is room. False, and nothing is forgotten,
    /// when there would be none even so.
    fn make_room(&mut self, wanted: (usize, usize), limits: Limits) -> bool {
        let (works, bytes) = wanted;
        let claimed = self.works.len() - self.settled.len();
        let claimed_bytes = self.bytes - self.settled_bytes;
        if claimed + works > limits.entries || claimed_bytes + bytes > limits.bytes {
            return false;
        }
        while !self.has_room(wanted, limits) {
            let Some((_, oldest)) = self.settled.pop_first() else {
                return false;
            };
            self.remove(&oldest);
            self.evicted += 1;
            if self.evicted == 1 {
                tracing::warn!(
                    "idempotent outcomes in memory are forgotten before their time: there are \
                     more than fit"
                );
            }
        }
        true
    }

    fn remove(&mut self, work: &Work) {
        if let Some(known) = self.works.remove(work) {
            self.bytes -= known.bytes;
            if let Some(done) = known.done {
                self.settled_bytes -= known.bytes;
                self.settled.remove(&done.order);
            }
        }
    }

    fn sweep(&mut self, now: Monotonic) {
        if self.swept.is_some_and(|last| now.since(last) < SWEEP_EVERY) {
            return;
        }
        self.swept = Some(now);
        let over = self.works.iter().filter(|(_, known)| known.until <= now);
        let over: Vec<_> = over.map(|(work, _)| work.clone()).collect();
        for work in over {
            self.remove(&work);
        }
    }
}

impl Store for Memory {
    fn begin(&self, ask: Ask) -> Answering<Begun> {
        Box::pin(self.clone().wait_and_begin(ask))
    }

    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool> {
        let later = self.clock.monotonic() + lease;
        let mut held = self.held.lock();
        let known = held.of(claim).filter(|it| it.done.is_none());
        let renewed = known.map(|it| it.until = later).is_some();
        Box::pin(std::future::ready(Ok(renewed)))
    }

    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled> {
        let settled = self.settle_now(claim, outcome, keep);
        Box::pin(std::future::ready(Ok(settled)))
    }

    fn release(&self, claim: &Claim) -> Answering<()> {
        let mut held = self.held.lock();
        if held.of(claim).is_some_and(|it| it.done.is_none()) {
            held.remove(&claim.work);
        }
        drop(held);
        self.ended.notify_waiters();
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests;
