//! Distributions: reading `buckets_json`, and percentiles of counted buckets. Pure.
//!
//! Refuses buckets that are not cumulative, not sorted, or do not end in `+Inf`.
//!
//! Invariant: a histogram has one count more than bounds; the last one is beyond every bound.

use serde::Deserialize;

/// Most finite bounds of a histogram.
pub(super) const BOUNDS_MAX: usize = 256;
/// Longest `buckets_json`, in bytes.
const JSON_BYTES_MAX: usize = 32_768;

/// Observations counted by bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Upper bounds, growing, without the infinite one.
    pub bounds: Vec<f64>,
    /// Observations in each bucket, not cumulative; the last one is beyond every bound.
    pub counts: Vec<u64>,
}

#[derive(Deserialize)]
struct Bucket {
    le: Bound,
    count: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Bound {
    Number(f64),
    Text(String),
}

impl Bound {
    fn value(&self) -> Option<f64> {
        match self {
            Self::Number(bound) => bound.is_finite().then_some(*bound),
            Self::Text(text) if text == "+Inf" => Some(f64::INFINITY),
            Self::Text(_) => None,
        }
    }
}

impl Histogram {
    /// Reads an array of `{"le": bound, "count": cumulative}` that ends with `"+Inf"`.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        if json.len() > JSON_BYTES_MAX {
            return None;
        }
        let buckets: Vec<Bucket> = serde_json::from_slice(json).ok()?;
        let (last, finite) = buckets.split_last()?;
        if last.le.value()? != f64::INFINITY || finite.len() > BOUNDS_MAX {
            return None;
        }
        let bounds: Option<Vec<f64>> = finite.iter().map(|it| it.le.value()).collect();
        let bounds = bounds.filter(|it| it.iter().all(|bound| bound.is_finite()))?;
        if !bounds.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let mut below = 0;
        let own = |bucket: &Bucket| {
            let own = bucket.count.checked_sub(below)?;
            below = bucket.count;
            Some(own)
        };
        let counts: Option<Vec<u64>> = buckets.iter().map(own).collect();
        let counts = counts?;
        Some(Self { bounds, counts })
    }

    /// All observations.
    pub fn observations(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, it| sum.saturating_add(*it))
    }

    /// Takes the observations of the bucket at `index` in.
    pub(super) fn add(&mut self, index: usize, count: u64) {
        if let Some(own) = self.counts.get_mut(index) {
            *own = own.saturating_add(count);
        }
    }

    /// The value below which the share `q` (0 to 1) of the observations lies, by straight lines
    /// inside buckets; the first bucket starts at 0 unless its bound is below. What lies beyond the
    /// last bound counts as that bound. `None` without observations.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let all = self.observations();
        if all == 0 {
            return None;
        }
        let last = self.bounds.last().copied();
        let rank = q.clamp(0.0, 1.0) * to_f64(all);
        let mut below = 0.0;
        for (index, count) in self.counts.iter().enumerate() {
            let own = to_f64(*count);
            if own > 0.0 && below + own >= rank {
                let Some(upper) = self.bounds.get(index).copied() else {
                    return Some(last.unwrap_or(0.0));
                };
                let lower = match index.checked_sub(1) {
                    Some(before) => self.bounds[before],
                    None if upper > 0.0 => 0.0,
                    None => return Some(upper),
                };
                return Some(lower + (upper - lower) * ((rank - below) / own).clamp(0.0, 1.0));
            }
            below += own;
        }
        last
    }

    /// The upper bound of the highest bucket with an observation; the last finite bound for what
    /// lies beyond. `None` without observations.
    pub fn highest(&self) -> Option<f64> {
        let index = self.counts.iter().rposition(|count| *count > 0)?;
        let index = index.min(self.bounds.len().checked_sub(1)?);
        Some(self.bounds[index])
    }
}

/// Counts beyond 2^53 lose their last digits, which no percentile shows.
#[expect(clippy::cast_precision_loss, reason = "see above")]
pub(super) fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Option<Histogram> {
        Histogram::parse(json.as_bytes())
    }

    #[test]
    fn cumulative_buckets_become_counts_per_bucket() {
        let json = r#"[{"le":0.1,"count":2},{"le":1,"count":2},{"le":"+Inf","count":5}]"#;
        let histogram = parse(json).expect("buckets");
        assert_eq!(histogram.bounds, [0.1, 1.0]);
        assert_eq!(histogram.counts, [2, 0, 3]);
        assert_eq!(histogram.observations(), 5);
        let only = parse(r#"[{"le":"+Inf","count":5}]"#).expect("no bounds at all");
        assert_eq!((only.quantile(0.5), only.highest()), (Some(0.0), None));
    }

    #[test]
    fn buckets_that_make_no_sense_are_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"[{"le":1,"count":1}]"#,
            r#"[{"le":2,"count":1},{"le":1,"count":2},{"le":"+Inf","count":2}]"#,
            r#"[{"le":1,"count":1},{"le":1,"count":2},{"le":"+Inf","count":2}]"#,
            r#"[{"le":1,"count":3},{"le":"+Inf","count":2}]"#,
            r#"[{"le":1,"count":-1},{"le":"+Inf","count":2}]"#,
            r#"[{"le":"+Inf","count":1},{"le":"+Inf","count":2}]"#,
            r#"[{"le":"-Inf","count":1},{"le":"+Inf","count":2}]"#,
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let with = |bounds: usize| {
            let finite = (0..bounds).map(|at| format!(r#"{{"le":{at},"count":0}},"#));
            let finite: String = finite.collect();
            parse(&format!(r#"[{finite}{{"le":"+Inf","count":0}}]"#))
        };
        assert!(with(BOUNDS_MAX).is_some());
        assert_eq!(with(BOUNDS_MAX + 1), None);
    }

    #[test]
    fn percentiles_lie_on_a_straight_line_inside_their_bucket() {
        let histogram = Histogram {
            bounds: vec![1.0, 2.0, 4.0],
            counts: vec![10, 10, 20, 0],
        };
        let at = |q: f64| histogram.quantile(q).expect("observations");
        assert_eq!(at(0.0), 0.0);
        assert_eq!(at(0.125), 0.5);
        assert_eq!(at(0.25), 1.0);
        assert_eq!(at(0.375), 1.5);
        assert_eq!(at(0.75), 3.0);
        assert_eq!(at(1.0), 4.0);
        assert_eq!(histogram.highest(), Some(4.0));
    }

    #[test]
    fn what_lies_beyond_the_last_bound_counts_as_that_bound() {
        let histogram = Histogram {
            bounds: vec![-1.0, 1.0],
            counts: vec![1, 0, 9],
        };
        assert_eq!(
            histogram.quantile(0.05),
            Some(-1.0),
            "a first bound below 0 is its own floor"
        );
        assert_eq!(histogram.quantile(0.99), Some(1.0));
        assert_eq!(histogram.highest(), Some(1.0));
        let none = Histogram {
            bounds: vec![1.0],
            counts: vec![0, 0],
        };
        assert_eq!((none.quantile(0.5), none.highest()), (None, None));
    }
}
