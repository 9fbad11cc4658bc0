//! A store for tests that is elsewhere: it can be out of reach.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::memory::Memory;
use super::store::{Answering, Ask, Begun, Claim, Settled, Store, StoreError};

/// A store that can be out of reach.
#[derive(Clone, Debug)]
pub(super) struct Far {
    pub(super) memory: Memory,
    is_away: Arc<AtomicBool>,
    /// Waits for nobody, whatever it is asked.
    pub(super) is_impatient: Arc<AtomicBool>,
    pub(super) renewed: Arc<AtomicUsize>,
    /// Asked to wait for somebody else.
    pub(super) waited: Arc<AtomicUsize>,
}

impl Far {
    pub(super) fn over(memory: Memory) -> Self {
        Self {
            memory,
            is_away: Arc::default(),
            is_impatient: Arc::default(),
            renewed: Arc::default(),
            waited: Arc::default(),
        }
    }

    pub(super) fn away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    fn reach<T: Send + 'static>(&self, ask: impl FnOnce(&Memory) -> Answering<T>) -> Answering<T> {
        if self.is_away.load(Ordering::SeqCst) {
            let away = StoreError::Unavailable("away".to_owned());
            return Box::pin(std::future::ready(Err(away)));
        }
        ask(&self.memory)
    }
}

impl Store for Far {
    fn begin(&self, mut ask: Ask) -> Answering<Begun> {
        if !ask.wait.is_zero() {
            self.waited.fetch_add(1, Ordering::SeqCst);
        }
        if self.is_impatient.load(Ordering::SeqCst) {
            ask.wait = Duration::ZERO;
        }
        self.reach(|memory| memory.begin(ask))
    }

    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool> {
        self.renewed.fetch_add(1, Ordering::SeqCst);
        self.reach(|memory| memory.renew(claim, lease))
    }

    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled> {
        self.reach(|memory| memory.settle(claim, outcome, keep))
    }

    fn release(&self, claim: &Claim) -> Answering<()> {
        self.reach(|memory| memory.release(claim))
    }
}
