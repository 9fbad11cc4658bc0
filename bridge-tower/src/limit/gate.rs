//! The slots, and who waits for one.
//!
//! Invariant: nobody waits while a slot is free. A slot that is let go goes to the first that
//! waits within the same lock, so that nobody who comes later overtakes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

/// How busy a limit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests that hold a slot.
    pub running: usize,
    /// Requests that wait for one.
    pub waiting: usize,
    /// Requests that were refused since the start.
    pub shed: u64,
}

#[derive(Debug)]
pub(super) struct Gate {
    max: usize,
    queue: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    shed: u64,
    next: u64,
    /// By the order of their coming. A granted one is there until it has picked up its slot.
    queue: BTreeMap<u64, Place>,
    granted: usize,
}

#[derive(Debug)]
enum Place {
    Waits(Option<Waker>),
    Granted,
}

/// What a request gets that arrives.
#[derive(Debug)]
pub(super) enum Entry {
    Now(Slot),
    Queued(Ticket),
    Full,
}

/// The right to run; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot(Arc<Gate>);

/// A place in the queue; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    gate: Arc<Gate>,
    number: u64,
}

impl Gate {
    pub(super) fn new(max: usize, queue: usize) -> Self {
        Self {
            max,
            queue,
            state: Mutex::default(),
        }
    }

    pub(super) fn enter(gate: &Arc<Self>) -> Entry {
        let mut state = gate.state.lock();
        if state.running < gate.max {
            state.running += 1;
            return Entry::Now(Slot(gate.clone()));
        }
        if state.waiting() >= gate.queue {
            state.shed += 1;
            return Entry::Full;
        }
        let number = state.next;
        state.next += 1;
        state.queue.insert(number, Place::Waits(None));
        let gate = gate.clone();
        Entry::Queued(Ticket { gate, number })
    }

    pub(super) fn load(&self) -> Load {
        let state = self.state.lock();
        Load {
            running: state.running,
            waiting: state.waiting(),
            shed: state.shed,
        }
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.queue.len() - self.granted
    }

    /// Hands a slot on that nobody holds any more. Returns whom to wake.
    fn pass_on(&mut self) -> Option<Waker> {
        for place in self.queue.values_mut() {
            if let Place::Waits(waker) = place {
                let waker = waker.take();
                *place = Place::Granted;
                self.granted += 1;
                return waker;
            }
        }
        self.running -= 1;
        None
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let waker = self.0.state.lock().pass_on();
        // Woken outside of the lock: it may drop what holds another slot.
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Ticket {
    /// Ready once a slot has been handed on to this place.
    pub(super) fn poll_slot(&self, cx: &mut Context<'_>) -> Poll<Slot> {
        let mut state = self.gate.state.lock();
        if let Some(Place::Waits(waker)) = state.queue.get_mut(&self.number) {
            match waker {
                Some(known) => known.clone_from(cx.waker()),
                None => *waker = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        state.queue.remove(&self.number);
        state.granted -= 1;
        Poll::Ready(Slot(self.gate.clone()))
    }

    /// Gives the place up because it took too long.
    pub(super) fn give_up(self) {
        self.gate.state.lock().shed += 1;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.gate.state.lock();
        let waker = match state.queue.remove(&self.number) {
            Some(Place::Granted) => {
                state.granted -= 1;
                state.pass_on()
            }
            Some(Place::Waits(_)) | None => None,
        };
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
