//! How long history is kept: when the next slice begins and which ones go. Decisions are pure.
//!
//! A kind's retention and space are each divided by [`SLICES`]: a slice that is older or larger is
//! followed by a new one, and the oldest go when all they hold is too old or all together take too
//! much. So up to a twelfth more than asked for is kept, and what is dropped is dropped as whole
//! files or partitions.
//!
//! Refuses to drop the slice that is written now, and to believe a clock that has just jumped ahead:
//! for [`DOUBT`] nothing is dropped for its age, so that somebody may set it right.

use std::time::Duration;

use contract::clock::{Clock, Monotonic, Timestamp};

use super::placement::AHEAD_MS;
use crate::db::{Db, DbError, History, Slice};
use crate::settings::{Settings, keys};

/// Slices that a retention and a space are divided into.
const SLICES: u64 = 12;
/// Shortest slice.
const SLICE_MS_MIN: i64 = 60_000;
/// How far wall time may run ahead of monotonic time between two sweeps.
const JUMP: Duration = Duration::from_secs(3_600);
/// Time after a jump in which nothing is dropped for its age.
const DOUBT: Duration = Duration::from_secs(600);

/// What is kept of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    keep_ms: i64,
    bytes_max: u64,
}

/// What a sweep does to one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Begins a new slice at this moment, unix milliseconds.
    begin_ms: Option<i64>,
    /// Slices that go, oldest first.
    drop: Vec<i64>,
}

/// What earlier sweeps have seen of the clock.
#[derive(Debug, Default)]
pub(super) struct Ages {
    seen: Option<(Timestamp, Monotonic)>,
    doubted: Option<Monotonic>,
}

impl Ages {
    /// Whether the clock can be believed when it says that something is old.
    fn believes(&mut self, clock: &Clock) -> bool {
        let (now, monotonic) = (clock.now(), clock.monotonic());
        if let Some((wall, since)) = self.seen.replace((now, monotonic))
            && now.since(wall) > monotonic.since(since) + JUMP
        {
            tracing::warn!(
                jumped_seconds = now.since(wall).as_secs(),
                "the clock has jumped ahead; no telemetry is dropped for its age for a while"
            );
            self.doubted = Some(monotonic);
        }
        self.doubted
            .is_none_or(|since| monotonic.since(since) > DOUBT)
    }
}

/// Adds and drops slices of every kind as their limits say. A kind that fails is no reason to let
/// the others grow; the first failure is told in the end.
pub(super) async fn keep(
    db: &Db,
    settings: &Settings,
    clock: &Clock,
    ages: &mut Ages,
) -> Result<(), DbError> {
    db.refresh_slices().await?;
    let believes = ages.believes(clock);
    let mut outcome = Ok(());
    for history in History::ALL {
        let limits = limits(settings, history);
        let kept = keep_one(db, (history, limits), clock.now(), believes).await;
        outcome = outcome.and(kept);
    }
    outcome
}

async fn keep_one(
    db: &Db,
    (history, limits): (History, Limits),
    now: Timestamp,
    believes: bool,
) -> Result<(), DbError> {
    let slices = db.slices(history);
    let mut sizes = Vec::with_capacity(slices.len());
    for slice in slices.iter() {
        sizes.push(db.slice_bytes(history, slice.id).await?);
    }
    let plan = plan(&slices, &sizes, limits, now.as_millis(), believes);
    if let Some(begin_ms) = plan.begin_ms {
        db.add_slice(history, begin_ms).await?;
    }
    // A backup ends; the sweep after it makes up for what is left now.
    let due = plan.drop.into_iter().take_while(|_| db.may_drop_slices());
    for slice in due {
        db.drop_slice(history, slice).await?;
        tracing::info!(
            history = history.name(),
            slice,
            "a slice of history was dropped"
        );
    }
    Ok(())
}

fn limits(settings: &Settings, history: History) -> Limits {
    let (keep, bytes_max) = match history {
        History::Ops => (keys::TELEMETRY_OPS_RETENTION, keys::TELEMETRY_OPS_BYTES_MAX),
        History::Logs => (
            keys::TELEMETRY_LOGS_RETENTION,
            keys::TELEMETRY_LOGS_BYTES_MAX,
        ),
        History::Metrics => {
            let keep = keys::TELEMETRY_METRICS_RETENTION;
            (keep, keys::TELEMETRY_METRICS_BYTES_MAX)
        }
        History::Payloads => {
            let keep = keys::TELEMETRY_PAYLOAD_RETENTION;
            (keep, keys::TELEMETRY_PAYLOAD_BYTES_TOTAL_MAX)
        }
    };
    Limits {
        keep_ms: i64::try_from(settings.get(keep).as_millis()).unwrap_or(i64::MAX),
        bytes_max: settings.get(bytes_max),
    }
}

fn plan(slices: &[Slice], sizes: &[u64], limits: Limits, now_ms: i64, believes: bool) -> Plan {
    let current = Slice::current(slices, now_ms);
    let mut plan = Plan::default();
    // One that begins in a moment is waited for.
    let begins = now_ms + 1..=now_ms.saturating_add(AHEAD_MS);
    if !slices.iter().any(|it| begins.contains(&it.from_ms)) {
        let at = slices.iter().position(|it| it.id == current.id);
        let bytes = at.and_then(|at| sizes.get(at)).copied().unwrap_or(0);
        let old = now_ms.saturating_sub(current.from_ms) > slice_ms(limits.keep_ms);
        if old || bytes > limits.bytes_max / SLICES || current.from_ms > now_ms {
            plan.begin_ms = Some(now_ms.saturating_add(AHEAD_MS));
        }
    }
    let oldest_ms = now_ms.saturating_sub(limits.keep_ms);
    let mut kept: u64 = sizes.iter().sum();
    for (index, slice) in slices.iter().enumerate() {
        if slice.id == current.id || index + 1 == slices.len() {
            break;
        }
        let is_old = Slice::end_ms(slices, index).is_some_and(|end| end <= oldest_ms);
        if !(is_old && believes) && kept <= limits.bytes_max {
            continue;
        }
        kept = kept.saturating_sub(sizes.get(index).copied().unwrap_or(0));
        plan.drop.push(slice.id);
    }
    plan
}

fn slice_ms(keep_ms: i64) -> i64 {
    let slices = i64::try_from(SLICES).unwrap_or(1);
    (keep_ms / slices).max(SLICE_MS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 3_600_000;
    const LIMITS: Limits = Limits {
        keep_ms: 12 * DAY_MS,
        bytes_max: 1_200,
    };

    fn slices(days: &[i64]) -> Vec<Slice> {
        let ids = 1..;
        ids.zip(days)
            .map(|(id, day)| Slice {
                id,
                from_ms: day * DAY_MS,
            })
            .collect()
    }

    fn planned(days: &[i64], sizes: &[u64], now_ms: i64) -> (Option<i64>, Vec<i64>) {
        let plan = plan(&slices(days), sizes, LIMITS, now_ms, true);
        (plan.begin_ms, plan.drop)
    }

    #[test]
    fn a_slice_is_followed_after_a_twelfth_of_the_time_or_of_the_space() {
        let now = 10 * DAY_MS;
        let soon = Some(now + AHEAD_MS);
        assert_eq!(planned(&[9], &[100], now), (None, vec![]));
        assert_eq!(planned(&[9], &[101], now), (soon, vec![]));
        assert_eq!(planned(&[8], &[0], now), (soon, vec![]));
        let after = now + 1_000;
        let waiting = [
            Slice { id: 1, from_ms: 0 },
            Slice {
                id: 2,
                from_ms: now + AHEAD_MS,
            },
        ];
        let waits = plan(&waiting, &[500, 0], LIMITS, after, true);
        assert_eq!(waits, Plan::default(), "the next one begins in a moment");
    }

    #[test]
    fn what_is_too_old_as_a_whole_goes() {
        let sizes = [0; 4];
        assert_eq!(planned(&[0, 1, 2, 13], &sizes, 13 * DAY_MS - 1).1, [0; 0]);
        assert_eq!(planned(&[0, 1, 2, 13], &sizes, 13 * DAY_MS).1, [1]);
        assert_eq!(planned(&[0, 1, 2, 13], &sizes, 14 * DAY_MS).1, [1, 2]);
        assert_eq!(
            planned(&[0], &[0], 99 * DAY_MS).1,
            [0; 0],
            "never the present one"
        );
    }

    #[test]
    fn the_oldest_go_until_the_rest_has_room() {
        let now = 3 * DAY_MS + 1;
        assert_eq!(planned(&[0, 1, 2, 3], &[500, 500, 200, 0], now).1, [0; 0]);
        assert_eq!(planned(&[0, 1, 2, 3], &[500, 500, 200, 1], now).1, [1]);
        assert_eq!(
            planned(&[0, 1, 2, 3], &[0, 500, 200, 1_100], now).1,
            [1, 2, 3]
        );
        assert_eq!(
            planned(&[3], &[9_999], now).1,
            [0; 0],
            "never the present one"
        );
    }

    #[test]
    fn a_clock_set_back_begins_a_slice_and_drops_what_was_begun_in_the_future_later() {
        let now = 5 * DAY_MS;
        // Slice 2 was begun while the clock stood a year ahead.
        assert_eq!(planned(&[5, 370], &[0; 2], now), (None, vec![]));
        let later = now + 2 * DAY_MS;
        assert_eq!(
            planned(&[5, 370], &[0; 2], later),
            (Some(later + AHEAD_MS), vec![])
        );
        assert_eq!(planned(&[5, 370, 7], &[0; 3], 8 * DAY_MS).1, [0; 0]);
        assert_eq!(planned(&[5, 370, 7], &[0; 3], 19 * DAY_MS).1, [1, 2]);
        // All of them were.
        assert_eq!(planned(&[370], &[0], now), (Some(now + AHEAD_MS), vec![]));
    }

    #[test]
    fn a_clock_that_jumps_ahead_is_doubted_for_a_while() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(DAY_MS));
        let mut ages = Ages::default();
        assert!(ages.believes(&clock));
        hand.advance(Duration::from_secs(86_400));
        assert!(ages.believes(&clock), "a long pause is no jump");
        hand.jump_wall(Timestamp::from_millis(400 * DAY_MS));
        assert!(!ages.believes(&clock));
        hand.advance(DOUBT);
        assert!(!ages.believes(&clock));
        hand.advance(Duration::from_secs(1));
        assert!(ages.believes(&clock), "it stays as it is, so it is right");
        hand.jump_wall(Timestamp::from_millis(DAY_MS));
        assert!(ages.believes(&clock), "backwards nothing looks old");

        let old = slices(&[0, 1, 399]);
        let plan = plan(&old, &[0; 3], LIMITS, 400 * DAY_MS, false);
        assert_eq!(plan.drop, [0; 0]);
    }
}
