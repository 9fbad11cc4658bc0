//! SQLite: two files in the data folder, each with one writer and a few readers.
//!
//! `ledger.db` syncs every commit (`synchronous=FULL`); `telemetry.db` leaves the sync to the
//! checkpoint (`NORMAL`), so a power cut may lose its last moments but never its consistency.
//!
//! Refuses to share: exactly one connection per file writes, all others are `query_only`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::clock::Clock;
use sqlx::sqlite::{SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};

use super::Store;
use super::commits::Commits;
use super::conn::{Conn, Driver};
use super::error::DbError;
use super::migrate::migrate;
use super::migrations::Schema;
use super::opener::Opener;
use super::sql::{Sql, sql};
use super::writer::Writer;

/// Connections that read one store at the same time.
const READERS_MAX: u32 = 4;

/// How long a reader waits for one of them.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

const BEGIN: Sql = sql!("db/begin_write.sqlite.sql");

/// One open file.
#[derive(Debug)]
pub(super) struct SqliteStore {
    pub(super) path: PathBuf,
    pub(super) schema: &'static str,
    pub(super) readers: SqlitePool,
    pub(super) writer: Writer,
}

impl SqliteStore {
    /// Opens or creates the file of `store` in `folder` and brings its schema up to date.
    pub(super) async fn open(
        folder: &Path,
        store: Store,
        clock: &Clock,
        commits: &Commits,
    ) -> Result<Self, DbError> {
        let path = folder.join(format!("{}.db", store.name()));
        let synchronous = match store {
            Store::Ledger => SqliteSynchronous::Full,
            Store::Telemetry => SqliteSynchronous::Normal,
        };
        let opener = Opener::create(&path, synchronous)?;
        let mut conn = opener.connect(clock).await?;
        let schema = migrate_alone(&mut conn, store.schema(), clock).await?;
        let readers = readers(&opener, READERS_MAX, None);
        let times = commits.store(store).clone();
        let writer = Writer::spawn(conn, opener, clock.clone(), times);
        Ok(Self {
            path,
            schema,
            readers,
            writer,
        })
    }

    /// Finishes the queued writes and closes every connection.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        // Last, so that the final connection to go is the one that may checkpoint.
        self.writer.close().await;
    }
}

/// A pool of connections to read `opener`'s file with; those unused for `idle` are closed.
pub(super) fn readers(opener: &Opener, most: u32, idle: Option<Duration>) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(idle)
        .max_lifetime(None)
        // The file is local: a connection to it does not go stale.
        .test_before_acquire(false)
        .connect_lazy_with(opener.options().pragma("query_only", "ON"))
}

/// Brings one file up to date in one transaction, which keeps a second process waiting.
pub(super) async fn migrate_alone(
    conn: &mut SqliteConnection,
    schema: Schema,
    clock: &Clock,
) -> Result<&'static str, DbError> {
    let fault = |source| DbError::from_sqlx(format!("migrate the {} store", schema.name), source);
    let mut tx = conn.begin_with(BEGIN.sqlite).await.map_err(fault)?;
    let newest = migrate(&mut Conn::new(Driver::Sqlite(&mut tx)), schema, clock.now()).await?;
    tx.commit().await.map_err(fault)?;
    Ok(newest)
}
