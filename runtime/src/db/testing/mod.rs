//! Databases for tests: each test its own, on SQLite always, on PostgreSQL when there is one.
//!
//! `BRIDGE_TEST_POSTGRES` names a server whose user may create databases, as
//! `postgres://USER@HOST:PORT/postgres`. With `BRIDGE_TEST_REQUIRE_POSTGRES=1` its absence fails
//! the test instead of skipping its second half.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use contract::clock::Clock;
use contract::ids::IdMint;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tempfile::TempDir;

use super::{Database, Db, DbConfig};

/// A database of one test.
#[derive(Clone)]
pub(crate) struct TestDb {
    pub(crate) db: Db,
    pub(crate) database: Database,
    /// The machine's clock: the database itself waits on it.
    pub(crate) clock: Clock,
    pub(crate) mint: IdMint,
    /// Kept until the last clone is gone.
    _folder: Option<Arc<TempDir>>,
}

impl TestDb {
    async fn open(database: Database, folder: Option<TempDir>) -> Self {
        let clock = Clock::system();
        let config = DbConfig {
            database: database.clone(),
            clock: clock.clone(),
        };
        let db = Db::open(config).await.expect("the test database opens");
        let mint = IdMint::seeded(1, &clock);
        Self {
            db,
            database,
            clock,
            mint,
            _folder: folder.map(Arc::new),
        }
    }

    /// A second handle on the same database, as another process would have it.
    pub(crate) async fn reopen(&self) -> Result<Db, super::DbError> {
        Db::open(DbConfig {
            database: self.database.clone(),
            clock: self.clock.clone(),
        })
        .await
    }

    /// The data folder, on SQLite.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match &self.database {
            Database::Sqlite { folder } => Some(folder.clone()),
            Database::Postgres { .. } => None,
        }
    }
}

/// Runs `case` on a fresh SQLite database.
pub(crate) async fn on_sqlite<F, Fut>(case: F)
where
    F: FnOnce(TestDb) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = TempDir::new().expect("a temporary folder");
    let database = Database::Sqlite {
        folder: folder.path().to_owned(),
    };
    let t = TestDb::open(database, Some(folder)).await;
    // Held here too: a case that uses one field only would drop the folder with the rest.
    case(t.clone()).await;
    t.db.close().await;
}

/// Runs `case` on a fresh PostgreSQL database, when there is a server.
pub(crate) async fn on_postgres<F, Fut>(case: F)
where
    F: FnOnce(TestDb) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let Some(server) = server() else { return };
    let name = format!("bridge_test_{:016x}", fastrand::u64(..));
    admin(&server, &format!("CREATE DATABASE {name}")).await;
    let url = server.clone().database(&name).to_url_lossy().to_string();
    let t = TestDb::open(Database::Postgres { url }, None).await;
    let db = t.db.clone();
    // As its own task, so that a failed case still drops its database.
    let outcome = tokio::spawn(case(t)).await;
    db.close().await;
    admin(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
}

/// Runs `case` with the address of a PostgreSQL database that has nothing in it, when there is a
/// server.
pub(crate) async fn on_empty_postgres<F, Fut>(case: F)
where
    F: FnOnce(String) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let Some(server) = server() else { return };
    let name = format!("bridge_test_{:016x}", fastrand::u64(..));
    admin(&server, &format!("CREATE DATABASE {name}")).await;
    let url = server.clone().database(&name).to_url_lossy().to_string();
    let outcome = tokio::spawn(case(url)).await;
    admin(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
    if let Err(failed) = outcome {
        std::panic::resume_unwind(failed.into_panic());
    }
}

fn server() -> Option<PgConnectOptions> {
    let required = std::env::var("BRIDGE_TEST_REQUIRE_POSTGRES").is_ok_and(|it| it == "1");
    match std::env::var("BRIDGE_TEST_POSTGRES") {
        Ok(url) => {
            Some(PgConnectOptions::from_str(&url).expect("BRIDGE_TEST_POSTGRES is an address"))
        }
        Err(_) if required => {
            panic!("BRIDGE_TEST_POSTGRES is not set; run the tests under `cargo xtask pg`")
        }
        Err(_) => None,
    }
}

async fn admin(server: &PgConnectOptions, statement: &str) {
    let mut conn: PgConnection = server.connect().await.expect("the test server answers");
    // Only ever a name made above, never anything from outside.
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut conn)
        .await
        .expect("the test server creates and drops databases");
    conn.close().await.expect("closes");
}

/// Files below `folder`, as paths relative to it, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).expect("lies below").to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Tests whose body runs on SQLite and then, when there is a server, on PostgreSQL:
/// `on_both_databases! { async fn a_sentence(t: TestDb) { … } }`.
macro_rules! on_both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($t:ident: TestDb) $body:block)+) => {$(
        $(#[$meta])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            async fn case($t: $crate::db::testing::TestDb) $body
            $crate::db::testing::on_sqlite(case).await;
            $crate::db::testing::on_postgres(case).await;
        }
    )+};
}
pub(crate) use on_both_databases;
