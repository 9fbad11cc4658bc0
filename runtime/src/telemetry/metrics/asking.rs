//! Answering questions about metrics, across slices.
//!
//! Series that a range has windows of come from the slices it touches. A gauge speaks only when it
//! changes, so gauges of instances that are still there are looked for in older slices too.
//!
//! Invariant: never more than the given numbers of series and points, and memory for the windows of
//! [`CHUNK`] series at a time.

use std::collections::{BTreeMap, HashMap};

use contract::ids::{InstanceId, ServiceId};

use super::answer::{Bucket, Course, MetricSeries, MetricsPage, Observed, Range, distribution};
use super::engine::Metrics;
use super::histogram::Histogram;
use super::model::{MetricKind, MetricName, MetricQuery, Series};
use super::store::{self, ObservedRow};
use crate::db::{Conn, DbError, History, ReadConn, Slice};

/// Series of an answer at most, percentiles not counted.
pub const SERIES_MAX: usize = 1_000;
/// Points of a series at most.
pub const POINTS_MAX: i64 = 300;
/// Percentiles of a question that are answered; further ones are left out.
pub(super) const PERCENTILES_MAX: usize = 10;
/// Names listed at most.
const NAMES_MAX: i64 = 10_000;
/// Instances of a slice that are looked at, the latest first.
const INSTANCES_MAX: i64 = 10_000;
/// Series added up at a time.
const CHUNK: usize = 50;
/// Rows that one statement reads.
const ROWS_MAX: i64 = 1_000;
/// What is asked for when no start is given, in milliseconds.
const SPAN_MS: i64 = 3_600_000;
/// How long after its last report an instance is taken to be there, in milliseconds: three times
/// the slowest rhythm of the built-in gauges.
const ALIVE_MS: i64 = 90_000;

const ACTION: &str = "read metrics";

/// What an answer is made from.
struct Question<'q> {
    query: &'q MetricQuery,
    range: Range,
    /// Slices that the range touches, oldest first.
    touched: Vec<i64>,
    /// Slices that ended before the range, newest first.
    older: Vec<i64>,
    /// Until when instances are taken to be there.
    alive: HashMap<InstanceId, i64>,
}

impl Metrics {
    /// Series of a metric by labels and instance.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is; `Corrupt` when a row cannot be read back.
    pub async fn query(&self, query: &MetricQuery) -> Result<MetricsPage, DbError> {
        let to_ms = query.to_ms.unwrap_or_else(|| self.now_ms());
        let from_ms = query.from_ms.unwrap_or(to_ms - SPAN_MS);
        let range = Range::new(from_ms, to_ms, query.step_seconds, POINTS_MAX);
        let mut page = MetricsPage {
            step_ms: range.step_ms,
            ..MetricsPage::default()
        };
        if from_ms > to_ms {
            return Ok(page);
        }
        let question = self.prepare(query, range).await?;
        let mut found = self.find(&question).await?;
        page.truncated = found.len() > SERIES_MAX;
        found.truncate(SERIES_MAX);
        for chunk in found.chunks(CHUNK) {
            page.series.extend(self.answer(&question, chunk).await?);
        }
        page.series.retain(|it| !it.points.is_empty());
        Ok(page)
    }

    /// Metrics that somebody reports, by name; those of one service if one is given.
    ///
    /// # Errors
    ///
    /// As [`Metrics::query`].
    pub async fn names(&self, service: Option<ServiceId>) -> Result<Vec<MetricName>, DbError> {
        let mut names: BTreeMap<(String, MetricKind), MetricName> = BTreeMap::new();
        for slice in self.db().slices(History::Metrics).iter() {
            let Some(mut held) = self.held(slice.id).await? else {
                continue;
            };
            let found = store::list_names(&mut held.conn(), slice.id, service, NAMES_MAX).await?;
            for mut name in found {
                let key = (name.name.clone(), name.kind);
                // Slices share their series: the fullest one tells how many there are.
                let before = names.get(&key).map_or(0, |it| it.series);
                name.series = name.series.max(before);
                names.insert(key, name);
            }
        }
        Ok(names.into_values().collect())
    }

    async fn held(&self, slice: i64) -> Result<Option<ReadConn>, DbError> {
        match self.db().read_slice(History::Metrics, slice, ACTION).await {
            Err(error) if error.is_gone() => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    async fn prepare<'q>(
        &self,
        query: &'q MetricQuery,
        range: Range,
    ) -> Result<Question<'q>, DbError> {
        let slices = self.db().slices(History::Metrics);
        let is_over =
            |at: usize| Slice::end_ms(&slices, at).is_some_and(|end| end <= range.from_ms);
        let mut question = Question {
            query,
            range,
            touched: Vec::new(),
            older: Vec::new(),
            alive: HashMap::new(),
        };
        for (at, slice) in slices.iter().enumerate() {
            if is_over(at) {
                question.older.insert(0, slice.id);
                continue;
            }
            // The oldest one also has what is older than itself.
            if slice.from_ms <= range.to_ms || at == 0 {
                question.touched.push(slice.id);
            }
            let Some(mut held) = self.held(slice.id).await? else {
                continue;
            };
            let seen = store::list_instances(&mut held.conn(), slice.id, INSTANCES_MAX).await?;
            for (instance, last_ms) in seen {
                let alive = question.alive.entry(instance).or_default();
                *alive = (*alive).max(last_ms.saturating_add(ALIVE_MS));
            }
        }
        Ok(question)
    }

    /// The series of a question, by labels and instance; at most one more than an answer holds.
    async fn find(&self, question: &Question<'_>) -> Result<Vec<(i64, Series)>, DbError> {
        let mut found: BTreeMap<i64, Series> = BTreeMap::new();
        let newest_first = question.touched.iter().rev().map(|id| (*id, false));
        let older = question.older.iter().map(|id| (*id, true));
        for (slice, standing) in newest_first.chain(older) {
            let Some(mut held) = self.held(slice).await? else {
                continue;
            };
            let wanted = |it: &Series| question.wants(it) && (!standing || question.stands(it));
            find_in(&mut held.conn(), slice, question, &mut found, wanted).await?;
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by(|(_, a), (_, b)| (&a.labels, a.instance).cmp(&(&b.labels, b.instance)));
        Ok(found)
    }

    async fn answer(
        &self,
        question: &Question<'_>,
        series: &[(i64, Series)],
    ) -> Result<Vec<MetricSeries>, DbError> {
        let numbers: Vec<i64> = series.iter().map(|(number, _)| *number).collect();
        let histograms = series
            .iter()
            .filter(|(_, it)| it.kind == MetricKind::Histogram);
        let histograms: Vec<i64> = histograms.map(|(number, _)| *number).collect();
        let mut buckets: BTreeMap<(i64, i64), Bucket> = BTreeMap::new();
        let mut observed: Vec<ObservedRow> = Vec::new();
        for slice in &question.touched {
            let Some(mut held) = self.held(*slice).await? else {
                continue;
            };
            let (mut conn, range) = (held.conn(), question.range);
            for bucket in store::sum_windows(&mut conn, *slice, &numbers, range).await? {
                let key = (bucket.series, bucket.at_ms);
                match buckets.get_mut(&key) {
                    Some(earlier) => earlier.join(&bucket),
                    None => _ = buckets.insert(key, bucket),
                }
            }
            if !histograms.is_empty() {
                let rows = store::sum_buckets(&mut conn, *slice, &histograms, range).await?;
                observed.extend(rows);
            }
        }
        let before = self.standing(question, series).await?;
        let of = |(number, series): &(i64, Series)| {
            let own = buckets.range((*number, i64::MIN)..=(*number, i64::MAX));
            let own: Vec<Bucket> = own.map(|(_, it)| it.clone()).collect();
            let counted = observed.iter().filter(|it| it.series == *number);
            question.points(series, &own, before.get(number).copied(), counted)
        };
        Ok(series.iter().flat_map(of).collect())
    }

    /// What gauges stood at when the range began, if their instances were still there.
    async fn standing(
        &self,
        question: &Question<'_>,
        series: &[(i64, Series)],
    ) -> Result<BTreeMap<i64, f64>, DbError> {
        let gauges = series.iter().filter(|(_, it)| question.stands(it));
        let mut missing: Vec<i64> = gauges.map(|(number, _)| *number).collect();
        let mut before = BTreeMap::new();
        let newest_first = question.touched.iter().rev().chain(&question.older);
        for slice in newest_first {
            if missing.is_empty() {
                break;
            }
            let Some(mut held) = self.held(*slice).await? else {
                continue;
            };
            let from_ms = question.range.from_ms;
            let found = store::last_before(&mut held.conn(), *slice, &missing, from_ms).await?;
            missing.retain(|it| !found.contains_key(it));
            before.extend(found);
        }
        Ok(before)
    }
}

/// Adds the wanted series of a slice to those found, up to one more than an answer holds.
async fn find_in(
    conn: &mut Conn<'_>,
    slice: i64,
    question: &Question<'_>,
    found: &mut BTreeMap<i64, Series>,
    wanted: impl Fn(&Series) -> bool,
) -> Result<(), DbError> {
    let mut after = i64::MIN;
    while found.len() <= SERIES_MAX {
        let rows = store::list_series(conn, slice, question.query, after, ROWS_MAX).await?;
        let Some((last, _)) = rows.last() else {
            break;
        };
        after = *last;
        for (number, series) in rows {
            if found.len() <= SERIES_MAX && wanted(&series) {
                found.insert(number, series);
            }
        }
    }
    Ok(())
}

impl Question<'_> {
    fn wants(&self, series: &Series) -> bool {
        let has = |(key, value)| series.labels.get(key) == Some(value);
        self.query.labels.iter().all(has)
    }

    /// Whether it may have stood at a value when the range began.
    fn stands(&self, series: &Series) -> bool {
        series.kind == MetricKind::Gauge && self.alive_ms(series) > self.range.from_ms
    }

    fn alive_ms(&self, series: &Series) -> i64 {
        self.alive.get(&series.instance).copied().unwrap_or(0)
    }

    fn points<'r>(
        &self,
        series: &Series,
        buckets: &[Bucket],
        before: Option<f64>,
        counted: impl Iterator<Item = &'r ObservedRow>,
    ) -> Vec<MetricSeries> {
        let course = Course {
            range: self.range,
            buckets,
            before,
            alive_ms: self.alive_ms(series),
        };
        match series.kind {
            MetricKind::Counter => vec![series.answer(course.counter())],
            MetricKind::Gauge => vec![series.answer(course.gauge())],
            MetricKind::Histogram => {
                let percentiles = &self.query.percentiles;
                let percentiles = &percentiles[..percentiles.len().min(PERCENTILES_MAX)];
                distribution(series, &observed(series, buckets, counted), percentiles)
            }
        }
    }
}

/// The buckets of a histogram with their observations.
fn observed<'r>(
    series: &Series,
    buckets: &[Bucket],
    counted: impl Iterator<Item = &'r ObservedRow>,
) -> Vec<Observed> {
    let empty = |it: &Bucket| Observed {
        at_ms: it.at_ms,
        sum: it.total,
        histogram: Histogram {
            bounds: series.bounds.clone(),
            counts: vec![0; series.bounds.len() + 1],
        },
    };
    let mut all: BTreeMap<i64, Observed> = buckets.iter().map(|it| (it.at_ms, empty(it))).collect();
    for row in counted {
        let index = usize::try_from(row.bucket).unwrap_or(usize::MAX);
        let count = u64::try_from(row.observations).unwrap_or(0);
        if let Some(it) = all.get_mut(&row.at_ms) {
            it.histogram.add(index, count);
        }
    }
    all.into_values().collect()
}
