//! SQL of settings: one function per statement, text in and out.

use std::collections::BTreeMap;

use contract::clock::Timestamp;
use sqlx::FromRow;

use crate::db::{Conn, DbError, Sql, on_conn, sql};

const LOAD: Sql = sql!("settings/load.sql");
const FIND: Sql = sql!("settings/find.sql");
const SET: Sql = sql!("settings/set.sql");
const SEED: Sql = sql!("settings/seed.sql");
const UNSET: Sql = sql!("settings/unset.sql");

/// Rows read at most; rows that no binary knows can only come from other binaries.
const ROWS_MAX: i64 = 10_000;

#[derive(FromRow)]
struct SettingRow {
    key: String,
    value: String,
}

/// Every row of the table.
pub(super) async fn load(conn: &mut Conn<'_>) -> Result<BTreeMap<String, String>, DbError> {
    let text = conn.text(LOAD);
    let rows = on_conn!(conn, "load the settings", c => {
        sqlx::query_as::<_, SettingRow>(text).bind(ROWS_MAX).fetch_all(c).await
    })?;
    Ok(rows.into_iter().map(|row| (row.key, row.value)).collect())
}

/// The stored text of one setting.
pub(super) async fn find(conn: &mut Conn<'_>, key: &str) -> Result<Option<String>, DbError> {
    let text = conn.text(FIND);
    on_conn!(conn, "read a setting", c => {
        sqlx::query_scalar::<_, String>(text).bind(key).fetch_optional(c).await
    })
}

/// Stores a value over whatever was there.
pub(super) async fn set(
    conn: &mut Conn<'_>,
    key: &str,
    value: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    write(conn, SET, key, value, now).await
}

/// Stores a value unless there is one.
pub(super) async fn seed(
    conn: &mut Conn<'_>,
    key: &str,
    value: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    write(conn, SEED, key, value, now).await
}

async fn write(
    conn: &mut Conn<'_>,
    sql: Sql,
    key: &str,
    value: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let text = conn.text(sql);
    on_conn!(conn, "store a setting", c => {
        sqlx::query(text)
            .bind(key)
            .bind(value)
            .bind(now.as_micros())
            .execute(c)
            .await
            .map(|_| ())
    })
}

/// Removes a stored value, so that the default counts again.
pub(super) async fn unset(conn: &mut Conn<'_>, key: &str) -> Result<(), DbError> {
    let text = conn.text(UNSET);
    on_conn!(conn, "reset a setting", c => sqlx::query(text).bind(key).execute(c).await.map(|_| ()))
}
