//! How long commits take, per store and per kind of history.
//!
//! What is timed is the commit alone, from when it is asked for to when the database says it is
//! done: on the ledger that is a sync, so a disk that has become slow shows here first.
//!
//! Refuses to grow: counts in a few buckets, since the process began.
//!
//! Invariant: a commit that failed is counted nowhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::clock::Clock;

use super::Store;
use super::history::History;

/// Upper bounds of the buckets in microseconds; a last one has what took longer.
const BOUNDS_US: [u64; 13] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000,
];

/// Everything that is committed to. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub(super) struct Commits {
    ledger: CommitTimes,
    telemetry: CommitTimes,
    history: [CommitTimes; History::ALL.len()],
}

impl Commits {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            ledger: CommitTimes::new(clock),
            telemetry: CommitTimes::new(clock),
            history: History::ALL.map(|_| CommitTimes::new(clock)),
        }
    }

    pub(super) const fn store(&self, store: Store) -> &CommitTimes {
        match store {
            Store::Ledger => &self.ledger,
            Store::Telemetry => &self.telemetry,
        }
    }

    pub(super) const fn history(&self, history: History) -> &CommitTimes {
        &self.history[history.index()]
    }

    /// What each took so far.
    pub(super) fn taken(&self) -> Vec<CommitLatency> {
        let stores = [Store::Ledger, Store::Telemetry];
        let stores = stores.map(|it| self.store(it).latency(it.name()));
        let history = History::ALL.map(|it| self.history(it).latency(it.name()));
        stores.into_iter().chain(history).collect()
    }
}

/// The commits of one of them. Cheap to clone; clones count together.
#[derive(Clone, Debug)]
pub(super) struct CommitTimes {
    clock: Clock,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    micros: AtomicU64,
}

impl CommitTimes {
    fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            counts: Arc::default(),
        }
    }

    /// Waits for a commit and counts it if it succeeds.
    pub(super) async fn time<T, E>(
        &self,
        commit: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let begun = self.clock.monotonic();
        let done = commit.await?;
        self.note(self.clock.monotonic().since(begun));
        Ok(done)
    }

    fn note(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < micros);
        self.counts.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.counts.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn latency(&self, name: &'static str) -> CommitLatency {
        let bound = |micros: u64| Duration::from_micros(micros).as_secs_f64();
        let buckets = self.counts.buckets.iter();
        CommitLatency {
            name,
            bounds_s: BOUNDS_US.map(bound).to_vec(),
            counts: buckets.map(|it| it.load(Ordering::Relaxed)).collect(),
            sum_s: bound(self.counts.micros.load(Ordering::Relaxed)),
        }
    }
}

/// How long the commits of one store or one kind of history took since the process began.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitLatency {
    /// `ledger`, `telemetry`, or the kind of history.
    pub name: &'static str,
    /// Upper bounds of the buckets in seconds.
    pub bounds_s: Vec<f64>,
    /// Commits per bucket, one more than there are bounds.
    pub counts: Vec<u64>,
    /// All of them together, in seconds.
    pub sum_s: f64,
}

#[cfg(test)]
mod tests {
    use contract::clock::Timestamp;

    use super::*;

    #[test]
    fn a_commit_is_in_the_bucket_whose_bound_it_did_not_exceed() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
        let times = CommitTimes::new(&clock);
        for micros in [0, 100, 101, 5_000_000, 5_000_001] {
            times.note(Duration::from_micros(micros));
        }
        let told = times.latency("ledger");
        assert_eq!(told.counts.len(), told.bounds_s.len() + 1);
        assert_eq!((told.counts[0], told.counts[1]), (2, 1));
        assert_eq!(told.counts[told.counts.len() - 2..], [1, 1]);
        assert!((told.sum_s - 10.000_202).abs() < 1e-9, "{}", told.sum_s);
    }

    #[tokio::test]
    async fn a_commit_that_failed_is_counted_nowhere() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
        let times = CommitTimes::new(&clock);
        let failed = times.time(async { Err::<(), _>("the disk is full") });
        assert_eq!(failed.await, Err("the disk is full"));
        assert_eq!(times.time(async { Ok::<_, ()>(7) }).await, Ok(7));
        assert_eq!(times.latency("ledger").counts.iter().sum::<u64>(), 1);
    }
}
