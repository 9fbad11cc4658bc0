//! Statements on log lines.

use contract::ids::{InstanceId, OpId, ServiceId, TraceId};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

use super::super::search::Query;
use super::model::{Level, LogEntry, LogFilter, Origin, time_of};
use crate::db::{Conn, DbError, Driver, Sql, on_conn, sql};

const INSERT: Sql = sql!(
    sqlite: "telemetry_logs/insert.sqlite.sql",
    postgres: "telemetry_logs/insert.postgres.sql"
);
const INDEX: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/sql/telemetry_logs/index.sqlite.sql"
));
const LIST_BY_TIME: Sql = sql!("telemetry_logs/list_by_time.sql");
const LIST_BY_SERVICE: Sql = sql!("telemetry_logs/list_by_service.sql");
const LIST_BY_TRACE: Sql = sql!("telemetry_logs/list_by_trace.sql");
const LIST_SEVERE: Sql = sql!("telemetry_logs/list_severe.sql");
const LIST_BY_WORDS: Sql = sql!(
    sqlite: "telemetry_logs/list_by_words.sqlite.sql",
    postgres: "telemetry_logs/list_by_words.postgres.sql"
);

/// A line and its words.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) entry: LogEntry,
    pub(super) words: String,
}

/// A line and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed<'l> {
    pub(super) id: i64,
    pub(super) line: &'l Line,
}

#[derive(FromRow)]
struct LineRow {
    id: i64,
    level: i64,
    origin: i64,
    service_id: Vec<u8>,
    instance_id: Vec<u8>,
    trace_id: Option<Vec<u8>>,
    op_id: Option<Vec<u8>>,
    message: String,
    fields_json: String,
}

/// Stores lines and returns the ids of those that found their place free.
pub(super) async fn insert(
    conn: &mut Conn<'_>,
    slice: i64,
    lines: &[Placed<'_>],
) -> Result<Vec<i64>, DbError> {
    let text = conn.text(INSERT);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let (scalars, ids) = pack(lines);
            sqlx::query_scalar::<_, i64>(text)
                .bind(slice)
                .bind(scalars)
                .bind(ids)
                .fetch_all(c)
                .await
        }
        Driver::Postgres(c) => {
            let entries = || lines.iter().map(|it| &it.line.entry);
            let texts = |of: fn(&Line) -> &str| -> Vec<&str> {
                lines.iter().map(|it| of(it.line)).collect()
            };
            let bytes = |of: fn(&LogEntry) -> &[u8]| -> Vec<&[u8]> { entries().map(of).collect() };
            let traces = entries().map(|it| it.trace.as_ref().map(|id| &id.as_bytes()[..]));
            let ops = entries().map(|it| it.op.as_ref().map(|id| &id.as_bytes()[..]));
            sqlx::query_scalar::<_, i64>(text)
                .bind(slice)
                .bind(lines.iter().map(|it| it.id).collect::<Vec<_>>())
                .bind(entries().map(level).collect::<Vec<_>>())
                .bind(entries().map(|it| it.origin.number()).collect::<Vec<_>>())
                .bind(bytes(|it| it.service.as_bytes()))
                .bind(bytes(|it| it.instance.as_bytes()))
                .bind(traces.collect::<Vec<_>>())
                .bind(ops.collect::<Vec<_>>())
                .bind(texts(|it| &it.entry.message))
                .bind(texts(|it| &it.entry.fields_json))
                .bind(texts(|it| &it.words))
                .fetch_all(c)
                .await
        }
    };
    conn.settle("store log lines", outcome)
}

fn level(entry: &LogEntry) -> i64 {
    i64::from(entry.level.number())
}

/// Scalars as one JSON array, ids as one blob of 64 bytes per line.
fn pack(lines: &[Placed<'_>]) -> (String, Vec<u8>) {
    let mut ids = Vec::with_capacity(lines.len() * 64);
    let mut scalars = Vec::with_capacity(lines.len());
    for line in lines {
        let entry = &line.line.entry;
        scalars.push(json!([
            line.id,
            level(entry),
            entry.origin.number(),
            entry.trace.is_some(),
            entry.op.is_some(),
            entry.message,
            entry.fields_json,
        ]));
        ids.extend_from_slice(entry.service.as_bytes());
        ids.extend_from_slice(entry.instance.as_bytes());
        ids.extend_from_slice(entry.trace.map_or([0; 16], |id| *id.as_bytes()).as_slice());
        ids.extend_from_slice(entry.op.map_or([0; 16], |id| *id.as_bytes()).as_slice());
    }
    (Value::Array(scalars).to_string(), ids)
}

/// Makes stored lines, in the order of their ids, known to searches. PostgreSQL has the words in
/// the lines.
pub(super) async fn index(conn: &mut Conn<'_>, lines: &[Placed<'_>]) -> Result<(), DbError> {
    let Driver::Sqlite(c) = conn.driver() else {
        return Ok(());
    };
    let rows = lines.iter().map(|it| json!([it.id, it.line.words]));
    let rows = Value::Array(rows.collect()).to_string();
    let outcome = sqlx::query(INDEX).bind(rows).execute(c).await.map(|_| ());
    conn.settle("index log lines", outcome)
}

/// Up to `limit` matching lines with ids from `first` to `last`, newest first.
pub(super) async fn list(
    conn: &mut Conn<'_>,
    slice: i64,
    (filter, words): (&LogFilter, Option<&Query>),
    (first, last): (i64, i64),
    limit: i64,
) -> Result<Vec<(i64, LogEntry)>, DbError> {
    // The one filter that leaves the fewest lines leads; the others are looked at line by line.
    let sql = if filter.trace.is_some() {
        LIST_BY_TRACE
    } else if filter.min_level >= Some(Level::Warn) {
        LIST_SEVERE
    } else if filter.service.is_some() {
        LIST_BY_SERVICE
    } else {
        LIST_BY_TIME
    };
    let is_sqlite = matches!(conn.driver(), Driver::Sqlite(_));
    let words = words.map(|it| {
        if is_sqlite {
            it.sqlite()
        } else {
            it.postgres()
        }
    });
    let text = conn.text(if words.is_some() { LIST_BY_WORDS } else { sql });
    let service = filter.service.map(|id| id.as_bytes().to_vec());
    let instance = filter.instance.map(|id| id.as_bytes().to_vec());
    let trace = filter.trace.map(|id| id.as_bytes().to_vec());
    let rows = on_conn!(conn, "list log lines", c => {
        let query = sqlx::query_as::<_, LineRow>(text)
            .bind(slice)
            .bind(first)
            .bind(last)
            .bind(limit)
            .bind(service.unwrap_or_default())
            .bind(instance.unwrap_or_default())
            .bind(filter.min_level.map_or(0, |it| i64::from(it.number())))
            .bind(trace.unwrap_or_default());
        match words {
            Some(words) => query.bind(words).fetch_all(c).await,
            None => query.fetch_all(c).await,
        }
    })?;
    rows.into_iter().map(LineRow::into_line).collect()
}

impl LineRow {
    fn into_line(self) -> Result<(i64, LogEntry), DbError> {
        let bad = |what: &str| {
            let detail = format!("line {} has an unknown {what}", self.id);
            DbError::corrupt("read a log line", detail)
        };
        let id = |bytes: &[u8], what: &str| Uuid::from_slice(bytes).map_err(|_| bad(what));
        let some =
            |bytes: &Option<Vec<u8>>, what| bytes.as_deref().map(|it| id(it, what)).transpose();
        let level = i32::try_from(self.level).ok().and_then(Level::from_number);
        let entry = LogEntry {
            at_ms: time_of(self.id),
            level: level.ok_or_else(|| bad("level"))?,
            origin: Origin::from_number(self.origin).ok_or_else(|| bad("origin"))?,
            service: ServiceId::from_uuid(id(&self.service_id, "service")?),
            instance: InstanceId::from_uuid(id(&self.instance_id, "instance")?),
            trace: some(&self.trace_id, "trace")?.map(TraceId::from_uuid),
            op: some(&self.op_id, "operation")?.map(OpId::from_uuid),
            message: self.message,
            fields_json: self.fields_json,
        };
        Ok((self.id, entry))
    }
}
