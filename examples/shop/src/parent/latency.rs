//! How long things took, in a space that does not grow with how many they were.
//!
//! Invariant: what [`Latencies::quantile`] says is at most 1/64 above what was measured.

/// Steps per doubling, as a power of two.
const STEPS_BITS: u32 = 6;
const STEPS: usize = 1 << STEPS_BITS;

/// Counts of spans in microseconds, exact below 64 and in 64 steps per doubling from there.
#[derive(Debug)]
pub(super) struct Latencies(Box<[u64]>);

impl Default for Latencies {
    fn default() -> Self {
        Self(vec![0; place(u32::MAX) + 1].into())
    }
}

impl Latencies {
    pub(super) fn add(&mut self, micros: u32) {
        self.0[place(micros)] += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (sum, one) in self.0.iter_mut().zip(&other.0) {
            *sum += one;
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Microseconds that a share `q` of all took at most; 0 when there were none.
    pub(super) fn quantile(&self, q: f64) -> u32 {
        let all = self.count();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )] // a rank
        let rank = (all as f64 * q).ceil() as u64;
        let mut passed = 0;
        let found = self.0.iter().position(|count| {
            passed += count;
            passed >= rank.max(1)
        });
        found.map_or(0, largest)
    }
}

/// Where a span is counted.
fn place(micros: u32) -> usize {
    let octave = (u32::BITS - micros.leading_zeros()).saturating_sub(STEPS_BITS + 1);
    let step = usize::try_from(micros >> octave).unwrap_or(usize::MAX);
    usize::try_from(octave).unwrap_or(usize::MAX) * STEPS + step
}

/// The largest span that is counted at `place`.
fn largest(place: usize) -> u32 {
    let octave = (place / STEPS).saturating_sub(1);
    let step = (place - octave * STEPS) as u64;
    u32::try_from(((step + 1) << octave) - 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_what_was_measured_or_little_above() {
        for micros in [0, 1, 63, 64, 127, 128, 1_000, 65_537, 1 << 31, u32::MAX] {
            let mut one = Latencies::default();
            one.add(micros);
            let told = one.quantile(0.99);
            assert!(
                told >= micros && told - micros <= micros / 64,
                "{micros}: {told}"
            );
        }
    }

    #[test]
    fn quantiles_of_many_are_in_order_and_of_none_are_zero() {
        let (mut low, mut high) = (Latencies::default(), Latencies::default());
        (0..90).for_each(|it| low.add(it));
        (0..10).for_each(|it| high.add(10_000 + it));
        low.merge(&high);
        assert_eq!(low.quantile(0.5), 49);
        assert_eq!(low.quantile(0.9), 89);
        assert!((10_009..10_200).contains(&low.quantile(1.0)));
        assert_eq!(Latencies::default().quantile(0.5), 0);
    }
}
