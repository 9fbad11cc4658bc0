//! Filling SQLite files in a folder that nobody uses yet.
//!
//! Nothing is synced until the end: what a crash leaves is thrown away by whoever began it.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use contract::clock::Clock;
use sqlx::sqlite::SqliteSynchronous;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::filling::{bind_rows, check, schema_of};
use super::place::Place;
use super::statement;
use super::tables::Schemas;
use super::value::{Column, Kind, Row, Value};
use crate::db::Store;
use crate::db::error::{DbError, DbErrorKind};
use crate::db::history::History;
use crate::db::opener::Opener;
use crate::db::sql::{Sql, sql};
use crate::db::sqlite::migrate_alone;
use crate::db::sqlite_slices;

const BEGIN: Sql = sql!("db/begin_write.sqlite.sql");

/// Tables of words for searching, beside the tables they are about: row id and words.
const INDEXES: [(&str, &str); 2] = [("logs", "logs_words"), ("texts", "texts_index")];

/// The folder and the file that is being filled.
#[derive(Debug)]
pub(crate) struct SqliteFilling {
    folder: PathBuf,
    clock: Clock,
    schemas: Schemas,
    open: Option<(PathBuf, SqliteConnection)>,
    made: HashSet<PathBuf>,
}

impl SqliteFilling {
    pub(super) fn begin(folder: &Path, clock: &Clock, schemas: &Schemas) -> Result<Self, DbError> {
        for schema in [Store::Ledger, Store::Telemetry].map(Store::schema) {
            schema_of(schema, schemas)?;
        }
        for schema in History::ALL.map(History::schema) {
            schema_of(schema, schemas)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            clock: clock.clone(),
            schemas: schemas.clone(),
            open: None,
            made: HashSet::new(),
        })
    }

    pub(super) async fn turn_to(&mut self, place: Place) -> Result<(), DbError> {
        self.close().await?;
        let path = match place {
            Place::Store(store) => self.folder.join(format!("{}.db", store.name())),
            Place::Slice(history, slice) => sqlite_slices::file_for(&self.folder, history, slice)?,
        };
        if !self.made.insert(path.clone()) {
            let detail = format!("{place} comes twice");
            return Err(DbError::new(DbErrorKind::Corrupt, "fill a store", detail));
        }
        let opener = Opener::create(&path, SqliteSynchronous::Off)?;
        let mut conn = opener.connect(&self.clock).await?;
        let schema = schema_of(place.schema(), &self.schemas)?;
        migrate_alone(&mut conn, schema, &self.clock).await?;
        self.open = Some((path, conn));
        Ok(())
    }

    pub(super) async fn insert(
        &mut self,
        table: &str,
        columns: &[Column],
        rows: &[Row],
    ) -> Result<(), DbError> {
        check(table, columns, rows)?;
        let fault = |source| DbError::from_sqlx(format!("fill `{table}`"), source);
        let Some((_, conn)) = &mut self.open else {
            return Err(DbError::new(
                DbErrorKind::Other,
                "fill a table",
                "no place is open",
            ));
        };
        let index = INDEXES.iter().find(|it| it.0 == table).map(|it| it.1);
        let index = index.map(|index| (index, words(columns, rows)));
        let (columns, rows) = stored(columns, rows);
        let mut tx = conn.begin_with(BEGIN.sqlite).await.map_err(fault)?;
        insert_into(&mut tx, table, &columns, &rows).await?;
        if let Some((index, words)) = index {
            insert_into(&mut tx, index, &words_columns(), &words).await?;
        }
        tx.commit().await.map_err(fault)
    }

    async fn close(&mut self) -> Result<(), DbError> {
        let Some((path, conn)) = self.open.take() else {
            return Ok(());
        };
        let fault = |detail: String| {
            let action = format!("finish {}", path.display());
            DbError::new(DbErrorKind::Unavailable, action, detail)
        };
        // The last connection moves the log into the file.
        conn.close()
            .await
            .map_err(|error| fault(error.to_string()))?;
        let synced = File::open(&path).and_then(|file| file.sync_all());
        synced.map_err(|error| fault(error.to_string()))
    }

    pub(super) async fn finish(mut self) -> Result<(), DbError> {
        self.close().await?;
        let folders: HashSet<_> = self.made.iter().filter_map(|it| it.parent()).collect();
        for folder in folders {
            let synced = File::open(folder).and_then(|it| it.sync_all());
            synced.map_err(|error| {
                let action = format!("sync {}", folder.display());
                DbError::new(DbErrorKind::Unavailable, action, error.to_string())
            })?;
        }
        Ok(())
    }
}

async fn insert_into(
    conn: &mut SqliteConnection,
    table: &str,
    columns: &[Column],
    rows: &[Row],
) -> Result<(), DbError> {
    for rows in rows.chunks(statement::rows_max(columns.len())) {
        let text = AssertSqlSafe(statement::insert(table, columns, rows.len())?);
        let mut query = sqlx::query(text);
        bind_rows!(query, columns, rows);
        let done = query.execute(&mut *conn).await;
        done.map_err(|source| DbError::from_sqlx(format!("fill `{table}`"), source))?;
    }
    Ok(())
}

/// Without the words, which are kept in a table of their own here.
fn stored<'r>(columns: &[Column], rows: &'r [Row]) -> (Vec<Column>, std::borrow::Cow<'r, [Row]>) {
    let Some(place) = columns.iter().position(|it| it.kind == Kind::Words) else {
        return (columns.to_vec(), rows.into());
    };
    let mut columns = columns.to_vec();
    columns.remove(place);
    let without = |row: &Row| {
        let mut row = row.clone();
        row.remove(place);
        row
    };
    (columns, rows.iter().map(without).collect())
}

fn words_columns() -> [Column; 2] {
    [("rowid", Kind::Integer), ("words", Kind::Text)].map(|(name, kind)| Column {
        name: name.to_owned(),
        kind,
    })
}

/// Row id and words of each row.
fn words(columns: &[Column], rows: &[Row]) -> Vec<Row> {
    let place = |name: &str| columns.iter().position(|it| it.name == name);
    let (Some(id), Some(words)) = (place("id"), place("words")) else {
        return Vec::new();
    };
    let pair = |row: &Row| -> Row {
        let empty = || Value::Text(String::new());
        let text = match &row[words] {
            Value::Null => empty(),
            text => text.clone(),
        };
        vec![row[id].clone(), text]
    };
    rows.iter().map(pair).collect()
}
