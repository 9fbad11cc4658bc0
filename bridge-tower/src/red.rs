//! Rate, errors and duration of requests, by route (or peer), method and status.
//!
//! Cells are counted up in each thread's own shard and added together by whoever reads them.
//! Totals only grow; a reader that wants a window subtracts its previous reading.
//!
//! Invariant: a thread holds at most [`SERIES_MAX`] cells. What would be one more is counted
//! under [`Route::UNMATCHED`] or [`Route::OTHER_PEER`] and status 0, so no request goes uncounted.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::record::{Kind, Route, Verb};

/// Upper bounds of the duration buckets in seconds, as the semantic conventions advise for
/// `http.server.request.duration`; one more bucket has no bound.
pub const BOUNDS_SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

const BOUNDS_NANOS: [u64; 14] = [
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    75_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    750_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    7_500_000_000,
    10_000_000_000,
];

/// Series per thread: routes × methods × statuses that occur.
pub const SERIES_MAX: usize = 8_192;

/// What a count is about. Status 0: no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesKey {
    /// The matched route of requests served, the peer of requests sent: [`Route::kind`] tells.
    pub route: Route,
    /// Method.
    pub verb: Verb,
    /// Status of the answer; 0 when there was none.
    pub status: u16,
    /// Whether the answer was cut short: client gone, body broken, panic.
    pub broken: bool,
}

impl Hash for SeriesKey {
    /// All of it in one number, because this happens once per request.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let low = u64::from(self.status) << 16 | (self.verb as u64) << 8 | u64::from(self.broken);
        state.write_u64(u64::from(self.route.0) << 32 | low);
    }
}

impl SeriesKey {
    /// Where a series is counted that there is no room for.
    fn overflow(self) -> Self {
        Self {
            route: match self.route.kind() {
                Kind::Server => Route::UNMATCHED,
                Kind::Client => Route::OTHER_PEER,
            },
            verb: Verb::Other,
            status: 0,
            broken: false,
        }
    }
}

/// What was counted since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    /// Requests.
    pub count: u64,
    /// Sum of their durations, in nanoseconds.
    pub nanos: u64,
    /// Bytes of response bodies.
    pub response_bytes: u64,
    /// Requests per duration bucket, not cumulative; see [`BOUNDS_SECONDS`].
    pub buckets: [u64; 15],
}

impl Series {
    fn add(&mut self, nanos: u64, response_bytes: u64) {
        self.count += 1;
        self.nanos = self.nanos.saturating_add(nanos);
        self.response_bytes = self.response_bytes.saturating_add(response_bytes);
        // Nearly every request is in one of the first buckets.
        let bucket = BOUNDS_NANOS.iter().take_while(|it| nanos > **it).count();
        self.buckets[bucket] += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.nanos = self.nanos.saturating_add(other.nanos);
        self.response_bytes = self.response_bytes.saturating_add(other.response_bytes);
        for (sum, one) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += one;
        }
    }

    /// What was counted since `earlier`, a previous reading of the same series.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut buckets = self.buckets;
        for (now, before) in buckets.iter_mut().zip(earlier.buckets) {
            *now = now.saturating_sub(before);
        }
        Self {
            count: self.count.saturating_sub(earlier.count),
            nanos: self.nanos.saturating_sub(earlier.nanos),
            response_bytes: self.response_bytes.saturating_sub(earlier.response_bytes),
            buckets,
        }
    }
}

/// The cells of one thread.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    cells: Vec<(SeriesKey, Series)>,
    places: HashMap<SeriesKey, usize, BuildHasherDefault<KeyHasher>>,
    /// Where the cell of the previous request is: the next one is often like it.
    last: usize,
}

impl Cells {
    #[inline]
    pub(crate) fn add(&mut self, key: SeriesKey, nanos: u64, response_bytes: u64) {
        let cell = match self.cells.get_mut(self.last) {
            Some((last, cell)) if *last == key => cell,
            _ => self.cell(key),
        };
        cell.add(nanos, response_bytes);
    }

    /// The cell of `key`, or the one for what there is no room for.
    fn cell(&mut self, key: SeriesKey) -> &mut Series {
        let is_known = self.cells.len() < SERIES_MAX || self.places.contains_key(&key);
        let key = if is_known { key } else { key.overflow() };
        let next = self.cells.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.cells.push((key, Series::default()));
        }
        self.last = place;
        &mut self.cells[place].1
    }

    pub(crate) fn merge_into(&self, sums: &mut HashMap<SeriesKey, Series>) {
        for (key, cell) in &self.cells {
            sums.entry(*key).or_default().merge(cell);
        }
    }

    pub(crate) fn absorb(&mut self, other: &Self) {
        for (key, cell) in &other.cells {
            self.cell(*key).merge(cell);
        }
    }
}

/// Keys are small numbers that nobody outside chooses: no need for a keyed hash.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn key(route: u32) -> SeriesKey {
        SeriesKey {
            route: Route(route),
            verb: Verb::Get,
            status: 200,
            broken: false,
        }
    }

    #[test]
    fn a_duration_on_a_bound_belongs_below_it() {
        let mut cell = Series::default();
        for (bucket, nanos) in BOUNDS_NANOS.into_iter().enumerate() {
            cell.add(nanos, 1);
            assert_eq!(cell.buckets[bucket], 1);
        }
        cell.add(BOUNDS_NANOS[13] + 1, 1);
        assert_eq!(cell.buckets, [1; 15]);
        assert_eq!((cell.count, cell.response_bytes), (15, 15));
        assert_eq!(cell.since(&cell), Series::default());
    }

    #[test]
    fn the_bounds_are_the_same_in_both_units() {
        for (seconds, nanos) in BOUNDS_SECONDS.into_iter().zip(BOUNDS_NANOS) {
            assert_eq!(
                Duration::from_secs_f64(seconds),
                Duration::from_nanos(nanos)
            );
        }
    }

    #[test]
    fn series_beyond_the_limit_are_counted_together() {
        let mut cells = Cells::default();
        for route in 0..u32::try_from(SERIES_MAX).expect("small") + 10 {
            cells.add(key(route), 0, 0);
        }
        let mut sums = HashMap::new();
        cells.merge_into(&mut sums);
        assert_eq!(sums.len(), SERIES_MAX + 1);
        assert_eq!(sums[&key(3).overflow()].count, 10);
        assert_eq!(sums[&key(3)].count, 1);
    }
}
