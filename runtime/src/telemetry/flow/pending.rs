//! Operations that have begun and not ended, oldest given up first.
//!
//! Invariant: at most `max` are remembered, and at most twice as many ids are queued.

use std::collections::{HashMap, VecDeque};

use contract::ids::OpId;

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
    max: usize,
    begun: HashMap<OpId, Started>,
    /// In the order of arrival; also ids that have ended since.
    order: VecDeque<OpId>,
    given_up: u64,
}

impl Pending {
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            begun: HashMap::new(),
            order: VecDeque::new(),
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
        if self.begun.contains_key(&op) {
            return;
        }
        while self.begun.len() >= self.max {
            // Ids are queued as long as they are remembered.
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.given_up += u64::from(self.begun.remove(&oldest).is_some());
        }
        if self.order.len() >= 2 * self.max {
            let begun = &self.begun;
            self.order.retain(|it| begun.contains_key(it));
        }
        self.begun.insert(op, started);
        self.order.push_back(op);
    }

    pub(super) fn remove(&mut self, op: OpId) -> Option<Started> {
        self.begun.remove(&op)
    }

    /// Counts everything elsewhere from now on.
    pub(super) fn recount(&mut self, series: impl Fn(u32) -> u32) {
        for started in self.begun.values_mut() {
            started.series = series(started.series);
        }
    }
}
