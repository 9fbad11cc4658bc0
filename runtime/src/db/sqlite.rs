//! SQLite: two files in the data folder, each with one writer and a few readers.
//!
//! `ledger.db` syncs every commit (`synchronous=FULL`); `telemetry.db` leaves the sync to the
//! checkpoint (`NORMAL`), so a power cut may lose its last moments but never its consistency.
//!
//! Refuses to share: exactly one connection per file writes, all others are `query_only`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::clock::Clock;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::Store;
use super::conn::{Conn, Driver};
use super::error::{DbError, DbErrorKind};
use super::migrate::migrate;
use super::sql::{Sql, sql};
use super::writer::Writer;

/// How long a statement waits for another process (a backup, a second opener) before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that read one store at the same time.
const READERS_MAX: u32 = 4;

/// How long a reader waits for one of them.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Attempts to open a file that another process is opening for the first time. Switching a new
/// file to write-ahead logging does not honour the busy timeout, so it is waited for here.
const OPEN_ATTEMPTS_MAX: u32 = 50;
const OPEN_RETRY: Duration = Duration::from_millis(100);

/// The write-ahead log is cut back to this size after a checkpoint, in bytes.
const WAL_KEPT_BYTES: &str = "67108864";

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
    pub(super) async fn open(folder: &Path, store: Store, clock: &Clock) -> Result<Self, DbError> {
        let path = folder.join(format!("{}.db", store.name()));
        create_private(&path).map_err(|error| cannot_open(&path, &error))?;
        let opener = Opener {
            store,
            path: path.clone(),
        };
        let mut conn = opener.connect(clock).await?;
        let schema = migrate_alone(&mut conn, store, clock).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            // The file is local: a connection to it does not go stale.
            .test_before_acquire(false)
            .connect_lazy_with(opener.options().pragma("query_only", "ON"));
        let writer = Writer::spawn(conn, opener, clock.clone());
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

/// How to open a store's file for writing, the first time and after a broken connection.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    store: Store,
    path: PathBuf,
}

impl Opener {
    fn options(&self) -> SqliteConnectOptions {
        let synchronous = match self.store {
            Store::Ledger => SqliteSynchronous::Full,
            Store::Telemetry => SqliteSynchronous::Normal,
        };
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .pragma("journal_size_limit", WAL_KEPT_BYTES)
            .disable_statement_logging()
    }

    /// A connection that may write.
    pub(super) async fn connect(&self, clock: &Clock) -> Result<SqliteConnection, DbError> {
        let mut attempt = 1;
        loop {
            let error = match self.options().connect().await {
                Ok(conn) => return Ok(conn),
                Err(source) => DbError::from_sqlx(format!("open {}", self.path.display()), source),
            };
            if attempt == OPEN_ATTEMPTS_MAX || !error.is_busy() {
                return Err(error);
            }
            attempt += 1;
            clock.sleep(OPEN_RETRY).await;
        }
    }
}

async fn migrate_alone(
    conn: &mut SqliteConnection,
    store: Store,
    clock: &Clock,
) -> Result<&'static str, DbError> {
    let fault = |source| DbError::from_sqlx(format!("migrate the {} store", store.name()), source);
    let mut tx = conn.begin_with(BEGIN.sqlite).await.map_err(fault)?;
    let newest = migrate(&mut Conn::new(Driver::Sqlite(&mut tx)), store, clock.now()).await?;
    tx.commit().await.map_err(fault)?;
    Ok(newest)
}

/// Creates the file readable for its owner only; SQLite gives its companions the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

fn cannot_open(path: &Path, error: &std::io::Error) -> DbError {
    let action = format!("open {}", path.display());
    DbError::new(
        DbErrorKind::Unavailable,
        action,
        format!("{error}; check the data folder"),
    )
}
