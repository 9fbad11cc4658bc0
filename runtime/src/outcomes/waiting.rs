//! Who waits for somebody else's outcome: woken when it is there, bounded in number.
//!
//! Refuses more than [`WAITERS_MAX`] at a time. A wake-up is a hint, sent by this process only;
//! whoever waits looks again by itself too.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::model::Digest;

/// Calls that may wait at the same time, over all works.
pub(super) const WAITERS_MAX: usize = 4_096;

/// Those who wait, by what they wait for. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    taken: usize,
    by_work: HashMap<Digest, Place>,
}

#[derive(Debug, Default)]
struct Place {
    waiters: usize,
    bell: Arc<Notify>,
}

/// One who waits; leaves when dropped.
#[derive(Debug)]
pub(super) struct Waiter {
    waiting: Waiting,
    work: Digest,
    pub(super) bell: Arc<Notify>,
}

impl Waiting {
    /// A place; `None` when all are taken.
    pub(super) fn enter(&self, work: Digest) -> Option<Waiter> {
        let mut places = self.0.lock();
        if places.taken >= WAITERS_MAX {
            return None;
        }
        places.taken += 1;
        let place = places.by_work.entry(work).or_default();
        place.waiters += 1;
        let bell = place.bell.clone();
        Some(Waiter {
            waiting: self.clone(),
            work,
            bell,
        })
    }

    /// Wakes everybody who waits for `work`.
    pub(super) fn wake(&self, work: &Digest) {
        if let Some(place) = self.0.lock().by_work.get(work) {
            place.bell.notify_waiters();
        }
    }

    /// How many wait now.
    pub(super) fn len(&self) -> usize {
        self.0.lock().taken
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut places = self.waiting.0.lock();
        places.taken -= 1;
        if let Some(place) = places.by_work.get_mut(&self.work) {
            place.waiters -= 1;
            if place.waiters == 0 {
                places.by_work.remove(&self.work);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let waiting = Waiting::default();
        let mut held: Vec<_> = (0..WAITERS_MAX)
            .map(|_| waiting.enter([7; 32]).expect("a place"))
            .collect();
        assert!(waiting.enter([8; 32]).is_none());
        held.pop();
        assert!(waiting.enter([8; 32]).is_some());
        held.clear();
        assert_eq!(waiting.len(), 0);
        assert!(waiting.0.lock().by_work.is_empty());
    }
}
