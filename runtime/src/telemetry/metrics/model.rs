//! Points, the series they belong to, and the windows they add up to. Pure.

use std::collections::BTreeMap;

use contract::ids::{InstanceId, ServiceId};
use sha2::{Digest as _, Sha256};

use super::super::bounded;
use super::super::model::Actor;
use super::histogram::Histogram;

/// Span of one window, in milliseconds: the finest step of an answer.
pub(super) const WINDOW_MS: i64 = 10_000;
/// Longest name of a metric or key of a label, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 256;
/// Longest value of a label, in bytes.
pub(super) const VALUE_BYTES_MAX: usize = 1_024;
/// Most labels of a series.
pub(super) const LABELS_MAX: usize = 32;
/// Longest unit, in bytes; the rest is cut.
const UNIT_BYTES_MAX: usize = 64;

/// How a metric's values are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetricKind {
    /// Grows; a point is what came since the one before.
    Counter = 1,
    /// Stands at a value until the next point.
    Gauge = 2,
    /// Observations counted by size.
    Histogram = 3,
}

impl MetricKind {
    /// All of them, by number.
    pub const ALL: [Self; 3] = [Self::Counter, Self::Gauge, Self::Histogram];

    /// From the number of the wire contract; `None` for 0 and unknown ones.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The number of the wire contract.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Its lowercase word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A point as a service reports it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricReport {
    /// When, unix milliseconds; 0 for now.
    pub at_ms: i64,
    /// What is measured.
    pub name: String,
    /// `None` when not said or unknown.
    pub kind: Option<MetricKind>,
    /// Labels of the series.
    pub labels: BTreeMap<String, String>,
    /// Of a counter the growth, of a gauge the value, of a histogram the sum of observations.
    pub value: f64,
    /// In UCUM notation.
    pub unit: String,
    /// Of a histogram.
    pub buckets_json: Vec<u8>,
}

/// A series: everything its points have in common.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub(super) kind: MetricKind,
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) service: ServiceId,
    pub(super) instance: InstanceId,
    /// Not part of what makes a series itself.
    pub(super) unit: String,
    /// Of a histogram; other bounds make another series.
    pub(super) bounds: Vec<f64>,
}

impl Series {
    /// The number it goes by in storage: the same in every slice and process.
    pub(super) fn number(&self) -> i64 {
        let mut hash = Sha256::new();
        let mut add = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(self.kind.word().as_bytes());
        add(self.name.as_bytes());
        add(self.service.as_bytes());
        add(self.instance.as_bytes());
        for bound in &self.bounds {
            add(&bound.to_le_bytes());
        }
        for (key, value) in &self.labels {
            add(key.as_bytes());
            add(value.as_bytes());
        }
        let digest = hash.finalize();
        let first = digest.first_chunk().copied().unwrap_or_default();
        i64::from_le_bytes(first)
    }
}

/// A point that is sound.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) series: i64,
    pub(super) kind: MetricKind,
    pub(super) at_ms: i64,
    pub(super) value: f64,
    /// Of a histogram: which buckets have how many.
    pub(super) counts: Vec<(usize, u64)>,
}

impl MetricReport {
    /// The series and the point, unless the report is not sound.
    pub(super) fn sound(self, actor: Actor, now_ms: i64) -> Option<(Series, Point)> {
        let kind = self.kind?;
        let fits = |text: &str, bytes_max: usize| text.len() <= bytes_max && !text.contains('\0');
        let labels_fit = self.labels.len() <= LABELS_MAX
            && self.labels.iter().all(|(key, value)| {
                !key.is_empty() && fits(key, NAME_BYTES_MAX) && fits(value, VALUE_BYTES_MAX)
            });
        let named = !self.name.is_empty() && fits(&self.name, NAME_BYTES_MAX);
        let shrinks = kind == MetricKind::Counter && self.value < 0.0;
        if !named || !labels_fit || !self.value.is_finite() || shrinks {
            return None;
        }
        let histogram = match kind {
            MetricKind::Histogram => Some(Histogram::parse(&self.buckets_json)?),
            MetricKind::Counter | MetricKind::Gauge => None,
        };
        let (bounds, counts) = histogram.map_or_else(Default::default, |it| (it.bounds, it.counts));
        let counts = counts.into_iter().enumerate();
        let series = Series {
            kind,
            name: self.name,
            labels: self.labels,
            service: actor.service,
            instance: actor.instance,
            unit: bounded::text(&self.unit, UNIT_BYTES_MAX),
            bounds,
        };
        let point = Point {
            series: series.number(),
            kind,
            at_ms: if self.at_ms > 0 { self.at_ms } else { now_ms },
            value: self.value,
            counts: counts.filter(|(_, count)| *count > 0).collect(),
        };
        Some((series, point))
    }
}

/// What came for a series within one window.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    pub(super) series: i64,
    /// Its start.
    pub(super) at_ms: i64,
    /// Counter: the sum of deltas. Histogram: the sum of observations. Gauge: value times
    /// milliseconds from the first point to the last.
    pub(super) total: f64,
    /// The highest value of a point.
    pub(super) peak: f64,
    pub(super) first_ms: i64,
    pub(super) last_ms: i64,
    /// The value of the last point; 0 unless a gauge, so that only gauges last.
    pub(super) last: f64,
    pub(super) counts: BTreeMap<usize, u64>,
}

/// The points by window, in the order of their series and time.
pub(super) fn fold(points: &[Point]) -> Vec<Window> {
    let mut points: Vec<&Point> = points.iter().collect();
    points.sort_by_key(|it| (it.series, it.at_ms));
    let mut windows: Vec<Window> = Vec::new();
    for point in points {
        let at_ms = point.at_ms - point.at_ms.rem_euclid(WINDOW_MS);
        match windows.last_mut() {
            Some(open) if (open.series, open.at_ms) == (point.series, at_ms) => open.add(point),
            _ => windows.push(Window::first(at_ms, point)),
        }
    }
    windows
}

impl Window {
    fn first(at_ms: i64, point: &Point) -> Self {
        let is_gauge = point.kind == MetricKind::Gauge;
        Self {
            series: point.series,
            at_ms,
            total: if is_gauge { 0.0 } else { point.value },
            peak: point.value,
            first_ms: point.at_ms,
            last_ms: point.at_ms,
            last: if is_gauge { point.value } else { 0.0 },
            counts: point.counts.iter().copied().collect(),
        }
    }

    fn add(&mut self, point: &Point) {
        if point.kind == MetricKind::Gauge {
            self.total += self.last * span(self.last_ms, point.at_ms);
            self.last = point.value;
        } else {
            self.total += point.value;
        }
        self.peak = self.peak.max(point.value);
        self.last_ms = point.at_ms;
        for (bucket, count) in &point.counts {
            let own = self.counts.entry(*bucket).or_default();
            *own = own.saturating_add(*count);
        }
    }
}

/// Milliseconds between two times of one answer, as a factor.
#[expect(
    clippy::cast_precision_loss,
    reason = "a span of 2^53 ms is 285,000 years"
)]
pub(super) fn span(from_ms: i64, to_ms: i64) -> f64 {
    to_ms.saturating_sub(from_ms) as f64
}

/// Which series to show, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricQuery {
    /// What is measured.
    pub name: String,
    /// Series of this service.
    pub service: Option<ServiceId>,
    /// Series of this instance.
    pub instance: Option<InstanceId>,
    /// Labels that a series must have with exactly these values.
    pub labels: BTreeMap<String, String>,
    /// Start, unix milliseconds; an hour before the end when not said.
    pub from_ms: Option<i64>,
    /// End, unix milliseconds; now when not said.
    pub to_ms: Option<i64>,
    /// Seconds per point; 0 for whatever fits. Rounded up to whole windows, and to what keeps the
    /// answer within its points.
    pub step_seconds: u32,
    /// Of histograms: percentiles to add as series of their own, 0 to 1.
    pub percentiles: Vec<f64>,
}

/// A metric that somebody reports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName {
    /// What is measured.
    pub name: String,
    /// How its values are read.
    pub kind: MetricKind,
    /// In UCUM notation.
    pub unit: String,
    /// How many series have it.
    pub series: u64,
}

/// What became of a batch of points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricsIngested {
    /// Added up and committed.
    pub points: usize,
    /// Left out, because an earlier stream brought them.
    pub repeats: usize,
    /// Dropped on purpose: not sound, or of a series beyond the limit.
    pub refused: usize,
}
