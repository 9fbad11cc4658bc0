//! What became of requests with a key, and of the work they asked for, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What became of requests with a key. Each counts once, but for `late` and `not_kept`, which
/// count among `ran`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdempotencyCounts {
    /// Handlers that ran.
    pub ran: u64,
    /// Answered with what was kept.
    pub replayed: u64,
    /// Refused: no key where one has to be, or one that is none.
    pub unusable: u64,
    /// Refused: the key was used for another request.
    pub conflicts: u64,
    /// Refused: the first one did not end in time.
    pub busy: u64,
    /// Refused: the body was too large or broke off, or the store could not answer.
    pub refused: u64,
    /// Answers that were given before they were kept, because the store was away.
    pub late: u64,
    /// Answers that repeats will not get.
    pub not_kept: u64,
}

/// What became of work under a claim, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkCounts {
    /// Works that run, or wait to be kept, at present.
    pub under_way: usize,
    /// Those of them that ended and wait to be kept, at present.
    pub late: usize,
    /// Bytes of outcomes that wait to be kept, at present.
    pub late_bytes: usize,
    /// Works that were kept after all.
    pub kept_late: u64,
    /// Works whose outcome could not be kept: a repeat does them again.
    pub given_up: u64,
    /// Works whose claim somebody else took over while they ran.
    pub lost: u64,
    /// Works that took too long, or longer than stopping does.
    pub cut_off: u64,
}

/// The same while it is being counted; clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Counting(Arc<Counters>);

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) ran: AtomicU64,
    pub(super) replayed: AtomicU64,
    pub(super) unusable: AtomicU64,
    pub(super) conflicts: AtomicU64,
    pub(super) busy: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) not_kept: AtomicU64,
}

impl Counting {
    pub(super) fn add(&self, which: fn(&Counters) -> &AtomicU64) {
        which(&self.0).fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> IdempotencyCounts {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        IdempotencyCounts {
            ran: read(&self.0.ran),
            replayed: read(&self.0.replayed),
            unusable: read(&self.0.unusable),
            conflicts: read(&self.0.conflicts),
            busy: read(&self.0.busy),
            refused: read(&self.0.refused),
            late: read(&self.0.late),
            not_kept: read(&self.0.not_kept),
        }
    }
}
