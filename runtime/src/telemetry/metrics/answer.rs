//! What a question about a metric is answered with: windows made into points. Pure.
//!
//! | kind | average of a point | peak of a point |
//! |---|---|---|
//! | counter | growth per second | growth per second in its busiest window |
//! | gauge | by time: each value for as long as it stood | highest value that stood |
//! | histogram | mean of the observations | upper bound of the highest bucket |
//! | percentile | the percentile | upper bound of the highest bucket |
//!
//! A counter has points from its first growth on, a gauge from its first value (which may be from
//! before the start) on, both for as long as their instance reports. A histogram has points
//! where there are observations.

use std::collections::BTreeMap;

use contract::ids::{InstanceId, ServiceId};

use super::histogram::{Histogram, to_f64};
use super::model::{MetricKind, Series, WINDOW_MS, span};

/// The label that tells percentiles apart.
const QUANTILE: &str = "quantile";

/// One point of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetricSample {
    /// Its start, unix milliseconds.
    pub at_ms: i64,
    /// Average over its span.
    pub average: f64,
    /// Peak within its span.
    pub peak: f64,
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricSeries {
    /// What is measured.
    pub name: String,
    /// How its values are read.
    pub kind: MetricKind,
    /// In UCUM notation; a counter's points are per second of it.
    pub unit: String,
    /// Its service.
    pub service: ServiceId,
    /// The instance that measured it.
    pub instance: InstanceId,
    /// Its labels; of a percentile also `quantile`.
    pub labels: BTreeMap<String, String>,
    /// By time.
    pub points: Vec<MetricSample>,
}

/// Series of one metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsPage {
    /// By labels and instance.
    pub series: Vec<MetricSeries>,
    /// Span of a point, in milliseconds.
    pub step_ms: i64,
    /// Whether there are more series than an answer holds.
    pub truncated: bool,
}

/// The windows of a series that lie in one point, added up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) series: i64,
    /// Its start.
    pub(super) at_ms: i64,
    /// Sum of the windows' totals, and of a gauge what it stood at between them.
    pub(super) total: f64,
    /// The highest total of a window.
    pub(super) busiest: f64,
    /// The highest value of a point.
    pub(super) peak: f64,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    pub(super) last: f64,
}

impl Bucket {
    /// Takes in what another slice has of the same bucket, later windows.
    pub(super) fn join(&mut self, later: &Self) {
        let stood = self.last * span(self.last_ms, later.first_ms).max(0.0);
        self.total += later.total + stood;
        self.busiest = self.busiest.max(later.busiest);
        self.peak = self.peak.max(later.peak);
        self.first_ms = self.first_ms.min(later.first_ms);
        if later.last_ms >= self.last_ms {
            (self.last_ms, self.last) = (later.last_ms, later.last);
        }
    }
}

/// The span of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Start of the first point.
    pub(super) from_ms: i64,
    /// The last moment; it may cut the last point short.
    pub(super) to_ms: i64,
    pub(super) step_ms: i64,
}

impl Range {
    /// The range of a question, from the first point that it touches, in at most `points_max`.
    pub(super) fn new(from_ms: i64, to_ms: i64, step_seconds: u32, points_max: i64) -> Self {
        let (from_ms, to_ms) = (from_ms.clamp(0, i64::MAX / 2), to_ms.clamp(0, i64::MAX / 2));
        // The first point may start before the range: one fewer has to cover it.
        let least = (to_ms - from_ms).max(0) / (points_max - 1) + 1;
        let asked = i64::from(step_seconds) * 1_000;
        let windows = (asked.max(least) + WINDOW_MS - 1) / WINDOW_MS;
        let step_ms = windows.max(1) * WINDOW_MS;
        Self {
            from_ms: from_ms - from_ms % step_ms,
            to_ms,
            step_ms,
        }
    }

    /// Starts of the points from `first_ms` to `last_ms`, within the range.
    fn starts(self, first_ms: i64, last_ms: i64) -> impl Iterator<Item = i64> {
        let first = first_ms.max(self.from_ms);
        let first = first - first % self.step_ms;
        let last = last_ms.min(self.to_ms);
        let steps = (0..).map(move |nth| first + nth * self.step_ms);
        steps.take_while(move |at| *at <= last)
    }

    /// The end of the point at `at_ms`, as far as the range and the instance go.
    fn end_of(self, at_ms: i64, alive_ms: i64) -> i64 {
        (at_ms + self.step_ms).min((self.to_ms + 1).min(alive_ms).max(at_ms))
    }
}

/// What is known of a counter or a gauge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course<'b> {
    pub(super) range: Range,
    /// By time.
    pub(super) buckets: &'b [Bucket],
    /// The gauge's value at the start, if it had one.
    pub(super) before: Option<f64>,
    /// Until when the instance is taken to be there.
    pub(super) alive_ms: i64,
}

impl Course<'_> {
    /// Points of a counter.
    pub(super) fn counter(self) -> Vec<MetricSample> {
        let mut buckets = self.buckets.iter().peekable();
        let Some(first) = self.buckets.first() else {
            return Vec::new();
        };
        let last_ms = self
            .buckets
            .last()
            .map_or(0, |it| it.at_ms)
            .max(self.alive_ms);
        let mut point = |at_ms| {
            let bucket = buckets.next_if(|it| it.at_ms == at_ms);
            let (total, busiest) = bucket.map_or((0.0, 0.0), |it| (it.total, it.busiest));
            // The last point is not over yet; its first window counts whole.
            let seconds = span(
                at_ms,
                self.range.end_of(at_ms, i64::MAX).max(at_ms + WINDOW_MS),
            ) / 1e3;
            let average = total / seconds;
            let peak = (busiest / span(0, WINDOW_MS) * 1e3).max(average);
            MetricSample {
                at_ms,
                average,
                peak,
            }
        };
        self.range
            .starts(first.at_ms, last_ms)
            .map(&mut point)
            .collect()
    }

    /// Points of a gauge.
    pub(super) fn gauge(self) -> Vec<MetricSample> {
        let mut buckets = self.buckets.iter().peekable();
        let first_ms = match (self.before, self.buckets.first()) {
            (Some(_), _) => self.range.from_ms,
            (None, Some(first)) => first.at_ms,
            (None, None) => return Vec::new(),
        };
        let last_ms = self
            .buckets
            .last()
            .map_or(0, |it| it.at_ms)
            .max(self.alive_ms);
        let mut stood = self.before;
        let mut points = Vec::new();
        for at_ms in self.range.starts(first_ms, last_ms) {
            let bucket = buckets.next_if(|it| it.at_ms == at_ms);
            let end_ms = self.range.end_of(at_ms, self.alive_ms);
            points.extend(gauge_point(at_ms, end_ms, stood, bucket));
            stood = bucket.map(|it| it.last).or(stood);
        }
        points
    }
}

fn gauge_point(
    at_ms: i64,
    end_ms: i64,
    stood: Option<f64>,
    bucket: Option<&Bucket>,
) -> Option<MetricSample> {
    let Some(bucket) = bucket else {
        let value = stood?;
        return Some(MetricSample {
            at_ms,
            average: value,
            peak: value,
        });
    };
    let stood = stood.filter(|_| bucket.first_ms > at_ms);
    let from_ms = stood.map_or(bucket.first_ms, |_| at_ms);
    let head = stood.unwrap_or(0.0) * span(at_ms, bucket.first_ms);
    let end_ms = end_ms.max(bucket.last_ms);
    let tail = bucket.last * span(bucket.last_ms, end_ms);
    let whole = span(from_ms, end_ms);
    let average = if whole > 0.0 {
        (head + bucket.total + tail) / whole
    } else {
        bucket.last
    };
    let peak = stood.map_or(bucket.peak, |value| value.max(bucket.peak));
    Some(MetricSample {
        at_ms,
        average,
        peak,
    })
}

/// The observations of a histogram in one point: their sum, and their number by bucket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Observed {
    pub(super) at_ms: i64,
    pub(super) sum: f64,
    pub(super) histogram: Histogram,
}

/// The series of means, and one for each percentile.
pub(super) fn distribution(
    series: &Series,
    observed: &[Observed],
    percentiles: &[f64],
) -> Vec<MetricSeries> {
    let points = |value: &dyn Fn(&Observed) -> Option<f64>| -> Vec<MetricSample> {
        let point = |it: &Observed| {
            let average = value(it)?;
            let peak = it.histogram.highest().unwrap_or(average);
            let at_ms = it.at_ms;
            Some(MetricSample {
                at_ms,
                average,
                peak,
            })
        };
        observed.iter().filter_map(point).collect()
    };
    let mean = |it: &Observed| {
        let all = to_f64(it.histogram.observations());
        (all > 0.0).then(|| it.sum / all)
    };
    let mut all = vec![series.answer(points(&mean))];
    for percentile in percentiles {
        let mut one = series.answer(points(&|it| it.histogram.quantile(*percentile)));
        one.labels
            .insert(QUANTILE.to_owned(), percentile.to_string());
        all.push(one);
    }
    all
}

impl Series {
    /// The series of an answer with these points.
    pub(super) fn answer(&self, points: Vec<MetricSample>) -> MetricSeries {
        MetricSeries {
            name: self.name.clone(),
            kind: self.kind,
            unit: self.unit.clone(),
            service: self.service,
            instance: self.instance,
            labels: self.labels.clone(),
            points,
        }
    }
}
