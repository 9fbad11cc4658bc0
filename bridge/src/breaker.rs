//! Whether calls to an instance are held back, because too many of them failed lately.
//!
//! ```text
//! closed ──10 outcomes in 10 s, more than half of them failures──► open ──30 s──► half-open
//!    ▲                                                              ▲                 │
//!    ├── the one probe succeeds ────────────────────────────────────│─────────────────┤
//!    └── 60 s after it opened, while no probe runs                  └── the probe fails
//! ```
//!
//! An answer of a handler, an error of its own included, is a success: only what happens on the way
//! to one is a failure. So is a refusal about the idempotency key of a call, with whatever status:
//! where keys are kept is away or full, and calls without one are answered. A closed breaker costs
//! a call one load when it is picked for, and the clock and two atomics when it ends; no lock.
//!
//! Invariant: half-open lets one call through at a time, and whoever is let through says how it
//! went, or that nobody knows.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use contract::clock::{Clock, Monotonic};

/// Seconds that are looked back at.
const WINDOW_SECONDS: usize = 10;
/// Outcomes in the window below which nothing is concluded.
const OUTCOMES_MIN: u64 = 10;
/// How long nobody is let through.
const OPEN: Duration = Duration::from_secs(30);
/// How long after opening it is forgotten, whoever asked since, unless a probe runs.
const FORGET: Duration = Duration::from_secs(60);

/// What a call came to, as far as it says something about the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The instance does its work.
    Success,
    /// It did not answer, had no room, or broke.
    Failure,
    /// It was not reached at all.
    Unreached,
}

/// That a call may go to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    Ordinary,
    /// Its outcome decides whether others may follow.
    Probe,
}

/// The breaker of one instance.
#[derive(Debug)]
pub(crate) struct Breaker {
    clock: Clock,
    born: Monotonic,
    window: Window,
    /// Set from a failure until none is in the window any more: only then an outcome is judged.
    has_failed: AtomicBool,
    /// When it opened, in milliseconds of its life and one; 0 while it is closed.
    opened: AtomicU64,
    is_probed: AtomicBool,
    /// It opened because the instance was not reached.
    is_cut_off: AtomicBool,
}

impl Breaker {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            born: clock.monotonic(),
            window: Window::default(),
            has_failed: AtomicBool::new(false),
            opened: AtomicU64::new(0),
            is_probed: AtomicBool::new(false),
            is_cut_off: AtomicBool::new(false),
        }
    }

    /// How long nobody is let through yet; `None` when somebody is.
    #[inline]
    pub(crate) fn held(&self) -> Option<Duration> {
        match self.opened.load(Ordering::Acquire) {
            0 => None,
            opened => self.held_since(opened),
        }
    }

    #[cold]
    fn held_since(&self, opened: u64) -> Option<Duration> {
        let age = self.age_of(opened);
        if age < OPEN {
            return Some(OPEN - age);
        }
        let is_probed = self.is_probed.load(Ordering::Acquire);
        is_probed.then_some(Duration::ZERO)
    }

    /// Whether calls are held back because the instance was not reached: there may be another way.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.opened.load(Ordering::Acquire) != 0 && self.is_cut_off.load(Ordering::Relaxed)
    }

    /// Lets a call through, if one may go. Whoever gets a pass hands it back with
    /// [`record`](Self::record) or [`forget`](Self::forget).
    #[inline]
    pub(crate) fn admit(&self) -> Option<Pass> {
        match self.opened.load(Ordering::Acquire) {
            0 => Some(Pass::Ordinary),
            opened => self.probe(opened),
        }
    }

    #[cold]
    fn probe(&self, opened: u64) -> Option<Pass> {
        let age = self.age_of(opened);
        if age < OPEN {
            return None;
        }
        if self.is_probed.swap(true, Ordering::AcqRel) {
            return None;
        }
        // The last probe may have ended between both looks.
        let now = self.opened.load(Ordering::Acquire);
        if now == opened && age < FORGET {
            return Some(Pass::Probe);
        }
        if now == opened {
            self.close();
        }
        self.is_probed.store(false, Ordering::Release);
        (now == opened || now == 0).then_some(Pass::Ordinary)
    }

    /// Hands a pass back with what the call came to.
    pub(crate) fn record(&self, pass: Pass, outcome: Outcome) {
        if pass == Pass::Probe {
            match outcome {
                Outcome::Success => self.close(),
                failure => self.open(failure),
            }
            self.is_probed.store(false, Ordering::Release);
            return;
        }
        // What was under way when it opened says nothing new.
        if self.opened.load(Ordering::Acquire) != 0 {
            return;
        }
        let second = self.second();
        self.window.add(second, outcome != Outcome::Success);
        if outcome != Outcome::Success {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        if self.has_failed.load(Ordering::Relaxed) {
            self.judge(second, outcome);
        }
    }

    /// Hands a pass back of a call that says nothing: its caller left, or it was a stream that
    /// began and was quiet until its deadline.
    pub(crate) fn forget(&self, pass: Pass) {
        if pass == Pass::Probe {
            self.is_probed.store(false, Ordering::Release);
        }
    }

    #[cold]
    fn judge(&self, second: u64, outcome: Outcome) {
        let (failures, all) = self.window.sum(second);
        if failures == 0 {
            self.has_failed.store(false, Ordering::Relaxed);
        }
        if all >= OUTCOMES_MIN && failures * 2 > all {
            self.open(outcome);
        }
    }

    fn open(&self, outcome: Outcome) {
        let is_cut_off = outcome == Outcome::Unreached;
        self.is_cut_off.store(is_cut_off, Ordering::Relaxed);
        let now = self.clock.monotonic().since(self.born);
        self.opened.store(millis(now) + 1, Ordering::Release);
    }

    fn close(&self) {
        self.window.clear();
        self.has_failed.store(false, Ordering::Relaxed);
        self.opened.store(0, Ordering::Release);
    }

    fn age_of(&self, opened: u64) -> Duration {
        let now = self.clock.monotonic().since(self.born);
        now.saturating_sub(Duration::from_millis(opened - 1))
    }

    fn second(&self) -> u64 {
        self.clock.monotonic().since(self.born).as_secs()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX - 1)
}

/// Outcomes by the second they came in: its number, failures and all in one word each.
#[derive(Debug, Default)]
struct Window([AtomicU64; WINDOW_SECONDS]);

/// Bits of a count.
const COUNT_BITS: u32 = 18;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const FAILURE: u64 = 1 << COUNT_BITS;
const TAG_SHIFT: u32 = 2 * COUNT_BITS;
/// Outcomes of one second that are counted; room for all threads that are about to add one.
const COUNT_MAX: u64 = COUNT_MASK - 4_096;

impl Window {
    fn add(&self, second: u64, is_failure: bool) {
        let bucket = &self.0[(second % WINDOW_SECONDS as u64) as usize];
        let one = if is_failure { FAILURE + 1 } else { 1 };
        let mut seen = bucket.load(Ordering::Relaxed);
        while seen >> TAG_SHIFT != second + 1 {
            let begun = (second + 1) << TAG_SHIFT | one;
            match bucket.compare_exchange_weak(seen, begun, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
        if seen & COUNT_MASK < COUNT_MAX {
            bucket.fetch_add(one, Ordering::Relaxed);
        }
    }

    /// Failures and all outcomes in the window that ends with `second`.
    fn sum(&self, second: u64) -> (u64, u64) {
        let (mut failures, mut all) = (0, 0);
        for bucket in &self.0 {
            let seen = bucket.load(Ordering::Relaxed);
            // A word that was never written is of no second, and older than all.
            let age = (second + 1).saturating_sub(seen >> TAG_SHIFT);
            if age < WINDOW_SECONDS as u64 {
                failures += seen >> COUNT_BITS & COUNT_MASK;
                all += seen & COUNT_MASK;
            }
        }
        (failures, all)
    }

    fn clear(&self) {
        for bucket in &self.0 {
            bucket.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
