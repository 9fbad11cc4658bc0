//! Points of OTLP as points of ours: growth for counters and histograms, values for gauges. Pure.
//!
//! Exponential histograms are counted into fixed buckets at powers of two, so that one series stays
//! one series; a summary becomes two counters and a gauge per quantile.
//!
//! Which running total a point goes on with is told by all that the sender said about it: masked and
//! cut, two totals may look alike, and would be taken for one that jumps.
//!
//! Refuses points without a value, of no temporality, with too many buckets or quantiles, and of
//! series there is no room for.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use contract::ids::InstanceId;
use prost::Message as _;

use super::attributes::label;
use super::deltas::{Batch, Delta, Total};
use super::message::{KeyValue, Scope};
use super::points::{
    Exponential, ExponentialPoint, Gauge, Histogram, Metric, Number, Points, Sum, Summary,
    SummaryPoint,
};
use super::spans::millis;
use crate::telemetry::{MaskKeys, MetricKind, MetricReport};

/// Labels of a point that are kept, and the longest key and value, in bytes.
const LABELS_MAX: usize = 32;
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 1_024;
/// Longest name and unit of a metric, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// Bounds of a histogram's point, as telemetry has them, and quantiles of a summary's.
const BOUNDS_MAX: usize = 256;
const QUANTILES_MAX: usize = 16;
/// Fixed buckets of exponential histograms: powers of two from 2^-20 to 2^20.
const POWER_MAX: i64 = 20;
const CUMULATIVE: i32 = 2;
const DELTA: i32 = 1;

/// Makes reports of one sender's metrics.
#[derive(Debug)]
pub(super) struct Reader<'r, 'd> {
    pub(super) instance: InstanceId,
    /// Which library's metrics are read now, as a number.
    pub(super) scope: u64,
    pub(super) masks: &'r MaskKeys,
    pub(super) hasher: &'r RandomState,
    pub(super) batch: &'r mut Batch<'d>,
    pub(super) reports: Vec<MetricReport>,
    pub(super) rejected: usize,
}

/// What the points of one series have in common.
#[derive(Clone, Debug)]
struct Series {
    name: String,
    unit: String,
    labels: BTreeMap<String, String>,
    at_ms: i64,
    /// All of its attributes as they came, and when its total began.
    raw: u64,
    start: u64,
}

impl Reader<'_, '_> {
    /// Takes a metric in.
    pub(super) fn read(&mut self, metric: &Metric) {
        match &metric.points {
            _ if metric.name.len().max(metric.unit.len()) > NAME_BYTES_MAX => {
                self.rejected += metric.points();
            }
            Some(Points::Gauge(it)) => self.gauge(metric, it),
            Some(Points::Sum(it)) => self.sum(metric, it),
            Some(Points::Histogram(it)) => self.histogram(metric, it),
            Some(Points::Exponential(it)) => self.exponential(metric, it),
            Some(Points::Summary(it)) => self.summary(metric, it),
            None => self.rejected += metric.points(),
        }
    }

    /// The metrics of one library are next.
    pub(super) fn enter(&mut self, scope: Option<&Scope>) {
        let names = scope.map(|it| (&it.name, &it.version));
        self.scope = self.hasher.hash_one(names);
    }

    fn gauge(&mut self, metric: &Metric, gauge: &Gauge) {
        for point in &gauge.data_points {
            let series = self.series(
                metric,
                &point.attributes,
                (point.start_time_unix_nano, point.time_unix_nano),
            );
            let value = point.value.map(Number::value);
            self.report(series, MetricKind::Gauge, value, Vec::new());
        }
    }

    fn sum(&mut self, metric: &Metric, sum: &Sum) {
        for point in &sum.data_points {
            let series = self.series(
                metric,
                &point.attributes,
                (point.start_time_unix_nano, point.time_unix_nano),
            );
            let value = point.value.map(Number::value).filter(|it| it.is_finite());
            let total = |value| Total {
                start: point.start_time_unix_nano,
                at: point.time_unix_nano,
                value,
                counts: Vec::new(),
            };
            let mut series = series;
            if sum.aggregation_temporality == DELTA {
                // Each begins where the one before ended.
                series.start = 0;
            }
            let key = self.key(&series, 1);
            let (kind, value) = match (sum.is_monotonic, sum.aggregation_temporality) {
                (true, DELTA) => (MetricKind::Counter, value),
                (true, CUMULATIVE) => {
                    let delta = value.and_then(|it| self.batch.delta(key, total(it)));
                    (MetricKind::Counter, delta.map(|it| it.value))
                }
                (false, CUMULATIVE) => (MetricKind::Gauge, value),
                (false, DELTA) => {
                    let stands = value.and_then(|it| self.batch.sum(key, total(it)));
                    (MetricKind::Gauge, stands)
                }
                _ => (MetricKind::Gauge, None),
            };
            self.report(series, kind, value, Vec::new());
        }
    }

    fn histogram(&mut self, metric: &Metric, histogram: &Histogram) {
        for point in &histogram.data_points {
            let series = self.series(
                metric,
                &point.attributes,
                (point.start_time_unix_nano, point.time_unix_nano),
            );
            let counts = point.bucket_counts.len();
            if point.explicit_bounds.len() > BOUNDS_MAX || counts > BOUNDS_MAX + 1 {
                self.rejected += 1;
                continue;
            }
            let mut counts = point.bucket_counts.clone();
            if counts.is_empty() {
                counts = vec![point.count];
            }
            let total = Total {
                start: point.start_time_unix_nano,
                at: point.time_unix_nano,
                value: point.sum.unwrap_or(0.0),
                counts,
            };
            let bounds = &point.explicit_bounds;
            self.observed(series, histogram.aggregation_temporality, total, bounds);
        }
    }

    fn exponential(&mut self, metric: &Metric, histogram: &Exponential) {
        let bounds: Vec<f64> = (-POWER_MAX..=POWER_MAX)
            .map(|power| 2_f64.powi(i32::try_from(power).unwrap_or(0)))
            .collect();
        for point in &histogram.data_points {
            let series = self.series(
                metric,
                &point.attributes,
                (point.start_time_unix_nano, point.time_unix_nano),
            );
            let total = Total {
                start: point.start_time_unix_nano,
                at: point.time_unix_nano,
                value: point.sum.unwrap_or(0.0),
                counts: at_powers(point, bounds.len() + 1),
            };
            self.observed(series, histogram.aggregation_temporality, total, &bounds);
        }
    }

    /// Observations, which came since the last point or ever.
    fn observed(&mut self, series: Series, temporality: i32, total: Total, bounds: &[f64]) {
        let fits = total.counts.len() == bounds.len() + 1 && total.value.is_finite();
        let delta = match temporality {
            DELTA if fits => Some(Delta {
                value: total.value,
                counts: total.counts,
            }),
            CUMULATIVE if fits => {
                let key = self.key(&series, 2);
                self.batch.delta(key, total)
            }
            _ => None,
        };
        let Some(delta) = delta else {
            self.rejected += 1;
            return;
        };
        if delta.counts.iter().all(|it| *it == 0) {
            return;
        }
        let buckets = buckets_json(bounds, &delta.counts);
        self.report(series, MetricKind::Histogram, Some(delta.value), buckets);
    }

    fn summary(&mut self, metric: &Metric, summary: &Summary) {
        for point in &summary.data_points {
            let sum = point.sum.unwrap_or(0.0);
            if point.quantile_values.len() > QUANTILES_MAX || !sum.is_finite() {
                self.rejected += 1;
                continue;
            }
            let before = self.rejected;
            self.summary_point(metric, point, sum);
            // It is several of ours, and one of the sender's.
            self.rejected = self.rejected.min(before + 1);
        }
    }

    fn summary_point(&mut self, metric: &Metric, point: &SummaryPoint, sum: f64) {
        let times = (point.start_time_unix_nano, point.time_unix_nano);
        let series = self.series(metric, &point.attributes, times);
        #[expect(clippy::cast_precision_loss, reason = "as every scraper has it")]
        let count = point.count as f64;
        for (suffix, value) in [(".count", count), (".sum", sum)] {
            let mut series = series.clone();
            series.name.push_str(suffix);
            let key = self.key(&series, 3);
            let total = Total {
                start: point.start_time_unix_nano,
                at: point.time_unix_nano,
                value,
                counts: Vec::new(),
            };
            let value = self.batch.delta(key, total).map(|it| it.value);
            self.report(series, MetricKind::Counter, value, Vec::new());
        }
        for it in &point.quantile_values {
            let value = it.value.unwrap_or(0.0);
            if !value.is_finite() {
                // Nothing was observed lately.
                continue;
            }
            let mut series = series.clone();
            let quantile = it.quantile.unwrap_or(0.0).to_string();
            series.labels.insert("quantile".to_owned(), quantile);
            self.report(series, MetricKind::Gauge, Some(value), Vec::new());
        }
    }

    fn report(
        &mut self,
        series: Series,
        kind: MetricKind,
        value: Option<f64>,
        buckets_json: Vec<u8>,
    ) {
        let Some(value) = value else {
            self.rejected += 1;
            return;
        };
        self.reports.push(MetricReport {
            at_ms: series.at_ms,
            name: series.name,
            kind: Some(kind),
            labels: series.labels,
            value,
            unit: series.unit,
            buckets_json,
        });
    }

    /// `start` and `at` are when its total began and its time, unix nanoseconds.
    fn series(&self, metric: &Metric, attributes: &[KeyValue], (start, at): (u64, u64)) -> Series {
        let cut = |text: &str, bytes: usize| text[..text.floor_char_boundary(bytes)].to_owned();
        let label = |it: &KeyValue| {
            let value = label(it, self.masks);
            let value = cut(&value, VALUE_BYTES_MAX).replace('\0', "");
            (cut(&it.key, KEY_BYTES_MAX).replace('\0', ""), value)
        };
        let named = attributes.iter().filter(|it| !it.key.is_empty());
        Series {
            name: metric.name.clone(),
            unit: metric.unit.clone(),
            labels: named.take(LABELS_MAX).map(label).collect(),
            at_ms: millis(at).unwrap_or(0),
            raw: self.raw(attributes),
            start,
        }
    }

    /// Attributes as a number, in whatever order they come.
    fn raw(&self, attributes: &[KeyValue]) -> u64 {
        let one = |it: &KeyValue| self.hasher.hash_one(it.encode_to_vec());
        attributes.iter().map(one).fold(0, u64::wrapping_add)
    }

    /// Which running total a point is of. One that began at another time is another one: a process
    /// that started again, or another that has no id.
    fn key(&self, series: &Series, form: u8) -> u64 {
        let whose = (self.instance, self.scope, form);
        self.hasher
            .hash_one((whose, &series.name, series.raw, series.start))
    }
}

/// The counts of an exponential histogram, by the least power of two above each of its buckets.
fn at_powers(point: &ExponentialPoint, buckets: usize) -> Vec<u64> {
    let mut counts = vec![0_u64; buckets];
    let mut add = |at: usize, count: u64| {
        let at = at.min(buckets - 1);
        counts[at] = counts[at].saturating_add(count);
    };
    add(0, point.zero_count);
    let negative = point.negative.iter().flat_map(|it| &it.bucket_counts);
    negative.for_each(|count| add(0, *count));
    let positive = point.positive.iter();
    for (nth, count) in positive.flat_map(|it| it.bucket_counts.iter().enumerate()) {
        let offset = point.positive.as_ref().map_or(0, |it| it.offset);
        let index = i64::from(offset).saturating_add(i64::try_from(nth).unwrap_or(i64::MAX));
        let upper = if point.scale >= 0 {
            (index >> point.scale.min(62)).saturating_add(1)
        } else {
            let wide = 1_i64 << point.scale.unsigned_abs().min(40);
            index.saturating_add(1).saturating_mul(wide)
        };
        let at = upper.saturating_add(POWER_MAX).max(0);
        add(usize::try_from(at).unwrap_or(usize::MAX), *count);
    }
    counts
}

/// As a report has its buckets: sums up to each bound.
fn buckets_json(bounds: &[f64], counts: &[u64]) -> Vec<u8> {
    let mut below = 0_u64;
    let mut bucket = |(nth, count): (usize, &u64)| {
        below = below.saturating_add(*count);
        match bounds.get(nth) {
            Some(bound) => serde_json::json!({"le": bound, "count": below}),
            None => serde_json::json!({"le": "+Inf", "count": below}),
        }
    };
    let buckets = counts.iter().enumerate().map(&mut bucket);
    serde_json::Value::Array(buckets.collect())
        .to_string()
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::points::Buckets;
    use super::*;

    #[test]
    fn exponential_buckets_fall_to_the_power_of_two_above_them() {
        let point = |scale, offset, counts: &[u64]| ExponentialPoint {
            scale,
            zero_count: 3,
            positive: Some(Buckets {
                offset,
                bucket_counts: counts.to_vec(),
            }),
            ..ExponentialPoint::default()
        };
        let filled = |counts: Vec<u64>| -> Vec<(i64, u64)> {
            let powers = counts.into_iter().zip(-POWER_MAX..);
            powers
                .filter(|(count, _)| *count > 0)
                .map(|(count, power)| (power, count))
                .collect()
        };
        // Scale 1: buckets of half an octave from 1; scale 0: whole ones; scale -1: two at once.
        assert_eq!(
            filled(at_powers(&point(1, 0, &[1, 2, 4]), 42)),
            [(-20, 3), (1, 3), (2, 4)]
        );
        assert_eq!(
            filled(at_powers(&point(0, -1, &[1, 2]), 42)),
            [(-20, 3), (0, 1), (1, 2)]
        );
        assert_eq!(
            filled(at_powers(&point(-1, 0, &[5]), 42)),
            [(-20, 3), (2, 5)]
        );
        let far = at_powers(&point(-10, i32::MAX, &[7]), 42);
        assert_eq!((far[0], far[41]), (3, 7));
        assert_eq!(at_powers(&point(0, i32::MIN, &[7]), 42)[0], 10);
    }

    #[test]
    fn buckets_are_summed_up_as_reports_have_them() {
        let json = buckets_json(&[0.5, 1.0], &[1, 0, 2]);
        let text = String::from_utf8(json).expect("text");
        let expected = r#"[{"count":1,"le":0.5},{"count":1,"le":1.0},{"count":3,"le":"+Inf"}]"#;
        assert_eq!(text, expected);
    }
}
