//! The works of this process that run, or ended and wait to be kept: found by their name, bounded,
//! waited for when the process stops.
//!
//! Refuses more than may run at once, and more late outcomes than may wait.
//!
//! Invariant: a work is under way at most once; it leaves when its claim ended, whatever became of
//! it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;

use super::counts::WorkCounts;
use super::store::Work;

/// Works that run at once unless told otherwise.
const RUNNING_MAX: usize = 1_024;
/// Outcomes that wait to be kept at most, and the bytes they take at most. Of one beyond those
/// bytes only that the work was done is kept.
const LATE_MAX: usize = 1_024;
const LATE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Works that are named when they are left behind.
const NAMED_MAX: usize = 8;

#[derive(Debug)]
pub(super) struct UnderWay {
    works: Mutex<HashMap<Arc<Work>, Arc<Entry>>>,
    /// As many as there are works, for whoever waits for none to be left.
    open: watch::Sender<usize>,
    places: Arc<Semaphore>,
    stage: Mutex<Stage>,
    late: Mutex<Late>,
    pub(super) counters: WorkCounters,
}

#[derive(Debug, Default)]
pub(super) struct WorkCounters {
    pub(super) kept_late: AtomicU64,
    pub(super) given_up: AtomicU64,
    pub(super) lost: AtomicU64,
    pub(super) cut_off: AtomicU64,
}

#[derive(Debug, Default)]
struct Late {
    outcomes: usize,
    bytes: usize,
}

/// How far stopping has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Open,
    /// Nothing runs any more; what ended is still being kept.
    CutOff,
    Closed,
}

/// One work under way.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) work: Arc<Work>,
    pub(super) digest: [u8; 32],
    phase: watch::Sender<Phase>,
    running: Mutex<Option<AbortHandle>>,
}

#[derive(Clone, Debug)]
pub(super) enum Phase {
    Running,
    /// It ended, and this is what will be kept of it.
    Late(Option<Bytes>),
    Over,
}

/// A place among those that run at once.
pub(super) type Place = OwnedSemaphorePermit;

/// A place among those that wait to be kept.
#[derive(Debug)]
pub(super) struct LatePlace {
    under_way: Arc<UnderWay>,
    pub(super) outcome: Option<Bytes>,
}

impl UnderWay {
    pub(super) fn new() -> Arc<Self> {
        Self::of(RUNNING_MAX)
    }

    pub(super) fn of(running_max: usize) -> Arc<Self> {
        Arc::new(Self {
            works: Mutex::default(),
            open: watch::Sender::default(),
            places: Arc::new(Semaphore::new(running_max.min(Semaphore::MAX_PERMITS))),
            stage: Mutex::new(Stage::Open),
            late: Mutex::default(),
            counters: WorkCounters::default(),
        })
    }

    /// A place for one more work; `None` when as many run as may.
    pub(super) fn place(&self) -> Option<Place> {
        self.places.clone().try_acquire_owned().ok()
    }

    pub(super) fn find(&self, work: &Work) -> Option<Arc<Entry>> {
        self.works.lock().get(work).cloned()
    }

    /// `None` when the work is under way already.
    pub(super) fn enter(&self, work: &Arc<Work>, digest: [u8; 32]) -> Option<Arc<Entry>> {
        let mut works = self.works.lock();
        if works.contains_key(work) {
            return None;
        }
        let entry = Arc::new(Entry {
            work: work.clone(),
            digest,
            phase: watch::Sender::new(Phase::Running),
            running: Mutex::default(),
        });
        works.insert(work.clone(), entry.clone());
        self.open.send_replace(works.len());
        Some(entry)
    }

    pub(super) fn leave(&self, entry: &Entry) {
        let mut works = self.works.lock();
        works.remove(&entry.work);
        self.open.send_replace(works.len());
        drop(works);
        entry.phase.send_replace(Phase::Over);
    }

    /// Makes the task that does the work known, so that it can be cut off.
    pub(super) fn began(&self, entry: &Entry, running: AbortHandle) {
        let stage = self.stage.lock();
        if *stage >= Stage::CutOff {
            running.abort();
        }
        *entry.running.lock() = Some(running);
    }

    /// A place to wait for being kept, with as much of the outcome as there is room for.
    pub(super) fn late(self: &Arc<Self>, outcome: Option<Bytes>) -> Option<LatePlace> {
        let mut late = self.late.lock();
        if late.outcomes >= LATE_MAX {
            return None;
        }
        let left = LATE_BYTES_MAX - late.bytes;
        let outcome = outcome.filter(|it| it.len() <= left);
        late.outcomes += 1;
        late.bytes += outcome.as_ref().map_or(0, Bytes::len);
        Some(LatePlace {
            under_way: self.clone(),
            outcome,
        })
    }

    /// Waits until nothing is under way, at most for `wait`. Says how many are left.
    pub(super) async fn drain(&self, clock: &Clock, wait: Duration) -> usize {
        let mut open = self.open.subscribe();
        let none = clock.timeout(wait, open.wait_for(|it| *it == 0)).await;
        if none.is_ok() {
            return 0;
        }
        *self.open.borrow()
    }

    /// The works under way, as people name them; some of them, if there are many.
    pub(super) fn names(&self) -> Vec<String> {
        let works = self.works.lock();
        let named = works.keys().take(NAMED_MAX);
        named
            .map(|it| format!("{} `{}`", it.operation, it.key))
            .collect()
    }

    pub(super) fn stage(&self) -> Stage {
        *self.stage.lock()
    }

    /// Goes on to `stage`, never back. Whatever runs is cut off.
    pub(super) fn go_to(&self, stage: Stage) {
        let mut reached = self.stage.lock();
        *reached = stage.max(*reached);
        for entry in self.works.lock().values() {
            if let Some(running) = &*entry.running.lock() {
                running.abort();
            }
        }
    }

    pub(super) fn counts(&self) -> WorkCounts {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let late = self.late.lock();
        WorkCounts {
            under_way: *self.open.borrow(),
            late: late.outcomes,
            late_bytes: late.bytes,
            kept_late: read(&self.counters.kept_late),
            given_up: read(&self.counters.given_up),
            lost: read(&self.counters.lost),
            cut_off: read(&self.counters.cut_off),
        }
    }
}

impl WorkCounters {
    pub(super) fn add(&self, which: fn(&Self) -> &AtomicU64) {
        which(self).fetch_add(1, Ordering::Relaxed);
    }
}

impl Entry {
    /// How far it is at present.
    pub(super) fn phase(&self) -> Phase {
        self.phase.borrow().clone()
    }

    /// Tells those who wait that it ended and what will be kept.
    pub(super) fn is_late(&self, outcome: Option<Bytes>) {
        self.phase.send_replace(Phase::Late(outcome));
    }

    /// Waits until it has ended.
    pub(super) async fn ended(&self) {
        let mut phase = self.phase.subscribe();
        // The entry is here, so its phase is told.
        let _ = phase.wait_for(|it| !matches!(it, Phase::Running)).await;
    }
}

impl Drop for LatePlace {
    fn drop(&mut self) {
        let mut late = self.under_way.late.lock();
        late.outcomes -= 1;
        late.bytes -= self.outcome.as_ref().map_or(0, Bytes::len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_outcomes_are_bounded_in_number_and_give_their_places_back() {
        let under_way = UnderWay::new();
        let mut places: Vec<_> = (0..LATE_MAX).map_while(|_| under_way.late(None)).collect();
        assert_eq!(
            (places.len(), under_way.counts().late),
            (LATE_MAX, LATE_MAX)
        );
        assert!(under_way.late(None).is_none());
        places.pop();
        assert!(under_way.late(None).is_some());
    }

    #[test]
    fn of_a_late_outcome_beyond_the_bytes_there_are_only_that_it_was_is_left() {
        let under_way = UnderWay::new();
        let all = under_way.late(Some(vec![0; LATE_BYTES_MAX].into()));
        assert!(all.as_ref().is_some_and(|it| it.outcome.is_some()));
        let more = under_way
            .late(Some(Bytes::from_static(b"x")))
            .expect("a place");
        assert_eq!(more.outcome, None);
        drop(all);
        assert_eq!(under_way.counts().late_bytes, 0);
        let fits = under_way
            .late(Some(Bytes::from_static(b"x")))
            .expect("a place");
        assert!(fits.outcome.is_some());
    }
}
