//! Taking points in: what is sound is added up and stored, the rest is counted.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use contract::clock::Clock;
use contract::ids::InstanceId;
use parking_lot::Mutex;

use super::super::model::Actor;
use super::super::seen::{Seen, StreamNumber};
use super::model::{MetricReport, MetricsIngested, Point, Series, Window, fold};
use super::store;
use super::totals::{MetricTotal, Totals, TotalsCounters};
use crate::db::{Conn, Db, DbError, History, Slice};

/// Series of one instance that a slice takes; points of further ones are refused.
pub(super) const SERIES_PER_INSTANCE_MAX: usize = 10_000;
/// Points remembered to tell repeats, about 60 bytes each.
const SEEN_MAX: usize = 65_536;
/// Series remembered as stored, 16 bytes each.
const KNOWN_MAX: usize = 262_144;

/// Metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    clock: Clock,
    seen: Mutex<Seen>,
    /// Slices and series that need not be stored again.
    known: Mutex<HashSet<(i64, i64)>>,
    totals: Totals,
}

/// Points of one slice, added up.
#[derive(Clone, Debug)]
struct Batch {
    actor: Actor,
    windows: Arc<[Window]>,
    /// Those of the windows that may be new to the slice.
    series: Arc<[(i64, Series)]>,
}

impl Metrics {
    /// In the slices of `db`.
    pub(in super::super) fn new(db: &Db, clock: &Clock) -> Self {
        Self(Arc::new(Inner {
            db: db.clone(),
            clock: clock.clone(),
            seen: Mutex::new(Seen::new(SEEN_MAX)),
            known: Mutex::default(),
            totals: Totals::default(),
        }))
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.0.clock.now().as_millis()
    }

    /// Adds points that arrived on a report stream to what is stored, and returns once that is
    /// committed.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`: some of the points may have been stored; all of them may be
    /// sent again on another stream, which leaves out what is there.
    pub async fn ingest(
        &self,
        stream: StreamNumber,
        actor: Actor,
        reports: Vec<MetricReport>,
    ) -> Result<MetricsIngested, DbError> {
        let all = reports.len();
        let now_ms = self.now_ms();
        let mut series = HashMap::new();
        let mut points = Vec::with_capacity(all);
        for (own, point) in reports.into_iter().filter_map(|it| it.sound(actor, now_ms)) {
            series.insert(point.series, own);
            points.push(point);
        }
        let mut ingested = MetricsIngested {
            refused: all - points.len(),
            ..MetricsIngested::default()
        };
        let fresh = self.without_repeats(stream, points);
        ingested.repeats = all - ingested.refused - fresh.len();
        for (slice, points) in self.by_slice(fresh) {
            let (points, digests): (Vec<_>, Vec<_>) = points.into_iter().unzip();
            let refused = self.store(slice, actor, &points, &series).await?;
            let taken = points.iter().filter(|it| !refused.contains(&it.series));
            let totals = &self.0.totals;
            totals.note(actor.instance, taken, &series, &self.0.clock);
            let refused = points.iter().filter(|it| refused.contains(&it.series));
            let refused = refused.count();
            ingested.points += points.len() - refused;
            ingested.refused += refused;
            self.0.seen.lock().note(stream, &digests);
        }
        Ok(ingested)
    }

    /// The running total of every series that lives; `is_here` vouches for instances that are
    /// silent.
    pub fn totals(&self, is_here: impl Fn(InstanceId) -> bool) -> Vec<MetricTotal> {
        self.0.totals.read(&self.0.clock, is_here)
    }

    /// How many of them there are.
    pub fn totals_counters(&self) -> TotalsCounters {
        self.0.totals.counters()
    }

    fn without_repeats(&self, stream: StreamNumber, points: Vec<Point>) -> Vec<(Point, u64)> {
        let mut seen = self.0.seen.lock();
        let digest = |it: &Point| seen.digest(&(it.series, it.at_ms, it.value.to_bits()));
        let digests: Vec<u64> = points.iter().map(digest).collect();
        let repeats = seen.repeats(stream, &digests);
        let again = digests.iter().zip(&repeats).filter(|(_, repeat)| **repeat);
        let again: Vec<u64> = again.map(|(digest, _)| *digest).collect();
        seen.note(stream, &again);
        let all = points.into_iter().zip(digests).zip(repeats);
        all.filter(|(_, repeat)| !repeat)
            .map(|(point, _)| point)
            .collect()
    }

    /// Points by the slice of their time: what is older than all of them belongs to the oldest,
    /// what is not yet to the newest.
    fn by_slice(&self, points: Vec<(Point, u64)>) -> BTreeMap<i64, Vec<(Point, u64)>> {
        let slices = self.0.db.slices(History::Metrics);
        let mut groups: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for point in points {
            let slice = Slice::current(&slices, point.0.at_ms);
            groups.entry(slice.id).or_default().push(point);
        }
        groups
    }

    /// Stores points in a slice, or in the newest when that one has just been dropped. Returns the
    /// series that were refused.
    async fn store(
        &self,
        slice: i64,
        actor: Actor,
        points: &[Point],
        series: &HashMap<i64, Series>,
    ) -> Result<HashSet<i64>, DbError> {
        let mut batch = Batch {
            actor,
            windows: fold(points).into(),
            series: self.unknown(slice, points, series),
        };
        match self.write_slice(slice, batch.clone()).await {
            Err(error) if error.is_gone() => {}
            outcome => return outcome,
        }
        self.0.db.refresh_slices().await?;
        let slices = self.0.db.slices(History::Metrics);
        let newest = slices.last().map_or(slice, |it| it.id);
        // What the dropped slice knew the newest may not.
        batch.series = self.unknown(newest, points, series);
        self.write_slice(newest, batch).await
    }

    /// The series of these points that may be new to a slice, by number: two processes that store
    /// the same ones cannot deadlock.
    fn unknown(
        &self,
        slice: i64,
        points: &[Point],
        series: &HashMap<i64, Series>,
    ) -> Arc<[(i64, Series)]> {
        let known = self.0.known.lock();
        let own: BTreeSet<i64> = points.iter().map(|it| it.series).collect();
        let new = own.into_iter().filter(|it| !known.contains(&(slice, *it)));
        new.filter_map(|it| Some((it, series.get(&it)?.clone())))
            .collect()
    }

    async fn write_slice(&self, slice: i64, batch: Batch) -> Result<HashSet<i64>, DbError> {
        let series = batch.series.clone();
        let db = &self.0.db;
        let written = db.write_slice(History::Metrics, slice, "store metrics", move |conn| {
            let batch = batch.clone();
            Box::pin(async move { add(conn, slice, &batch).await })
        });
        let refused: HashSet<i64> = written.await?;
        let stored = series.iter().map(|(number, _)| *number);
        let stored = stored.filter(|it| !refused.contains(it));
        let mut known = self.0.known.lock();
        if known.len() + series.len() > KNOWN_MAX {
            known.clear();
        }
        known.extend(stored.map(|it| (slice, it)));
        Ok(refused)
    }
}

/// One transaction: the series, then what came for them.
async fn add(conn: &mut Conn<'_>, slice: i64, batch: &Batch) -> Result<HashSet<i64>, DbError> {
    let instance = batch.actor.instance;
    let refused = make_known(conn, slice, batch).await?;
    let windows = batch
        .windows
        .iter()
        .filter(|it| !refused.contains(&it.series));
    let windows: Vec<&Window> = windows.collect();
    if let Some(last_ms) = windows.iter().map(|it| it.last_ms).max() {
        store::add_windows(conn, slice, &windows).await?;
        store::add_buckets(conn, slice, &windows).await?;
        store::saw_instance(conn, slice, instance, last_ms).await?;
    }
    Ok(refused)
}

/// Stores series that are new, up to the limit of their instance, and returns the others.
async fn make_known(
    conn: &mut Conn<'_>,
    slice: i64,
    batch: &Batch,
) -> Result<HashSet<i64>, DbError> {
    if batch.series.is_empty() {
        return Ok(HashSet::new());
    }
    let numbers: Vec<i64> = batch.series.iter().map(|(number, _)| *number).collect();
    let known = store::known_series(conn, slice, &numbers).await?;
    let known: HashSet<i64> = known.into_iter().collect();
    let new = batch
        .series
        .iter()
        .filter(|(number, _)| !known.contains(number));
    let mut new: Vec<(i64, &Series)> = new.map(|(number, series)| (*number, series)).collect();
    if new.is_empty() {
        return Ok(HashSet::new());
    }
    let room = room_for(conn, slice, batch.actor.instance).await?;
    let refused = new.split_off(room.min(new.len()));
    let actor = (batch.actor.service, batch.actor.instance);
    store::save_series(conn, slice, actor, &new).await?;
    Ok(refused.into_iter().map(|(number, _)| number).collect())
}

async fn room_for(conn: &mut Conn<'_>, slice: i64, instance: InstanceId) -> Result<usize, DbError> {
    let count = store::count_series(conn, slice, instance).await?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok(SERIES_PER_INSTANCE_MAX.saturating_sub(count))
}
