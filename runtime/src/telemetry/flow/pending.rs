//! Operations that have begun and not ended, oldest given up first.

use contract::ids::OpId;

use super::remembered::Remembered;

/// What a START told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Started {
    /// Where it is counted.
    pub(super) series: u32,
    /// Unix milliseconds.
    pub(super) at_ms: i64,
    /// `None` for a root.
    pub(super) parent: Option<OpId>,
    /// Empty when it has none or nobody followed.
    pub(super) business_key: Box<str>,
}

#[derive(Debug)]
pub(super) struct Pending {
    begun: Remembered<OpId, Started>,
    given_up: u64,
}

impl Pending {
    pub(super) fn new(max: usize) -> Self {
        Self {
            begun: Remembered::new(max),
            given_up: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.begun.len()
    }

    pub(super) fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Remembers a START; one that comes again says nothing new.
    pub(super) fn insert(&mut self, op: OpId, started: Started) {
        self.given_up += u64::from(self.begun.insert(op, started).is_some());
    }

    pub(super) fn remove(&mut self, op: OpId) -> Option<Started> {
        self.begun.take(op)
    }

    /// Counts everything elsewhere from now on.
    pub(super) fn recount(&mut self, series: impl Fn(u32) -> u32) {
        for started in self.begun.values_mut() {
            started.series = series(started.series);
        }
    }
}
