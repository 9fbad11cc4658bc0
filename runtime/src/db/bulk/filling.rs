//! Filling an empty place: what a restore does to its target.
//!
//! The tables are made as the binary that took the backup knew them; what has been added since is
//! done by the next start. On PostgreSQL everything happens in one transaction. On SQLite files are
//! filled one after the other, unsynced, and synced at the end: whoever fills them keeps them from
//! being used until [`Filling::finish`] has returned.
//!
//! Refuses what is not empty, and schemas newer than this binary knows.

use contract::clock::Clock;

use super::fill_postgres::PgFilling;
use super::fill_sqlite::SqliteFilling;
use super::place::Place;
use super::tables::Schemas;
use super::value::{Column, Kind, Row, Value};
use crate::db::Database;
use crate::db::error::{DbError, DbErrorKind};
use crate::db::migrations::Schema;

/// A target in the making.
#[derive(Debug)]
pub(crate) enum Filling {
    /// Files in a data folder.
    Sqlite(Box<SqliteFilling>),
    /// A database, in one transaction.
    Postgres(Box<PgFilling>),
}

impl Filling {
    /// Begins to fill `database` with tables of these schemas.
    ///
    /// # Errors
    ///
    /// `Schema` when this binary does not know them, `Other` when the database has tables,
    /// `Unavailable` when it cannot be reached.
    pub(crate) async fn begin(
        database: &Database,
        clock: &Clock,
        schemas: &Schemas,
    ) -> Result<Self, DbError> {
        match database {
            Database::Sqlite { folder } => {
                let filling = SqliteFilling::begin(folder, clock, schemas)?;
                Ok(Self::Sqlite(Box::new(filling)))
            }
            Database::Postgres { url } => {
                let filling = PgFilling::begin(url, clock, schemas).await?;
                Ok(Self::Postgres(Box::new(filling)))
            }
        }
    }

    /// Turns to a place, which is made.
    pub(crate) async fn turn_to(&mut self, place: Place) -> Result<(), DbError> {
        match self {
            Self::Sqlite(it) => it.turn_to(place).await,
            Self::Postgres(it) => it.turn_to(place).await,
        }
    }

    /// Adds rows to a table of the place it last turned to.
    ///
    /// # Errors
    ///
    /// `Schema` when the table has no such column, `Unavailable` when the disk is full.
    pub(crate) async fn insert(
        &mut self,
        table: &str,
        columns: &[Column],
        rows: &[Row],
    ) -> Result<(), DbError> {
        match self {
            Self::Sqlite(it) => it.insert(table, columns, rows).await,
            Self::Postgres(it) => it.insert(table, columns, rows).await,
        }
    }

    /// Makes everything permanent.
    pub(crate) async fn finish(self) -> Result<(), DbError> {
        match self {
            Self::Sqlite(it) => it.finish().await,
            Self::Postgres(it) => it.finish().await,
        }
    }
}

/// The schema of a place as of the backup.
pub(super) fn schema_of(schema: Schema, schemas: &Schemas) -> Result<Schema, DbError> {
    let wanted = schemas.get(schema.name).map_or("", String::as_str);
    schema.until(wanted).ok_or_else(|| {
        let newest = schema.known.last().map_or("nothing", |it| it.name);
        let detail = format!(
            "it was made with the schema `{wanted}` of {}, and the newest this binary knows is \
             `{newest}`; restore it with the bridge binary that made it, or a newer one",
            schema.name
        );
        DbError::new(DbErrorKind::Schema, "fill the store", detail)
    })
}

/// Binds every value of `$rows` to `$query`, a nothing as what its column holds.
macro_rules! bind_rows {
    ($query:ident, $columns:expr, $rows:expr) => {
        for row in $rows {
            for (column, value) in std::iter::zip($columns, row) {
                use $crate::db::bulk::value::{Kind, Value};
                $query = match (column.kind, value) {
                    (Kind::Boolean, Value::Integer(it)) => $query.bind(*it != 0),
                    (_, Value::Integer(it)) => $query.bind(*it),
                    (_, Value::Real(it)) => $query.bind(*it),
                    (_, Value::Text(it)) => $query.bind(it.as_str()),
                    (_, Value::Bytes(it)) => $query.bind(it.as_slice()),
                    (Kind::Integer, Value::Null) => $query.bind(None::<i64>),
                    (Kind::Real, Value::Null) => $query.bind(None::<f64>),
                    (Kind::Boolean, Value::Null) => $query.bind(None::<bool>),
                    (Kind::Text | Kind::Words, Value::Null) => $query.bind(None::<&str>),
                    (Kind::Bytes, Value::Null) => $query.bind(None::<&[u8]>),
                };
            }
        }
    };
}
pub(super) use bind_rows;

/// Whether each value is of its column's kind; PostgreSQL would only say so in its own words.
pub(super) fn check(table: &str, columns: &[Column], rows: &[Row]) -> Result<(), DbError> {
    for row in rows {
        let fits = |(column, value): (&Column, &Value)| {
            matches!(
                (column.kind, value),
                (_, Value::Null)
                    | (Kind::Integer | Kind::Boolean, Value::Integer(_))
                    | (Kind::Real, Value::Real(_))
                    | (Kind::Text | Kind::Words, Value::Text(_))
                    | (Kind::Bytes, Value::Bytes(_))
            )
        };
        if row.len() != columns.len() || !std::iter::zip(columns, row).all(fits) {
            let detail = format!("a row of `{table}` does not fit its columns");
            return Err(DbError::new(DbErrorKind::Corrupt, "fill a table", detail));
        }
    }
    Ok(())
}
