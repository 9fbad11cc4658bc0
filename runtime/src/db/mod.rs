//! The store: one handle over SQLite (two files) or PostgreSQL (one database).
//!
//! ```text
//!  engine ──write(store, "verb thing", body)──▶ SQLite: one writer per file, group commit
//!                                           └─▶ PostgreSQL: own transaction, retried by error kind
//!  engine ──read(store, "verb thing")────────▶ a pooled connection, read only by convention
//! ```
//!
//! Domains write one statement and one function for both databases: static text from `sql/`
//! (`sql!`), run on whichever connection is at hand (`on_conn!`).
//!
//! Refuses unbounded queues, statements made at run time, and a schema newer than the binary.
//!
//! Invariant: a write to the ledger is acknowledged only after the database has synced it.

mod error;
mod sql;
mod conn;
mod migrations;
mod migrate;
mod opener;
mod writer;
mod sqlite;
mod postgres;
mod handle;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use conn::Conn;
pub(crate) use conn::{Driver, on_conn};
pub use error::{DbError, DbErrorKind};
pub use handle::{Database, Db, DbConfig, DbDescription, ReadConn, StoreDescription};
pub use sql::Sql;
pub(crate) use sql::sql;
pub use writer::Work;

/// The two stores, by what losing their last moments would mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Store {
    /// Work and everything it depends on: synced before it is acknowledged.
    Ledger,
    /// Traces: the last moments may be lost when the machine loses power.
    Telemetry,
}

impl Store {
    /// Lowercase name: file name on SQLite, key in the table of migrations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Telemetry => "telemetry",
        }
    }
}
