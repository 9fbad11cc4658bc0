//! One instance of another service: the connection to it, and what picking needs to know about it.
//!
//! Invariant: a call is counted from the moment it goes out until it is over, and every pass of the
//! breaker is handed back, also by a call that is dropped.

use std::borrow::Borrow;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use bridge_tower::Deadline;
use contract::clock::{Clock, Monotonic};
use contract::tls::Peer;
use parking_lot::Mutex;

use crate::breaker::{Breaker, Outcome, Pass};
use crate::link::{Credentials, Link};

/// How long an instance that could not be reached is left alone while others can be.
const SHUN: Duration = Duration::from_secs(3);

/// A link to an instance, with what balancing needs to know about it.
#[derive(Debug)]
pub(crate) struct InstanceLink {
    pub(crate) id: InstanceKey,
    pub(crate) link: Link,
    pub(crate) breaker: Breaker,
    clock: Clock,
    in_flight: AtomicU32,
    /// Set while the instance is shunned, so that the common case reads one flag.
    is_shunned: AtomicBool,
    shunned_until: Mutex<Option<Monotonic>>,
    used: AtomicBool,
}

/// What makes two instances different connections: endpoints are reused, so the identity counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InstanceKey {
    pub(crate) service: contract::ids::ServiceId,
    pub(crate) instance: contract::ids::InstanceId,
    pub(crate) endpoint: String,
}

impl InstanceLink {
    pub(crate) fn new(id: InstanceKey, credentials: Arc<Credentials>, clock: Clock) -> Self {
        let expected = Peer::Service {
            service: id.service,
            instance: id.instance,
        };
        let link = Link::new(id.endpoint.clone(), expected, credentials, clock.clone());
        Self {
            id,
            link,
            breaker: Breaker::new(&clock),
            clock,
            in_flight: AtomicU32::new(0),
            is_shunned: AtomicBool::new(false),
            shunned_until: Mutex::new(None),
            used: AtomicBool::new(false),
        }
    }

    /// Calls of this process that the instance has not answered yet.
    pub(crate) fn load(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a call until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlight<&Self> {
        self.begin();
        InFlight(self)
    }

    /// Like [`enter`](Self::enter), with a guard that keeps the link.
    pub(crate) fn enter_owned(self: &Arc<Self>) -> InFlight<Arc<Self>> {
        self.begin();
        InFlight(self.clone())
    }

    fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
    }

    /// Leaves the instance alone for a short while: it could not be reached, or is stopping.
    pub(crate) fn shun(&self) {
        *self.shunned_until.lock() = Some(self.clock.monotonic() + SHUN);
        self.is_shunned.store(true, Ordering::Release);
    }

    /// Whether it is being left alone now.
    pub(crate) fn is_shunned(&self) -> bool {
        if !self.is_shunned.load(Ordering::Acquire) {
            return false;
        }
        let mut until = self.shunned_until.lock();
        let shunned = until.is_some_and(|until| self.clock.monotonic() < until);
        if !shunned {
            *until = None;
            self.is_shunned.store(false, Ordering::Release);
        }
        shunned
    }

    /// Lets the connection go when nobody used it since the last time this was asked.
    pub(crate) fn sweep(&self) {
        if !self.used.swap(false, Ordering::Relaxed) && self.load() == 0 {
            self.link.forget();
        }
    }
}

/// Counts one call in flight.
#[derive(Debug)]
pub(crate) struct InFlight<L: Deref<Target = InstanceLink>>(L);

impl<L: Deref<Target = InstanceLink>> Drop for InFlight<L> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A pass in use: one attempt at an instance that has no outcome yet. It has one at most, once:
/// nobody knows what to think of a call whose caller left, and of a quiet stream.
#[derive(Debug)]
pub(crate) struct Trial<L: Deref<Target = InstanceLink>, D: Borrow<Deadline>> {
    instance: L,
    /// `None` once it was handed back.
    pass: Option<Pass>,
    deadline: D,
    /// The instance began to answer.
    is_begun: bool,
    /// A part of the answer has come.
    is_answered: bool,
}

impl<L: Deref<Target = InstanceLink>, D: Borrow<Deadline>> Trial<L, D> {
    pub(crate) fn new(instance: L, pass: Pass, deadline: D) -> Self {
        Self {
            instance,
            pass: Some(pass),
            deadline,
            is_begun: false,
            is_answered: false,
        }
    }

    /// The instance begins to answer, which is enough for a probe: a stream may go on for long, and
    /// everybody else waits for it. Of other streams the end counts, or one that breaks would be a
    /// success as well.
    pub(crate) fn begun(&mut self) {
        self.is_begun = true;
        if self.pass == Some(Pass::Probe) {
            self.hand_back(Outcome::Success);
        }
    }

    /// A part of the answer has come.
    pub(crate) fn answered(&mut self) {
        self.is_answered = true;
    }

    /// Whether a part of the answer has come.
    pub(crate) fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// How it went. One that could not be reached, or is stopping, is left alone for a while; one
    /// that has no room now has some when the next call comes.
    pub(crate) fn ended(mut self, outcome: Outcome) {
        if outcome == Outcome::Unreached {
            self.instance.shun();
        }
        self.hand_back(outcome);
    }

    fn hand_back(&mut self, outcome: Outcome) {
        if let Some(pass) = self.pass.take() {
            self.instance.breaker.record(pass, outcome);
        }
    }
}

impl<L: Deref<Target = InstanceLink>, D: Borrow<Deadline>> Drop for Trial<L, D> {
    fn drop(&mut self) {
        if self.is_answered {
            self.hand_back(Outcome::Success);
        } else if self.pass.is_some() && !self.is_begun && self.deadline.borrow().has_passed() {
            // A call that its deadline cut off was not answered in time. A stream that has begun
            // may have had nothing to tell until then, which says nothing.
            self.hand_back(Outcome::Failure);
        } else if let Some(pass) = self.pass {
            self.instance.breaker.forget(pass);
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::clock::{ManualClock, Timestamp};
    use contract::ids::{IdMint, InstanceId, ServiceId};

    use super::*;

    fn instance() -> (InstanceLink, ManualClock) {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1));
        let mint = IdMint::seeded(1, &clock);
        let id = InstanceKey {
            service: ServiceId::mint(&mint),
            instance: InstanceId::mint(&mint),
            endpoint: "127.0.0.1:1".into(),
        };
        (InstanceLink::new(id, Arc::default(), clock), hand)
    }

    #[test]
    fn a_call_is_counted_until_its_guard_is_gone() {
        let (instance, _) = instance();
        let first = instance.enter();
        let second = instance.enter();
        assert_eq!(instance.load(), 2);
        drop((first, second));
        assert_eq!(instance.load(), 0);
    }

    #[test]
    fn an_unreachable_instance_is_left_alone_for_a_short_while_only() {
        let (instance, hand) = instance();
        assert!(!instance.is_shunned());
        instance.shun();
        assert!(instance.is_shunned());
        hand.advance(SHUN);
        assert!(!instance.is_shunned());
    }

    #[test]
    fn only_an_instance_that_was_not_reached_is_left_alone() {
        let (instance, _) = instance();
        let deadline = Deadline::after(&instance.clock, Duration::from_secs(1));
        for (outcome, is_shunned) in [
            (Outcome::Success, false),
            (Outcome::Failure, false),
            (Outcome::Unreached, true),
        ] {
            Trial::new(&instance, Pass::Ordinary, &deadline).ended(outcome);
            assert_eq!(instance.is_shunned(), is_shunned, "{outcome:?}");
        }
    }

    #[test]
    fn a_call_that_is_dropped_counts_against_the_instance_only_after_its_deadline() {
        let (instance, hand) = instance();
        let deadline = Deadline::after(&instance.clock, Duration::from_secs(1));
        for _ in 0..20 {
            drop(Trial::new(&instance, Pass::Ordinary, &deadline));
        }
        assert_eq!(instance.breaker.held(), None);
        hand.advance(Duration::from_secs(1));
        for _ in 0..10 {
            drop(Trial::new(&instance, Pass::Ordinary, &deadline));
        }
        assert!(instance.breaker.held().is_some());
    }

    #[test]
    fn a_stream_that_began_and_stayed_quiet_says_nothing_about_the_instance() {
        let (instance, hand) = instance();
        let deadline = Deadline::after(&instance.clock, Duration::from_secs(1));
        hand.advance(Duration::from_secs(1));
        for _ in 0..20 {
            let mut quiet = Trial::new(&instance, Pass::Ordinary, &deadline);
            quiet.begun();
            drop(quiet);
        }
        assert_eq!(instance.breaker.held(), None);
        // They were no successes either: ten failures are all there is to judge by.
        for _ in 0..10 {
            let mut broken = Trial::new(&instance, Pass::Ordinary, &deadline);
            broken.begun();
            broken.ended(Outcome::Failure);
        }
        assert!(instance.breaker.held().is_some());
    }

    #[test]
    fn a_stream_that_was_answered_counts_for_the_instance_whoever_leaves_it() {
        let (instance, hand) = instance();
        let deadline = Deadline::after(&instance.clock, Duration::from_secs(1));
        let answered = |pass| {
            let mut trial = Trial::new(&instance, pass, &deadline);
            trial.answered();
            trial
        };
        hand.advance(Duration::from_secs(1));
        for _ in 0..20 {
            drop(answered(Pass::Ordinary));
        }
        assert_eq!(instance.breaker.held(), None);
        // One outcome each: what broke after its first part was no success as well.
        for _ in 0..21 {
            answered(Pass::Ordinary).ended(Outcome::Failure);
        }
        assert!(instance.breaker.held().is_some());
        hand.advance(Duration::from_secs(30));
        let probe = instance.breaker.admit().expect("one goes through");
        let mut going_on = Trial::new(&instance, probe, &deadline);
        assert_eq!(instance.breaker.admit(), None);
        going_on.begun();
        assert_eq!(instance.breaker.admit(), Some(Pass::Ordinary));
    }
}
