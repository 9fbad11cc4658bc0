//! Sliding windows of finished operations: how many, how many failed, how long they took. Pure.
//!
//! Two rings of slots per series: ten seconds each for the last five minutes, five minutes each
//! for the last hour. A slot counts durations in half octaves, so a percentile is exact to the
//! bucket it falls in (at most 41 % wide) and interpolated inside it.
//!
//! Invariant: a series is of one size, whatever it counted.

use std::time::Duration;

/// Length of a slot of the ring for the last minutes, and how many there are: one more than the
/// window, because the newest is not full.
const FINE: Duration = Duration::from_secs(10);
const FINE_SLOTS: usize = 31;
/// Length of a slot of the ring for the last hour, and how many there are.
const COARSE: Duration = Duration::from_secs(300);
const COARSE_SLOTS: usize = 13;

/// Longest window that can be asked for.
pub(super) const WINDOW_MAX: Duration = Duration::from_secs(3_600);

/// Buckets of durations: below 1 ms, then half octaves up to some 2.3 hours.
const BUCKETS: usize = 48;

/// What happened in some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    count: u64,
    errors: u64,
    longest_ms: u64,
    durations: [u32; BUCKETS],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            count: 0,
            errors: 0,
            longest_ms: 0,
            durations: [0; BUCKETS],
        }
    }
}

impl Tally {
    /// Operations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Operations that failed, ran out of time or were abandoned.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// How many took how long: operations by the milliseconds they took at most, in half octaves;
    /// those alone that there are.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let counts = self.durations.iter().enumerate();
        let there = counts.filter(|(_, count)| **count > 0);
        there.map(|(at, count)| (lower_ms(at + 1), u64::from(*count)))
    }

    /// Counts one operation.
    pub(crate) fn add(&mut self, duration_ms: u64, failed: bool) {
        self.count += 1;
        self.errors += u64::from(failed);
        self.longest_ms = self.longest_ms.max(duration_ms);
        let bucket = &mut self.durations[bucket(duration_ms)];
        *bucket = bucket.saturating_add(1);
    }

    /// Takes an operation back that was counted.
    fn take_back(&mut self, duration_ms: u64, failed: bool) {
        self.count = self.count.saturating_sub(1);
        self.errors = self.errors.saturating_sub(u64::from(failed));
        let bucket = &mut self.durations[bucket(duration_ms)];
        *bucket = bucket.saturating_sub(1);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.longest_ms = self.longest_ms.max(other.longest_ms);
        for (own, more) in self.durations.iter_mut().zip(&other.durations) {
            *own = own.saturating_add(*more);
        }
    }

    /// The duration in milliseconds that `share` (0 to 1) of the operations did not exceed; 0
    /// when there are none. Never more than the longest.
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let total: u64 = self.durations.iter().map(|it| u64::from(*it)).sum();
        // Counts stay far below 2^53.
        let rank = share.clamp(0.0, 1.0) * total as f64;
        let mut below = 0.0;
        for (at, count) in self.durations.iter().enumerate() {
            let count = f64::from(*count);
            if count > 0.0 && below + count >= rank {
                let (from, to) = (lower_ms(at), lower_ms(at + 1));
                let inside = from + (to - from) * ((rank - below) / count);
                return inside.min(self.longest_ms.max(1) as f64);
            }
            below += count;
        }
        0.0
    }
}

/// 0 below 1 ms, then two buckets per doubling.
fn bucket(duration_ms: u64) -> usize {
    let Some(octave) = duration_ms.checked_ilog2() else {
        return 0;
    };
    // The upper half of an octave begins at its square root of two.
    let upper = u128::from(duration_ms).pow(2) >= 1_u128 << (2 * octave + 1);
    let at = 1 + 2 * octave as usize + usize::from(upper);
    at.min(BUCKETS - 1)
}

fn lower_ms(bucket: usize) -> f64 {
    match bucket {
        0 => 0.0,
        at => 2_f64.powf((at - 1) as f64 / 2.0),
    }
}

/// Both rings of one series.
#[derive(Debug)]
pub(super) struct Windows {
    fine: Ring<FINE_SLOTS>,
    coarse: Ring<COARSE_SLOTS>,
}

impl Windows {
    pub(super) fn new() -> Self {
        Self {
            fine: Ring::new(FINE),
            coarse: Ring::new(COARSE),
        }
    }

    /// Counts one operation that ended `age` after the beginning of time.
    pub(super) fn add(&mut self, age: Duration, duration_ms: u64, failed: bool) {
        self.fine.slot(age).add(duration_ms, failed);
        self.coarse.slot(age).add(duration_ms, failed);
    }

    /// Takes one back that was added at `age`, as far as it is remembered. The longest duration
    /// stays what it was.
    pub(super) fn take_back(&mut self, age: Duration, duration_ms: u64, failed: bool) {
        for tally in [self.fine.known(age), self.coarse.known(age)]
            .into_iter()
            .flatten()
        {
            tally.take_back(duration_ms, failed);
        }
    }

    /// Counts one operation that ended at `age`, which may be some time ago; what has taken its
    /// place meanwhile stays.
    pub(super) fn add_late(&mut self, age: Duration, duration_ms: u64, failed: bool) {
        for tally in [self.fine.late(age), self.coarse.late(age)]
            .into_iter()
            .flatten()
        {
            tally.add(duration_ms, failed);
        }
    }

    /// What happened in the last `window`, at `age` after the beginning of time.
    pub(super) fn sum(&self, age: Duration, window: Duration) -> Tally {
        match ring_for(window) {
            Which::Fine => self.fine.sum(age, window),
            Which::Coarse => self.coarse.sum(age, window),
        }
    }

    /// What happened in each step of the last `window` in which something did: how many steps ago
    /// it began, the present one 0.
    pub(super) fn steps(&self, age: Duration, window: Duration) -> Vec<(u32, Tally)> {
        match ring_for(window) {
            Which::Fine => self.fine.steps(age, window),
            Which::Coarse => self.coarse.steps(age, window),
        }
    }

    /// Whether nothing happened in the longest window.
    pub(super) fn is_idle(&self, age: Duration) -> bool {
        self.coarse.sum(age, WINDOW_MAX).count == 0
    }
}

enum Which {
    Fine,
    Coarse,
}

fn ring_for(window: Duration) -> Which {
    if slots(window, FINE) < FINE_SLOTS {
        Which::Fine
    } else {
        Which::Coarse
    }
}

/// Length of a step of `window`, and how many there are, the present one included.
pub(super) fn steps(window: Duration) -> (Duration, u32) {
    let (slot, most) = match ring_for(window) {
        Which::Fine => (FINE, FINE_SLOTS),
        Which::Coarse => (COARSE, COARSE_SLOTS),
    };
    let count = slots(window, slot).min(most - 1) + 1;
    (slot, u32::try_from(count).unwrap_or(u32::MAX))
}

/// How much time a sum over `window` covers: whole slots and the begun one, but never more than
/// there has been.
pub(super) fn covered(age: Duration, window: Duration) -> Duration {
    let (slot, most) = match ring_for(window) {
        Which::Fine => (FINE, FINE_SLOTS),
        Which::Coarse => (COARSE, COARSE_SLOTS),
    };
    let whole = slots(window, slot).min(most - 1);
    let begun = age.as_millis() % slot.as_millis();
    let begun = Duration::from_millis(u64::try_from(begun).unwrap_or(0));
    (slot * u32::try_from(whole).unwrap_or(u32::MAX) + begun).min(age)
}

/// Whole slots that `window` needs, at least one.
fn slots(window: Duration, slot: Duration) -> usize {
    let needed = window.as_millis().div_ceil(slot.as_millis()).max(1);
    usize::try_from(needed).unwrap_or(usize::MAX)
}

#[derive(Debug)]
struct Ring<const SLOTS: usize> {
    slot: Duration,
    /// The number of the slot that is counted there, and its tally.
    slots: Box<[(u64, Tally)]>,
}

impl<const SLOTS: usize> Ring<SLOTS> {
    fn new(slot: Duration) -> Self {
        Self {
            slot,
            slots: vec![(0, Tally::default()); SLOTS].into(),
        }
    }

    fn number(&self, age: Duration) -> u64 {
        u64::try_from(age.as_millis() / self.slot.as_millis()).unwrap_or(u64::MAX)
    }

    fn slot(&mut self, age: Duration) -> &mut Tally {
        let number = self.number(age);
        let (counted, tally) = &mut self.slots[place::<SLOTS>(number)];
        if *counted != number {
            (*counted, *tally) = (number, Tally::default());
        }
        tally
    }

    /// The slot of `age`, if it is still counted there.
    fn known(&mut self, age: Duration) -> Option<&mut Tally> {
        let number = self.number(age);
        let (counted, tally) = &mut self.slots[place::<SLOTS>(number)];
        (*counted == number).then_some(tally)
    }

    /// The slot of `age`, if none after it has taken its place.
    fn late(&mut self, age: Duration) -> Option<&mut Tally> {
        let number = self.number(age);
        let counted = self.slots[place::<SLOTS>(number)].0;
        (counted <= number).then(|| self.slot(age))
    }

    fn steps(&self, age: Duration, window: Duration) -> Vec<(u32, Tally)> {
        let newest = self.number(age);
        let whole = slots(window, self.slot).min(SLOTS - 1) as u64;
        let busy = self.slots.iter().filter_map(|(counted, tally)| {
            let ago = newest.checked_sub(*counted).filter(|it| *it <= whole)?;
            let ago = u32::try_from(ago).ok()?;
            (tally.count > 0).then(|| (ago, tally.clone()))
        });
        busy.collect()
    }

    fn sum(&self, age: Duration, window: Duration) -> Tally {
        let newest = self.number(age);
        let whole = slots(window, self.slot).min(SLOTS - 1) as u64;
        let mut sum = Tally::default();
        for number in newest.saturating_sub(whole)..=newest {
            let (counted, tally) = &self.slots[place::<SLOTS>(number)];
            if *counted == number {
                sum.merge(tally);
            }
        }
        sum
    }
}

fn place<const SLOTS: usize>(number: u64) -> usize {
    usize::try_from(number % SLOTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn buckets_are_half_octaves_and_meet_without_a_gap() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(bucket), [0, 1, 3, 4, 5, 5, 6]);
        for ms in [1, 2, 3, 7, 90, 1_000, 65_536, 3_600_000] {
            let at = bucket(ms);
            assert!(
                lower_ms(at) <= ms as f64 && (ms as f64) < lower_ms(at + 1),
                "{ms}"
            );
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_fall_into_the_right_bucket_and_never_beyond_the_longest() {
        let mut tally = Tally::default();
        assert_eq!(tally.percentile_ms(0.5), 0.0);
        for ms in 1..=100 {
            tally.add(ms, ms > 90);
        }
        assert_eq!((tally.count(), tally.errors()), (100, 10));
        let p50 = tally.percentile_ms(0.5);
        assert!((45.0..=55.0).contains(&p50), "{p50}");
        assert!(tally.percentile_ms(0.99) <= 100.0);
        assert_eq!(tally.buckets().map(|(_, count)| count).sum::<u64>(), 100);
        assert!(tally.buckets().is_sorted());
        let mut one = Tally::default();
        one.add(100, false);
        assert_eq!(one.percentile_ms(0.99), 100.0);
    }

    #[test]
    fn a_window_forgets_what_is_older_than_it_and_one_slot() {
        let mut windows = Windows::new();
        windows.add(seconds(5), 1, false);
        windows.add(seconds(65), 1, true);
        let minute = windows.sum(seconds(69), seconds(60));
        assert_eq!((minute.count(), minute.errors()), (2, 1));
        assert_eq!(windows.sum(seconds(70), seconds(60)).count(), 1);
        assert_eq!(windows.sum(seconds(70), seconds(300)).count(), 2);
        assert_eq!(windows.sum(seconds(3_600), WINDOW_MAX).count(), 2);
        assert_eq!(windows.sum(seconds(3_900), WINDOW_MAX).count(), 0);
        assert!(windows.is_idle(seconds(3_900)));
    }

    #[test]
    fn a_slot_that_comes_round_again_starts_from_nothing() {
        let mut windows = Windows::new();
        let round = FINE * u32::try_from(FINE_SLOTS).expect("few");
        windows.add(seconds(1), 1, false);
        windows.add(seconds(1) + round, 1, false);
        assert_eq!(windows.sum(seconds(1) + round, FINE).count(), 1);
    }

    #[test]
    fn what_is_counted_late_is_where_it_would_have_been_and_displaces_nothing() {
        let (mut from, mut to) = (Windows::new(), Windows::new());
        let round = FINE * u32::try_from(FINE_SLOTS).expect("few");
        from.add(seconds(5), 40, true);
        from.take_back(seconds(5), 40, true);
        from.take_back(seconds(25), 40, true);
        to.add_late(seconds(5), 40, true);
        let minute = |it: &Windows| it.sum(seconds(30), seconds(60));
        assert_eq!((minute(&from).count(), minute(&from).errors()), (0, 0));
        assert_eq!((minute(&to).count(), minute(&to).errors()), (1, 1));
        to.add(seconds(5) + round, 1, false);
        to.add_late(seconds(6), 1, false);
        assert_eq!(to.sum(seconds(5) + round, FINE).count(), 1);
        to.take_back(seconds(6), 1, false);
        assert_eq!(to.sum(seconds(5) + round, FINE).count(), 1);
    }

    #[test]
    fn the_steps_of_a_window_add_up_to_its_sum() {
        let mut windows = Windows::new();
        for second in [5, 15, 16, 65] {
            windows.add(seconds(second), second, second == 16);
        }
        let (age, window) = (seconds(69), seconds(60));
        let mut steps = windows.steps(age, window);
        steps.sort_by_key(|(ago, _)| *ago);
        let told: Vec<_> = steps.iter().map(|(ago, it)| (*ago, it.count())).collect();
        assert_eq!(told, [(0, 1), (5, 2), (6, 1)]);
        let mut sum = Tally::default();
        steps.iter().for_each(|(_, it)| sum.merge(it));
        assert_eq!(sum, windows.sum(age, window));
        assert_eq!(super::steps(window), (FINE, 7));
        assert_eq!(super::steps(WINDOW_MAX), (COARSE, 13));
    }

    #[test]
    fn the_time_a_sum_covers_is_what_its_slots_cover() {
        assert_eq!(covered(seconds(4), seconds(60)), seconds(4));
        assert_eq!(covered(seconds(100), seconds(60)), seconds(60));
        assert_eq!(covered(seconds(105), seconds(60)), seconds(65));
        assert_eq!(covered(seconds(605), seconds(300)), seconds(305));
        assert_eq!(covered(seconds(9_000), WINDOW_MAX), seconds(3_600));
        assert_eq!(covered(seconds(9_000), WINDOW_MAX * 9), seconds(3_600));
    }
}
