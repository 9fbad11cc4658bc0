//! Opening a SQLite file the way its store needs it, now and after a broken connection.
//!
//! Invariant: whoever opens a store's file gets the sync level that its acknowledgements promise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::clock::Clock;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};

use super::error::{DbError, DbErrorKind};

/// How long a statement waits for another process (a backup, a second opener) before it fails.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Attempts to open a file that another process is opening for the first time. Switching a new
/// file to write-ahead logging does not honour the busy timeout, so it is waited for here.
const OPEN_ATTEMPTS_MAX: u32 = 50;
const OPEN_RETRY: Duration = Duration::from_millis(100);

/// The write-ahead log is cut back to this size after a checkpoint, in bytes.
const WAL_KEPT_BYTES: &str = "67108864";

/// How to open a store's file for writing, the first time and after a broken connection.
#[derive(Clone, Debug)]
pub(super) struct Opener {
    synchronous: SqliteSynchronous,
    cache: Option<&'static str>,
    path: PathBuf,
}

impl Opener {
    /// Makes sure that the file is there.
    pub(super) fn create(path: &Path, synchronous: SqliteSynchronous) -> Result<Self, DbError> {
        create_private(path).map_err(|error| cannot_open(path, &error))?;
        Ok(Self::existing(path, synchronous))
    }

    /// Of a file that is there.
    pub(super) fn existing(path: &Path, synchronous: SqliteSynchronous) -> Self {
        Self {
            synchronous,
            cache: None,
            path: path.to_owned(),
        }
    }

    /// The same, with another `cache_size` than SQLite's own.
    pub(super) fn with_cache(&self, cache: &'static str) -> Self {
        Self {
            cache: Some(cache),
            ..self.clone()
        }
    }

    /// How every connection to the file is set up.
    pub(super) fn options(&self) -> SqliteConnectOptions {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(self.synchronous)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .pragma("journal_size_limit", WAL_KEPT_BYTES)
            .disable_statement_logging();
        match self.cache {
            Some(cache) => options.pragma("cache_size", cache),
            None => options,
        }
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
