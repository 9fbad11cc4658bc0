//! Which tables a store has, from its migrations; which columns they have, from the database.
//!
//! Invariant: tables come in the order in which migrations make them, so that a table comes after
//! those it refers to.

use std::collections::BTreeMap;

use sqlx::FromRow;

use super::place::{Place, unknown_table};
use super::value::{Column, Kind};
use crate::db::Store;
use crate::db::conn::{Conn, on_conn};
use crate::db::error::{DbError, DbErrorKind};
use crate::db::history::History;
use crate::db::migrations::Schema;
use crate::db::sql::{Sql, sql};

const COLUMNS: Sql = sql!(
    sqlite: "bulk/columns.sqlite.sql",
    postgres: "bulk/columns.postgres.sql"
);

/// Columns of one table that are read; far above what a table will have.
const COLUMNS_MAX: i64 = 1_000;

/// Tables that stay out: what `doctor` writes to time a commit, logins (whoever was logged out
/// since must not be logged in again), and the catalog of slices, which is made with them.
const LEFT_OUT: [&str; 4] = ["sync_probe", "sessions", "slices", "slice_tables"];

/// Columns that are made anew from the rest of their row.
const DERIVED: [(&str, &str); 1] = [("logs", "words")];

/// Name of each schema and of its newest migration.
pub(crate) type Schemas = BTreeMap<String, String>;

/// The schemas that this binary makes.
pub(crate) fn newest_schemas() -> Schemas {
    let named = |schema: Schema| {
        let newest = schema.known.last().map_or("", |it| it.name);
        (schema.name.to_owned(), newest.to_owned())
    };
    let stores = [Store::Ledger, Store::Telemetry].map(Store::schema);
    let histories = History::ALL.map(History::schema);
    stores.into_iter().chain(histories).map(named).collect()
}

/// Every table that the migrations leave behind, in the order they make them.
pub(super) fn all(schema: Schema) -> Vec<&'static str> {
    let mut tables: Vec<&str> = Vec::new();
    for migration in schema.known {
        for line in migration.sqlite.lines() {
            if let Some(name) = named(line, "CREATE TABLE ") {
                tables.push(name);
            } else if let Some(name) = named(line, "DROP TABLE ") {
                tables.retain(|it| *it != name);
            }
        }
    }
    tables
}

fn named<'l>(line: &'l str, statement: &str) -> Option<&'l str> {
    let rest = line.strip_prefix(statement)?;
    rest.split([' ', '(', ';'])
        .next()
        .filter(|it| !it.is_empty())
}

/// The tables of `place` that a backup holds.
pub(super) fn kept(place: Place) -> Vec<&'static str> {
    let mut tables = all(place.schema());
    tables.retain(|it| !LEFT_OUT.contains(it));
    tables
}

#[derive(FromRow)]
struct ColumnRow {
    name: String,
    kind: String,
}

/// The columns of a table that a backup holds.
pub(super) async fn columns(
    conn: &mut Conn<'_>,
    place: Place,
    table: &str,
) -> Result<Vec<Column>, DbError> {
    let text = conn.text(COLUMNS);
    let rows = on_conn!(conn, "list the columns of a table", c => {
        sqlx::query_as::<_, ColumnRow>(text)
            .bind(table)
            .bind(COLUMNS_MAX)
            .fetch_all(c)
            .await
    })?;
    if rows.is_empty() {
        return Err(unknown_table(place, table));
    }
    let rows = rows
        .into_iter()
        .filter(|it| !DERIVED.contains(&(table, it.name.as_str())));
    let column = |row: ColumnRow| match Kind::declared(&row.kind) {
        Some(kind) => Ok(Column {
            name: row.name,
            kind,
        }),
        None => Err(DbError::new(
            DbErrorKind::Schema,
            format!("read the table `{table}`"),
            format!("column `{}` has the unknown type `{}`", row.name, row.kind),
        )),
    };
    rows.map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_those_that_migrations_leave_behind_in_their_order() {
        let ledger = all(Store::Ledger.schema());
        let place = |name| ledger.iter().position(|it| *it == name).expect("is there");
        assert!(place("services") < place("service_keys"), "{ledger:?}");
        let telemetry = all(Store::Telemetry.schema());
        assert!(!telemetry.contains(&"ops"), "it was dropped: {telemetry:?}");
        let ops = all(History::Ops.schema());
        assert!(ops.starts_with(&["ops", "traces", "texts"]), "{ops:?}");
        let kept = kept(Place::Store(Store::Ledger));
        assert!(
            kept.contains(&"audit") && !kept.contains(&"sync_probe"),
            "{kept:?}"
        );
    }
}
