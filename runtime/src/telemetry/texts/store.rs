//! SQL of the dictionary: adding texts, finding texts by words and traces by texts.

use contract::ids::TraceId;
use serde_json::json;
use uuid::Uuid;

use super::super::search::Query;
use super::{NewText, TextId};
use crate::db::{Conn, Cut, DbError, Driver, Sql, sql};

const ADD: Sql =
    sql!(sqlite: "telemetry/add_texts.sqlite.sql", postgres: "telemetry/add_texts.postgres.sql");
const INDEX: Sql =
    sql!(sqlite: "telemetry/index_texts.sqlite.sql", postgres: "telemetry/index_texts.sqlite.sql");
const FIND: Sql =
    sql!(sqlite: "telemetry/find_texts.sqlite.sql", postgres: "telemetry/find_texts.postgres.sql");
const FIND_TRACES: Sql = sql!(sqlite: "telemetry/find_traces.sqlite.sql", postgres: "telemetry/find_traces.postgres.sql");

/// Adds texts and indexes their words.
pub(in super::super) async fn add(
    conn: &mut Conn<'_>,
    slice: i64,
    texts: &[NewText],
) -> Result<(), DbError> {
    if texts.is_empty() {
        return Ok(());
    }
    let (text, index) = (conn.text(ADD), conn.text(INDEX));
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            let mut cut = Cut::with_capacity(texts.len(), 80);
            for it in texts {
                cut.begin_row().number(it.id, 20).texts(&[&it.words]);
            }
            let (beginnings, rows) = cut.finish();
            let added = sqlx::query(text)
                .bind(slice)
                .bind(beginnings.as_str())
                .bind(rows.as_slice())
                .execute(&mut *c)
                .await;
            match added {
                Ok(_) => sqlx::query(index)
                    .bind(beginnings)
                    .bind(rows)
                    .execute(c)
                    .await
                    .map(|_| ()),
                Err(error) => Err(error),
            }
        }
        Driver::Postgres(c) => {
            // In one order, so that two processes that add the same wait for each other.
            let mut texts: Vec<_> = texts.iter().collect();
            texts.sort_unstable_by_key(|it| it.id);
            sqlx::query(text)
                .bind(slice)
                .bind(texts.iter().map(|it| it.id).collect::<Vec<_>>())
                .bind(texts.iter().map(|it| it.words.as_str()).collect::<Vec<_>>())
                .execute(c)
                .await
                .map(|_| ())
        }
    };
    conn.settle("index the words of operations", outcome)
}

/// Up to `limit` texts with these words.
pub(in super::super) async fn find(
    conn: &mut Conn<'_>,
    slice: i64,
    query: &Query,
    limit: i64,
) -> Result<Vec<TextId>, DbError> {
    let text = conn.text(FIND);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            sqlx::query_scalar(text)
                .bind(query.sqlite())
                .bind(limit)
                .fetch_all(c)
                .await
        }
        Driver::Postgres(c) => {
            sqlx::query_scalar(text)
                .bind(slice)
                .bind(query.postgres())
                .bind(limit)
                .fetch_all(c)
                .await
        }
    };
    conn.settle("search the words of operations", outcome)
}

/// Traces of up to `limit` operations with one of these texts; one per operation.
pub(in super::super) async fn traces(
    conn: &mut Conn<'_>,
    slice: i64,
    texts: &[TextId],
    limit: i64,
) -> Result<Vec<TraceId>, DbError> {
    const ACTION: &str = "find traces by their words";
    let text = conn.text(FIND_TRACES);
    let outcome = match conn.driver() {
        Driver::Sqlite(c) => {
            sqlx::query_scalar::<_, Vec<u8>>(text)
                .bind(slice)
                .bind(json!(texts).to_string())
                .bind(limit)
                .fetch_all(c)
                .await
        }
        Driver::Postgres(c) => {
            sqlx::query_scalar::<_, Vec<u8>>(text)
                .bind(slice)
                .bind(texts)
                .bind(limit)
                .fetch_all(c)
                .await
        }
    };
    let rows = conn.settle(ACTION, outcome)?;
    let id = |bytes: Vec<u8>| {
        let id = Uuid::from_slice(&bytes).map(TraceId::from_uuid);
        id.map_err(|_| DbError::corrupt(ACTION, "a trace id is not 16 bytes long"))
    };
    rows.into_iter().map(id).collect()
}
