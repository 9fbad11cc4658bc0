//! The breaker on a clock that a test moves.

use contract::clock::{ManualClock, Timestamp};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn breaker() -> (Breaker, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    (Breaker::new(&clock), hand)
}

fn record(breaker: &Breaker, outcomes: &[(Outcome, u32)]) {
    for &(outcome, times) in outcomes {
        for _ in 0..times {
            breaker.record(Pass::Ordinary, outcome);
        }
    }
}

fn opened() -> (Breaker, ManualClock) {
    let (breaker, hand) = breaker();
    record(&breaker, &[(Outcome::Failure, 10)]);
    assert_eq!(breaker.held(), Some(OPEN));
    (breaker, hand)
}

#[test]
fn it_opens_at_ten_outcomes_of_which_more_than_half_failed() {
    use Outcome::{Failure, Success, Unreached};
    for (outcomes, is_open) in [
        (&[(Failure, 9)][..], false),
        (&[(Failure, 10)], true),
        (&[(Unreached, 10)], true),
        (&[(Success, 5), (Failure, 5)], false),
        (&[(Success, 5), (Failure, 6)], true),
        // The tenth outcome decides, whatever it is.
        (&[(Failure, 9), (Success, 1)], true),
        (&[(Success, 1_000), (Failure, 1_000)], false),
        (&[(Success, 1_000), (Failure, 1_001)], true),
    ] {
        let (breaker, _) = breaker();
        record(&breaker, outcomes);
        assert_eq!(breaker.held().is_some(), is_open, "{outcomes:?}");
        assert_eq!(breaker.admit().is_none(), is_open, "{outcomes:?}");
    }
}

#[test]
fn outcomes_count_for_ten_seconds() {
    let (breaker, hand) = breaker();
    record(&breaker, &[(Outcome::Success, 6)]);
    hand.advance(SECOND * 9);
    record(&breaker, &[(Outcome::Failure, 6)]);
    assert_eq!(breaker.held(), None, "six of twelve are not more than half");
    hand.advance(SECOND);
    // The successes are gone, so seven failures are too few.
    record(&breaker, &[(Outcome::Failure, 1)]);
    assert_eq!(breaker.held(), None);
    hand.advance(SECOND);
    record(&breaker, &[(Outcome::Failure, 3)]);
    assert!(breaker.held().is_some());
}

#[test]
fn failures_that_are_older_than_the_window_are_forgotten() {
    let (breaker, hand) = breaker();
    record(&breaker, &[(Outcome::Failure, 9)]);
    hand.advance(SECOND * 10);
    record(&breaker, &[(Outcome::Success, 1)]);
    assert!(!breaker.has_failed.load(Ordering::Relaxed));
    record(&breaker, &[(Outcome::Failure, 9)]);
    assert!(breaker.held().is_some(), "nine of ten");
}

#[test]
fn after_thirty_seconds_one_call_at_a_time_is_let_through() {
    let (breaker, hand) = opened();
    hand.advance(OPEN - Duration::from_millis(1));
    assert_eq!(breaker.held(), Some(Duration::from_millis(1)));
    assert_eq!(breaker.admit(), None);
    hand.advance(Duration::from_millis(1));
    assert_eq!(breaker.held(), None);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
    assert_eq!(breaker.held(), Some(Duration::ZERO));
    assert_eq!(breaker.admit(), None);
    // A caller that leaves gives the place to the next one.
    breaker.forget(Pass::Probe);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
}

#[test]
fn a_probe_that_succeeds_closes_it_with_an_empty_window() {
    let (breaker, hand) = opened();
    hand.advance(OPEN);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
    breaker.record(Pass::Probe, Outcome::Success);
    assert_eq!(breaker.admit(), Some(Pass::Ordinary));
    record(&breaker, &[(Outcome::Failure, 9)]);
    assert_eq!(breaker.held(), None);
    record(&breaker, &[(Outcome::Failure, 1)]);
    assert_eq!(breaker.held(), Some(OPEN));
}

#[test]
fn a_probe_that_fails_opens_it_for_another_thirty_seconds() {
    let (breaker, hand) = opened();
    hand.advance(OPEN);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
    hand.advance(SECOND);
    breaker.record(Pass::Probe, Outcome::Unreached);
    assert_eq!(breaker.held(), Some(OPEN));
    assert!(breaker.is_cut_off());
    hand.advance(OPEN);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
}

#[test]
fn what_was_under_way_when_it_opened_changes_nothing() {
    let (breaker, hand) = opened();
    hand.advance(OPEN);
    record(&breaker, &[(Outcome::Failure, 50), (Outcome::Success, 50)]);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
    record(&breaker, &[(Outcome::Success, 50)]);
    assert_eq!(breaker.admit(), None, "only the probe decides");
}

#[test]
fn one_that_nobody_asked_for_a_minute_is_forgotten() {
    let (breaker, hand) = opened();
    hand.advance(FORGET);
    assert_eq!(breaker.held(), None);
    assert_eq!(breaker.admit(), Some(Pass::Ordinary));
    assert_eq!(breaker.admit(), Some(Pass::Ordinary));
    record(&breaker, &[(Outcome::Failure, 9)]);
    assert_eq!(breaker.held(), None, "it began anew");
}

#[test]
fn only_what_was_not_reached_is_cut_off() {
    let (breaker, _) = breaker();
    record(&breaker, &[(Outcome::Unreached, 9)]);
    assert!(!breaker.is_cut_off(), "it is closed");
    record(&breaker, &[(Outcome::Unreached, 1)]);
    assert!(breaker.is_cut_off());
    assert!(!opened().0.is_cut_off());
}

#[test]
fn many_threads_open_it_once_and_let_one_probe_through() {
    let (breaker, hand) = breaker();
    let all_at_once = |work: &(dyn Fn() -> u32 + Sync)| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .map(|it| it.join().unwrap())
                .sum::<u32>()
        })
    };
    let fails = || {
        record(&breaker, &[(Outcome::Success, 1_000)]);
        0
    };
    all_at_once(&fails);
    assert_eq!(breaker.window.sum(0), (0, 8_000), "none is lost");
    record(&breaker, &[(Outcome::Failure, 8_001)]);
    hand.advance(OPEN);
    let probes = || u32::from(breaker.admit().is_some());
    assert_eq!(all_at_once(&probes), 1);
}

#[test]
fn a_probe_that_still_runs_after_a_minute_holds_the_others_back() {
    let (breaker, hand) = opened();
    hand.advance(OPEN + SECOND);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
    hand.advance(OPEN);
    assert_eq!(breaker.held(), Some(Duration::ZERO));
    assert_eq!(breaker.admit(), None);
    breaker.forget(Pass::Probe);
    assert_eq!(breaker.held(), None);
    assert_eq!(breaker.admit(), Some(Pass::Ordinary));
}

#[test]
fn one_that_opened_again_is_not_forgotten_for_the_first_time_it_did() {
    let (breaker, hand) = opened();
    let first = breaker.opened.load(Ordering::Acquire);
    hand.advance(OPEN + SECOND);
    assert_eq!(breaker.admit(), Some(Pass::Probe));
    breaker.record(Pass::Probe, Outcome::Failure);
    hand.advance(OPEN - SECOND);
    // Whoever looked before the probe failed comes to decide only now.
    assert_eq!(breaker.probe(first), None);
    assert_eq!(breaker.held(), Some(SECOND));
}
