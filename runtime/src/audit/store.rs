//! SQL of the audit trail: one function per statement.

use contract::clock::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

use super::model::Entry;
use crate::db::{Conn, DbError, Sql, on_conn, sql};

const APPEND: Sql = sql!("audit/append.sql");
const LIST: Sql = sql!("audit/list.sql");

#[derive(Debug, FromRow)]
struct EntryRow {
    id: String,
    at_us: i64,
    actor: String,
    action: String,
    target: String,
    detail_json: String,
}

/// Writes an entry in the caller's transaction.
pub(crate) async fn append(conn: &mut Conn<'_>, entry: &Entry) -> Result<(), DbError> {
    let text = conn.text(APPEND);
    on_conn!(conn, "write to the audit trail", c => {
        sqlx::query(text)
            .bind(entry.id.to_string())
            .bind(entry.at.as_micros())
            .bind(entry.actor.as_str())
            .bind(entry.action.as_str())
            .bind(entry.target.as_str())
            .bind(entry.detail.to_string())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// Entries before `cursor`, newest first.
pub(super) async fn list(
    conn: &mut Conn<'_>,
    limit: i64,
    cursor: Option<Uuid>,
) -> Result<Vec<Entry>, DbError> {
    let text = conn.text(LIST);
    // The largest UUID is nobody's id, so "before it" is everything.
    let before = cursor.unwrap_or(Uuid::max()).to_string();
    let rows = on_conn!(conn, "list the audit trail", c => {
        sqlx::query_as::<_, EntryRow>(text).bind(before).bind(limit).fetch_all(c).await
    })?;
    rows.into_iter().map(EntryRow::into_entry).collect()
}

impl EntryRow {
    fn into_entry(self) -> Result<Entry, DbError> {
        let unreadable = || {
            DbError::corrupt(
                "read the audit trail",
                format!("entry `{}` is damaged", self.id),
            )
        };
        Ok(Entry {
            id: Uuid::try_parse(&self.id).map_err(|_| unreadable())?,
            at: Timestamp::from_micros(self.at_us),
            detail: serde_json::from_str(&self.detail_json).map_err(|_| unreadable())?,
            actor: self.actor,
            action: self.action,
            target: self.target,
        })
    }
}
