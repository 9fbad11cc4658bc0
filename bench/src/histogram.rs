//! Durations counted in buckets of about 1.6 %, so that recording costs the same for every peer.

use std::time::Duration;

/// Buckets per doubling, as a power of two.
const FINE_BITS: u32 = 6;
/// Up to 2^36 ns, a bit more than a minute; longer ones count as that.
const DOUBLINGS: usize = 30;

/// How often each duration occurred.
#[derive(Clone, Debug)]
pub(crate) struct Histogram(Vec<u32>);

impl Histogram {
    pub(crate) fn new() -> Self {
        Self(vec![0; (DOUBLINGS + 1) << FINE_BITS])
    }

    pub(crate) fn record(&mut self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let last = self.0.len() - 1;
        self.0[bucket(nanos).min(last)] += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += theirs;
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|&count| u64::from(count)).sum()
    }

    /// The duration that `share` (0 to 1) of all did not exceed; zero when there are none.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (index, &count) in self.0.iter().enumerate() {
            seen += u64::from(count);
            if count > 0 && seen >= wanted {
                return Duration::from_nanos(middle(index));
            }
        }
        Duration::ZERO
    }
}

fn bucket(nanos: u64) -> usize {
    let top = 63 - (nanos | 1).leading_zeros();
    match top.checked_sub(FINE_BITS) {
        None => nanos as usize,
        Some(shift) => ((shift as usize + 1) << FINE_BITS) + ((nanos >> shift) as usize & MASK),
    }
}

const MASK: usize = (1 << FINE_BITS) - 1;

fn middle(index: usize) -> u64 {
    let (doubling, fine) = (index >> FINE_BITS, index & MASK);
    match doubling.checked_sub(1) {
        None => fine as u64,
        Some(shift) => (((1 << FINE_BITS) + fine as u64) << shift) + ((1 << shift) >> 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_found_again_within_two_percent() {
        for nanos in [1, 63, 64, 65, 1_000, 123_456, 98_765_432, 30_000_000_000] {
            let mut histogram = Histogram::new();
            histogram.record(Duration::from_nanos(nanos));
            let found = histogram.quantile(0.5).as_nanos() as f64;
            assert!(
                (found / nanos as f64 - 1.0).abs() < 0.02,
                "{nanos}: {found}"
            );
        }
    }

    #[test]
    fn quantiles_are_those_of_all_that_was_recorded() {
        let (mut low, mut high) = (Histogram::new(), Histogram::new());
        for micros in 1..=90 {
            low.record(Duration::from_micros(micros));
        }
        for _ in 0..10 {
            high.record(Duration::from_millis(5));
        }
        low.merge(&high);
        assert_eq!(low.count(), 100);
        assert!(low.quantile(0.5) < Duration::from_micros(52));
        assert!(low.quantile(0.99) > Duration::from_micros(4_900));
        assert_eq!(Histogram::new().quantile(0.99), Duration::ZERO);
    }
}
