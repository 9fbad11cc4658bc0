//! What differs from the defaults of a recorder.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use contract::clock::Clock;
use contract::ids::IdMint;
use parking_lot::{Mutex, RwLock};

use super::shard::Shard;
use super::{Inner, RING_RECORDS, Recorder};
use crate::sample::Sampler;

/// Settings of a [`Recorder`].
#[derive(Clone, Debug)]
pub struct Builder {
    clock: Clock,
    mint: Option<IdMint>,
    sampler: Sampler,
    counts: bool,
    ring_records: usize,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            clock: Clock::system(),
            mint: None,
            sampler: Sampler::default(),
            counts: true,
            ring_records: RING_RECORDS,
        }
    }

    /// Which requests leave a record; the default is what callers decided, else all.
    #[must_use]
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Whether requests are counted by route; they are by default. With neither counts nor a
    /// sampler that records, all that is left is handing the trace context on.
    #[must_use]
    pub fn counts(mut self, counts: bool) -> Self {
        self.counts = counts;
        self
    }

    /// Records that one thread keeps while they wait for the exporters, at least 2.
    #[must_use]
    pub fn ring_records(mut self, records: usize) -> Self {
        self.ring_records = records.max(2);
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone();
        self
    }

    /// Where ids come from; by default a mint of its own.
    #[must_use]
    pub fn mint(mut self, mint: &IdMint) -> Self {
        self.mint = Some(mint.clone());
        self
    }

    /// The recorder.
    pub fn build(self) -> Recorder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mint = self.mint.unwrap_or_else(|| IdMint::system(&self.clock));
        let common = Arc::new(Shard::default());
        let inner = Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            origin: self.clock.monotonic(),
            wall_at_origin: AtomicI64::new(self.clock.now().as_micros()),
            clock: self.clock,
            mint,
            decider: self.sampler.into(),
            counts: self.counts,
            ring_records: self.ring_records,
            routes: RwLock::default(),
            peers: RwLock::default(),
            shards: Mutex::new(vec![common.clone()]),
            common,
            collecting: AtomicBool::new(false),
            exporters: Mutex::new(Vec::new()),
            thread: OnceLock::new(),
            dropped: AtomicU64::new(0),
        };
        Recorder(Arc::new(inner))
    }
}
