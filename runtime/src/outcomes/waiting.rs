//! Who waits for somebody else's outcome: woken when it is there, bounded in number.
//!
//! Refuses more than [`WAITERS_MAX`] at a time, and more of one owner than its share of them. A
//! wake-up is a hint, sent by this process only; whoever waits looks again by itself too.

use std::collections::HashMap;
use std::sync::Arc;

use contract::ids::ServiceId;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::model::{Digest, room};

/// Calls that may wait at the same time, over all works.
pub(super) const WAITERS_MAX: u64 = 4_096;

/// Those who wait, by what they wait for. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    taken: u64,
    by_owner: HashMap<ServiceId, u64>,
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
    owner: ServiceId,
    work: Digest,
    pub(super) bell: Arc<Notify>,
}

impl Waiting {
    /// A place; `None` when all are taken, or `owner` has its `share` of them, in percent.
    pub(super) fn enter(&self, owner: ServiceId, work: Digest, share: u16) -> Option<Waiter> {
        let mut places = self.0.lock();
        let own = places.by_owner.get(&owner).copied().unwrap_or_default();
        room(own, places.taken, WAITERS_MAX, share).ok()?;
        places.taken += 1;
        places.by_owner.insert(owner, own + 1);
        let place = places.by_work.entry(work).or_default();
        place.waiters += 1;
        let bell = place.bell.clone();
        Some(Waiter {
            waiting: self.clone(),
            owner,
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
    pub(super) fn len(&self) -> u64 {
        self.0.lock().taken
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut places = self.waiting.0.lock();
        places.taken -= 1;
        if let Some(own) = places.by_owner.get_mut(&self.owner) {
            *own -= 1;
            if *own == 0 {
                places.by_owner.remove(&self.owner);
            }
        }
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

    fn service(number: u128) -> ServiceId {
        ServiceId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let waiting = Waiting::default();
        let enter = |work| waiting.enter(service(1), [work; 32], 100);
        let mut held: Vec<_> = (0..WAITERS_MAX)
            .map(|_| enter(7).expect("a place"))
            .collect();
        assert!(enter(8).is_none());
        held.pop();
        assert!(enter(8).is_some());
        held.clear();
        assert_eq!(waiting.len(), 0);
        let places = waiting.0.lock();
        assert!(places.by_work.is_empty() && places.by_owner.is_empty());
    }

    #[test]
    fn one_owner_that_waits_leaves_places_for_others() {
        let waiting = Waiting::default();
        let enter = |owner| waiting.enter(service(owner), [7; 32], 75);
        let one: Vec<_> = std::iter::from_fn(|| enter(1)).collect();
        assert_eq!(one.len() as u64, WAITERS_MAX / 4 * 3);
        let other: Vec<_> = std::iter::from_fn(|| enter(2)).collect();
        let others = other.len() as u64;
        assert!((1..WAITERS_MAX / 4).contains(&others), "{others}");
        assert!(enter(3).is_some(), "and one more comes");
    }
}
