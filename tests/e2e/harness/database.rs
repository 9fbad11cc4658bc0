//! The database of one runtime: SQLite in its data folder, or one of its own on PostgreSQL.
//!
//! `BRIDGE_TEST_POSTGRES` names a server whose user may create databases. With
//! `BRIDGE_TEST_REQUIRE_POSTGRES=1` its absence fails the test.

use std::str::FromStr as _;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

#[derive(Clone, Debug)]
pub(crate) struct Database(Option<Postgres>);

#[derive(Clone, Debug)]
struct Postgres {
    server: PgConnectOptions,
    name: String,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self(None)
    }

    /// A new one, if there is a server.
    pub(crate) async fn postgres() -> Option<Self> {
        let required = std::env::var("BRIDGE_TEST_REQUIRE_POSTGRES").is_ok_and(|it| it == "1");
        let Ok(url) = std::env::var("BRIDGE_TEST_POSTGRES") else {
            assert!(
                !required,
                "BRIDGE_TEST_POSTGRES is not set; run the tests under `cargo xtask pg`"
            );
            return None;
        };
        let server = PgConnectOptions::from_str(&url).expect("BRIDGE_TEST_POSTGRES is an address");
        let name = format!("bridge_e2e_{:016x}", fastrand::u64(..));
        admin(&server, &format!("CREATE DATABASE {name}")).await;
        Some(Self(Some(Postgres { server, name })))
    }

    pub(crate) fn url(&self) -> Option<String> {
        let Postgres { server, name } = self.0.as_ref()?;
        Some(server.clone().database(name).to_url_lossy().to_string())
    }

    pub(crate) async fn remove(&self) {
        if let Some(Postgres { server, name }) = &self.0 {
            admin(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn admin(server: &PgConnectOptions, statement: &str) {
    let mut conn = server.connect().await.expect("the test server answers");
    // Only ever a name made above.
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(&mut conn)
        .await
        .expect("the test server creates and drops databases");
    conn.close().await.expect("closes");
}
