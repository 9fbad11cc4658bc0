//! One line for each step that is done, with the time it took.
//!
//! Invariant: a line is printed when its step is over, never before; a reader that has gone away
//! (`shop | head`) keeps nothing from being stopped properly.

use std::io::Write as _;

use bridge::Monotonic;
use bridge::embedded::Clock;

/// Prints one line, or several.
pub(super) fn say(text: &str) {
    // A panic, which is what `println!` does without a reader, would cut the services off.
    let _ = writeln!(std::io::stdout(), "{text}");
}

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

    /// A step begins after a while in which nothing was done.
    pub(super) fn resume(&mut self) {
        self.since = self.clock.monotonic();
    }

    /// A step is over; the next one begins.
    pub(super) fn done(&mut self, step: impl AsRef<str>) {
        let now = self.clock.monotonic();
        let took = now.since(self.since).as_millis();
        self.since = now;
        say(&format!("✓ {:<62} {took:>6} ms", step.as_ref()));
    }

    /// Something worth knowing about the step before.
    pub(super) fn note(&self, text: &str) {
        say(&format!("    {text}"));
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }
}
