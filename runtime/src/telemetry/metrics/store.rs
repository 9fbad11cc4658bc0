//! Statements on metrics: series, windows and buckets of one slice.

use std::collections::BTreeMap;

use contract::ids::{InstanceId, ServiceId};
use serde_json::{Value, json};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::answer::{Bucket, Range};
use super::model::{MetricKind, MetricName, MetricQuery, Series, Window};
use crate::db::{Conn, DbError, Driver, Sql, on_conn, sql};

const SAVE_SERIES: Sql = sql!(
    sqlite: "telemetry_metrics/save_series.sqlite.sql",
    postgres: "telemetry_metrics/save_series.postgres.sql"
);
const KNOWN_SERIES: Sql = sql!(
    sqlite: "telemetry_metrics/known_series.sqlite.sql",
    postgres: "telemetry_metrics/known_series.postgres.sql"
);
const ADD_WINDOWS: Sql = sql!(
    sqlite: "telemetry_metrics/add_windows.sqlite.sql",
    postgres: "telemetry_metrics/add_windows.postgres.sql"
);
const ADD_BUCKETS: Sql = sql!(
    sqlite: "telemetry_metrics/add_buckets.sqlite.sql",
    postgres: "telemetry_metrics/add_buckets.postgres.sql"
);
const SUM_WINDOWS: Sql = sql!(
    sqlite: "telemetry_metrics/sum_windows.sqlite.sql",
    postgres: "telemetry_metrics/sum_windows.postgres.sql"
);
const SUM_BUCKETS: Sql = sql!(
    sqlite: "telemetry_metrics/sum_buckets.sqlite.sql",
    postgres: "telemetry_metrics/sum_buckets.postgres.sql"
);
const LAST_BEFORE: Sql = sql!(
    sqlite: "telemetry_metrics/last_before.sqlite.sql",
    postgres: "telemetry_metrics/last_before.postgres.sql"
);
const COUNT_SERIES: Sql = sql!("telemetry_metrics/count_series.sql");
const SAW_INSTANCE: Sql = sql!("telemetry_metrics/saw_instance.sql");
const LIST_INSTANCES: Sql = sql!("telemetry_metrics/list_instances.sql");
const LIST_SERIES: Sql = sql!("telemetry_metrics/list_series.sql");
const LIST_NAMES: Sql = sql!("telemetry_metrics/list_names.sql");

#[derive(FromRow)]
struct SeriesRow {
    series: i64,
    kind: i64,
    name: String,
    labels_json: String,
    service_id: Vec<u8>,
    instance_id: Vec<u8>,
    unit: String,
    bounds_json: String,
}

#[derive(FromRow)]
struct NameRow {
    name: String,
    kind: i64,
    unit: String,
    series: i64,
}

#[derive(FromRow)]
struct BucketRow {
    series: i64,
    at_ms: i64,
    total: f64,
    busiest: f64,
    peak: f64,
    first_ms: i64,
    last_ms: i64,
    last: f64,
}

/// Observations of a histogram: in which step and bucket how many.
#[derive(Clone, Copy, Debug, FromRow)]
pub(super) struct ObservedRow {
    pub(super) series: i64,
    pub(super) at_ms: i64,
    pub(super) bucket: i64,
    pub(super) observations: i64,
}

/// Makes series of one instance known to the slice.
pub(super) async fn save_series(
    conn: &mut Conn<'_>,
    slice: i64,
    (service, instance): (ServiceId, InstanceId),
    series: &[(i64, &Series)],
) -> Result<(), DbError> {
    let text = conn.text(SAVE_SERIES);
    let service = service.as_bytes().to_vec();
    let instance = instance.as_bytes().to_vec();
    let kind = |it: &Series| i64::from(it.kind.number());
    let labels = |it: &Series| json!(it.labels).to_string();
    let bounds = |it: &Series| json!(it.bounds).to_string();
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let row = |(number, it): &(i64, &Series)| {
                json!([number, kind(it), it.name, labels(it), it.unit, bounds(it)])
            };
            let rows = Value::Array(series.iter().map(row).collect());
            let query = sqlx::query(text).bind(slice).bind(rows.to_string());
            query
                .bind(service)
                .bind(instance)
                .execute(c)
                .await
                .map(|_| ())
        }
        Driver::Postgres(c) => {
            let all = || series.iter().map(|(_, it)| *it);
            sqlx::query(text)
                .bind(slice)
                .bind(series.iter().map(|(number, _)| *number).collect::<Vec<_>>())
                .bind(all().map(kind).collect::<Vec<_>>())
                .bind(all().map(|it| it.name.as_str()).collect::<Vec<_>>())
                .bind(all().map(labels).collect::<Vec<_>>())
                .bind(all().map(|it| it.unit.as_str()).collect::<Vec<_>>())
                .bind(service)
                .bind(instance)
                .bind(all().map(bounds).collect::<Vec<_>>())
                .execute(c)
                .await
                .map(|_| ())
        }
    };
    conn.settle("store the series of metrics", outcome)
}

/// Which of these series the slice has.
pub(super) async fn known_series(
    conn: &mut Conn<'_>,
    slice: i64,
    series: &[i64],
) -> Result<Vec<i64>, DbError> {
    let text = conn.text(KNOWN_SERIES);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let query = sqlx::query_scalar::<_, i64>(text).bind(slice);
            query.bind(json!(series).to_string()).fetch_all(c).await
        }
        Driver::Postgres(c) => {
            let query = sqlx::query_scalar::<_, i64>(text).bind(slice);
            query.bind(series).fetch_all(c).await
        }
    };
    conn.settle("look the series of metrics up", outcome)
}

/// How many series of an instance the slice has.
pub(super) async fn count_series(
    conn: &mut Conn<'_>,
    slice: i64,
    instance: InstanceId,
) -> Result<i64, DbError> {
    let text = conn.text(COUNT_SERIES);
    let instance = instance.as_bytes().to_vec();
    on_conn!(conn, "count the series of an instance", c => {
        sqlx::query_scalar::<_, i64>(text).bind(slice).bind(instance).fetch_one(c).await
    })
}

/// Adds windows to those that are there; they must differ in series or start.
pub(super) async fn add_windows(
    conn: &mut Conn<'_>,
    slice: i64,
    windows: &[&Window],
) -> Result<(), DbError> {
    let text = conn.text(ADD_WINDOWS);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let row = |it: &&Window| {
                json!([
                    it.series,
                    it.at_ms,
                    it.total,
                    it.peak,
                    it.first_ms,
                    it.last_ms,
                    it.last
                ])
            };
            let rows = Value::Array(windows.iter().map(row).collect());
            let query = sqlx::query(text).bind(slice).bind(rows.to_string());
            query.execute(c).await.map(|_| ())
        }
        Driver::Postgres(c) => {
            let times =
                |of: fn(&Window) -> i64| -> Vec<i64> { windows.iter().map(|it| of(it)).collect() };
            let values =
                |of: fn(&Window) -> f64| -> Vec<f64> { windows.iter().map(|it| of(it)).collect() };
            sqlx::query(text)
                .bind(slice)
                .bind(times(|it| it.series))
                .bind(times(|it| it.at_ms))
                .bind(values(|it| it.total))
                .bind(values(|it| it.peak))
                .bind(times(|it| it.first_ms))
                .bind(times(|it| it.last_ms))
                .bind(values(|it| it.last))
                .execute(c)
                .await
                .map(|_| ())
        }
    };
    conn.settle("store metrics", outcome)
}

/// Adds the observations of these windows' histograms to those that are there.
pub(super) async fn add_buckets(
    conn: &mut Conn<'_>,
    slice: i64,
    windows: &[&Window],
) -> Result<(), DbError> {
    let of_window = |it: &&Window| {
        let (series, at_ms) = (it.series, it.at_ms);
        let count = |(bucket, count): (&usize, &u64)| {
            let bucket = i64::try_from(*bucket).unwrap_or(i64::MAX);
            [
                series,
                at_ms,
                bucket,
                i64::try_from(*count).unwrap_or(i64::MAX),
            ]
        };
        it.counts.iter().map(count).collect::<Vec<_>>()
    };
    let rows: Vec<[i64; 4]> = windows.iter().flat_map(of_window).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let text = conn.text(ADD_BUCKETS);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let query = sqlx::query(text).bind(slice).bind(json!(rows).to_string());
            query.execute(c).await.map(|_| ())
        }
        Driver::Postgres(c) => {
            let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<_>>();
            let query = sqlx::query(text)
                .bind(slice)
                .bind(column(0))
                .bind(column(1));
            let query = query.bind(column(2)).bind(column(3));
            query.execute(c).await.map(|_| ())
        }
    };
    conn.settle("store the buckets of histograms", outcome)
}

/// Notes that an instance reported a metric at `at_ms`.
pub(super) async fn saw_instance(
    conn: &mut Conn<'_>,
    slice: i64,
    instance: InstanceId,
    at_ms: i64,
) -> Result<(), DbError> {
    let text = conn.text(SAW_INSTANCE);
    let instance = instance.as_bytes().to_vec();
    on_conn!(conn, "note when an instance reported", c => {
        let query = sqlx::query(text).bind(slice).bind(instance).bind(at_ms);
        query.execute(c).await.map(|_| ())
    })
}

/// When instances last reported, the latest first.
pub(super) async fn list_instances(
    conn: &mut Conn<'_>,
    slice: i64,
    limit: i64,
) -> Result<Vec<(InstanceId, i64)>, DbError> {
    const ACTION: &str = "list instances that report metrics";
    let text = conn.text(LIST_INSTANCES);
    let rows = on_conn!(conn, ACTION, c => {
        sqlx::query_as::<_, (Vec<u8>, i64)>(text).bind(slice).bind(limit).fetch_all(c).await
    })?;
    let parse = |(id, at_ms): (Vec<u8>, i64)| {
        let bad = |_| DbError::corrupt(ACTION, "an id is not 16 bytes".to_owned());
        Ok((
            InstanceId::from_uuid(Uuid::from_slice(&id).map_err(bad)?),
            at_ms,
        ))
    };
    rows.into_iter().map(parse).collect()
}

/// Series of a name with their numbers, in the order of these, from just after `after`. The labels
/// of the question are not looked at.
pub(super) async fn list_series(
    conn: &mut Conn<'_>,
    slice: i64,
    query: &MetricQuery,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, Series)>, DbError> {
    let text = conn.text(LIST_SERIES);
    let service = query.service.map(|id| id.as_bytes().to_vec());
    let instance = query.instance.map(|id| id.as_bytes().to_vec());
    let rows = on_conn!(conn, "list the series of a metric", c => {
        sqlx::query_as::<_, SeriesRow>(text)
            .bind(slice)
            .bind(query.name.as_str())
            .bind(service.unwrap_or_default())
            .bind(instance.unwrap_or_default())
            .bind(after)
            .bind(limit)
            .fetch_all(c)
            .await
    })?;
    rows.into_iter().map(SeriesRow::into_series).collect()
}

/// Names that a slice has series of.
pub(super) async fn list_names(
    conn: &mut Conn<'_>,
    slice: i64,
    service: Option<ServiceId>,
    limit: i64,
) -> Result<Vec<MetricName>, DbError> {
    let text = conn.text(LIST_NAMES);
    let service = service.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    let rows = on_conn!(conn, "list metrics", c => {
        let query = sqlx::query_as::<_, NameRow>(text).bind(slice).bind(service);
        query.bind(limit).fetch_all(c).await
    })?;
    let name = |row: NameRow| {
        Ok(MetricName {
            kind: kind(row.kind, &row.name)?,
            name: row.name,
            unit: row.unit,
            series: u64::try_from(row.series).unwrap_or(0),
        })
    };
    rows.into_iter().map(name).collect()
}

/// Windows of these series within the range, added up by step; by series and time.
pub(super) async fn sum_windows(
    conn: &mut Conn<'_>,
    slice: i64,
    series: &[i64],
    range: Range,
) -> Result<Vec<Bucket>, DbError> {
    let rows: Vec<BucketRow> =
        sums(conn, (SUM_WINDOWS, "add metrics up"), slice, series, range).await?;
    Ok(rows.into_iter().map(BucketRow::into_bucket).collect())
}

/// Observations of these series within the range, added up by step; by series, time and bucket.
pub(super) async fn sum_buckets(
    conn: &mut Conn<'_>,
    slice: i64,
    series: &[i64],
    range: Range,
) -> Result<Vec<ObservedRow>, DbError> {
    sums(
        conn,
        (SUM_BUCKETS, "add histograms up"),
        slice,
        series,
        range,
    )
    .await
}

/// What one of the two statements that add up by step answers.
async fn sums<R>(
    conn: &mut Conn<'_>,
    (sql, action): (Sql, &'static str),
    slice: i64,
    series: &[i64],
    range: Range,
) -> Result<Vec<R>, DbError>
where
    R: Send + Unpin,
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
{
    let text = conn.text(sql);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let query = sqlx::query_as::<_, R>(text).bind(slice);
            let query = query.bind(json!(series).to_string());
            let query = query
                .bind(range.from_ms)
                .bind(range.to_ms)
                .bind(range.step_ms);
            query.fetch_all(c).await
        }
        Driver::Postgres(c) => {
            let query = sqlx::query_as::<_, R>(text).bind(slice).bind(series);
            let query = query
                .bind(range.from_ms)
                .bind(range.to_ms)
                .bind(range.step_ms);
            query.fetch_all(c).await
        }
    };
    conn.settle(action, outcome)
}

/// What these gauges stood at when the window at `at_ms` began, as far as the slice knows.
pub(super) async fn last_before(
    conn: &mut Conn<'_>,
    slice: i64,
    series: &[i64],
    at_ms: i64,
) -> Result<BTreeMap<i64, f64>, DbError> {
    let text = conn.text(LAST_BEFORE);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let query = sqlx::query_as::<_, (i64, f64)>(text).bind(slice);
            let query = query.bind(json!(series).to_string()).bind(at_ms);
            query.fetch_all(c).await
        }
        Driver::Postgres(c) => {
            let query = sqlx::query_as::<_, (i64, f64)>(text).bind(slice);
            query.bind(series).bind(at_ms).fetch_all(c).await
        }
    };
    let rows = conn.settle("look the value of gauges up", outcome)?;
    Ok(rows.into_iter().collect())
}

fn kind(number: i64, of: &str) -> Result<MetricKind, DbError> {
    let kind = i32::try_from(number).ok().and_then(MetricKind::from_number);
    kind.ok_or_else(|| {
        let detail = format!("`{of}` has an unknown kind, {number}");
        DbError::corrupt("read a metric", detail)
    })
}

impl SeriesRow {
    fn into_series(self) -> Result<(i64, Series), DbError> {
        let bad = |what: &str| {
            let detail = format!("series {} of `{}` has bad {what}", self.series, self.name);
            DbError::corrupt("read a series of metrics", detail)
        };
        let id = |bytes: &[u8]| Uuid::from_slice(bytes).map_err(|_| bad("ids"));
        let series = Series {
            kind: kind(self.kind, &self.name)?,
            labels: serde_json::from_str(&self.labels_json).map_err(|_| bad("labels"))?,
            service: ServiceId::from_uuid(id(&self.service_id)?),
            instance: InstanceId::from_uuid(id(&self.instance_id)?),
            bounds: serde_json::from_str(&self.bounds_json).map_err(|_| bad("bounds"))?,
            unit: self.unit,
            name: self.name,
        };
        Ok((self.series, series))
    }
}

impl BucketRow {
    fn into_bucket(self) -> Bucket {
        Bucket {
            series: self.series,
            at_ms: self.at_ms,
            total: self.total,
            busiest: self.busiest,
            peak: self.peak,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            last: self.last,
        }
    }
}
