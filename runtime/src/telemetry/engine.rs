//! Taking frames in, and giving up what nobody will end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use contract::clock::Timestamp;
use contract::ids::{InstanceId, OpId};
use parking_lot::Mutex;

use super::counters::{Counters, Counting};
use super::flow::Flow;
use super::logs::Logs;
use super::merge::{self, Group, Merged, Said, Work};
use super::metrics::Metrics;
use super::model::{Actor, Frame, Ingested, Status, Stored};
use super::payloads::Payloads;
use super::placement;
use super::recent::Recent;
use super::store;
use super::texts::Texts;
use super::traces;
use crate::db::{Conn, Db, DbError, History, Slice};

/// Operations written in one transaction; more are cut into several.
const GROUPS_MAX: usize = 2_048;
/// Operations that one transaction of a sweep gives up.
const SWEEP_ROWS: i64 = 1_000;
/// Instances that one transaction of a sweep covers.
const SWEEP_INSTANCES: usize = 500;

/// The telemetry store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Telemetry {
    inner: Arc<Inner>,
    flow: Flow,
    logs: Logs,
    metrics: Metrics,
    payloads: Payloads,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    counting: Counting,
    recent: Mutex<Recent>,
    texts: Arc<Mutex<Texts>>,
    /// Slices in which something may be running.
    running: Mutex<BTreeSet<i64>>,
}

/// What one reporter said.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) actor: Actor,
    pub(super) frames: Vec<Frame>,
}

impl Telemetry {
    /// In the slices of `db`.
    pub fn new(db: &Db) -> Self {
        let slices = db.slices(History::Ops);
        let inner = Inner {
            db: db.clone(),
            counting: Counting::default(),
            recent: Mutex::default(),
            texts: Arc::new(Mutex::new(Texts::new(db.is_shared()))),
            running: Mutex::new(slices.iter().map(|it| it.id).collect()),
        };
        Self {
            inner: Arc::new(inner),
            flow: Flow::new(db.clock()),
            logs: Logs::new(db),
            metrics: Metrics::new(db, db.clock()),
            payloads: Payloads::new(db, db.clock()),
        }
    }

    /// Log lines of services.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Metrics of services.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Captured payloads of services.
    pub fn payloads(&self) -> &Payloads {
        &self.payloads
    }

    /// What goes on right now.
    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// What the intake has done so far.
    pub fn counters(&self) -> Counters {
        self.inner.counting.read()
    }

    pub(super) fn counting(&self) -> &Counting {
        &self.inner.counting
    }

    pub(super) fn db(&self) -> &Db {
        &self.inner.db
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.inner.db.clock().now().as_millis()
    }

    /// Merges frames that a service's instance reported and returns once they are committed.
    /// Frames of kinds that only the runtime writes are refused and counted.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`: some of the frames may have been stored; all of them may be
    /// sent again, since merging twice changes nothing.
    pub async fn ingest(&self, actor: Actor, mut frames: Vec<Frame>) -> Result<Ingested, DbError> {
        let all = frames.len();
        frames.retain(|it| !it.is_runtime_owned());
        let refused = all - frames.len();
        self.inner.counting.refuse(refused);
        let mut ingested = self.record(actor, frames).await?;
        ingested.refused += refused;
        Ok(ingested)
    }

    /// Merges frames that the runtime itself writes on behalf of `actor`: any kind.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::ingest`].
    pub async fn record(&self, actor: Actor, frames: Vec<Frame>) -> Result<Ingested, DbError> {
        let ingested = self.store(vec![Batch { actor, frames }]).await?;
        Ok(ingested.into_iter().next().unwrap_or_default())
    }

    /// Merges what many reporters said, in as few transactions as there are slices. One answer per
    /// batch.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::ingest`], for all of them.
    pub(super) async fn store(&self, batches: Vec<Batch>) -> Result<Vec<Ingested>, DbError> {
        let mut total = vec![Ingested::default(); batches.len()];
        let mut said = Vec::with_capacity(batches.iter().map(|it| it.frames.len()).sum());
        for (batch, Batch { actor, frames }) in batches.into_iter().enumerate() {
            for frame in frames {
                if frame.is_sound() {
                    said.push(Said {
                        batch,
                        actor,
                        frame,
                    });
                } else {
                    total[batch].refused += 1;
                }
            }
        }
        for work in self.works(said, total.len()) {
            let merged = self.commit(work).await?;
            for (total, one) in total.iter_mut().zip(merged) {
                total.frames += one.frames;
                total.refused += one.refused;
                total.late_ends += one.late_ends;
            }
        }
        for ingested in &total {
            self.inner.counting.add(*ingested);
        }
        Ok(total)
    }

    /// Frames by slice and operation, in pieces for one transaction each.
    fn works(&self, said: Vec<Said>, batches: usize) -> Vec<Work> {
        let now = self.inner.db.clock().now();
        let slices = self.inner.db.slices(History::Ops);
        let mut by_slice: BTreeMap<i64, HashMap<OpId, Vec<Said>>> = BTreeMap::new();
        for said in said {
            let (trace, op) = (said.frame.trace, said.frame.op);
            let home = placement::home(&slices, trace, op, now.as_millis());
            let of_slice = by_slice.entry(home.id).or_default();
            of_slice.entry(op).or_default().push(said);
        }
        let mut recent = self.inner.recent.lock();
        let mut works = Vec::with_capacity(by_slice.len());
        for (slice, ops) in by_slice {
            let group = |(op, frames)| Group {
                op,
                known: recent.take(slice, op),
                frames,
            };
            let mut groups: Vec<Group> = ops.into_iter().map(group).collect();
            groups.sort_unstable_by_key(|it| it.op);
            while !groups.is_empty() {
                let rest = groups.split_off(groups.len().min(GROUPS_MAX));
                works.push(Work {
                    slice,
                    batches,
                    groups: std::mem::replace(&mut groups, rest),
                    now,
                });
            }
        }
        works
    }

    /// One transaction. When its slice has been dropped in between, what it was about goes to the
    /// present one.
    async fn commit(&self, mut work: Work) -> Result<Vec<Ingested>, DbError> {
        let runs = |it: &Group| it.frames.iter().any(|it| it.frame.finished_at_ms.is_none());
        if work.groups.iter().any(runs) {
            self.inner.running.lock().insert(work.slice);
        }
        let shared = Arc::new(work);
        let merged = match self.transact(&shared).await {
            Err(error) if error.is_gone() => {
                work = Arc::try_unwrap(shared).map_err(|_| error)?;
                let slices = self.inner.db.slices(History::Ops);
                work.slice = Slice::current(&slices, work.now.as_millis()).id;
                self.inner.running.lock().insert(work.slice);
                let moved = Arc::new(work);
                let merged = self.transact(&moved).await?;
                self.remember(&moved, merged)
            }
            merged => self.remember(&shared, merged?),
        };
        Ok(merged)
    }

    async fn transact(&self, work: &Arc<Work>) -> Result<Merged, DbError> {
        const ACTION: &str = "store operations";
        let (slice, work, texts) = (work.slice, work.clone(), self.inner.texts.clone());
        let db = &self.inner.db;
        db.write_slice::<_, DbError, _>(History::Ops, slice, ACTION, move |conn| {
            let (work, texts) = (work.clone(), texts.clone());
            Box::pin(async move { merge::run(conn, &work, &texts).await })
        })
        .await
    }

    /// Notes what is committed now.
    fn remember(&self, work: &Work, merged: Merged) -> Vec<Ingested> {
        let any_refused = merged.ingested.iter().any(|it| it.refused > 0);
        let mut said: Vec<&Said> = Vec::with_capacity(work.groups.len() * 2);
        let stored: HashMap<OpId, &Stored> = if any_refused {
            merged.stored.iter().map(|it| (it.op.op, it)).collect()
        } else {
            HashMap::new()
        };
        for it in work.groups.iter().flat_map(|it| &it.frames) {
            let known = stored.get(&it.frame.op);
            if !any_refused || known.is_some_and(|known| merge::fits(&known.op, it)) {
                said.push(it);
            }
        }
        said.sort_by_key(|it| it.batch);
        for of_batch in said.chunk_by(|a, b| a.batch == b.batch) {
            let frames = of_batch.iter().map(|it| &it.frame);
            self.flow.note(of_batch[0].actor, frames);
        }
        self.inner.texts.lock().note(work.slice, merged.looked);
        let mut recent = self.inner.recent.lock();
        for stored in merged.stored {
            recent.note(work.slice, stored);
        }
        merged.ingested
    }

    /// Marks what these instances left running as abandoned, as far as it started at or before
    /// `before`. A late END still counts. Returns how many.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`; calling again goes on where this stopped.
    pub async fn abandon_pending(
        &self,
        instances: &[InstanceId],
        before: Timestamp,
    ) -> Result<u64, DbError> {
        let slices: Vec<i64> = self.inner.running.lock().iter().copied().collect();
        let mut total = 0;
        for slice in slices {
            for some in instances.chunks(SWEEP_INSTANCES) {
                let some: Arc<[InstanceId]> = some.into();
                total += self.abandon_in(slice, &some, before).await?;
            }
        }
        Ok(total)
    }

    /// Runs transaction after transaction until nothing is left to do.
    async fn abandon_in(
        &self,
        slice: i64,
        instances: &Arc<[InstanceId]>,
        before: Timestamp,
    ) -> Result<u64, DbError> {
        const ACTION: &str = "abandon operations";
        let mut total = 0;
        loop {
            let instances = instances.clone();
            let db = &self.inner.db;
            let write =
                db.write_slice::<Round, DbError, _>(History::Ops, slice, ACTION, move |conn| {
                    let instances = instances.clone();
                    Box::pin(async move { abandon(conn, slice, &instances, before).await })
                });
            match write.await {
                Err(error) if error.is_gone() => return Ok(total),
                Err(error) => return Err(error),
                Ok(Round::Abandoned(found)) => total += found,
                Ok(Round::Forgot(found)) if found < SWEEP_ROWS.unsigned_abs() => return Ok(total),
                Ok(Round::Forgot(_)) => {}
            }
        }
    }

    /// Instances with something running; there may be more of those that are still here.
    pub(super) async fn running_instances(&self) -> Result<BTreeSet<InstanceId>, DbError> {
        let slices = self.inner.db.slices(History::Ops);
        let marked = std::mem::take(&mut *self.inner.running.lock());
        let mut found = BTreeSet::new();
        for slice in marked
            .iter()
            .filter(|id| slices.iter().any(|it| it.id == **id))
        {
            let of_slice = self.running_in(*slice).await;
            // Marked again also when it could not be read.
            if of_slice.as_ref().map_or(true, |it| !it.is_empty()) {
                self.inner.running.lock().insert(*slice);
            }
            found.extend(of_slice.inspect_err(|_| self.mark_running(&marked))?);
        }
        Ok(found)
    }

    /// Takes something to be running in these slices until a sweep finds otherwise.
    fn mark_running(&self, slices: &BTreeSet<i64>) {
        self.inner.running.lock().extend(slices);
    }

    /// Takes something to be running everywhere: another process may have written anywhere.
    pub(super) fn mark_all_running(&self) {
        let slices = self.inner.db.slices(History::Ops);
        self.mark_running(&slices.iter().map(|it| it.id).collect());
    }

    async fn running_in(&self, slice: i64) -> Result<Vec<InstanceId>, DbError> {
        /// Instances that are read at a time.
        const PAGE: usize = 1_000;
        const ACTION: &str = "list running operations";
        let mut all = Vec::new();
        loop {
            let mut held = match self.inner.db.read_slice(History::Ops, slice, ACTION).await {
                Err(error) if error.is_gone() => return Ok(all),
                held => held?,
            };
            let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
            let after = all.last().copied();
            let page = store::list_pending_instances(&mut held.conn(), slice, after, limit).await?;
            let full = page.len() == PAGE;
            all.extend(page);
            if !full {
                return Ok(all);
            }
        }
    }
}

/// What one transaction of giving up did.
enum Round {
    /// So many operations were abandoned; there may be more.
    Abandoned(u64),
    /// There was none left, and so many notes of what ran were removed.
    Forgot(u64),
}

/// One transaction of giving up.
async fn abandon(
    conn: &mut Conn<'_>,
    slice: i64,
    instances: &[InstanceId],
    before: Timestamp,
) -> Result<Round, DbError> {
    let before_ms = before.as_millis();
    let mut left = store::list_pending(conn, slice, instances, before_ms, SWEEP_ROWS).await?;
    if left.is_empty() {
        let forgot = store::forget_ended(conn, slice, instances, SWEEP_ROWS).await?;
        return Ok(Round::Forgot(forgot));
    }
    left.sort_unstable_by_key(|it| it.op.op);
    for it in &mut left {
        it.op.status = Status::Abandoned;
        it.rev += 1;
    }
    let found = store::save(conn, slice, &left.iter().collect::<Vec<_>>()).await?;
    let placed = traces::places(left.iter().map(|it| &it.op));
    traces::store::place(conn, slice, &placed).await?;
    Ok(Round::Abandoned(found))
}
