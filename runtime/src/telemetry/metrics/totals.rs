//! What has been reported since this process began: the running totals that a scrape reads.
//!
//! Services report what came since their last point; a scraper wants sums that only grow. They are
//! kept here, in memory: a restarted runtime begins again, as any restarted program does.
//!
//! Refuses series beyond [`SAMPLES_MAX`] lines of an answer, and counts points of those.
//!
//! Invariant: a total never goes down while its series lives; a series lives until its instance
//! has gone or was silent for [`SILENT_FOR`].

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::ids::InstanceId;
use parking_lot::Mutex;

use super::model::{MetricKind, Point, Series};

/// Lines of one scrape that services' series may make up: some 20 MB of text.
pub const SAMPLES_MAX: usize = 100_000;
/// How long after its last point an instance that nobody vouches for is taken to be gone.
const SILENT_FOR: Duration = Duration::from_secs(180);

/// A series and its total.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricTotal {
    /// What is measured.
    pub name: String,
    /// How its value is read.
    pub kind: MetricKind,
    /// In UCUM notation.
    pub unit: String,
    /// Its service.
    pub service: contract::ids::ServiceId,
    /// The instance that measured it.
    pub instance: InstanceId,
    /// Its labels.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Of a counter what came so far, of a gauge where it stands, of a histogram the sum.
    pub value: f64,
    /// Of a histogram: the upper bounds of its buckets but the last.
    pub bounds: Vec<f64>,
    /// Of a histogram: observations per bucket, one more than bounds.
    pub counts: Vec<u64>,
}

/// How full it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TotalsCounters {
    /// Series that live.
    pub series: usize,
    /// Lines they make up in a scrape.
    pub samples: usize,
    /// Points whose series found no room.
    pub refused: u64,
}

/// Totals of every series.
#[derive(Debug, Default)]
pub(super) struct Totals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: HashMap<i64, Running>,
    seen: HashMap<InstanceId, Monotonic>,
    samples: usize,
    refused: u64,
    swept: Option<Monotonic>,
}

#[derive(Debug)]
struct Running {
    series: Series,
    value: f64,
    at_ms: i64,
    counts: Vec<u64>,
}

/// Lines that a series takes in a scrape.
fn samples(series: &Series) -> usize {
    match series.kind {
        MetricKind::Counter | MetricKind::Gauge => 1,
        MetricKind::Histogram => series.bounds.len() + 3,
    }
}

impl Totals {
    /// Adds points of an instance that are committed.
    pub(super) fn note<'p>(
        &self,
        instance: InstanceId,
        points: impl Iterator<Item = &'p Point>,
        series: &HashMap<i64, Series>,
        clock: &Clock,
    ) {
        let now = clock.monotonic();
        let mut state = self.0.lock();
        state.seen.insert(instance, now);
        for point in points {
            state.add(point, series, now);
        }
    }

    /// Every series that lives. One of an instance that `is_here` does not know ends here, once it
    /// is silent.
    pub(super) fn read(
        &self,
        clock: &Clock,
        is_here: impl Fn(InstanceId) -> bool,
    ) -> Vec<MetricTotal> {
        let now = clock.monotonic();
        let mut state = self.0.lock();
        state.sweep(now, is_here);
        state.running.values().map(Running::total).collect()
    }

    pub(super) fn counters(&self) -> TotalsCounters {
        let state = self.0.lock();
        TotalsCounters {
            series: state.running.len(),
            samples: state.samples,
            refused: state.refused,
        }
    }
}

impl State {
    fn add(&mut self, point: &Point, series: &HashMap<i64, Series>, now: Monotonic) {
        let full = self.samples >= SAMPLES_MAX;
        if full && !self.running.contains_key(&point.series) {
            // Nobody may be scraping, so nobody else ends what is silent.
            let due = self.swept.is_none_or(|it| now.since(it) >= SILENT_FOR / 3);
            if due {
                self.sweep(now, |_| false);
            }
        }
        match self.running.entry(point.series) {
            Entry::Occupied(known) => known.into_mut().add(point),
            Entry::Vacant(place) => {
                let new = series.get(&point.series);
                let new = new.filter(|it| self.samples + samples(it) <= SAMPLES_MAX);
                let Some(new) = new else {
                    self.refused += 1;
                    return;
                };
                self.samples += samples(new);
                place.insert(Running::new(new)).add(point);
            }
        }
    }

    /// Ends series of instances that are neither here nor were heard lately.
    fn sweep(&mut self, now: Monotonic, is_here: impl Fn(InstanceId) -> bool) {
        self.swept = Some(now);
        self.seen
            .retain(|it, seen| now.since(*seen) < SILENT_FOR || is_here(*it));
        let seen = &self.seen;
        self.running
            .retain(|_, it| seen.contains_key(&it.series.instance));
        self.samples = self.running.values().map(|it| samples(&it.series)).sum();
    }
}

impl Running {
    fn new(series: &Series) -> Self {
        Self {
            series: series.clone(),
            value: 0.0,
            at_ms: i64::MIN,
            counts: match series.kind {
                MetricKind::Histogram => vec![0; series.bounds.len() + 1],
                MetricKind::Counter | MetricKind::Gauge => Vec::new(),
            },
        }
    }

    fn add(&mut self, point: &Point) {
        match point.kind {
            MetricKind::Gauge if point.at_ms >= self.at_ms => self.value = point.value,
            MetricKind::Gauge => {}
            MetricKind::Counter | MetricKind::Histogram => self.value += point.value,
        }
        self.at_ms = self.at_ms.max(point.at_ms);
        for (bucket, count) in &point.counts {
            if let Some(own) = self.counts.get_mut(*bucket) {
                *own = own.saturating_add(*count);
            }
        }
    }

    fn total(&self) -> MetricTotal {
        let series = &self.series;
        MetricTotal {
            name: series.name.clone(),
            kind: series.kind,
            unit: series.unit.clone(),
            service: series.service,
            instance: series.instance,
            labels: series.labels.clone(),
            value: self.value,
            bounds: series.bounds.clone(),
            counts: self.counts.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contract::clock::Timestamp;
    use contract::ids::{IdMint, ServiceId};

    use super::*;

    struct Told {
        totals: Totals,
        clock: Clock,
        hand: contract::clock::ManualClock,
        mint: IdMint,
        instance: InstanceId,
    }

    impl Told {
        fn new() -> Self {
            let (clock, hand) = Clock::manual(Timestamp::from_millis(9_000));
            let mint = IdMint::seeded(1, &clock);
            Self {
                totals: Totals::default(),
                instance: InstanceId::mint(&mint),
                clock,
                hand,
                mint,
            }
        }

        fn series(&self, name: &str, kind: MetricKind, bounds: &[f64]) -> Series {
            Series {
                kind,
                name: name.to_owned(),
                labels: BTreeMap::new(),
                service: ServiceId::mint(&self.mint),
                instance: self.instance,
                unit: String::new(),
                bounds: bounds.to_vec(),
            }
        }

        fn note(&self, series: &Series, value: f64, counts: &[(usize, u64)]) {
            let number = series.number();
            let point = Point {
                series: number,
                kind: series.kind,
                at_ms: self.clock.now().as_millis(),
                value,
                counts: counts.to_vec(),
            };
            let known = HashMap::from([(number, series.clone())]);
            self.totals
                .note(series.instance, [point].iter(), &known, &self.clock);
        }

        fn read(&self) -> Vec<MetricTotal> {
            self.totals.read(&self.clock, |_| false)
        }
    }

    #[test]
    fn deltas_become_sums_and_a_gauge_stands_where_it_was_last() {
        let told = Told::new();
        let sold = told.series("sold", MetricKind::Counter, &[]);
        let depth = told.series("depth", MetricKind::Gauge, &[]);
        let took = told.series("took", MetricKind::Histogram, &[1.0, 2.0]);
        for round in 1..=3 {
            told.note(&sold, 2.0, &[]);
            told.note(&depth, f64::from(round), &[]);
            told.note(&took, 1.5, &[(1, 1), (2, 2)]);
        }
        let mut read = told.read();
        read.sort_by(|a, b| a.name.cmp(&b.name));
        let values: Vec<_> = read.iter().map(|it| (&*it.name, it.value)).collect();
        assert_eq!(values, [("depth", 3.0), ("sold", 6.0), ("took", 4.5)]);
        assert_eq!(read[2].counts, [0, 3, 6]);
    }

    #[test]
    fn a_series_ends_when_its_instance_is_gone_and_silent() {
        let told = Told::new();
        let sold = told.series("sold", MetricKind::Counter, &[]);
        told.note(&sold, 2.0, &[]);
        told.hand.advance(SILENT_FOR);
        assert_eq!(told.totals.read(&told.clock, |_| true).len(), 1, "is there");
        assert_eq!(told.read(), []);
        assert_eq!(told.totals.counters(), TotalsCounters::default());
        told.note(&sold, 2.0, &[]);
        assert_eq!(told.read()[0].value, 2.0, "begins again");
    }

    #[test]
    fn series_beyond_the_limit_are_refused_and_counted_until_others_end() {
        let told = Told::new();
        let bounds: Vec<f64> = (0..100).map(f64::from).collect();
        let wide = SAMPLES_MAX / (bounds.len() + 3);
        for nth in 0..=wide {
            let series = told.series(&nth.to_string(), MetricKind::Histogram, &bounds);
            told.note(&series, 1.0, &[(0, 1)]);
        }
        let counters = told.totals.counters();
        assert!(counters.samples <= SAMPLES_MAX);
        assert_eq!((counters.series, counters.refused), (wide, 1));
        let late = told.series("late", MetricKind::Histogram, &bounds);
        told.note(&late, 1.0, &[(0, 1)]);
        assert_eq!(told.totals.counters().refused, 2);
        told.hand.advance(SILENT_FOR);
        told.note(&late, 1.0, &[(0, 1)]);
        assert_eq!(
            told.totals.counters().refused,
            3,
            "its instance was just heard"
        );
    }
}
