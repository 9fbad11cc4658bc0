//! SQL of operations and traces: one function per statement, batches as slices, no decisions.
//!
//! A batch is one statement: a JSON array on SQLite, arrays on PostgreSQL. Batches are sorted by
//! key, so that two processes that write overlapping ones wait for each other in one order.

use contract::ids::{InstanceId, OpId, TraceId};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::model::{Actor, Channel, Operation, Status};
use super::query::{Cursor, TraceFilter, TraceSummary};
use crate::db::{Conn, DbError, Driver, Sql, on_conn, sql};

const LOCK_REPORTER: Sql = sql!(
    sqlite: "telemetry/lock_reporter.sqlite.sql",
    postgres: "telemetry/lock_reporter.postgres.sql"
);
const LOAD: Sql =
    sql!(sqlite: "telemetry/load.sqlite.sql", postgres: "telemetry/load.postgres.sql");
const SAVE: Sql =
    sql!(sqlite: "telemetry/save.sqlite.sql", postgres: "telemetry/save.postgres.sql");
const PLACE: Sql =
    sql!(sqlite: "telemetry/place.sqlite.sql", postgres: "telemetry/place.postgres.sql");
const ABANDON: Sql =
    sql!(sqlite: "telemetry/abandon.sqlite.sql", postgres: "telemetry/abandon.postgres.sql");
const LIST_PENDING_INSTANCES: Sql = sql!("telemetry/list_pending_instances.sql");
const LIST_TRACES: Sql = sql!("telemetry/list_traces.sql");
const GET_TRACE: Sql = sql!("telemetry/get_trace.sql");
const GET_OPERATION: Sql = sql!("telemetry/get_operation.sql");
const PRUNE_OPS: Sql = sql!("telemetry/prune_ops.sql");
const PRUNE_TRACES: Sql = sql!("telemetry/prune_traces.sql");

#[derive(FromRow)]
struct OpRow {
    op_id: String,
    trace_id: String,
    parent_op_id: Option<String>,
    channel: i64,
    kind: i64,
    subject: String,
    service_id: String,
    instance_id: String,
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
}

#[derive(FromRow)]
struct SummaryRow {
    trace_id: String,
    started_at_ms: i64,
    root_subject: String,
    root_service_id: String,
    root_status: i64,
    op_count: i64,
    running: i64,
    finished_at_ms: Option<i64>,
}

/// Keeps a second process from merging frames of the same instance until this transaction ends:
/// both would start from the same stored operation. SQLite has one writer anyway.
pub(super) async fn lock_reporter(
    conn: &mut Conn<'_>,
    instance: InstanceId,
) -> Result<(), DbError> {
    let text = conn.text(LOCK_REPORTER);
    let (high, low) = instance.as_uuid().as_u64_pair();
    let key = i64::from_ne_bytes((high ^ low).to_ne_bytes());
    let outcome = match conn.driver() {
        Driver::Sqlite(_) => Ok(()),
        Driver::Postgres(c) => sqlx::query(text).bind(key).execute(c).await.map(|_| ()),
    };
    conn.settle("lock an instance's operations", outcome)
}

/// The stored ones of these operations, in no particular order.
pub(super) async fn load(conn: &mut Conn<'_>, ops: &[OpId]) -> Result<Vec<Operation>, DbError> {
    let ids: Vec<String> = ops.iter().map(OpId::to_string).collect();
    let text = conn.text(LOAD);
    let rows = match conn.driver() {
        Driver::Sqlite(c) => {
            sqlx::query_as::<_, OpRow>(text)
                .bind(json!(ids).to_string())
                .fetch_all(c)
                .await
        }
        Driver::Postgres(c) => {
            sqlx::query_as::<_, OpRow>(text)
                .bind(ids)
                .fetch_all(c)
                .await
        }
    };
    conn.settle("load operations", rows)?
        .into_iter()
        .map(OpRow::into_operation)
        .collect()
}

/// Writes operations over whatever is stored under their ids, which must differ from each other.
pub(super) async fn save(conn: &mut Conn<'_>, ops: &[&Operation]) -> Result<(), DbError> {
    let text = conn.text(SAVE);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let rows = Value::Array(ops.iter().map(|op| op_json(op)).collect());
            sqlx::query(text)
                .bind(rows.to_string())
                .execute(c)
                .await
                .map(|_| ())
        }
        Driver::Postgres(c) => {
            let texts = |of: fn(&Operation) -> String| -> Vec<String> {
                ops.iter().map(|op| of(op)).collect()
            };
            let numbers =
                |of: fn(&Operation) -> i64| -> Vec<i64> { ops.iter().map(|op| of(op)).collect() };
            let parents = ops.iter().map(|op| op.parent.map(|id| id.to_string()));
            let finished = ops.iter().map(|op| op.finished_at_ms);
            sqlx::query(text)
                .bind(texts(|op| op.op.to_string()))
                .bind(texts(|op| op.trace.to_string()))
                .bind(parents.collect::<Vec<_>>())
                .bind(numbers(channel_number))
                .bind(numbers(|op| i64::from(op.kind)))
                .bind(texts(|op| op.subject.clone()))
                .bind(texts(|op| op.actor.service.to_string()))
                .bind(texts(|op| op.actor.instance.to_string()))
                .bind(texts(|op| op.peer_service.clone()))
                .bind(texts(|op| op.peer_instance.clone()))
                .bind(texts(|op| op.business_key.clone()))
                .bind(numbers(|op| i64::from(op.attempt)))
                .bind(numbers(|op| op.started_at_ms))
                .bind(finished.collect::<Vec<_>>())
                .bind(numbers(|op| i64::from(op.status.number())))
                .bind(texts(|op| op.status_message.clone()))
                .bind(texts(|op| op.meta_json.clone()))
                .bind(texts(|op| op.attrs_json.clone()))
                .execute(c)
                .await
                .map(|_| ())
        }
    };
    conn.settle("store operations", outcome)
}

fn op_json(op: &Operation) -> Value {
    json!({
        "op_id": op.op.to_string(),
        "trace_id": op.trace.to_string(),
        "parent_op_id": op.parent.map(|id| id.to_string()),
        "channel": channel_number(op),
        "kind": op.kind,
        "subject": op.subject,
        "service_id": op.actor.service.to_string(),
        "instance_id": op.actor.instance.to_string(),
        "peer_service_id": op.peer_service,
        "peer_instance_id": op.peer_instance,
        "business_key": op.business_key,
        "attempt": op.attempt,
        "started_at_ms": op.started_at_ms,
        "finished_at_ms": op.finished_at_ms,
        "status": op.status.number(),
        "status_message": op.status_message,
        "meta_json": op.meta_json,
        "attrs_json": op.attrs_json,
    })
}

fn channel_number(op: &Operation) -> i64 {
    op.channel.map_or(0, |channel| i64::from(channel.number()))
}

/// Notes when each trace started, unless an earlier start is known.
pub(super) async fn place(conn: &mut Conn<'_>, traces: &[(TraceId, i64)]) -> Result<(), DbError> {
    let text = conn.text(PLACE);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let row = |(trace, at): &(TraceId, i64)| json!([trace.to_string(), at]);
            let rows = Value::Array(traces.iter().map(row).collect());
            sqlx::query(text)
                .bind(rows.to_string())
                .execute(c)
                .await
                .map(|_| ())
        }
        Driver::Postgres(c) => sqlx::query(text)
            .bind(
                traces
                    .iter()
                    .map(|(trace, _)| trace.to_string())
                    .collect::<Vec<_>>(),
            )
            .bind(traces.iter().map(|(_, at)| *at).collect::<Vec<_>>())
            .execute(c)
            .await
            .map(|_| ()),
    };
    conn.settle("place traces in time", outcome)
}

/// Marks up to `limit` pending operations of these instances, started at or before `before_ms`,
/// as abandoned. Returns how many.
pub(super) async fn abandon(
    conn: &mut Conn<'_>,
    instances: &[InstanceId],
    before_ms: i64,
    limit: i64,
) -> Result<u64, DbError> {
    let ids: Vec<String> = instances.iter().map(InstanceId::to_string).collect();
    let text = conn.text(ABANDON);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => sqlx::query(text)
            .bind(json!(ids).to_string())
            .bind(before_ms)
            .bind(limit)
            .execute(c)
            .await
            .map(|done| done.rows_affected()),
        Driver::Postgres(c) => sqlx::query(text)
            .bind(ids)
            .bind(before_ms)
            .bind(limit)
            .execute(c)
            .await
            .map(|done| done.rows_affected()),
    };
    conn.settle("mark operations as abandoned", outcome)
}

/// Instances with a pending operation, in the order of their ids, from just after `after`.
pub(super) async fn list_pending_instances(
    conn: &mut Conn<'_>,
    after: Option<InstanceId>,
    limit: i64,
) -> Result<Vec<InstanceId>, DbError> {
    const ACTION: &str = "list running operations";
    let text = conn.text(LIST_PENDING_INSTANCES);
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids = on_conn!(conn, ACTION, c => {
        sqlx::query_scalar::<_, String>(text).bind(after).bind(limit).fetch_all(c).await
    })?;
    let parse = |id: String| {
        id.parse()
            .map_err(|_| DbError::corrupt(ACTION, format!("`{id}` is not an instance id")))
    };
    ids.into_iter().map(parse).collect()
}

/// Summaries of matching traces before `cursor`, newest first.
pub(super) async fn list_traces(
    conn: &mut Conn<'_>,
    filter: &TraceFilter,
    limit: i64,
    cursor: Option<Cursor>,
) -> Result<Vec<TraceSummary>, DbError> {
    let text = conn.text(LIST_TRACES);
    let cursor = cursor.unwrap_or(Cursor {
        at_ms: i64::MAX,
        id: Uuid::max(),
    });
    let service = filter.service.map(|id| id.to_string()).unwrap_or_default();
    let rows = on_conn!(conn, "list traces", c => {
        sqlx::query_as::<_, SummaryRow>(text)
            .bind(filter.from_ms.unwrap_or(i64::MIN))
            .bind(filter.to_ms.unwrap_or(i64::MAX))
            .bind(cursor.at_ms)
            .bind(cursor.id.to_string())
            .bind(mask(filter.channels.iter().map(|it| it.number())))
            .bind(mask(filter.statuses.iter().map(|it| it.number())))
            .bind(service)
            .bind(contains(&filter.text))
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(SummaryRow::into_summary).collect()
}

/// One bit per number; 0 asks for no filter.
fn mask(numbers: impl Iterator<Item = i32>) -> i64 {
    numbers.fold(0, |mask, number| mask | (1 << number))
}

/// The LIKE pattern for "contains `text`", with `!` as the escape; empty for no filter.
fn contains(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let plain = text.to_lowercase().replace('\0', "");
    let escaped = plain
        .replace('!', "!!")
        .replace('%', "!%")
        .replace('_', "!_");
    format!("%{escaped}%")
}

/// Operations of a trace after `cursor`, by start time.
pub(super) async fn get_trace(
    conn: &mut Conn<'_>,
    trace: TraceId,
    limit: i64,
    cursor: Option<Cursor>,
) -> Result<Vec<Operation>, DbError> {
    let text = conn.text(GET_TRACE);
    let cursor = cursor.unwrap_or(Cursor {
        at_ms: -1,
        id: Uuid::nil(),
    });
    let rows = on_conn!(conn, "load a trace", c => {
        sqlx::query_as::<_, OpRow>(text)
            .bind(trace.to_string())
            .bind(cursor.at_ms)
            .bind(cursor.id.to_string())
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(OpRow::into_operation).collect()
}

/// One operation.
pub(super) async fn get_operation(
    conn: &mut Conn<'_>,
    op: OpId,
) -> Result<Option<Operation>, DbError> {
    let text = conn.text(GET_OPERATION);
    let row = on_conn!(conn, "load an operation", c => {
        sqlx::query_as::<_, OpRow>(text).bind(op.to_string()).fetch_optional(c).await
    })?;
    row.map(OpRow::into_operation).transpose()
}

/// Deletes up to `limit` whole traces that started before `before_ms`. Returns how many.
pub(super) async fn prune(conn: &mut Conn<'_>, before_ms: i64, limit: i64) -> Result<u64, DbError> {
    let mut deleted = 0;
    // Operations first: both statements pick their traces from the same rows.
    for sql in [PRUNE_OPS, PRUNE_TRACES] {
        let text = conn.text(sql);
        deleted = on_conn!(conn, "delete old traces", c => {
            sqlx::query(text)
                .bind(before_ms)
                .bind(limit)
                .execute(c)
                .await
                .map(|done| done.rows_affected())
        })?;
    }
    Ok(deleted)
}

impl OpRow {
    fn into_operation(self) -> Result<Operation, DbError> {
        let bad = |what: &str| {
            DbError::corrupt(
                "read an operation",
                format!("`{}` has an unknown {what}", self.op_id),
            )
        };
        let number = |value: i64| i32::try_from(value).unwrap_or(0);
        let parent = self.parent_op_id.as_deref().map(str::parse).transpose();
        Ok(Operation {
            op: self.op_id.parse().map_err(|_| bad("id"))?,
            trace: self.trace_id.parse().map_err(|_| bad("trace"))?,
            parent: parent.map_err(|_| bad("parent"))?,
            channel: Channel::from_number(number(self.channel)),
            kind: u32::try_from(self.kind).map_err(|_| bad("kind"))?,
            actor: Actor {
                service: self.service_id.parse().map_err(|_| bad("service"))?,
                instance: self.instance_id.parse().map_err(|_| bad("instance"))?,
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
        })
    }
}

impl SummaryRow {
    fn into_summary(self) -> Result<TraceSummary, DbError> {
        let bad = |what: &str| {
            DbError::corrupt(
                "list traces",
                format!("`{}` has an unknown {what}", self.trace_id),
            )
        };
        let status = i32::try_from(self.root_status)
            .ok()
            .and_then(Status::from_number);
        let finished_at_ms = self.finished_at_ms.unwrap_or(self.started_at_ms);
        Ok(TraceSummary {
            trace: self.trace_id.parse().map_err(|_| bad("id"))?,
            root_service: self.root_service_id.parse().map_err(|_| bad("service"))?,
            overall_status: status.ok_or_else(|| bad("status"))?,
            started_at_ms: self.started_at_ms,
            duration_ms: finished_at_ms.saturating_sub(self.started_at_ms).max(0),
            op_count: u32::try_from(self.op_count).unwrap_or(u32::MAX),
            has_running: self.running > 0,
            root_subject: self.root_subject,
        })
    }
}
