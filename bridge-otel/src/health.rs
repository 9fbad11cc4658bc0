//! How the exporter is doing, as anybody may ask at any time.
//!
//! Invariant: a thread that has ended is [`Health::Dead`], however it ended.

use std::sync::atomic::{AtomicU64, Ordering};

use contract::clock::Timestamp;
use parking_lot::Mutex;

use crate::fault::Fault;

/// How an exporter is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The self-test at the start has no outcome yet.
    Starting,
    /// The last export was taken.
    Healthy,
    /// Exports fail. It goes on trying.
    Degraded {
        /// When the first of them failed.
        since: Timestamp,
        /// Why the last of them failed.
        reason: Fault,
        /// How many there were.
        failures: u64,
    },
    /// The exporter's thread has ended: nothing is sent any more, everything is dropped.
    Dead {
        /// When it ended.
        since: Timestamp,
        /// Why.
        reason: String,
    },
}

/// What became of spans and metrics since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Spans that the collector took.
    pub sent: u64,
    /// Spans that the collector refused, alone or with the request they were in.
    pub rejected: u64,
    /// Spans that were dropped here, because the queue was full, the collector was away for too
    /// long, or the exporter was dead.
    pub dropped: u64,
    /// Records that the recorder dropped before they came here.
    pub recorder_dropped: u64,
    /// Metrics requests that the collector took.
    pub metrics_sent: u64,
    /// Metrics requests, or points in them, that the collector refused.
    pub metrics_rejected: u64,
}

/// The numbers behind [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sent: AtomicU64,
    pub(crate) rejected: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) recorder_dropped: AtomicU64,
    pub(crate) metrics_sent: AtomicU64,
    pub(crate) metrics_rejected: AtomicU64,
}

impl Counters {
    pub(crate) fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            sent: read(&self.sent),
            rejected: read(&self.rejected),
            dropped: read(&self.dropped),
            recorder_dropped: read(&self.recorder_dropped),
            metrics_sent: read(&self.metrics_sent),
            metrics_rejected: read(&self.metrics_rejected),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// Called when the health becomes another one.
pub(crate) type Hook = Box<dyn Fn(&Health) + Send>;

/// Keeps the health and tells of changes.
pub(crate) struct Pulse {
    now: Mutex<Health>,
}

impl std::fmt::Debug for Pulse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.now.lock().fmt(f)
    }
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            now: Mutex::new(Health::Starting),
        }
    }

    pub(crate) fn read(&self) -> Health {
        self.now.lock().clone()
    }

    /// An export had this outcome. Returns the new health when it is another one: failures one
    /// after the other are one change.
    pub(crate) fn beat(&self, outcome: &Result<(), Fault>, at: Timestamp) -> Option<Health> {
        let mut now = self.now.lock();
        let (next, changed) = match (&*now, outcome) {
            (Health::Dead { .. }, _) | (Health::Healthy, Ok(())) => return None,
            (_, Ok(())) => (Health::Healthy, true),
            (
                Health::Degraded {
                    since, failures, ..
                },
                Err(reason),
            ) => {
                let (since, failures) = (*since, failures + 1);
                let reason = reason.clone();
                let again = Health::Degraded {
                    since,
                    reason,
                    failures,
                };
                (again, false)
            }
            (_, Err(reason)) => {
                let first = Health::Degraded {
                    since: at,
                    reason: reason.clone(),
                    failures: 1,
                };
                (first, true)
            }
        };
        *now = next;
        changed.then(|| now.clone())
    }

    /// The thread has ended.
    pub(crate) fn stop(&self, reason: &str, at: Timestamp) {
        *self.now.lock() = Health::Dead {
            since: at,
            reason: reason.to_owned(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_are_one_change_and_death_is_final() {
        let pulse = Pulse::new();
        let fault = |why: &str| Fault::Stopped {
            why: why.to_owned(),
        };
        let at = Timestamp::from_millis;
        assert_eq!(pulse.beat(&Ok(()), at(1)), Some(Health::Healthy));
        assert_eq!(pulse.beat(&Ok(()), at(2)), None);
        assert!(pulse.beat(&Err(fault("a")), at(3)).is_some());
        assert_eq!(pulse.beat(&Err(fault("b")), at(4)), None);
        let expected = Health::Degraded {
            since: at(3),
            reason: fault("b"),
            failures: 2,
        };
        assert_eq!(pulse.read(), expected);
        assert_eq!(pulse.beat(&Ok(()), at(5)), Some(Health::Healthy));
        pulse.stop("gone", at(6));
        assert_eq!(pulse.beat(&Ok(()), at(7)), None);
        assert!(matches!(pulse.read(), Health::Dead { .. }));
    }
}
