//! Which instance takes a call: the less loaded of two drawn at random.
//!
//! Two draws spread load nearly as well as looking at everybody, and cost the same for two
//! instances as for two thousand. Takes no lock.
//!
//! Invariant: a hint never makes a service unreachable. Instances marked unhealthy or lately
//! unreachable are passed over only while others are there; those whose breaker is open are never
//! picked.

use contract::clock::{Clock, Timestamp};
use contract::ids::InstanceId;

use crate::breaker::Pass;
use crate::registry::Candidate;

/// A hint of the runtime older than this is stale, in milliseconds.
const HINT_MS_MAX: i64 = 60_000;
/// Draws before everybody is looked at; with a few bad instances among many, one nearly always hits.
const DRAWS: usize = 2;
/// Picks that may find their instance's one probe just taken.
const PICKS: usize = 3;

/// How picky a round of picking is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// Neither hinted unhealthy nor lately unreachable.
    Healthy,
    /// Not lately unreachable.
    Reachable,
    /// Anybody not tried yet.
    Anybody,
}

/// Picks the instance for the next attempt among those not in `tried`. The pass has to be handed
/// back to its breaker.
pub(super) fn pick<'r>(
    candidates: &'r [Candidate],
    tried: &[InstanceId],
    clock: &Clock,
) -> Option<(&'r Candidate, Pass)> {
    (0..PICKS).find_map(|_| {
        let candidate = draw(candidates, tried, clock)?;
        Some((candidate, candidate.instance.breaker.admit()?))
    })
}

/// The instance that would be picked.
pub(super) fn draw<'r>(
    candidates: &'r [Candidate],
    tried: &[InstanceId],
    clock: &Clock,
) -> Option<&'r Candidate> {
    [Care::Healthy, Care::Reachable, Care::Anybody]
        .into_iter()
        .find_map(|care| pick_with(candidates, tried, clock, care))
}

fn pick_with<'r>(
    candidates: &'r [Candidate],
    tried: &[InstanceId],
    clock: &Clock,
    care: Care,
) -> Option<&'r Candidate> {
    let eligible = |candidate: &Candidate| is_eligible(candidate, tried, clock, care);
    if let [only] = candidates {
        return eligible(only).then_some(only);
    }
    if candidates.is_empty() {
        return None;
    }
    for _ in 0..DRAWS {
        let first = fastrand::usize(..candidates.len());
        // Any other one, each as likely.
        let second = (first + fastrand::usize(1..candidates.len())) % candidates.len();
        let (first, second) = (&candidates[first], &candidates[second]);
        if eligible(first) && eligible(second) {
            return Some(less_loaded(first, second));
        }
    }
    // Few are eligible: draw two among exactly those.
    let (mut drawn, mut seen) = ([None, None], 0);
    for candidate in candidates.iter().filter(|it| eligible(it)) {
        let place = if seen < 2 {
            seen
        } else {
            fastrand::usize(..=seen)
        };
        if place < 2 {
            drawn[place] = Some(candidate);
        }
        seen += 1;
    }
    match drawn {
        [Some(first), Some(second)] if fastrand::bool() => Some(less_loaded(first, second)),
        [Some(first), Some(second)] => Some(less_loaded(second, first)),
        [first, _] => first,
    }
}

/// A tie goes to the first drawn, which is random.
fn less_loaded<'r>(first: &'r Candidate, second: &'r Candidate) -> &'r Candidate {
    if second.instance.load() < first.instance.load() {
        second
    } else {
        first
    }
}

fn is_eligible(candidate: &Candidate, tried: &[InstanceId], clock: &Clock, care: Care) -> bool {
    let untried = tried.is_empty() || !tried.contains(&candidate.instance.id.instance);
    untried
        && candidate.instance.breaker.held().is_none()
        && (care == Care::Anybody || !candidate.instance.is_shunned())
        && (care != Care::Healthy || !is_hinted(candidate, clock))
}

fn is_hinted(candidate: &Candidate, clock: &Clock) -> bool {
    let since_ms = candidate.unhealthy_since_ms;
    if since_ms == 0 {
        return false;
    }
    let age = clock.now().since(Timestamp::from_millis(since_ms));
    age.as_millis() <= HINT_MS_MAX.unsigned_abs().into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::time::Duration;

    use contract::clock::ManualClock;
    use contract::ids::{IdMint, ServiceId};

    use super::*;
    use crate::breaker::Outcome;
    use crate::instance::{InstanceKey, InstanceLink};

    fn candidates(count: usize) -> (Vec<Candidate>, Clock, ManualClock) {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(10_000_000));
        let mint = IdMint::seeded(1, &clock);
        let service = ServiceId::mint(&mint);
        let one = |port: usize| {
            let instance = InstanceId::mint(&mint);
            let id = InstanceKey {
                service,
                instance,
                endpoint: format!("127.0.0.1:{port}"),
            };
            let instance = Arc::new(InstanceLink::new(id, Arc::default(), clock.clone()));
            Candidate {
                instance,
                unhealthy_since_ms: 0,
            }
        };
        ((0..count).map(one).collect(), clock, hand)
    }

    fn picks(all: &[Candidate], clock: &Clock) -> HashMap<String, u32> {
        let mut counts = HashMap::new();
        for _ in 0..1_000 {
            let (picked, _) = pick(all, &[], clock).unwrap();
            *counts
                .entry(picked.instance.id.endpoint.clone())
                .or_default() += 1;
        }
        counts
    }

    #[test]
    fn equal_instances_share_the_calls() {
        let (all, clock, _) = candidates(4);
        let counts = picks(&all, &clock);
        assert_eq!(counts.len(), 4);
        assert!(
            counts.values().all(|count| (150..350).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn the_busier_of_two_is_never_picked() {
        let (all, clock, _) = candidates(2);
        let _call = all[0].instance.enter();
        assert_eq!(
            picks(&all, &clock).keys().collect::<Vec<_>>(),
            ["127.0.0.1:1"]
        );
    }

    #[test]
    fn an_unreachable_instance_is_passed_over_at_once_and_used_as_the_last_resort() {
        let (all, clock, hand) = candidates(2);
        all[0].instance.shun();
        assert_eq!(picks(&all, &clock).len(), 1);
        all[1].instance.shun();
        assert_eq!(picks(&all, &clock).len(), 2);
        hand.advance(Duration::from_secs(60));
        assert_eq!(picks(&all, &clock).len(), 2);
    }

    #[test]
    fn a_health_hint_holds_for_a_minute_unless_everybody_has_one() {
        let (mut all, clock, hand) = candidates(3);
        all[0].unhealthy_since_ms = clock.now().as_millis();
        assert_eq!(picks(&all, &clock).len(), 2);
        hand.advance(Duration::from_millis(60_001));
        assert_eq!(picks(&all, &clock).len(), 3);
        for candidate in &mut all {
            candidate.unhealthy_since_ms = clock.now().as_millis();
        }
        assert_eq!(picks(&all, &clock).len(), 3);
    }

    #[test]
    fn what_was_tried_is_not_tried_again() {
        let (all, clock, _) = candidates(2);
        let tried = [all[0].instance.id.instance];
        let (next, _) = pick(&all, &tried, &clock).unwrap();
        assert_eq!(next.instance.id.instance, all[1].instance.id.instance);
        let both = [all[0].instance.id.instance, all[1].instance.id.instance];
        assert!(pick(&all, &both, &clock).is_none());
        assert!(pick(&[], &[], &clock).is_none());
    }

    fn open(candidate: &Candidate) {
        for _ in 0..10 {
            let breaker = &candidate.instance.breaker;
            breaker.record(Pass::Ordinary, Outcome::Failure);
        }
    }

    #[test]
    fn an_open_breaker_is_passed_over_even_when_nobody_else_is_there() {
        let (mut all, clock, _) = candidates(3);
        open(&all[0]);
        all[1].unhealthy_since_ms = clock.now().as_millis();
        all[2].instance.shun();
        assert_eq!(
            picks(&all, &clock).keys().collect::<Vec<_>>(),
            ["127.0.0.1:1"]
        );
        open(&all[1]);
        open(&all[2]);
        assert!(pick(&all, &[], &clock).is_none());
    }

    #[test]
    fn a_half_open_one_takes_one_call_and_the_others_go_elsewhere() {
        let (all, clock, hand) = candidates(2);
        open(&all[0]);
        hand.advance(Duration::from_secs(30));
        // Only it is left to draw.
        let tried = [all[1].instance.id.instance];
        let (probed, pass) = pick(&all, &tried, &clock).unwrap();
        assert_eq!(pass, Pass::Probe);
        assert_eq!(
            picks(&all, &clock).keys().collect::<Vec<_>>(),
            ["127.0.0.1:1"]
        );
        assert!(draw(&all, &tried, &clock).is_none());
        probed.instance.breaker.record(pass, Outcome::Success);
        assert_eq!(picks(&all, &clock).len(), 2);
    }
}
