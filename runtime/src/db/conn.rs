//! A connection of either database, and the macro that runs one body on both.
//!
//! Refuses to hide a failed statement: once one has failed inside a write, that write fails, even
//! when the code around it looks away. PostgreSQL would answer the commit of such a transaction
//! with a silent rollback, and both databases have to behave alike.

use std::fmt;

use sqlx::{PgConnection, SqliteConnection};

use super::error::DbError;
use super::sql::Sql;

/// A borrowed connection: the inside of a [write](super::Db::write) or a held
/// [read connection](super::ReadConn).
pub struct Conn<'c> {
    driver: Driver<'c>,
    failure: Option<DbError>,
}

/// The connection of one of the two drivers. Only [`on_conn!`] looks inside.
pub(crate) enum Driver<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl<'c> Conn<'c> {
    pub(super) const fn new(driver: Driver<'c>) -> Self {
        Self {
            driver,
            failure: None,
        }
    }

    pub(crate) fn driver(&mut self) -> Driver<'_> {
        match &mut self.driver {
            Driver::Sqlite(conn) => Driver::Sqlite(conn),
            Driver::Postgres(conn) => Driver::Postgres(conn),
        }
    }

    /// The spelling of `sql` that this connection's database reads.
    pub(crate) const fn text(&self, sql: Sql) -> &'static str {
        match self.driver {
            Driver::Sqlite(_) => sql.sqlite,
            Driver::Postgres(_) => sql.postgres,
        }
    }

    /// Gives a statement's error its action, and remembers it.
    pub(crate) fn settle<T>(
        &mut self,
        action: &'static str,
        outcome: Result<T, sqlx::Error>,
    ) -> Result<T, DbError> {
        outcome.map_err(|source| {
            let error = DbError::from_sqlx(action, source);
            self.failure.get_or_insert_with(|| error.clone());
            error
        })
    }

    /// The first statement that failed on this connection, if one did.
    pub(super) fn into_failure(self) -> Option<DbError> {
        self.failure
    }
}

impl fmt::Debug for Conn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.driver {
            Driver::Sqlite(_) => "Conn(sqlite)",
            Driver::Postgres(_) => "Conn(postgres)",
        })
    }
}

/// Runs `$body` with `$c` bound to the driver connection, typed for the database at hand, and
/// turns its `sqlx::Error` into a [`DbError`] that says "cannot `$action`".
macro_rules! on_conn {
    ($conn:expr, $action:expr, $c:ident => $body:expr) => {{
        let conn: &mut $crate::db::Conn<'_> = $conn;
        let outcome = match conn.driver() {
            $crate::db::Driver::Sqlite($c) => $body,
            $crate::db::Driver::Postgres($c) => $body,
        };
        conn.settle($action, outcome)
    }};
}
pub(crate) use on_conn;
