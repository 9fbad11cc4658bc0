//! From running totals, which OpenTelemetry sends, to what came since, which is kept.
//!
//! Each series' last total is remembered. A total that began before this process watched counts from
//! its second point on: what it had before was, perhaps, counted by an earlier process.
//!
//! Refuses series beyond [`SERIES_MAX`] until others have been silent for [`SILENT_FOR`].
//!
//! Invariant: what is remembered changes only when the batch that it came from is stored.

use std::collections::HashMap;
use std::time::Duration;

use contract::clock::Monotonic;

/// Totals that are remembered, some 100 bytes each, of histograms 8 more per bucket.
pub(super) const SERIES_MAX: usize = 50_000;
/// How long a series must be silent to give up its place.
const SILENT_FOR: Duration = Duration::from_secs(600);

/// A total as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Total {
    /// Its beginning and its time, unix nanoseconds.
    pub(super) start: u64,
    pub(super) at: u64,
    pub(super) value: f64,
    /// Of a histogram.
    pub(super) counts: Vec<u64>,
}

/// What came since the last one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Delta {
    pub(super) value: f64,
    pub(super) counts: Vec<u64>,
}

/// Every series' last total.
#[derive(Debug)]
pub(super) struct Deltas {
    /// When this process began to watch, unix nanoseconds.
    since: u64,
    last: HashMap<u64, (Total, Monotonic)>,
}

/// Totals of one batch on top of those.
#[derive(Debug)]
pub(super) struct Batch<'d> {
    deltas: &'d Deltas,
    new: HashMap<u64, Total>,
}

impl Deltas {
    pub(super) fn new(since: u64) -> Self {
        Self {
            since,
            last: HashMap::new(),
        }
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        Batch {
            deltas: self,
            new: HashMap::new(),
        }
    }

    /// Makes room for new series, as far as others are silent.
    pub(super) fn tidy(&mut self, now: Monotonic) {
        if self.last.len() >= SERIES_MAX {
            self.last
                .retain(|_, (_, seen)| now.since(*seen) < SILENT_FOR);
        }
    }

    /// Remembers the totals of a batch that is stored.
    pub(super) fn keep(&mut self, new: HashMap<u64, Total>, now: Monotonic) {
        for (series, total) in new {
            // A batch that was stored in between knows more.
            let known = self.last.get(&series);
            if known.is_none_or(|(it, _)| it.at <= total.at || it.start < total.start) {
                self.last.insert(series, (total, now));
            }
        }
    }
}

impl Batch<'_> {
    /// What came for a series; nothing when the total is not newer than the last. `None` when there
    /// is no room for the series.
    pub(super) fn delta(&mut self, series: u64, total: Total) -> Option<Delta> {
        let known = self.new.get(&series);
        let known = known.or_else(|| self.deltas.last.get(&series).map(|it| &it.0));
        if known.is_none() && self.deltas.last.len() + self.new.len() >= SERIES_MAX {
            return None;
        }
        let nothing = Delta {
            value: 0.0,
            counts: vec![0; total.counts.len()],
        };
        let whole = || Delta {
            value: total.value,
            counts: total.counts.clone(),
        };
        let delta = match known {
            Some(known) if total.at <= known.at => return Some(nothing),
            Some(known) => difference(known, &total).unwrap_or_else(whole),
            None if total.start >= self.deltas.since => whole(),
            None => nothing,
        };
        self.new.insert(series, total);
        Some(delta)
    }

    /// Adds to a sum that may fall, and says where it stands.
    pub(super) fn sum(&mut self, series: u64, mut total: Total) -> Option<f64> {
        let known = self.new.get(&series);
        let known = known.or_else(|| self.deltas.last.get(&series).map(|it| &it.0));
        if known.is_none() && self.deltas.last.len() + self.new.len() >= SERIES_MAX {
            return None;
        }
        total.value += known.map_or(0.0, |it| it.value);
        let value = total.value;
        self.new.insert(series, total);
        Some(value)
    }

    pub(super) fn finish(self) -> HashMap<u64, Total> {
        self.new
    }
}

/// `None` when the total began anew in between.
fn difference(known: &Total, total: &Total) -> Option<Delta> {
    let same = known.start == total.start && known.counts.len() == total.counts.len();
    let fell = total.counts.is_empty() && total.value < known.value;
    if !same || fell {
        return None;
    }
    let counts = known.counts.iter().zip(&total.counts);
    let counts: Option<Vec<u64>> = counts.map(|(a, b)| b.checked_sub(*a)).collect();
    Some(Delta {
        value: total.value - known.value,
        counts: counts?,
    })
}

#[cfg(test)]
mod tests {
    use contract::clock::Clock;

    use super::*;

    fn total(start: u64, at: u64, value: f64) -> Total {
        Total {
            start,
            at,
            value,
            counts: Vec::new(),
        }
    }

    fn told(deltas: &mut Deltas, it: Total) -> f64 {
        let mut batch = deltas.batch();
        let delta = batch.delta(1, it).expect("room");
        let new = batch.finish();
        deltas.keep(new, Clock::system().monotonic());
        delta.value
    }

    #[test]
    fn totals_that_began_under_watch_count_whole_and_older_ones_from_the_second() {
        let mut young = Deltas::new(100);
        assert_eq!(told(&mut young, total(100, 110, 5.0)), 5.0);
        assert_eq!(told(&mut young, total(100, 120, 7.0)), 2.0);
        let mut old = Deltas::new(100);
        assert_eq!(told(&mut old, total(99, 110, 5.0)), 0.0);
        assert_eq!(told(&mut old, total(99, 120, 7.0)), 2.0);
    }

    #[test]
    fn a_repeat_adds_nothing_and_a_new_beginning_counts_whole() {
        let mut deltas = Deltas::new(0);
        told(&mut deltas, total(1, 10, 5.0));
        assert_eq!(told(&mut deltas, total(1, 10, 5.0)), 0.0);
        assert_eq!(told(&mut deltas, total(1, 9, 4.0)), 0.0, "comes late");
        assert_eq!(told(&mut deltas, total(15, 20, 3.0)), 3.0);
        assert_eq!(
            told(&mut deltas, total(15, 30, 2.0)),
            2.0,
            "fell unannounced"
        );
    }

    #[test]
    fn a_batch_that_is_not_kept_changes_nothing() {
        let mut deltas = Deltas::new(0);
        let mut batch = deltas.batch();
        batch.delta(1, total(1, 10, 5.0));
        assert_eq!(batch.delta(1, total(1, 11, 6.0)).expect("room").value, 1.0);
        drop(batch);
        assert_eq!(told(&mut deltas, total(1, 11, 6.0)), 6.0);
    }

    #[test]
    fn histograms_are_told_apart_bucket_by_bucket() {
        let deltas = Deltas::new(0);
        let mut batch = deltas.batch();
        let with = |at, counts: &[u64]| Total {
            counts: counts.to_vec(),
            ..total(1, at, 9.0)
        };
        batch.delta(1, with(10, &[1, 2]));
        assert_eq!(
            batch.delta(1, with(20, &[1, 5])).expect("room").counts,
            [0, 3]
        );
        assert_eq!(
            batch.delta(1, with(30, &[0, 1])).expect("room").counts,
            [0, 1]
        );
    }

    #[test]
    fn series_beyond_the_limit_wait_until_others_are_silent() {
        let (clock, hand) = Clock::manual(contract::clock::Timestamp::from_millis(1));
        let mut deltas = Deltas::new(0);
        let all = (0..SERIES_MAX as u64).map(|it| (it, total(1, 1, 1.0)));
        deltas.keep(all.collect(), clock.monotonic());
        let late = SERIES_MAX as u64;
        assert_eq!(deltas.batch().delta(late, total(1, 2, 1.0)), None);
        assert!(deltas.batch().delta(7, total(1, 2, 1.0)).is_some());
        hand.advance(SILENT_FOR);
        deltas.tidy(clock.monotonic());
        assert!(deltas.batch().delta(late, total(1, 2, 1.0)).is_some());
    }
}
