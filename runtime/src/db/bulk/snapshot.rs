//! Reading everything as of one moment, while everybody else goes on.
//!
//! On PostgreSQL one repeatable-read transaction sees everything as it was when it began. On SQLite
//! each file has a transaction of its own that begins when the file's turn comes: what had been
//! committed when the snapshot was made is in each, and some files have a little more.
//!
//! While there is a snapshot on PostgreSQL this process drops no slices: its transaction has locked
//! what it has read, and writers would wait behind the drop.
//!
//! Refuses a store that a newer binary has migrated: it may have tables that nobody here knows.
//!
//! Invariant: a connection that was read from is closed, never given back with its transaction.

use contract::clock::Timestamp;
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Type};
use tokio_stream::{Stream, StreamExt as _};

use super::place::Place;
use super::value::{Column, Kind, Value};
use super::{statement, tables};
use crate::db::conn::{Conn, Driver};
use crate::db::error::{DbError, DbErrorKind};
use crate::db::handle::{Db, ReadConn, SliceHold};
use crate::db::history::History;
use crate::db::sql::{Sql, sql};
use crate::db::{Store, migrate};

const BEGIN: Sql = sql!(
    sqlite: "db/begin_snapshot.sqlite.sql",
    postgres: "db/begin_snapshot.postgres.sql"
);
const ACTION: &str = "read a table for a backup";
/// Rows are handed on in pieces of about so many bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// Who takes the rows that are read.
pub(crate) trait RowSink: Send {
    /// Takes so many encoded rows; false when nobody wants any more.
    fn rows(&mut self, count: u32, encoded: &[u8]) -> impl Future<Output = bool> + Send;
}

/// Everything that had been committed at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    db: Db,
    at: Timestamp,
    /// On PostgreSQL.
    shared: Option<ReadConn>,
    _held: SliceHold,
}

impl Db {
    /// Begins to read everything.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, DbError> {
        // Its transaction keeps a lock on whatever it has read.
        let held = self.hold_slices();
        // Before the first transaction begins: what had been acknowledged by then is in all of them.
        let at = self.clock().now();
        let shared = if self.is_shared() {
            Some(begin(self.read(Store::Ledger, ACTION).await?).await?)
        } else {
            None
        };
        let db = self.clone();
        Ok(Snapshot {
            db,
            at,
            shared,
            _held: held,
        })
    }
}

impl Snapshot {
    /// The moment: everything acknowledged before it is inside.
    pub(crate) fn at(&self) -> Timestamp {
        self.at
    }

    /// The stores, and the slices that there are now.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places = vec![Place::Store(Store::Ledger), Place::Store(Store::Telemetry)];
        for history in History::ALL {
            let slices = self.db.slices(history);
            places.extend(slices.iter().map(|it| Place::Slice(history, *it)));
        }
        places
    }

    /// Turns to a place.
    ///
    /// # Errors
    ///
    /// `Gone` when the slice has been dropped, `Schema` when a newer binary has been here.
    pub(crate) async fn view(&mut self, place: Place) -> Result<View<'_>, DbError> {
        let held = match &mut self.shared {
            Some(shared) => Held::Shared(shared),
            None => {
                let held = match place {
                    Place::Store(store) => self.db.read(store, ACTION).await?,
                    Place::Slice(history, slice) => {
                        self.db.read_slice(history, slice.id, ACTION).await?
                    }
                };
                Held::Own(begin(held).await?)
            }
        };
        let mut view = View { place, held };
        migrate::check_known(&mut view.held.conn(), place.schema()).await?;
        Ok(view)
    }
}

async fn begin(mut held: ReadConn) -> Result<ReadConn, DbError> {
    let begun = match &mut held {
        ReadConn::Sqlite(conn) => {
            conn.close_on_drop();
            sqlx::raw_sql(BEGIN.sqlite)
                .execute(&mut **conn)
                .await
                .map(|_| ())
        }
        ReadConn::Postgres(conn) => {
            conn.close_on_drop();
            sqlx::raw_sql(BEGIN.postgres)
                .execute(&mut **conn)
                .await
                .map(|_| ())
        }
    };
    begun.map_err(|source| DbError::from_sqlx("begin to read for a backup", source))?;
    Ok(held)
}

#[derive(Debug)]
enum Held<'s> {
    Own(ReadConn),
    Shared(&'s mut ReadConn),
}

impl Held<'_> {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Own(held) => held.conn(),
            Self::Shared(held) => held.conn(),
        }
    }
}

/// One place as of the snapshot.
#[derive(Debug)]
pub(crate) struct View<'s> {
    place: Place,
    held: Held<'s>,
}

impl View<'_> {
    /// Its tables, each after those it refers to, with their columns.
    pub(crate) async fn tables(&mut self) -> Result<Vec<(&'static str, Vec<Column>)>, DbError> {
        let mut found = Vec::new();
        for table in tables::kept(self.place) {
            let mut conn = self.held.conn();
            let columns = tables::columns(&mut conn, self.place, table).await?;
            found.push((table, columns));
        }
        Ok(found)
    }

    /// Hands every row of a table to `sink`. False when the sink wanted no more.
    pub(crate) async fn copy_out<S: RowSink>(
        &mut self,
        table: &str,
        columns: &[Column],
        sink: &mut S,
    ) -> Result<bool, DbError> {
        let slice = match self.place {
            Place::Store(_) => None,
            Place::Slice(_, slice) => Some(slice.id),
        };
        let text = AssertSqlSafe(statement::rows(table, columns, slice.is_some())?);
        let mut conn = self.held.conn();
        let outcome = match conn.driver() {
            Driver::Sqlite(c) => {
                let query = sqlx::query(text);
                let query = match slice {
                    Some(slice) => query.bind(slice),
                    None => query,
                };
                copy(query.fetch(c), columns, sink).await
            }
            Driver::Postgres(c) => {
                let query = sqlx::query(text);
                let query = match slice {
                    Some(slice) => query.bind(slice),
                    None => query,
                };
                copy(query.fetch(c), columns, sink).await
            }
        };
        outcome.map_err(|source| match source {
            sqlx::Error::ColumnDecode { .. } => DbError::new(
                DbErrorKind::Corrupt,
                ACTION,
                format!("`{table}` of {}: {source}", self.place),
            ),
            source => DbError::from_sqlx(format!("read `{table}` of {}", self.place), source),
        })
    }
}

async fn copy<R, S>(
    rows: impl Stream<Item = Result<R, sqlx::Error>> + Send,
    columns: &[Column],
    sink: &mut S,
) -> Result<bool, sqlx::Error>
where
    S: RowSink,
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    f64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    bool: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let mut rows = std::pin::pin!(rows);
    let (mut piece, mut count) = (Vec::with_capacity(PIECE_BYTES), 0);
    while let Some(row) = rows.next().await {
        let row = row?;
        for (at, column) in columns.iter().enumerate() {
            value(&row, at, column.kind)?.encode(&mut piece);
        }
        count += 1;
        if piece.len() >= PIECE_BYTES {
            if !sink.rows(count, &piece).await {
                return Ok(false);
            }
            (count, _) = (0, piece.clear());
        }
    }
    Ok(count == 0 || sink.rows(count, &piece).await)
}

fn value<R>(row: &R, at: usize, kind: Kind) -> Result<Value, sqlx::Error>
where
    R: sqlx::Row,
    usize: ColumnIndex<R>,
    i64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    f64: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    bool: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    String: for<'r> Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: for<'r> Decode<'r, R::Database> + Type<R::Database>,
{
    let value = match kind {
        Kind::Integer => row.try_get::<Option<i64>, _>(at)?.map(Value::Integer),
        Kind::Real => row.try_get::<Option<f64>, _>(at)?.map(Value::Real),
        Kind::Boolean => {
            let value = row.try_get::<Option<bool>, _>(at)?;
            value.map(|it| Value::Integer(i64::from(it)))
        }
        Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Value::Text),
        Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Value::Bytes),
        Kind::Words => None,
    };
    Ok(value.unwrap_or(Value::Null))
}
