//! Taking frames in, sweeping, and answering questions about traces.

use std::collections::BTreeMap;
use std::sync::Arc;

use contract::clock::Timestamp;
use contract::ids::{InstanceId, OpId, TraceId};

use super::model::{Actor, Frame, Ingested, Operation, Status};
use super::query::{Cursor, TraceFilter, TracePage, TracesPage};
use super::store;
use crate::db::{Conn, Db, DbError, Store};

/// Frames merged in one transaction; larger batches are cut.
pub(super) const FRAMES_MAX: usize = 1_024;
/// Traces on a page by default, and at most.
pub const TRACES_DEFAULT: u32 = 50;
/// See [`TRACES_DEFAULT`].
pub const TRACES_MAX: u32 = 500;
/// Operations on a page by default, and at most.
pub const OPS_DEFAULT: u32 = 200;
/// See [`OPS_DEFAULT`].
pub const OPS_MAX: u32 = 5_000;

/// Rows that one transaction of a sweep changes.
const SWEEP_ROWS: i64 = 1_000;
/// Instances that one transaction of a sweep covers.
const SWEEP_INSTANCES: usize = 500;
/// Whole traces that one transaction of the retention sweep deletes.
const SWEEP_TRACES: i64 = 200;

/// The telemetry store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Telemetry {
    db: Db,
}

impl Telemetry {
    /// On the telemetry store of `db`.
    pub fn new(db: &Db) -> Self {
        Self { db: db.clone() }
    }

    /// Merges frames that a service's instance reported and returns once they are committed.
    /// Frames of kinds that only the runtime writes are refused and counted.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`: nothing beyond the first so many frames was stored; all of
    /// them may be sent again, since merging twice changes nothing.
    pub async fn ingest(&self, actor: Actor, frames: Vec<Frame>) -> Result<Ingested, DbError> {
        let all = frames.len();
        let kept: Vec<Frame> = frames
            .into_iter()
            .filter(|it| !it.is_runtime_owned())
            .collect();
        let refused = all - kept.len();
        let mut ingested = self.record(actor, kept).await?;
        ingested.refused += refused;
        Ok(ingested)
    }

    /// Merges frames that the runtime itself writes on behalf of `actor`: any kind.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::ingest`].
    pub async fn record(&self, actor: Actor, frames: Vec<Frame>) -> Result<Ingested, DbError> {
        let all = frames.len();
        let mut sound: Vec<Frame> = frames.into_iter().filter(Frame::is_sound).collect();
        let mut total = Ingested {
            refused: all - sound.len(),
            ..Ingested::default()
        };
        while !sound.is_empty() {
            let rest = sound.split_off(sound.len().min(FRAMES_MAX));
            let batch: Arc<[Frame]> = std::mem::replace(&mut sound, rest).into();
            let one = self
                .db
                .write::<_, DbError, _>(Store::Telemetry, "store operations", move |conn| {
                    let batch = batch.clone();
                    Box::pin(async move { merge_batch(conn, actor, &batch).await })
                })
                .await?;
            total.frames += one.frames;
            total.refused += one.refused;
            total.late_ends += one.late_ends;
        }
        Ok(total)
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
        let mut total = 0;
        for some in instances.chunks(SWEEP_INSTANCES) {
            let some: Arc<[InstanceId]> = some.into();
            total += self
                .repeat("abandon operations", SWEEP_ROWS, move |conn| {
                    let some = some.clone();
                    Box::pin(async move {
                        store::abandon(conn, &some, before.as_millis(), SWEEP_ROWS).await
                    })
                })
                .await?;
        }
        Ok(total)
    }

    /// Deletes whole traces that started before `before`. Returns how many.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::abandon_pending`].
    pub async fn prune(&self, before: Timestamp) -> Result<u64, DbError> {
        self.repeat("delete old traces", SWEEP_TRACES, move |conn| {
            Box::pin(async move { store::prune(conn, before.as_millis(), SWEEP_TRACES).await })
        })
        .await
    }

    /// Instances with something running, in the order of their ids, from just after `after`.
    pub(super) async fn running_page(
        &self,
        after: Option<InstanceId>,
        limit: u32,
    ) -> Result<Vec<InstanceId>, DbError> {
        let mut held = self
            .db
            .read(Store::Telemetry, "list running operations")
            .await?;
        store::list_pending_instances(&mut held.conn(), after, i64::from(limit)).await
    }

    /// Runs `body` in transaction after transaction until one finds less than a full one.
    async fn repeat<F>(&self, action: &'static str, full: i64, body: F) -> Result<u64, DbError>
    where
        F: for<'a> Fn(&'a mut Conn<'_>) -> crate::db::Work<'a, u64, DbError>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        let full = full.unsigned_abs();
        let mut total = 0;
        loop {
            let found = self
                .db
                .write(Store::Telemetry, action, body.clone())
                .await?;
            total += found;
            if found < full {
                return Ok(total);
            }
        }
    }

    /// Traces that match, newest first; `limit` 0 means the default.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is; `Corrupt` when a row cannot be read back.
    pub async fn list_traces(
        &self,
        filter: &TraceFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<TracesPage, DbError> {
        let limit = page(limit, TRACES_DEFAULT, TRACES_MAX);
        let mut held = self.db.read(Store::Telemetry, "list traces").await?;
        let mut traces =
            store::list_traces(&mut held.conn(), filter, rows_for(limit), cursor).await?;
        let more = cut(&mut traces, limit);
        let next = traces.last().filter(|_| more);
        let next = next.map(|it| Cursor {
            at_ms: it.started_at_ms,
            id: *it.trace.as_uuid(),
        });
        Ok(TracesPage { traces, next })
    }

    /// Operations of a trace by start time; `limit` 0 means the default. An unknown trace is an
    /// empty page.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::list_traces`].
    pub async fn get_trace(
        &self,
        trace: TraceId,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<TracePage, DbError> {
        let limit = page(limit, OPS_DEFAULT, OPS_MAX);
        let mut held = self.db.read(Store::Telemetry, "load a trace").await?;
        let mut ops = store::get_trace(&mut held.conn(), trace, rows_for(limit), cursor).await?;
        let more = cut(&mut ops, limit);
        let next = ops.last().filter(|_| more);
        let next = next.map(|it| Cursor {
            at_ms: it.started_at_ms,
            id: *it.op.as_uuid(),
        });
        Ok(TracePage { ops, next })
    }

    /// One operation, `None` when there is none with this id.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::list_traces`].
    pub async fn get_operation(&self, op: OpId) -> Result<Option<Operation>, DbError> {
        let mut held = self.db.read(Store::Telemetry, "load an operation").await?;
        store::get_operation(&mut held.conn(), op).await
    }
}

/// One transaction: lock, load, merge, save what changed, place the traces in time.
async fn merge_batch(
    conn: &mut Conn<'_>,
    actor: Actor,
    frames: &[Frame],
) -> Result<Ingested, DbError> {
    store::lock_reporter(conn, actor.instance).await?;
    let mut by_op: BTreeMap<OpId, Vec<&Frame>> = BTreeMap::new();
    for frame in frames {
        by_op.entry(frame.op).or_default().push(frame);
    }
    let ids: Vec<OpId> = by_op.keys().copied().collect();
    let stored = store::load(conn, &ids).await?;
    let stored: BTreeMap<OpId, Operation> = stored.into_iter().map(|it| (it.op, it)).collect();

    let mut ingested = Ingested::default();
    let mut changed = Vec::with_capacity(by_op.len());
    for (op, frames) in by_op {
        let before = stored.get(&op);
        let blank = || Operation::blank(actor, frames[0].trace, op);
        let mut merged = before.cloned().unwrap_or_else(blank);
        let fits =
            |frame: &Frame| merged.actor.service == actor.service && merged.trace == frame.trace;
        let (ours, theirs): (Vec<&Frame>, Vec<&Frame>) =
            frames.into_iter().partition(|frame| fits(frame));
        ingested.refused += theirs.len();
        ingested.frames += ours.len();
        for frame in ours {
            let was_abandoned = merged.status == Status::Abandoned;
            merged.apply(frame);
            ingested.late_ends += usize::from(was_abandoned && merged.status != Status::Abandoned);
        }
        if before != Some(&merged) {
            changed.push(merged);
        }
    }
    save(conn, &changed).await?;
    Ok(ingested)
}

async fn save(conn: &mut Conn<'_>, changed: &[Operation]) -> Result<(), DbError> {
    if changed.is_empty() {
        return Ok(());
    }
    store::save(conn, &changed.iter().collect::<Vec<_>>()).await?;
    let mut starts: BTreeMap<TraceId, i64> = BTreeMap::new();
    for op in changed {
        let start = starts.entry(op.trace).or_insert(i64::MAX);
        *start = (*start).min(op.placed_at_ms());
    }
    store::place(conn, &starts.into_iter().collect::<Vec<_>>()).await
}

fn page(wanted: u32, default: u32, max: u32) -> usize {
    let limit = if wanted == 0 {
        default
    } else {
        wanted.min(max)
    };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// One row more than the page: whether it comes back tells if there is a next page.
fn rows_for(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1
}

fn cut<T>(rows: &mut Vec<T>, limit: usize) -> bool {
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
