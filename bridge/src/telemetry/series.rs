//! Metrics as they are added up: one cell for each series, a point from each changed one per
//! window.
//!
//! ```text
//! add ─▶ cell ──every 5 s, as far as the ring has room──▶ point ──ack──▶ forgotten
//! ```
//!
//! The first point of a series goes out at once, so that a new metric can be seen.
//! A counter's point is what was added since the point before; a gauge's its last value; a
//! histogram's what was observed since. A cell whose point finds no room keeps adding up and gives
//! a larger one later, so that an absent runtime costs neither memory nor counts.
//!
//! Invariant: what was added to an accepted series is in exactly one point, or still in its cell.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Monotonic, Timestamp};
use contract::grpc::v1::{MetricKind, MetricPoint};
use parking_lot::{Mutex, RwLock};

use super::ring::{Ring, Weigh};

/// Time between two points of a series.
const WINDOW: Duration = Duration::from_secs(5);
/// Series of one process; what is added to a further one is dropped and counted.
pub(super) const SERIES_MAX: usize = 4_096;
/// Labels of one series.
pub(super) const LABELS_MAX: usize = 32;
/// Longest name of a metric or a label, in characters.
pub(super) const NAME_CHARS_MAX: usize = 256;
/// Longest value of a label, in characters.
pub(super) const VALUE_CHARS_MAX: usize = 1_024;
/// Bounds of one histogram.
pub(super) const BOUNDS_MAX: usize = 256;
/// Bounds of a histogram that was given none, in seconds.
pub(super) const BOUNDS_DEFAULT: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// A metric as it is declared, before labels.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    pub(super) kind: Kind,
    pub(super) name: Arc<str>,
    pub(super) unit: Arc<str>,
    /// Of a histogram; finite and ascending.
    pub(super) bounds: Arc<[f64]>,
}

/// One metric with one set of labels.
#[derive(Debug)]
pub(super) struct Series {
    metric: Metric,
    labels: Vec<(Box<str>, Box<str>)>,
    cell: Mutex<Cell>,
}

#[derive(Debug)]
enum Cell {
    Counter(f64),
    Gauge {
        value: f64,
        is_changed: bool,
    },
    Histogram {
        /// One more than there are bounds.
        counts: Box<[u64]>,
        sum: f64,
    },
}

impl Series {
    /// Adds to a counter, observes for a histogram, sets a gauge. Returns whether the number
    /// could be used.
    pub(super) fn put(&self, number: f64) -> bool {
        if !number.is_finite() {
            return false;
        }
        match &mut *self.cell.lock() {
            Cell::Counter(_) if number < 0.0 => return false,
            Cell::Counter(total) => *total += number,
            Cell::Gauge { value, is_changed } => {
                *is_changed |= value.to_bits() != number.to_bits();
                *value = number;
            }
            Cell::Histogram { counts, sum } => {
                let bucket = self.metric.bounds.partition_point(|it| *it < number);
                counts[bucket] += 1;
                *sum += number;
            }
        }
        true
    }

    /// Changes a gauge by `number`.
    pub(super) fn shift(&self, number: f64) -> bool {
        if let Cell::Gauge { value, is_changed } = &mut *self.cell.lock()
            && number.is_finite()
        {
            let before = if value.is_nan() { 0.0 } else { *value };
            *value = before + number;
            *is_changed |= number != 0.0;
            return true;
        }
        false
    }

    /// Adds observations that were counted elsewhere, per bucket and altogether.
    pub(super) fn merge(&self, buckets: &[u64], of_sum: f64) {
        if let Cell::Histogram { counts, sum } = &mut *self.cell.lock() {
            for (count, more) in counts.iter_mut().zip(buckets) {
                *count += more;
            }
            *sum += of_sum;
        }
    }

    /// The point of a cell that changed, if `fits` takes it. Afterwards the cell is unchanged.
    fn point(&self, at: Timestamp, fits: impl FnOnce(MetricPoint) -> bool) -> bool {
        let mut cell = self.cell.lock();
        let (value, buckets) = match &*cell {
            Cell::Counter(total) if *total > 0.0 => (*total, Vec::new()),
            Cell::Gauge { value, is_changed } if *is_changed => (*value, Vec::new()),
            Cell::Histogram { counts, sum } if counts.iter().any(|it| *it > 0) => {
                (*sum, buckets_json(&self.metric.bounds, counts))
            }
            Cell::Counter(_) | Cell::Gauge { .. } | Cell::Histogram { .. } => return true,
        };
        let point = MetricPoint {
            at_unix_ms: at.as_millis(),
            name: self.metric.name.to_string(),
            kind: self.metric.kind.on_wire() as i32,
            labels: self
                .labels
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            instance_id: String::new(),
            value,
            unit: self.metric.unit.to_string(),
            buckets_json: buckets,
        };
        let is_taken = fits(point);
        if is_taken {
            match &mut *cell {
                Cell::Counter(total) => *total = 0.0,
                Cell::Gauge { is_changed, .. } => *is_changed = false,
                Cell::Histogram { counts, sum } => {
                    counts.fill(0);
                    *sum = 0.0;
                }
            }
        }
        is_taken
    }
}

impl Kind {
    fn on_wire(self) -> MetricKind {
        match self {
            Self::Counter => MetricKind::Counter,
            Self::Gauge => MetricKind::Gauge,
            Self::Histogram => MetricKind::Histogram,
        }
    }

    fn cell(self, bounds: usize) -> Cell {
        match self {
            Self::Counter => Cell::Counter(0.0),
            // Nobody has set it yet: whatever comes first is a change.
            Self::Gauge => Cell::Gauge {
                value: f64::NAN,
                is_changed: false,
            },
            Self::Histogram => Cell::Histogram {
                counts: vec![0; bounds + 1].into(),
                sum: 0.0,
            },
        }
    }
}

/// `[{"le":0.5,"count":3},{"le":"+Inf","count":4}]`, cumulative.
fn buckets_json(bounds: &[f64], counts: &[u64]) -> Vec<u8> {
    use std::io::Write as _;

    let mut json = Vec::with_capacity(28 * counts.len());
    let mut total = 0;
    for (at, count) in counts.iter().enumerate() {
        total += count;
        json.push(if at == 0 { b'[' } else { b',' });
        // Writing to memory cannot fail.
        let _ = match bounds.get(at) {
            Some(bound) => write!(json, r#"{{"le":{bound},"count":{total}}}"#),
            None => write!(json, r#"{{"le":"+Inf","count":{total}}}"#),
        };
    }
    json.push(b']');
    json
}

impl Weigh for MetricPoint {
    fn bytes(&self) -> usize {
        let labels = self
            .labels
            .iter()
            .map(|(name, value)| 2 * size_of::<String>() + name.len() + value.len());
        size_of::<Self>()
            + self.name.len()
            + self.unit.len()
            + self.buckets_json.len()
            + labels.sum::<usize>()
    }
}

/// All series of a process.
#[derive(Debug, Default)]
pub(super) struct AllSeries {
    by_key: RwLock<HashMap<Box<[u8]>, Arc<Series>>>,
    /// Those that nobody has looked at yet.
    fresh: Mutex<Vec<Arc<Series>>>,
    sweep: Mutex<Sweep>,
}

/// Where the making of points has come to.
#[derive(Debug, Default)]
struct Sweep {
    /// The series of the window that is being closed; each gives its point once.
    left: Vec<Arc<Series>>,
    /// When the next window closes; `None` before the first.
    next: Option<Monotonic>,
}

impl AllSeries {
    /// The series of `metric` with `labels`, in any order; of two with one name the last counts.
    /// `None` when a limit is exceeded.
    pub(super) fn of(&self, metric: &Metric, labels: &[(&str, &str)]) -> Option<Arc<Series>> {
        let mut sorted = labels.to_vec();
        sorted.sort_by_key(|(name, _)| *name);
        sorted.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                earlier.1 = later.1;
            }
            is_same
        });
        let key = key(metric, &sorted);
        if let Some(series) = self.by_key.read().get(&*key) {
            return Some(series.clone());
        }
        if !metric.is_allowed() || !sorted.iter().all(is_allowed) || sorted.len() > LABELS_MAX {
            return None;
        }
        let mut all = self.by_key.write();
        if all.len() >= SERIES_MAX && !all.contains_key(&*key) {
            return None;
        }
        let make = || {
            let series = Arc::new(Series {
                metric: metric.clone(),
                labels: sorted
                    .iter()
                    .map(|(name, value)| ((*name).into(), (*value).into()))
                    .collect(),
                cell: Mutex::new(metric.kind.cell(metric.bounds.len())),
            });
            self.fresh.lock().push(series.clone());
            series
        };
        Some(all.entry(key).or_insert_with(make).clone())
    }

    /// Makes points for the windows that are over, as far as `ring` has room. With `close` the
    /// present window is over as well.
    pub(super) fn pump(
        &self,
        ring: &Mutex<Ring<MetricPoint>>,
        (now, at): (Monotonic, Timestamp),
        close: bool,
    ) {
        let mut sweep = self.sweep.lock();
        let is_over = sweep.next.is_none_or(|next| now >= next);
        if sweep.left.is_empty() && (is_over || close) {
            sweep.next = Some(now + WINDOW);
            sweep.left.extend(self.by_key.read().values().cloned());
        }
        sweep.left.append(&mut self.fresh.lock());
        while let Some(series) = sweep.left.last() {
            let is_done = series.point(at, |point| {
                let mut ring = ring.lock();
                let is_taken = ring.takes(&point);
                if is_taken {
                    ring.push(point);
                }
                is_taken
            });
            if !is_done {
                return;
            }
            sweep.left.pop();
        }
    }

    /// Whether points of the window that is being closed are still to be made.
    pub(super) fn is_pumping(&self) -> bool {
        !self.sweep.lock().left.is_empty() || !self.fresh.lock().is_empty()
    }
}

impl Metric {
    fn is_allowed(&self) -> bool {
        let bounds = &self.bounds;
        is_name(&self.name)
            && bounds.len() <= BOUNDS_MAX
            && bounds.iter().all(|it| it.is_finite())
            && bounds.is_sorted_by(|low, high| low < high)
    }
}

fn is_allowed((name, value): &(&str, &str)) -> bool {
    is_name(name) && value.chars().count() <= VALUE_CHARS_MAX
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX
}

/// Names a series: kind, name and labels, each text with its length.
fn key(metric: &Metric, labels: &[(&str, &str)]) -> Box<[u8]> {
    let mut key = vec![metric.kind as u8];
    let texts = labels.iter().flat_map(|(name, value)| [*name, *value]);
    for text in std::iter::once(&*metric.name).chain(texts) {
        key.extend_from_slice(&text.len().to_le_bytes());
        key.extend_from_slice(text.as_bytes());
    }
    key.into()
}
