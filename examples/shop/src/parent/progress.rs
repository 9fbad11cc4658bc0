//! One line for each step that is done, with the time it took.
//!
//! Invariant: a line is printed when its step is over, never before.

#![allow(clippy::print_stdout)] // the progress is what the command is for

use contract::clock::{Clock, Monotonic};

/// Prints steps and measures them.
#[derive(Debug)]
pub(super) struct Progress {
    clock: Clock,
    since: Monotonic,
}

impl Progress {
    pub(super) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            since: clock.monotonic(),
        }
    }

    /// A step is over; the next one begins.
    pub(super) fn done(&mut self, step: impl AsRef<str>) {
        let now = self.clock.monotonic();
        let took = now.since(self.since).as_millis();
        self.since = now;
        println!("✓ {:<62} {took:>6} ms", step.as_ref());
    }

    /// Something worth knowing about the step before.
    pub(super) fn note(&self, text: &str) {
        println!("    {text}");
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }
}
