//! How much is stored and whose it is, and what was refused, counted by this process.
//!
//! Every sweep counts anew, so the bounds are exact but for what happened since the last one: work
//! that was taken over counts twice until then, and what another runtime stored not at all.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::ids::ServiceId;
use parking_lot::Mutex;

use super::model::{BODIES_PART, Full, Whose, room};
use super::store;
use crate::settings::{Settings, keys};

/// Owners that [`OutcomeCounts::largest`] names.
const LARGEST_SHOWN: usize = 10;

/// Counts of one process.
#[derive(Debug)]
pub(super) struct Stock {
    settings: Settings,
    stored: Mutex<Stored>,
    pub(super) refused: AtomicU64,
    pub(super) refused_share: AtomicU64,
    pub(super) bodies_left_out: AtomicU64,
    pub(super) replayed: AtomicU64,
}

#[derive(Debug, Default)]
struct Stored {
    all: Held,
    owners: HashMap<ServiceId, Held>,
}

/// What is held, by one or by all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Claims and outcomes.
    pub entries: u64,
    /// What they take, roughly.
    pub bytes: u64,
}

/// How much there is, and what was refused since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// What all owners have together.
    pub all: Held,
    /// What they may have.
    pub max: Held,
    /// Those who have the most, at most 10, the first one most.
    pub largest: Vec<(ServiceId, Held)>,
    /// Calls that wait now.
    pub waiting: u64,
    /// Outcomes that answered a repeat.
    pub replayed: u64,
    /// Work refused for want of room.
    pub refused: u64,
    /// The part of it that was refused because its owner had its share.
    pub refused_share: u64,
    /// Outcomes whose body was not kept.
    pub bodies_left_out: u64,
}

impl Held {
    fn add(&mut self, entries: i64, bytes: i64) {
        self.entries = self.entries.saturating_add_signed(entries);
        self.bytes = self.bytes.saturating_add_signed(bytes);
    }
}

impl Stock {
    /// Nothing is stored; nothing was refused.
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            stored: Mutex::default(),
            refused: AtomicU64::new(0),
            refused_share: AtomicU64::new(0),
            bodies_left_out: AtomicU64::new(0),
            replayed: AtomicU64::new(0),
        }
    }

    /// What the store says.
    pub(super) fn set(&self, counted: Vec<store::Stored>) {
        let mut stored = Stored::default();
        for one in counted {
            stored.all.add(one.entries, one.bytes);
            if let Ok(owner) = one.owner.parse() {
                let held = stored.owners.entry(owner).or_default();
                held.add(one.entries, one.bytes);
            }
        }
        *self.stored.lock() = stored;
    }

    /// What was added since, or taken away.
    pub(super) fn add(&self, owner: ServiceId, entries: i64, bytes: i64) {
        let mut stored = self.stored.lock();
        stored.all.add(entries, bytes);
        let held = stored.owners.entry(owner).or_default();
        held.add(entries, bytes);
        if held.entries == 0 {
            stored.owners.remove(&owner);
        }
    }

    /// Why `owner` may not have one more, if it may not.
    pub(super) fn full(&self, owner: ServiceId) -> Option<Full> {
        let (own, all) = self.held(owner);
        let share = self.share();
        let max = self.max();
        let refused = |limit| move |whose| Full { limit, whose };
        let entries = room(own.entries, all.entries, max.entries, share);
        let entries = entries.map_err(refused(keys::OUTCOMES_ENTRIES_MAX.name()));
        let bytes = room(own.bytes, all.bytes, max.bytes, share);
        let bytes = bytes.map_err(refused(keys::OUTCOMES_BYTES_MAX.name()));
        entries.and(bytes).err()
    }

    /// Whether a body of so many bytes may be kept: they leave the last part of the room to the
    /// rows that say what was done.
    pub(super) fn has_room_for(&self, owner: ServiceId, body: usize) -> bool {
        let (own, all) = self.held(owner);
        let max = self.max().bytes / BODIES_PART.1 * BODIES_PART.0;
        let most = self.settings.get(keys::OUTCOMES_BODY_BYTES_MAX);
        body <= most
            && all.bytes.saturating_add(body as u64) <= max
            && room(own.bytes, all.bytes, max, self.share()).is_ok()
    }

    /// Counts a refusal.
    pub(super) fn refuse(&self, whose: Whose) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if whose == Whose::Owner {
            self.refused_share.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The part of all room that one owner may have, in percent.
    pub(super) fn share(&self) -> u16 {
        self.settings.get(keys::OUTCOMES_OWNER_SHARE)
    }

    fn max(&self) -> Held {
        Held {
            entries: self.settings.get(keys::OUTCOMES_ENTRIES_MAX) as u64,
            bytes: self.settings.get(keys::OUTCOMES_BYTES_MAX),
        }
    }

    fn held(&self, owner: ServiceId) -> (Held, Held) {
        let stored = self.stored.lock();
        let own = stored.owners.get(&owner).copied();
        (own.unwrap_or_default(), stored.all)
    }

    /// For whoever watches; `waiting` is known elsewhere.
    pub(super) fn counts(&self, waiting: u64) -> OutcomeCounts {
        let (all, mut largest) = {
            let stored = self.stored.lock();
            let owners = stored.owners.iter().map(|(id, held)| (*id, *held));
            (stored.all, owners.collect::<Vec<_>>())
        };
        largest.sort_by_key(|(id, held)| (std::cmp::Reverse((held.entries, held.bytes)), *id));
        largest.truncate(LARGEST_SHOWN);
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        OutcomeCounts {
            all,
            max: self.max(),
            largest,
            waiting,
            replayed: read(&self.replayed),
            refused: read(&self.refused),
            refused_share: read(&self.refused_share),
            bodies_left_out: read(&self.bodies_left_out),
        }
    }
}

/// A size as rows have it.
pub(super) fn length(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
