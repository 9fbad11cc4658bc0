//! How many inbound calls run at once, and how many may wait for a place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use contract::clock::Clock;
use contract::transport::not_dispatched;
use tokio::sync::{Semaphore, SemaphorePermit};
use tonic::Status;

use super::said::draining;
use crate::idempotency::Hold;

/// Slots and a bounded queue in front of them.
#[derive(Debug)]
pub(super) struct Admission {
    slots: Semaphore,
    slots_max: u32,
    queued: AtomicU32,
    queued_max: u32,
    draining: AtomicBool,
}

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Slots and queue are full.
    Overloaded,
    /// Stopping began while the call waited.
    Draining,
}

impl Admission {
    pub(super) fn new(slots_max: u32, queued_max: u32) -> Self {
        Self {
            slots: Semaphore::new(slots_max as usize),
            slots_max,
            queued: AtomicU32::new(0),
            queued_max,
            draining: AtomicBool::new(false),
        }
    }

    /// Whether new calls are refused because the bridge is stopping.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Takes a slot, waiting in the queue if there is room in it.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Refused> {
        if let Ok(slot) = self.slots.try_acquire() {
            return Ok(slot);
        }
        let _place = self.queue().ok_or(Refused::Overloaded)?;
        let slot = self.slots.acquire().await.map_err(|_| Refused::Draining)?;
        // What waited when stopping began has not run yet: it goes elsewhere.
        if self.is_draining() {
            Err(Refused::Draining)
        } else {
            Ok(slot)
        }
    }

    /// Makes a slot outlive the one who took it.
    pub(super) fn hold(self: &Arc<Self>, slot: SemaphorePermit<'_>) -> HeldSlot {
        slot.forget();
        HeldSlot {
            admission: self.clone(),
            is_taken: true,
        }
    }

    fn queue(&self) -> Option<Place<'_>> {
        let taken = self
            .queued
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |queued| {
                (queued < self.queued_max).then_some(queued + 1)
            });
        taken.ok().map(|_| Place(&self.queued))
    }

    /// Refuses new calls and waits until the running ones are done, at most for `wait`.
    /// Returns how many were still running then.
    pub(super) async fn drain(&self, clock: &Clock, wait: Duration) -> u32 {
        self.draining.store(true, Ordering::Release);
        let all = clock
            .timeout(wait, self.slots.acquire_many(self.slots_max))
            .await;
        match all {
            Ok(_) => 0,
            Err(_) => self
                .slots_max
                .saturating_sub(self.slots.available_permits() as u32),
        }
    }
}

/// A slot that is given back when it is dropped.
#[derive(Debug)]
pub(super) struct HeldSlot {
    admission: Arc<Admission>,
    is_taken: bool,
}

impl Hold for HeldSlot {
    fn leave(&mut self) {
        if std::mem::take(&mut self.is_taken) {
            self.admission.slots.add_permits(1);
        }
    }

    async fn enter(&mut self) -> Result<(), Status> {
        if !self.is_taken {
            self.admission.enter().await?.forget();
            self.is_taken = true;
        }
        Ok(())
    }
}

impl Drop for HeldSlot {
    fn drop(&mut self) {
        self.leave();
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Draining => draining(),
            Refused::Overloaded => not_dispatched(Self::resource_exhausted(
                "the instance is overloaded: no free slot and no place in the queue",
            )),
        }
    }
}

/// A place in the queue, given back when it is dropped.
struct Place<'a>(&'a AtomicU32);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_beyond_slots_and_queue_is_refused() {
        let admission = Admission::new(1, 1);
        let running = admission.enter().await.unwrap();
        let mut waiting = std::pin::pin!(admission.enter());
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx)));
        assert!(first.await.is_pending());
        assert_eq!(admission.enter().await.unwrap_err(), Refused::Overloaded);
        drop(running);
        drop(waiting.await.unwrap());
        assert!(admission.enter().await.is_ok());
    }

    #[tokio::test]
    async fn a_caller_that_leaves_the_queue_gives_its_place_back() {
        let admission = Admission::new(1, 1);
        let _running = admission.enter().await.unwrap();
        for _ in 0..3 {
            let mut waiting = Box::pin(admission.enter());
            std::future::poll_fn(|cx| {
                std::task::Poll::Ready(waiting.as_mut().poll(cx).is_pending())
            })
            .await;
        }
        assert_eq!(admission.queued.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_held_slot_is_taken_until_it_is_dropped() {
        let admission = Arc::new(Admission::new(1, 0));
        let held = admission.hold(admission.enter().await.unwrap());
        assert_eq!(admission.enter().await.unwrap_err(), Refused::Overloaded);
        drop(held);
        assert!(admission.enter().await.is_ok());
        assert_eq!(admission.drain(&Clock::system(), Duration::ZERO).await, 0);
    }

    #[tokio::test]
    async fn a_slot_that_is_left_is_somebody_elses_until_it_is_entered_again() {
        let admission = Arc::new(Admission::new(1, 0));
        let mut held = admission.hold(admission.enter().await.unwrap());
        held.leave();
        held.leave();
        let other = admission.enter().await.unwrap();
        assert_eq!(admission.slots.available_permits(), 0, "it was one slot");
        let refused = held.enter().await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        assert!(contract::transport::is_not_dispatched(&refused));
        drop(other);
        held.enter().await.unwrap();
        held.enter().await.unwrap();
        assert_eq!(admission.enter().await.unwrap_err(), Refused::Overloaded);
        drop(held);
        assert_eq!(admission.slots.available_permits(), 1);
    }

    #[tokio::test]
    async fn draining_waits_for_what_runs_and_no_longer_than_told() {
        let clock = Clock::system();
        let admission = Admission::new(4, 0);
        let running = admission.enter().await.unwrap();
        assert_eq!(admission.drain(&clock, Duration::from_millis(20)).await, 1);
        assert!(admission.is_draining());
        drop(running);
        assert_eq!(admission.drain(&clock, Duration::from_secs(5)).await, 0);
    }
}
