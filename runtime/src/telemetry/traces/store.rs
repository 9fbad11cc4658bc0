//! SQL of traces: placing them, and listing those that match.

use contract::ids::TraceId;
use sqlx::FromRow;
use uuid::Uuid;

use super::super::model::{Channel, Status};
use super::super::query::{Position, TraceFilter, TraceSummary};
use super::{Placed, service_bit};
use crate::db::{Conn, Cut, DbError, Driver, Sql, on_conn, sql};

const PLACE: Sql =
    sql!(sqlite: "telemetry/place.sqlite.sql", postgres: "telemetry/place.postgres.sql");
const EDGE: Sql = sql!("telemetry/edge.sql");
const LIST: Sql = sql!("telemetry/list_traces.sql");
const LIST_UNSUCCESSFUL: Sql = sql!("telemetry/list_unsuccessful_traces.sql");
const LIST_AMONG: Sql = sql!(
    sqlite: "telemetry/list_traces_among.sqlite.sql",
    postgres: "telemetry/list_traces_among.postgres.sql"
);
const LIST_WITH_WORDS: Sql = sql!(
    sqlite: "telemetry/list_traces_with_words.sqlite.sql",
    postgres: "telemetry/list_traces_with_words.postgres.sql"
);

#[derive(FromRow)]
struct SummaryRow {
    trace_id: Vec<u8>,
    started_at_ms: i64,
    root_subject: String,
    root_service_id: Vec<u8>,
    root_status: i64,
    root_channel: i64,
    op_count: i64,
    running: i64,
    failed: i64,
    finished_at_ms: Option<i64>,
}

/// Notes what is new about these traces, which must differ from each other.
pub(in super::super) async fn place(
    conn: &mut Conn<'_>,
    slice: i64,
    traces: &[Placed],
) -> Result<(), DbError> {
    let text = conn.text(PLACE);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let mut cut = Cut::with_capacity(traces.len(), 85);
            for it in traces {
                let row = cut.begin_row().bytes(it.trace.as_bytes()).bytes(&it.root);
                row.number(it.started_at_ms, 20)
                    .number(i64::from(it.status.number()), 1)
                    .number(it.channels, 3)
                    .number(it.services, 20);
            }
            let (beginnings, rows) = cut.finish();
            sqlx::query(text)
                .bind(slice)
                .bind(beginnings)
                .bind(rows)
                .execute(c)
                .await
                .map(|_| ())
        }
        Driver::Postgres(c) => {
            let numbers = |of: fn(&Placed) -> i64| -> Vec<i64> { traces.iter().map(of).collect() };
            sqlx::query(text)
                .bind(slice)
                .bind(
                    traces
                        .iter()
                        .map(|it| &it.trace.as_bytes()[..])
                        .collect::<Vec<_>>(),
                )
                .bind(traces.iter().map(|it| &it.root[..]).collect::<Vec<_>>())
                .bind(numbers(|it| it.started_at_ms))
                .bind(numbers(|it| i64::from(it.status.number())))
                .bind(numbers(|it| it.channels))
                .bind(numbers(|it| it.services))
                .execute(c)
                .await
                .map(|_| ())
        }
    };
    conn.settle("place traces in time", outcome)
}

/// The part of a slice's traces that is looked at: from just after `after` to `edge`, newest first.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Stretch {
    pub(in super::super) slice: i64,
    pub(in super::super) after: Position,
    pub(in super::super) edge: Position,
}

impl Stretch {
    /// The filter's window as far as it is in the stretch. The planner takes one upper and one
    /// lower bound for its range: with the filter's own it would begin each page at the newest.
    fn latest_ms(self, filter: &TraceFilter) -> i64 {
        filter.to_ms.unwrap_or(i64::MAX).min(self.after.at_ms)
    }

    /// See [`Stretch::latest_ms`].
    fn earliest_ms(self, filter: &TraceFilter) -> i64 {
        filter.from_ms.unwrap_or(i64::MIN).max(self.edge.at_ms)
    }
}

/// What the traces are taken from, besides the filter.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Among<'a> {
    /// All of them.
    All,
    /// These.
    These(&'a [TraceId]),
    /// Those with an operation whose words fit every one of these patterns.
    WithWords(&'a [String]),
}

/// The last of the next `count` traces in the filter's window; `None` when there are fewer.
pub(in super::super) async fn edge(
    conn: &mut Conn<'_>,
    stretch: Stretch,
    filter: &TraceFilter,
    count: i64,
) -> Result<Option<Position>, DbError> {
    const ACTION: &str = "look for traces";
    let text = conn.text(EDGE);
    let row = on_conn!(conn, ACTION, c => {
        sqlx::query_as::<_, (i64, Vec<u8>)>(text)
            .bind(stretch.slice)
            .bind(stretch.earliest_ms(filter))
            .bind(stretch.latest_ms(filter))
            .bind(stretch.after.at_ms)
            .bind(&stretch.after.id.as_bytes()[..])
            .bind(count - 1)
            .fetch_optional(c)
            .await
    })?;
    let position = |(at_ms, id): (i64, Vec<u8>)| {
        let id = uuid(ACTION, &id)?;
        Ok(Position { at_ms, id })
    };
    row.map(position).transpose()
}

/// Summaries of up to `limit` matching traces of a stretch, newest first.
pub(in super::super) async fn list(
    conn: &mut Conn<'_>,
    stretch: Stretch,
    filter: &TraceFilter,
    among: Among<'_>,
    limit: i64,
) -> Result<Vec<TraceSummary>, DbError> {
    let text = conn.text(statement(filter, among));
    let service = filter.service;
    let service_id = service.map(|it| it.as_bytes().to_vec()).unwrap_or_default();
    // One list of values, whatever the statement and the database.
    macro_rules! listed {
        ($c:expr, $($more:expr),*) => {
            sqlx::query_as::<_, SummaryRow>(text)
                .bind(stretch.slice)
                .bind(stretch.earliest_ms(filter))
                .bind(stretch.latest_ms(filter))
                .bind(stretch.after.at_ms)
                .bind(&stretch.after.id.as_bytes()[..])
                .bind(stretch.edge.at_ms)
                .bind(&stretch.edge.id.as_bytes()[..])
                .bind(mask(filter.statuses.iter().map(|it| it.number())))
                .bind(mask(filter.channels.iter().map(|it| it.number())))
                .bind(service.map_or(0, service_bit))
                .bind(service_id)
                .bind(service.map(|it| it.to_string()).unwrap_or_default())
                .bind(limit)
                $(.bind($more))*
                .fetch_all($c)
                .await
        };
    }
    let outcome = match (conn.driver(), among) {
        (Driver::Sqlite(c), Among::All) => listed!(c,),
        (Driver::Postgres(c), Among::All) => listed!(c,),
        (Driver::Sqlite(c), Among::These(ids)) => {
            let (beginnings, rows) = Cut::of_ids(ids.iter().map(TraceId::as_bytes)).finish();
            listed!(c, beginnings, rows)
        }
        (Driver::Postgres(c), Among::These(ids)) => {
            listed!(
                c,
                ids.iter()
                    .map(|it| it.as_bytes().to_vec())
                    .collect::<Vec<_>>()
            )
        }
        (Driver::Sqlite(c), Among::WithWords(patterns)) => {
            listed!(c, serde_json::json!(patterns).to_string())
        }
        (Driver::Postgres(c), Among::WithWords(patterns)) => listed!(c, patterns),
    };
    let rows = conn.settle("list traces", outcome)?;
    rows.into_iter().map(SummaryRow::into_summary).collect()
}

/// A filter that wants nothing but failures has an index of its own.
fn statement(filter: &TraceFilter, among: Among<'_>) -> Sql {
    let wants_success = filter.statuses.is_empty() || filter.statuses.contains(&Status::Success);
    match among {
        Among::All if wants_success => LIST,
        Among::All => LIST_UNSUCCESSFUL,
        Among::These(_) => LIST_AMONG,
        Among::WithWords(_) => LIST_WITH_WORDS,
    }
}

/// One bit per number; 0 asks for no filter.
fn mask(numbers: impl Iterator<Item = i32>) -> i64 {
    numbers.fold(0, |mask, number| mask | (1 << number))
}

fn uuid(action: &'static str, bytes: &[u8]) -> Result<Uuid, DbError> {
    Uuid::from_slice(bytes).map_err(|_| DbError::corrupt(action, "an id is not 16 bytes long"))
}

impl SummaryRow {
    fn into_summary(self) -> Result<TraceSummary, DbError> {
        const ACTION: &str = "list traces";
        let trace = TraceId::from_uuid(uuid(ACTION, &self.trace_id)?);
        let root_service = uuid(ACTION, &self.root_service_id)?;
        let status = i32::try_from(self.root_status)
            .ok()
            .and_then(Status::from_number);
        let bad = || DbError::corrupt(ACTION, format!("`{trace}` has an unknown status"));
        let finished_at_ms = self.finished_at_ms.unwrap_or(self.started_at_ms);
        Ok(TraceSummary {
            trace,
            root_service: contract::ids::ServiceId::from_uuid(root_service),
            overall_status: status.ok_or_else(bad)?,
            started_at_ms: self.started_at_ms,
            duration_ms: finished_at_ms.saturating_sub(self.started_at_ms).max(0),
            op_count: u32::try_from(self.op_count).unwrap_or(u32::MAX),
            has_running: self.running > 0,
            failed: u32::try_from(self.failed).unwrap_or(u32::MAX),
            root_channel: i32::try_from(self.root_channel)
                .ok()
                .and_then(Channel::from_number),
            root_subject: self.root_subject,
        })
    }
}
