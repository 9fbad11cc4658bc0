//! How much is stored and what was refused, counted by this process.
//!
//! Every sweep counts anew, so the bounds are exact but for what happened since the last one: work
//! that was taken over counts twice until then, and what another runtime stored not at all.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::store;
use crate::settings::{Settings, keys};

/// Counts of one process.
#[derive(Debug)]
pub(super) struct Stock {
    settings: Settings,
    entries: AtomicI64,
    bytes: AtomicI64,
    pub(super) refused: AtomicU64,
    pub(super) bodies_left_out: AtomicU64,
    pub(super) replayed: AtomicU64,
}

/// How much there is, and what was refused since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Claims and outcomes.
    pub entries: u64,
    /// What they take, roughly.
    pub bytes: u64,
    /// Calls that wait now.
    pub waiting: u64,
    /// Outcomes that answered a repeat.
    pub replayed: u64,
    /// Work refused for want of room.
    pub refused: u64,
    /// Outcomes whose body was not kept.
    pub bodies_left_out: u64,
}

impl Stock {
    /// Nothing is stored; nothing was refused.
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            entries: AtomicI64::new(0),
            bytes: AtomicI64::new(0),
            refused: AtomicU64::new(0),
            bodies_left_out: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
        }
    }

    /// What the store says.
    pub(super) fn set(&self, counted: store::Stored) {
        self.entries.store(counted.entries, Ordering::Relaxed);
        self.bytes.store(counted.bytes, Ordering::Relaxed);
    }

    /// What was added since, or taken away.
    pub(super) fn add(&self, entries: i64, bytes: i64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The name of the bound that has been reached, if one has.
    pub(super) fn full(&self) -> Option<&'static str> {
        let entries_max = length(self.settings.get(keys::OUTCOMES_ENTRIES_MAX));
        if self.entries.load(Ordering::Relaxed) >= entries_max {
            return Some(keys::OUTCOMES_ENTRIES_MAX.name());
        }
        self.lacks_bytes(0).then(|| keys::OUTCOMES_BYTES_MAX.name())
    }

    /// Whether a body of so many bytes may be kept.
    pub(super) fn has_room_for(&self, body: usize) -> bool {
        let most = self.settings.get(keys::OUTCOMES_BODY_BYTES_MAX);
        body <= most && !self.lacks_bytes(length(body))
    }

    fn lacks_bytes(&self, more: i64) -> bool {
        let max = self.settings.get(keys::OUTCOMES_BYTES_MAX);
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        self.bytes.load(Ordering::Relaxed).saturating_add(more) >= max
    }

    /// For whoever watches; `waiting` is known elsewhere.
    pub(super) fn counts(&self, waiting: usize) -> OutcomeCounts {
        let natural = |it: &AtomicI64| u64::try_from(it.load(Ordering::Relaxed)).unwrap_or(0);
        OutcomeCounts {
            entries: natural(&self.entries),
            bytes: natural(&self.bytes),
            waiting: waiting as u64,
            replayed: self.replayed.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            bodies_left_out: self.bodies_left_out.load(Ordering::Relaxed),
        }
    }
}

/// A size as rows have it.
pub(super) fn length(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
