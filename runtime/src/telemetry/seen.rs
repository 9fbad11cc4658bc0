//! What arrived lately, so that a report sent again after a lost acknowledgement counts once.
//!
//! An item is a repeat only when an *earlier stream* brought an equal one that no other item has
//! been matched with: two equal lines of one stream are two lines. Best effort by contract: only
//! the latest so many are remembered, and a restart forgets them.
//!
//! Invariant: never more than the given number of entries.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hash, RandomState};

/// A report stream: numbers grow with every new one of this process.
pub(super) type StreamNumber = u64;

/// Digests of the latest items.
#[derive(Debug)]
pub(super) struct Seen {
    entries_max: usize,
    hasher: RandomState,
    by_digest: HashMap<u64, Sighting>,
    order: VecDeque<u64>,
}

/// Equal items: those of the newest stream, and those of earlier ones it has not repeated yet.
#[derive(Clone, Copy, Debug)]
struct Sighting {
    stream: StreamNumber,
    count: u32,
    earlier: u32,
}

impl Sighting {
    /// As the next item of `stream` finds it.
    fn seen_by(self, stream: StreamNumber) -> Self {
        if stream <= self.stream {
            return self;
        }
        Self {
            stream,
            count: 0,
            earlier: self.earlier.saturating_add(self.count),
        }
    }
}

impl Seen {
    /// Remembers `entries_max` items.
    pub(super) fn new(entries_max: usize) -> Self {
        Self {
            entries_max,
            hasher: RandomState::new(),
            by_digest: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The digest of an item.
    pub(super) fn digest(&self, item: &impl Hash) -> u64 {
        self.hasher.hash_one(item)
    }

    /// Which of these items, in the order of their digests, an earlier stream has brought.
    pub(super) fn repeats(&self, stream: StreamNumber, digests: &[u64]) -> Vec<bool> {
        let mut matched: HashMap<u64, u32> = HashMap::new();
        let mut is_repeat = |digest: &u64| {
            let Some(known) = self.by_digest.get(digest) else {
                return false;
            };
            let matched = matched.entry(*digest).or_default();
            *matched += 1;
            *matched <= known.seen_by(stream).earlier
        };
        digests.iter().map(&mut is_repeat).collect()
    }

    /// Notes that these items of `stream` are stored, or were repeats.
    pub(super) fn note(&mut self, stream: StreamNumber, digests: &[u64]) {
        for digest in digests {
            let Some(known) = self.by_digest.get_mut(digest) else {
                self.insert(*digest, stream);
                continue;
            };
            *known = known.seen_by(stream);
            known.earlier = known.earlier.saturating_sub(1);
            known.count = known.count.saturating_add(1);
        }
    }

    fn insert(&mut self, digest: u64, stream: StreamNumber) {
        while self.order.len() >= self.entries_max {
            if let Some(oldest) = self.order.pop_front() {
                self.by_digest.remove(&oldest);
            }
        }
        self.order.push_back(digest);
        let first = Sighting {
            stream,
            count: 1,
            earlier: 0,
        };
        self.by_digest.insert(digest, first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(seen: &mut Seen, stream: StreamNumber, items: &[&str]) -> Vec<bool> {
        let digests: Vec<u64> = items.iter().map(|it| seen.digest(it)).collect();
        let repeats = seen.repeats(stream, &digests);
        seen.note(stream, &digests);
        repeats
    }

    #[test]
    fn a_later_stream_repeats_what_an_earlier_one_brought_as_often_as_it_did() {
        let mut seen = Seen::new(10);
        assert_eq!(
            take(&mut seen, 1, &["a", "a", "b"]),
            [false; 3],
            "two equal lines are two"
        );
        assert_eq!(take(&mut seen, 2, &["a", "c", "a"]), [true, false, true]);
        assert_eq!(take(&mut seen, 2, &["a"]), [false], "a third one is new");
        assert_eq!(
            take(&mut seen, 2, &["b"]),
            [true],
            "batches may be cut elsewhere"
        );
        assert_eq!(
            take(&mut seen, 1, &["c"]),
            [false],
            "what a stream brings last is its own"
        );
    }

    #[test]
    fn what_is_sent_a_third_time_is_still_a_repeat() {
        let mut seen = Seen::new(10);
        take(&mut seen, 1, &["a", "a"]);
        assert_eq!(take(&mut seen, 2, &["a"]), [true]);
        assert_eq!(take(&mut seen, 3, &["a", "a", "a"]), [true, true, false]);
    }

    #[test]
    fn the_oldest_are_forgotten_at_the_limit() {
        let mut seen = Seen::new(2);
        take(&mut seen, 1, &["a", "b", "c"]);
        assert_eq!((seen.order.len(), seen.by_digest.len()), (2, 2));
        assert_eq!(take(&mut seen, 2, &["b", "c", "a"]), [true, true, false]);
    }
}
