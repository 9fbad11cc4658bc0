//! SQL of operations: one function per statement, batches as slices, no decisions.
//!
//! A batch is one statement: rows cut by offsets on SQLite, arrays on PostgreSQL. Batches are sorted
//! by key, so that two processes that write overlapping ones wait for each other in one order.
//!
//! Invariant: a row is written only over the revision that the writer has seen.

use contract::ids::{InstanceId, OpId, ServiceId, TraceId};
use sqlx::FromRow;
use uuid::Uuid;

use super::model::{Actor, Channel, Operation, Status, Stored};
use super::query::Position;
use crate::db::{Conn, Cut, DbError, Driver, Sql, on_conn, sql};

const LOAD: Sql =
    sql!(sqlite: "telemetry/load.sqlite.sql", postgres: "telemetry/load.postgres.sql");
const SAVE: Sql =
    sql!(sqlite: "telemetry/save.sqlite.sql", postgres: "telemetry/save.postgres.sql");
const LIST_PENDING: Sql = sql!(
    sqlite: "telemetry/list_pending.sqlite.sql",
    postgres: "telemetry/list_pending.postgres.sql"
);
const LIST_PENDING_INSTANCES: Sql = sql!("telemetry/list_pending_instances.sql");
const NOTE_RUNNING: Sql = sql!(
    sqlite: "telemetry/note_running.sqlite.sql",
    postgres: "telemetry/note_running.postgres.sql"
);
const FORGET_ENDED: Sql = sql!(
    sqlite: "telemetry/forget_ended.sqlite.sql",
    postgres: "telemetry/forget_ended.postgres.sql"
);
const GET_TRACE: Sql = sql!("telemetry/get_trace.sql");
const GET_OPERATION: Sql = sql!("telemetry/get_operation.sql");

#[derive(FromRow)]
struct OpRow {
    op_id: Vec<u8>,
    trace_id: Vec<u8>,
    parent_op_id: Option<Vec<u8>>,
    channel: i64,
    kind: i64,
    subject: String,
    service_id: Vec<u8>,
    instance_id: Vec<u8>,
    peer_service_id: String,
    peer_instance_id: String,
    business_key: String,
    attempt: i64,
    started_at_ms: i64,
    finished_at_ms: Option<i64>,
    status: i64,
    status_message: String,
    meta_json: String,
    attrs_json: String,
    text_id: i64,
    rev: i64,
}

/// The stored ones of these operations, in no particular order.
pub(super) async fn load(
    conn: &mut Conn<'_>,
    slice: i64,
    ops: &[OpId],
) -> Result<Vec<Stored>, DbError> {
    let text = conn.text(LOAD);
    let rows = match conn.driver() {
        Driver::Sqlite(c) => {
            let (beginnings, rows) = Cut::of_ids(ops.iter().map(OpId::as_bytes)).finish();
            sqlx::query_as::<_, OpRow>(text)
                .bind(slice)
                .bind(beginnings)
                .bind(rows)
                .fetch_all(c)
                .await
        }
        Driver::Postgres(c) => {
            sqlx::query_as::<_, OpRow>(text)
                .bind(slice)
                .bind(ops.iter().map(|it| &it.as_bytes()[..]).collect::<Vec<_>>())
                .fetch_all(c)
                .await
        }
    };
    let rows = conn.settle("load operations", rows)?;
    rows.into_iter().map(OpRow::into_stored).collect()
}

/// Writes operations, which must differ from each other: new ones of revision 1, later ones over the
/// revision before theirs. Returns how many were written; the others are not as the caller thinks.
pub(super) async fn save(conn: &mut Conn<'_>, slice: i64, ops: &[&Stored]) -> Result<u64, DbError> {
    let text = conn.text(SAVE);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let mut cut = Cut::with_capacity(ops.len(), 512);
            for it in ops {
                cut_row(&mut cut, it);
            }
            let (beginnings, rows) = cut.finish();
            sqlx::query(text)
                .bind(slice)
                .bind(beginnings)
                .bind(rows)
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        }
        Driver::Postgres(c) => {
            let ids =
                |of: fn(&Stored) -> &[u8]| -> Vec<&[u8]> { ops.iter().map(|it| of(it)).collect() };
            let texts =
                |of: fn(&Stored) -> &str| -> Vec<&str> { ops.iter().map(|it| of(it)).collect() };
            let numbers =
                |of: fn(&Stored) -> i64| -> Vec<i64> { ops.iter().map(|it| of(it)).collect() };
            let parents = ops
                .iter()
                .map(|it| it.op.parent.map(|id| id.as_bytes().to_vec()));
            let finished = ops.iter().map(|it| it.op.finished_at_ms);
            sqlx::query(text)
                .bind(slice)
                .bind(ids(|it| it.op.op.as_bytes()))
                .bind(ids(|it| it.op.trace.as_bytes()))
                .bind(parents.collect::<Vec<_>>())
                .bind(numbers(|it| channel_number(&it.op)))
                .bind(numbers(|it| i64::from(it.op.kind)))
                .bind(texts(|it| &it.op.subject))
                .bind(ids(|it| it.op.actor.service.as_bytes()))
                .bind(ids(|it| it.op.actor.instance.as_bytes()))
                .bind(texts(|it| &it.op.peer_service))
                .bind(texts(|it| &it.op.peer_instance))
                .bind(texts(|it| &it.op.business_key))
                .bind(numbers(|it| i64::from(it.op.attempt)))
                .bind(numbers(|it| it.op.started_at_ms))
                .bind(finished.collect::<Vec<_>>())
                .bind(numbers(|it| i64::from(it.op.status.number())))
                .bind(texts(|it| &it.op.status_message))
                .bind(texts(|it| &it.op.meta_json))
                .bind(texts(|it| &it.op.attrs_json))
                .bind(numbers(|it| it.text))
                .bind(numbers(|it| it.rev))
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        }
    };
    conn.settle("store operations", outcome)
}

/// As `save.sqlite.sql` describes it.
fn cut_row(cut: &mut Cut, it: &Stored) {
    let op = &it.op;
    let none = OpId::NONE;
    cut.begin_row()
        .bytes(op.op.as_bytes())
        .bytes(op.trace.as_bytes())
        .bytes(op.parent.as_ref().unwrap_or(&none).as_bytes())
        .bytes(op.actor.service.as_bytes())
        .bytes(op.actor.instance.as_bytes())
        .number(i64::from(op.parent.is_some()), 1)
        .number(channel_number(op), 2)
        .number(i64::from(op.kind), 10)
        .number(i64::from(op.attempt), 11)
        .number(op.started_at_ms, 20)
        .number(i64::from(op.finished_at_ms.is_some()), 1)
        .number(op.finished_at_ms.unwrap_or(0), 20)
        .number(i64::from(op.status.number()), 1)
        .number(it.text, 20)
        .number(it.rev, 20)
        .texts(&[
            &op.subject,
            &op.peer_service,
            &op.peer_instance,
            &op.business_key,
            &op.status_message,
            &op.meta_json,
            &op.attrs_json,
        ]);
}

fn channel_number(op: &Operation) -> i64 {
    op.channel.map_or(0, |channel| i64::from(channel.number()))
}

/// Up to `limit` pending operations of these instances, started at or before `before_ms`.
pub(super) async fn list_pending(
    conn: &mut Conn<'_>,
    slice: i64,
    instances: &[InstanceId],
    before_ms: i64,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    let text = conn.text(LIST_PENDING);
    let rows = match conn.driver() {
        Driver::Sqlite(c) => {
            let ids = instances.iter().map(InstanceId::as_bytes);
            let (beginnings, rows) = Cut::of_ids(ids).finish();
            sqlx::query_as::<_, OpRow>(text)
                .bind(slice)
                .bind(beginnings)
                .bind(rows)
                .bind(before_ms)
                .bind(limit)
                .fetch_all(c)
                .await
        }
        Driver::Postgres(c) => {
            sqlx::query_as::<_, OpRow>(text)
                .bind(slice)
                .bind(bytes_of(instances))
                .bind(before_ms)
                .bind(limit)
                .fetch_all(c)
                .await
        }
    };
    let rows = conn.settle("list running operations", rows)?;
    rows.into_iter().map(OpRow::into_stored).collect()
}

/// Notes which of these operations run, so that they are found once their instance is gone.
pub(super) async fn note_running(
    conn: &mut Conn<'_>,
    slice: i64,
    ops: &[&Stored],
) -> Result<(), DbError> {
    // One that runs on was noted when it was stored first.
    let begun = ops
        .iter()
        .filter(|it| it.rev == 1 && !it.op.status.is_terminal());
    let begun: Vec<_> = begun.map(|it| (it.op.actor.instance, it.op.op)).collect();
    if begun.is_empty() {
        return Ok(());
    }
    let text = conn.text(NOTE_RUNNING);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let mut cut = Cut::with_capacity(begun.len(), 32);
            for (instance, op) in &begun {
                cut.begin_row()
                    .bytes(instance.as_bytes())
                    .bytes(op.as_bytes());
            }
            let (beginnings, rows) = cut.finish();
            let query = sqlx::query(text).bind(slice).bind(beginnings).bind(rows);
            query.execute(c).await.map(|_| ())
        }
        Driver::Postgres(c) => {
            let instances: Vec<_> = begun.iter().map(|(it, _)| &it.as_bytes()[..]).collect();
            let ops: Vec<_> = begun.iter().map(|(_, it)| &it.as_bytes()[..]).collect();
            let query = sqlx::query(text).bind(slice).bind(instances).bind(ops);
            query.execute(c).await.map(|_| ())
        }
    };
    conn.settle("note what runs", outcome)
}

/// Removes up to `limit` notes that operations of these instances run, of those that have ended.
/// Returns how many.
pub(super) async fn forget_ended(
    conn: &mut Conn<'_>,
    slice: i64,
    instances: &[InstanceId],
    limit: i64,
) -> Result<u64, DbError> {
    let text = conn.text(FORGET_ENDED);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let (beginnings, rows) =
                Cut::of_ids(instances.iter().map(InstanceId::as_bytes)).finish();
            let query = sqlx::query(text).bind(slice).bind(beginnings).bind(rows);
            query
                .bind(limit)
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        }
        Driver::Postgres(c) => {
            let query = sqlx::query(text).bind(slice).bind(bytes_of(instances));
            query
                .bind(limit)
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        }
    };
    conn.settle("forget what has ended", outcome)
}

fn bytes_of(instances: &[InstanceId]) -> Vec<&[u8]> {
    instances.iter().map(|it| &it.as_bytes()[..]).collect()
}

/// Instances with a note that something of them runs, in the order of their ids, from just after `after`.
pub(super) async fn list_pending_instances(
    conn: &mut Conn<'_>,
    slice: i64,
    after: Option<InstanceId>,
    limit: i64,
) -> Result<Vec<InstanceId>, DbError> {
    const ACTION: &str = "list running operations";
    let text = conn.text(LIST_PENDING_INSTANCES);
    let after = after.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    let ids = on_conn!(conn, ACTION, c => {
        sqlx::query_scalar::<_, Vec<u8>>(text)
            .bind(slice)
            .bind(after)
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    let id = |bytes: Vec<u8>| Uuid::from_slice(&bytes).map(InstanceId::from_uuid);
    let bad = |_| DbError::corrupt(ACTION, "an instance id is not 16 bytes long");
    ids.into_iter().map(|it| id(it).map_err(bad)).collect()
}

/// Operations of a trace after `after`, by start time.
pub(super) async fn get_trace(
    conn: &mut Conn<'_>,
    slice: i64,
    trace: TraceId,
    limit: i64,
    after: Option<Position>,
) -> Result<Vec<Operation>, DbError> {
    let text = conn.text(GET_TRACE);
    let after = after.unwrap_or(Position::LOWEST);
    let rows = on_conn!(conn, "load a trace", c => {
        sqlx::query_as::<_, OpRow>(text)
            .bind(slice)
            .bind(&trace.as_bytes()[..])
            .bind(after.at_ms)
            .bind(&after.id.as_bytes()[..])
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    let stored = rows.into_iter().map(OpRow::into_stored);
    stored.map(|it| Ok(it?.op)).collect()
}

/// One operation.
pub(super) async fn get_operation(
    conn: &mut Conn<'_>,
    slice: i64,
    op: OpId,
) -> Result<Option<Operation>, DbError> {
    let text = conn.text(GET_OPERATION);
    let row = on_conn!(conn, "load an operation", c => {
        sqlx::query_as::<_, OpRow>(text)
            .bind(slice)
            .bind(&op.as_bytes()[..])
            .fetch_optional(c)
            .await
    })?;
    row.map(|it| Ok(it.into_stored()?.op)).transpose()
}

impl OpRow {
    fn into_stored(self) -> Result<Stored, DbError> {
        let bad = |what: &str| {
            let detail = format!(
                "the one with subject `{}` has no valid {what}",
                self.subject
            );
            DbError::corrupt("read an operation", detail)
        };
        let id = |bytes: &[u8], what| Uuid::from_slice(bytes).map_err(|_| bad(what));
        let number = |value: i64| i32::try_from(value).unwrap_or(0);
        let parent = self.parent_op_id.as_deref();
        let parent = parent.map(|it| id(it, "parent")).transpose()?;
        let op = Operation {
            op: OpId::from_uuid(id(&self.op_id, "id")?),
            trace: TraceId::from_uuid(id(&self.trace_id, "trace")?),
            parent: parent.map(OpId::from_uuid),
            channel: Channel::from_number(number(self.channel)),
            kind: u32::try_from(self.kind).map_err(|_| bad("kind"))?,
            actor: Actor {
                service: ServiceId::from_uuid(id(&self.service_id, "service")?),
                instance: InstanceId::from_uuid(id(&self.instance_id, "instance")?),
            },
            attempt: number(self.attempt),
            status: Status::from_number(number(self.status)).ok_or_else(|| bad("status"))?,
            subject: self.subject,
            peer_service: self.peer_service_id,
            peer_instance: self.peer_instance_id,
            business_key: self.business_key,
            started_at_ms: self.started_at_ms,
            finished_at_ms: self.finished_at_ms,
            status_message: self.status_message,
            meta_json: self.meta_json,
            attrs_json: self.attrs_json,
        };
        Ok(Stored {
            op,
            rev: self.rev,
            text: self.text_id,
        })
    }
}
