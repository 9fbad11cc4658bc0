//! A queue bounded in bytes whose items leave on acknowledgement.
//!
//! Items are numbered without gaps. `head` is the number of the oldest one kept, `unsent` that of
//! the first one no batch has taken; what lies between is under way and may be sent again.

use std::collections::VecDeque;

use super::op::Record;

/// The number of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position(u64);

/// Names a started operation until it ends.
#[derive(Debug)]
pub(super) struct Slot {
    at: Position,
    /// The start, in case the ring has to drop or send it before the end comes. Boxed: it is
    /// looked at only then.
    start: Record,
}

#[derive(Debug)]
pub(super) struct Ring {
    items: VecDeque<Record>,
    head: u64,
    unsent: u64,
    bytes: usize,
    bytes_max: usize,
    dropped: u64,
}

impl Ring {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            items: VecDeque::new(),
            head: 0,
            unsent: 0,
            bytes: 0,
            bytes_max,
            dropped: 0,
        }
    }

    /// Adds a started operation, dropping the oldest ones if there is no room.
    pub(super) fn push(&mut self, record: Record) -> Slot {
        Slot {
            start: record.clone(),
            at: self.append(record),
        }
    }

    /// Ends the operation of `slot`: in place while nobody has sent its start, else as a frame of
    /// its own.
    pub(super) fn end(&mut self, slot: Slot, end: impl FnOnce(&mut Record)) {
        let Position(at) = slot.at;
        if at >= self.unsent.max(self.head) {
            let index = usize::try_from(at - self.head).unwrap_or(usize::MAX);
            if let Some(record) = self.items.get_mut(index) {
                let before = record.bytes();
                end(record);
                self.bytes += record.bytes() - before;
                self.make_room();
                return;
            }
        }
        let mut record = slot.start;
        end(&mut record);
        self.append(record);
    }

    /// Takes up to `max` unsent items into a batch. Returns them with the position behind them.
    pub(super) fn take(&mut self, max: usize) -> (Vec<Record>, Position) {
        self.unsent = self.unsent.max(self.head);
        let skip = usize::try_from(self.unsent - self.head).unwrap_or(usize::MAX);
        let batch: Vec<_> = self.items.iter().skip(skip).take(max).cloned().collect();
        self.unsent += batch.len() as u64;
        (batch, Position(self.unsent))
    }

    /// Forgets everything before `upto`.
    pub(super) fn acknowledge(&mut self, upto: Position) {
        while self.head < upto.0 {
            let Some(record) = self.items.pop_front() else {
                break;
            };
            self.bytes -= record.bytes();
            self.head += 1;
        }
    }

    /// The stream broke: what was not acknowledged is sent again.
    pub(super) fn rewind(&mut self) {
        self.unsent = self.head;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Items taken into batches and not acknowledged yet.
    pub(super) fn in_flight(&self) -> usize {
        usize::try_from(self.unsent.saturating_sub(self.head)).unwrap_or(usize::MAX)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    fn append(&mut self, record: Record) -> Position {
        let at = self.head + self.items.len() as u64;
        self.bytes += record.bytes();
        self.items.push_back(record);
        self.make_room();
        Position(at)
    }

    fn make_room(&mut self) {
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.items.pop_front() else {
                break;
            };
            self.bytes -= oldest.bytes();
            // An item under way may still arrive; counting it lost would count it twice.
            self.dropped += u64::from(self.head >= self.unsent);
            self.head += 1;
        }
    }
}
