//! PostgreSQL: one database, one transaction per write, retried when the database asks for it.
//!
//! Ledger writes are synced before they are acknowledged, telemetry writes are not
//! (`synchronous_commit`, set per transaction so that poolers do not matter).
//!
//! Refuses to guess: when the connection breaks during the commit, nobody knows whether the write
//! happened, and the caller is told exactly that.

use std::str::FromStr;
use std::time::Duration;

use contract::clock::Clock;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool, Postgres, Transaction};

use super::Store;
use super::commits::{CommitTimes, Commits};
use super::conn::{Conn, Driver, on_conn};
use super::error::{DbError, DbErrorKind};
use super::history::History;
use super::migrate::migrate;
use super::migrations::Schema;
use super::postgres_slices::PgSlices;
use super::sql::{Sql, sql};
use super::writer::{Work, run_caught};

/// Connections for the ledger, and for telemetry: apart, so that a flood of traces cannot keep
/// durable work waiting.
const LEDGER_CONNECTIONS_MAX: u32 = 12;
const TELEMETRY_CONNECTIONS_MAX: u32 = 4;

/// How long a caller waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Attempts of one write, the first included.
const ATTEMPTS_MAX: u32 = 5;

/// Pause before the second attempt; doubles each time and is jittered by half.
const BACKOFF_FIRST: Duration = Duration::from_millis(20);

/// Key of the lock that keeps two starting processes from migrating at once ("bridge" in ASCII).
const MIGRATION_LOCK: i64 = 0x6272_6964_6765;

const BEGIN_LEDGER: Sql = sql!("db/begin_ledger.postgres.sql");
const BEGIN_TELEMETRY: Sql = sql!("db/begin_telemetry.postgres.sql");
const LOCK_MIGRATIONS: Sql = sql!("db/lock_migrations.postgres.sql");

/// What is written to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    Store(Store),
    History(History),
}

impl Target {
    /// Whose connections it takes, and where its commits are counted.
    const fn of(self, commits: &Commits) -> (Store, &CommitTimes) {
        match self {
            Self::Store(store) => (store, commits.store(store)),
            Self::History(history) => (Store::Telemetry, commits.history(history)),
        }
    }
}

/// The two pools of one database.
#[derive(Debug)]
pub(super) struct PgStores {
    /// Host, port and database; never the password.
    pub(super) location: String,
    pub(super) ledger_schema: &'static str,
    pub(super) telemetry_schema: &'static str,
    ledger: PgPool,
    telemetry: PgPool,
    slices: PgSlices,
    clock: Clock,
    commits: Commits,
}

impl PgStores {
    /// Connects to the database at `url` and brings both schemas up to date.
    pub(super) async fn open(url: &str, clock: &Clock, commits: &Commits) -> Result<Self, DbError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|source| {
                let detail = "it must read postgres://USER:PASSWORD@HOST:PORT/DATABASE";
                tracing::debug!(error = %source, "database address refused");
                DbError::new(DbErrorKind::Other, "use the database address", detail)
            })?
            .application_name("bridge")
            .disable_statement_logging();
        let location = location(&options);
        let pool = |connections_max| {
            PgPoolOptions::new()
                .max_connections(connections_max)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .connect_lazy_with(options.clone())
        };
        let (ledger, telemetry) = (
            pool(LEDGER_CONNECTIONS_MAX),
            pool(TELEMETRY_CONNECTIONS_MAX),
        );
        // Straight away and not through the pool, which would wait its whole timeout for a
        // server that refuses connections.
        let first = options.connect().await.map_err(|source| {
            DbError::from_sqlx(format!("connect to PostgreSQL at {location}"), source)
        })?;
        drop(first);
        let ledger_schema = migrate_locked(&ledger, Store::Ledger.schema(), clock).await?;
        let telemetry_schema = migrate_locked(&telemetry, Store::Telemetry.schema(), clock).await?;
        for history in History::ALL {
            migrate_locked(&telemetry, history.schema(), clock).await?;
        }
        let slices = PgSlices::open(&telemetry, clock.now().as_millis()).await?;
        Ok(Self {
            location,
            ledger_schema,
            telemetry_schema,
            ledger,
            telemetry,
            slices,
            clock: clock.clone(),
            commits: commits.clone(),
        })
    }

    pub(super) const fn slices(&self) -> &PgSlices {
        &self.slices
    }

    pub(super) const fn pool(&self, store: Store) -> &PgPool {
        match store {
            Store::Ledger => &self.ledger,
            Store::Telemetry => &self.telemetry,
        }
    }

    /// Runs `body` in its own transaction, again if the database rolled it back or went away
    /// before the commit.
    pub(super) async fn write<T, E, F>(
        &self,
        target: Target,
        action: &'static str,
        body: F,
    ) -> Result<T, E>
    where
        E: From<DbError>,
        F: for<'a> Fn(&'a mut Conn<'_>) -> Work<'a, T, E> + Send + Sync,
        T: Send,
        E: Send,
    {
        let mut attempt = 1;
        loop {
            match self.attempt(target, action, &body).await {
                Attempt::Final(outcome) => return outcome,
                Attempt::Again(error) if attempt == ATTEMPTS_MAX => return Err(error),
                Attempt::Again(_) => self.clock.sleep(backoff(attempt)).await,
            }
            attempt += 1;
        }
    }

    async fn attempt<T, E, F>(
        &self,
        target: Target,
        action: &'static str,
        body: &F,
    ) -> Attempt<T, E>
    where
        E: From<DbError>,
        F: for<'a> Fn(&'a mut Conn<'_>) -> Work<'a, T, E>,
    {
        let (store, times) = target.of(&self.commits);
        let mut tx = match self.pool(store).begin_with(begin(store)).await {
            Ok(tx) => tx,
            Err(source) => return Attempt::failed(DbError::from_sqlx(action, source)),
        };
        let mut conn = Conn::new(Driver::Postgres(&mut tx));
        let outcome = run_caught(action, body, &mut conn).await;
        let failure = conn.into_failure();
        match (outcome, failure) {
            (Ok(value), None) => commit(tx, times, action)
                .await
                .map_or_else(Attempt::failed, |()| Attempt::Final(Ok(value))),
            (Ok(_), Some(failure)) => Attempt::failed(failure),
            (Err(error), Some(failure)) if failure.is_worth_another_attempt() => {
                Attempt::Again(error)
            }
            (Err(error), _) => Attempt::Final(Err(error)),
        }
    }

    pub(super) async fn close(&self) {
        self.ledger.close().await;
        self.telemetry.close().await;
    }
}

async fn migrate_locked(
    pool: &PgPool,
    schema: Schema,
    clock: &Clock,
) -> Result<&'static str, DbError> {
    let fault = |source| DbError::from_sqlx(format!("migrate the {} store", schema.name), source);
    let mut tx = pool
        .begin_with(BEGIN_LEDGER.postgres)
        .await
        .map_err(fault)?;
    let mut conn = Conn::new(Driver::Postgres(&mut tx));
    let text = conn.text(LOCK_MIGRATIONS);
    on_conn!(&mut conn, "wait for another process that migrates", c => {
        sqlx::query(text).bind(MIGRATION_LOCK).execute(c).await.map(|_| ())
    })?;
    let newest = migrate(&mut conn, schema, clock.now()).await?;
    tx.commit().await.map_err(fault)?;
    Ok(newest)
}

enum Attempt<T, E> {
    Final(Result<T, E>),
    Again(E),
}

impl<T, E: From<DbError>> Attempt<T, E> {
    fn failed(error: DbError) -> Self {
        if error.is_worth_another_attempt() {
            Self::Again(error.into())
        } else {
            Self::Final(Err(error.into()))
        }
    }
}

async fn commit(
    tx: Transaction<'_, Postgres>,
    times: &CommitTimes,
    action: &'static str,
) -> Result<(), DbError> {
    let committed = times.time(tx.commit()).await;
    committed.map_err(|source| match source {
        // The server answered: it has rolled the transaction back.
        sqlx::Error::Database(_) => DbError::from_sqlx(action, source),
        _ => DbError::commit_unknown(action, source),
    })
}

const fn begin(store: Store) -> &'static str {
    match store {
        Store::Ledger => BEGIN_LEDGER.postgres,
        Store::Telemetry => BEGIN_TELEMETRY.postgres,
    }
}

fn backoff(attempt: u32) -> Duration {
    let full = BACKOFF_FIRST.saturating_mul(1 << attempt.min(10));
    full.mul_f64(0.5 + fastrand::f64() / 2.0)
}

fn location(options: &PgConnectOptions) -> String {
    let host = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!(
        "{host}/{}",
        options.get_database().unwrap_or(options.get_username())
    )
}
