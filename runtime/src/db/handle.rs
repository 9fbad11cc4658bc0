//! The handle everybody holds: which database, how to read, how to write, how to describe it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::clock::Clock;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};

use super::Store;
use super::commits::{CommitLatency, Commits};
use super::conn::{Conn, Driver, on_conn};
use super::error::DbError;
use super::history::History;
use super::postgres::{PgStores, Target};
use super::sql::{Sql, sql};
use super::sqlite::SqliteStore;
use super::sqlite_slices::SqliteSlices;
use super::writer::Work;

const VERSION: Sql = sql!(sqlite: "db/version.sqlite.sql", postgres: "db/version.postgres.sql");
const SIZE: Sql = sql!(sqlite: "db/size.sqlite.sql", postgres: "db/size.postgres.sql");
const SYNC_PROBE: Sql = sql!("db/sync_probe.sql");

/// Commits that [`Db::sync_probe`] times.
const SYNC_PROBES: usize = 9;

/// Which database to open.
#[derive(Clone, Debug)]
pub struct DbConfig {
    /// Where it is.
    pub database: Database,
    /// Stamps migrations and paces retries.
    pub clock: Clock,
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// `ledger.db`, `telemetry.db` and the folder `telemetry` in this folder, which must exist.
    Sqlite {
        /// The data folder.
        folder: PathBuf,
    },
    /// A PostgreSQL database, as `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    Postgres {
        /// The address, password included; it is never logged.
        url: String,
    },
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { folder } => f.debug_struct("Sqlite").field("folder", folder).finish(),
            Self::Postgres { .. } => f.write_str("Postgres"),
        }
    }
}

/// The open database. Cheap to clone; all clones share its connections.
#[derive(Clone, Debug)]
pub struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    backend: Backend,
    commits: Commits,
    /// Readers that keep slices from being dropped.
    slice_holders: AtomicUsize,
}

#[derive(Debug)]
pub(super) enum Backend {
    Sqlite {
        ledger: SqliteStore,
        telemetry: SqliteStore,
        slices: Box<SqliteSlices>,
    },
    Postgres(Box<PgStores>),
}

impl Db {
    /// Opens the database, creating and migrating what is missing. Must run inside a tokio
    /// runtime, which then also runs the writers.
    ///
    /// # Errors
    ///
    /// `Unavailable` when it cannot be reached or created, `Schema` when a newer binary made it.
    pub async fn open(config: DbConfig) -> Result<Self, DbError> {
        let clock = config.clock;
        let commits = Commits::new(&clock);
        let backend = match &config.database {
            Database::Sqlite { folder } => Backend::Sqlite {
                ledger: SqliteStore::open(folder, Store::Ledger, &clock, &commits).await?,
                telemetry: SqliteStore::open(folder, Store::Telemetry, &clock, &commits).await?,
                slices: Box::new(SqliteSlices::open(folder, &clock, &commits).await?),
            },
            Database::Postgres { url } => {
                Backend::Postgres(Box::new(PgStores::open(url, &clock, &commits).await?))
            }
        };
        Ok(Self(Arc::new(Inner {
            clock,
            backend,
            commits,
            slice_holders: AtomicUsize::new(0),
        })))
    }

    /// The clock it was opened with.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn backend(&self) -> &Backend {
        &self.0.backend
    }

    /// Keeps slices from being dropped by this process until it is dropped itself.
    pub(super) fn hold_slices(&self) -> SliceHold {
        self.0.slice_holders.fetch_add(1, Ordering::Relaxed);
        SliceHold(self.clone())
    }

    pub(super) fn slices_are_held(&self) -> bool {
        self.0.slice_holders.load(Ordering::Relaxed) > 0
    }

    /// Runs `body` in one transaction and returns after its commit. `action` completes "cannot …".
    ///
    /// `body` may run more than once (a neighbour in the same group commit failed, PostgreSQL
    /// asked for a retry): it must have no effect but its statements. Returning an error undoes
    /// its statements, and so does any failed statement, even one whose error `body` ignored.
    ///
    /// # Errors
    ///
    /// The body's own error, or as `DbError`: `QueueFull` at the limit of waiting writes,
    /// `CommitUnknown` when the connection broke during the commit, `Unavailable` otherwise.
    pub async fn write<T, E, F>(&self, store: Store, action: &'static str, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'a> Fn(&'a mut Conn<'_>) -> Work<'a, T, E> + Send + Sync + 'static,
    {
        match &self.0.backend {
            Backend::Sqlite {
                ledger, telemetry, ..
            } => match store {
                Store::Ledger => ledger.writer.write(action, body).await,
                Store::Telemetry => telemetry.writer.write(action, body).await,
            },
            Backend::Postgres(stores) => stores.write(Target::Store(store), action, body).await,
        }
    }

    /// A connection to read with. Hold it for one operation, not longer: there are few.
    ///
    /// # Errors
    ///
    /// `Unavailable` when none came free in time or the database cannot be reached.
    pub async fn read(&self, store: Store, action: &'static str) -> Result<ReadConn, DbError> {
        let fault = |source| DbError::from_sqlx(action, source);
        match &self.0.backend {
            Backend::Sqlite {
                ledger, telemetry, ..
            } => {
                let readers = match store {
                    Store::Ledger => &ledger.readers,
                    Store::Telemetry => &telemetry.readers,
                };
                readers.acquire().await.map(ReadConn::Sqlite).map_err(fault)
            }
            Backend::Postgres(stores) => stores
                .pool(store)
                .acquire()
                .await
                .map(ReadConn::Postgres)
                .map_err(fault),
        }
    }

    /// How long an acknowledged ledger write takes on this disk or server: the median of a few.
    ///
    /// # Errors
    ///
    /// As [`Db::write`].
    pub async fn sync_probe(&self) -> Result<Duration, DbError> {
        const ACTION: &str = "measure the time of a commit";
        let mut spans = Vec::with_capacity(SYNC_PROBES);
        for _ in 0..SYNC_PROBES {
            let (before, now) = (self.0.clock.monotonic(), self.0.clock.now());
            self.write::<(), DbError, _>(Store::Ledger, ACTION, move |conn| {
                Box::pin(async move {
                    let text = conn.text(SYNC_PROBE);
                    on_conn!(conn, ACTION, c => {
                        sqlx::query(text).bind(now.as_micros()).execute(c).await.map(|_| ())
                    })
                })
            })
            .await?;
            spans.push(self.0.clock.monotonic().since(before));
        }
        spans.sort_unstable();
        Ok(spans[SYNC_PROBES / 2])
    }

    /// What and where the database is.
    ///
    /// # Errors
    ///
    /// As [`Db::read`].
    pub async fn describe(&self) -> Result<DbDescription, DbError> {
        let mut stores = Vec::with_capacity(2);
        for store in [Store::Ledger, Store::Telemetry] {
            let (location, schema) = self.place(store);
            let bytes = self.one::<i64>(store, "measure the database", SIZE).await?;
            let mut bytes = u64::try_from(bytes).unwrap_or(0);
            if store == Store::Telemetry {
                bytes += self.history_files_bytes();
            }
            stores.push(StoreDescription {
                store,
                location,
                bytes,
                schema,
            });
        }
        let kind = self.kind();
        let version = self
            .one(Store::Ledger, "ask the database for its version", VERSION)
            .await?;
        Ok(DbDescription {
            kind,
            version,
            stores,
        })
    }

    /// `sqlite` or `postgres`.
    pub fn kind(&self) -> &'static str {
        match self.0.backend {
            Backend::Sqlite { .. } => "sqlite",
            Backend::Postgres(_) => "postgres",
        }
    }

    /// How long commits took, per store and kind of history.
    pub fn commits(&self) -> Vec<CommitLatency> {
        self.0.commits.taken()
    }

    /// Bytes of the slices that are files of their own; on PostgreSQL the database's size has them.
    fn history_files_bytes(&self) -> u64 {
        let Backend::Sqlite { slices, .. } = &self.0.backend else {
            return 0;
        };
        let of = |history| {
            let kept = slices.list(history);
            kept.iter()
                .map(|it| slices.bytes(history, it.id))
                .sum::<u64>()
        };
        History::ALL.into_iter().map(of).sum()
    }

    fn place(&self, store: Store) -> (String, &'static str) {
        match (&self.0.backend, store) {
            (Backend::Sqlite { ledger: it, .. }, Store::Ledger)
            | (Backend::Sqlite { telemetry: it, .. }, Store::Telemetry) => {
                (it.path.display().to_string(), it.schema)
            }
            (Backend::Postgres(it), Store::Ledger) => (it.location.clone(), it.ledger_schema),
            (Backend::Postgres(it), Store::Telemetry) => (it.location.clone(), it.telemetry_schema),
        }
    }

    async fn one<T>(&self, store: Store, action: &'static str, sql: Sql) -> Result<T, DbError>
    where
        T: Send + Unpin,
        T: for<'r> sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
        T: for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
    {
        let mut held = self.read(store, action).await?;
        let mut conn = held.conn();
        let text = conn.text(sql);
        on_conn!(&mut conn, action, c => sqlx::query_scalar::<_, T>(text).fetch_one(c).await)
    }

    /// Finishes the writes that are queued, refuses new ones and closes every connection.
    pub async fn close(&self) {
        match &self.0.backend {
            Backend::Sqlite {
                ledger,
                telemetry,
                slices,
            } => {
                slices.close().await;
                telemetry.close().await;
                ledger.close().await;
            }
            Backend::Postgres(stores) => stores.close().await,
        }
    }
}

/// Whoever has it reads slices for long; see [`Db::hold_slices`].
#[derive(Debug)]
pub(super) struct SliceHold(Db);

impl Drop for SliceHold {
    fn drop(&mut self) {
        self.0.0.slice_holders.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A pooled connection for reading; goes back to its pool when dropped.
#[derive(Debug)]
pub enum ReadConn {
    /// Of a SQLite file; refuses to write.
    Sqlite(PoolConnection<Sqlite>),
    /// Of a PostgreSQL database.
    Postgres(PoolConnection<Postgres>),
}

impl ReadConn {
    /// The connection as the stores' functions take it.
    pub fn conn(&mut self) -> Conn<'_> {
        Conn::new(match self {
            Self::Sqlite(conn) => Driver::Sqlite(conn),
            Self::Postgres(conn) => Driver::Postgres(conn),
        })
    }
}

/// What [`Db::describe`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DbDescription {
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    /// The database's own version.
    pub version: String,
    /// Both stores; on PostgreSQL they share one place and one size.
    pub stores: Vec<StoreDescription>,
}

/// One store of a [`DbDescription`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreDescription {
    /// Which one.
    pub store: Store,
    /// File, or server and database (never a password).
    pub location: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Name of the newest migration.
    pub schema: &'static str,
}
