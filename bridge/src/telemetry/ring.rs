//! A queue bounded in bytes whose items leave on acknowledgement.
//!
//! Items are numbered without gaps. `head` is the number of the oldest one kept, `unsent` that of
//! the first one no batch has taken; what lies between is under way and may be sent again.
//!
//! Invariant: the bytes of what is kept never exceed the bound, and each item that left without
//! an acknowledgement was counted, unless it was under way and may have arrived.

use std::collections::VecDeque;

/// Unsent items that are worth a batch at once.
pub(super) const BATCH_ITEMS_MAX: usize = 256;

/// Says what an item occupies.
pub(super) trait Weigh {
    /// Bytes it occupies while it waits.
    fn bytes(&self) -> usize;
}

/// The number of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(u64);

/// Whether it is worth sending now, instead of waiting for the next beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Now,
    Later,
}

#[derive(Debug)]
pub(super) struct Ring<T> {
    items: VecDeque<T>,
    head: u64,
    unsent: u64,
    bytes: usize,
    bytes_max: usize,
    dropped: u64,
    /// Numbers of items that left for lack of room while they were under way, oldest first.
    ghosts: VecDeque<u64>,
}

impl<T: Weigh + Clone> Ring<T> {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            items: VecDeque::new(),
            head: 0,
            unsent: 0,
            bytes: 0,
            bytes_max,
            dropped: 0,
            ghosts: VecDeque::new(),
        }
    }

    /// Adds an item, dropping the oldest ones if there is no room. One that is larger than the
    /// whole ring is dropped itself.
    pub(super) fn push(&mut self, item: T) -> Due {
        let (before, bytes) = (self.bytes, item.bytes());
        if bytes > self.bytes_max {
            self.dropped += 1;
            return Due::Later;
        }
        self.bytes += bytes;
        self.items.push_back(item);
        self.make_room();
        let half = self.bytes_max / 2;
        let is_full = self.unsent_items() == BATCH_ITEMS_MAX;
        if is_full || (before < half && self.bytes >= half) {
            Due::Now
        } else {
            Due::Later
        }
    }

    /// The number that the next item gets.
    pub(super) fn next(&self) -> Position {
        Position(self.head + self.items.len() as u64)
    }

    /// Changes an item as long as nobody has sent it.
    pub(super) fn edit(&mut self, at: Position, change: impl FnOnce(&mut T)) {
        if at.0 < self.unsent.max(self.head) {
            return;
        }
        let index = usize::try_from(at.0 - self.head).unwrap_or(usize::MAX);
        let Some(item) = self.items.get_mut(index) else {
            return;
        };
        let before = item.bytes();
        change(item);
        self.bytes = self.bytes + item.bytes() - before;
        self.make_room();
    }

    /// Whether it can be added without dropping anything, or cannot be kept at all.
    pub(super) fn takes(&self, item: &T) -> bool {
        let bytes = item.bytes();
        bytes <= self.bytes_max - self.bytes || bytes > self.bytes_max
    }

    /// Takes up to `max` unsent items into a batch. Returns them with the position behind them.
    pub(super) fn take(&mut self, max: usize) -> (Vec<T>, Position) {
        self.unsent = self.unsent.max(self.head);
        let skip = usize::try_from(self.unsent - self.head).unwrap_or(usize::MAX);
        let batch: Vec<_> = self.items.iter().skip(skip).take(max).cloned().collect();
        self.unsent += batch.len() as u64;
        (batch, Position(self.unsent))
    }

    /// Forgets everything before `upto`.
    pub(super) fn acknowledge(&mut self, upto: Position) {
        while self.head < upto.0 {
            let Some(item) = self.items.pop_front() else {
                break;
            };
            self.bytes -= item.bytes();
            self.head += 1;
        }
        while self.ghosts.front().is_some_and(|at| *at < upto.0) {
            self.ghosts.pop_front();
        }
    }

    /// The stream broke: what was not acknowledged is sent again.
    pub(super) fn rewind(&mut self) {
        self.unsent = self.head;
        self.dropped += self.ghosts.drain(..).count() as u64;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Items taken into batches and not acknowledged yet, also those that had to leave since.
    pub(super) fn in_flight(&self) -> usize {
        self.under_way() + self.ghosts.len()
    }

    /// Items dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Items that are kept and under way.
    fn under_way(&self) -> usize {
        let under_way = usize::try_from(self.unsent.saturating_sub(self.head));
        under_way.unwrap_or(usize::MAX).min(self.items.len())
    }

    fn unsent_items(&self) -> usize {
        self.items.len() - self.under_way()
    }

    fn make_room(&mut self) {
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.items.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
            // An item under way may still arrive: it is lost only if the stream breaks first.
            if self.head >= self.unsent {
                self.dropped += 1;
            } else {
                self.ghosts.push_back(self.head);
            }
            self.head += 1;
        }
    }
}
