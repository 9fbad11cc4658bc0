//! One thread's part of a recorder: what has ended, what runs, what was counted.
//!
//! Invariant: its lock is held for a few moves of memory and never while another one is taken.

use std::collections::VecDeque;
use std::sync::Arc;

use contract::clock::Monotonic;
use parking_lot::Mutex;

use crate::record::Record;
use crate::red::Cells;

/// One thread's part.
#[derive(Debug, Default)]
pub(crate) struct Shard(pub(super) Mutex<State>);

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) ended: VecDeque<Record>,
    pub(super) dropped: u64,
    pub(super) running: Vec<Option<Waiting>>,
    pub(super) free: Vec<u32>,
    pub(super) cells: Cells,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) record: Box<Record>,
    pub(super) since: Monotonic,
}

/// Names a running request in its shard.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(super) shard: Arc<Shard>,
    pub(super) at: u32,
}

impl Ticket {
    /// Forgets the waiting request. Returns whether it was announced.
    pub(crate) fn redeem(self) -> bool {
        let mut state = self.shard.0.lock();
        let index = usize::try_from(self.at).unwrap_or(usize::MAX);
        let waiting = state.running.get_mut(index).and_then(Option::take);
        state.free.push(self.at);
        waiting.is_some_and(|it| it.record.announced)
    }
}
