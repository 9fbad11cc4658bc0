//! SQL of foreign services: one function per statement.

use contract::clock::Timestamp;
use contract::ids::ServiceId;
use sqlx::FromRow;

use crate::db::{Conn, DbError, Sql, on_conn, sql};

const SAVE: Sql = sql!("foreign/save.sql");
const LOAD: Sql = sql!("foreign/load.sql");
const DELETE: Sql = sql!("foreign/delete.sql");

/// A foreign service as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry) struct StoredForeign {
    pub(in crate::registry) id: ServiceId,
    pub(in crate::registry) name: String,
    pub(in crate::registry) seen_at: Timestamp,
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    seen_at_us: i64,
}

/// Stores a service, or that it was seen again.
pub(in crate::registry) async fn save(
    conn: &mut Conn<'_>,
    service: &StoredForeign,
) -> Result<(), DbError> {
    let text = conn.text(SAVE);
    on_conn!(conn, "store a foreign service", c => {
        sqlx::query(text)
            .bind(service.id.to_string())
            .bind(service.name.as_str())
            .bind(service.seen_at.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// The services that were seen last, latest first.
pub(in crate::registry) async fn load(
    conn: &mut Conn<'_>,
    limit: usize,
) -> Result<Vec<StoredForeign>, DbError> {
    const ACTION: &str = "load the foreign services";
    let text = conn.text(LOAD);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = on_conn!(conn, ACTION, c => {
        sqlx::query_as::<_, Row>(text).bind(limit).fetch_all(c).await
    })?;
    let read = |row: Row| {
        let id = row.id.parse();
        let id = id.map_err(|_| DbError::corrupt(ACTION, format!("`{}` is no id", row.id)))?;
        Ok(StoredForeign {
            id,
            name: row.name,
            seen_at: Timestamp::from_micros(row.seen_at_us),
        })
    };
    rows.into_iter().map(read).collect()
}

/// Forgets a service.
pub(in crate::registry) async fn delete(conn: &mut Conn<'_>, id: ServiceId) -> Result<(), DbError> {
    let text = conn.text(DELETE);
    on_conn!(conn, "forget a foreign service", c => {
        sqlx::query(text).bind(id.to_string()).execute(c).await.map(|_| ())
    })
}
