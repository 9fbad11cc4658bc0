//! Points of OTLP as points of ours: growth for counters and histograms, values for gauges. Pure.
//!
//! Exponential histograms are counted into fixed buckets at powers of two, so that one series stays
//! one series; a summary becomes two counters and a gauge per quantile.
//!
//! Refuses points without a value, of no temporality, and of series there is no room for.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use contract::ids::InstanceId;

use super::attributes::label;
use super::deltas::{Batch, Delta, Total};
use super::message::KeyValue;
use super::points::{
    Exponential, ExponentialPoint, Gauge, Histogram, Metric, Number, Points, Sum, Summary,
};
use super::spans::millis;
use crate::telemetry::{MaskKeys, MetricKind, MetricReport};

/// Labels of a point that are kept, and the longest key and value, in bytes.
const LABELS_MAX: usize = 32;
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 1_024;
/// Fixed buckets of exponential histograms: powers of two from 2^-20 to 2^20.
const POWER_MAX: i64 = 20;
const CUMULATIVE: i32 = 2;
const DELTA: i32 = 1;

/// Makes reports of one sender's metrics.
#[derive(Debug)]
pub(super) struct Reader<'r, 'd> {
    pub(super) instance: InstanceId,
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
}

impl Reader<'_, '_> {
    /// Takes a metric in.
    pub(super) fn read(&mut self, metric: &Metric) {
        match &metric.points {
            Some(Points::Gauge(it)) => self.gauge(metric, it),
            Some(Points::Sum(it)) => self.sum(metric, it),
            Some(Points::Histogram(it)) => self.histogram(metric, it),
            Some(Points::Exponential(it)) => self.exponential(metric, it),
            Some(Points::Summary(it)) => self.summary(metric, it),
            None => self.rejected += 1,
        }
    }

    fn gauge(&mut self, metric: &Metric, gauge: &Gauge) {
        for point in &gauge.data_points {
            let series = self.series(metric, &point.attributes, point.time_unix_nano);
            let value = point.value.map(Number::value);
            self.report(series, MetricKind::Gauge, value, Vec::new());
        }
    }

    fn sum(&mut self, metric: &Metric, sum: &Sum) {
        for point in &sum.data_points {
            let series = self.series(metric, &point.attributes, point.time_unix_nano);
            let value = point.value.map(Number::value).filter(|it| it.is_finite());
            let total = |value| Total {
                start: point.start_time_unix_nano,
                at: point.time_unix_nano,
                value,
                counts: Vec::new(),
            };
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
            let series = self.series(metric, &point.attributes, point.time_unix_nano);
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
            let series = self.series(metric, &point.attributes, point.time_unix_nano);
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
            let series = self.series(metric, &point.attributes, point.time_unix_nano);
            #[expect(clippy::cast_precision_loss, reason = "as every scraper has it")]
            let count = point.count as f64;
            for (suffix, value) in [(".count", Some(count)), (".sum", point.sum)] {
                let mut series = series.clone();
                series.name.push_str(suffix);
                let key = self.key(&series, 3);
                let total = value.filter(|it| it.is_finite()).map(|value| Total {
                    start: point.start_time_unix_nano,
                    at: point.time_unix_nano,
                    value,
                    counts: Vec::new(),
                });
                let delta = total.and_then(|it| self.batch.delta(key, it));
                self.report(
                    series,
                    MetricKind::Counter,
                    delta.map(|it| it.value),
                    Vec::new(),
                );
            }
            for it in &point.quantile_values {
                let mut series = series.clone();
                let quantile = it.quantile.unwrap_or(0.0).to_string();
                series.labels.insert("quantile".to_owned(), quantile);
                let value = Some(it.value.unwrap_or(0.0));
                self.report(series, MetricKind::Gauge, value, Vec::new());
            }
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

    fn series(&self, metric: &Metric, attributes: &[KeyValue], at: u64) -> Series {
        let cut = |text: &str, bytes: usize| text[..text.floor_char_boundary(bytes)].to_owned();
        let label = |it: &KeyValue| {
            let value = if self.masks.matches(&it.key) {
                "***".to_owned()
            } else {
                label(it.value.as_ref())
            };
            let value = cut(&value, VALUE_BYTES_MAX).replace('\0', "");
            (cut(&it.key, KEY_BYTES_MAX).replace('\0', ""), value)
        };
        let named = attributes.iter().filter(|it| !it.key.is_empty());
        Series {
            name: metric.name.clone(),
            unit: metric.unit.clone(),
            labels: named.take(LABELS_MAX).map(label).collect(),
            at_ms: millis(at).unwrap_or(0),
        }
    }

    fn key(&self, series: &Series, form: u8) -> u64 {
        let it = (self.instance, form, &series.name, &series.labels);
        self.hasher.hash_one(it)
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
