//! The store: one handle over SQLite (files in the data folder) or PostgreSQL (one database).
//!
//! ```text
//!  engine ──write(store, "verb thing", body)──▶ SQLite: one writer per file, group commit
//!                                           └─▶ PostgreSQL: own transaction, retried by error kind
//!  engine ──read(store, "verb thing")────────▶ a pooled connection, read only by convention
//!  engine ──write_slice, read_slice──────────▶ the same, on one slice of history
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
mod cut;
mod conn;
mod history;
mod commits;
mod migrations;
mod migrate;
mod opener;
mod writer;
mod sqlite;
mod sqlite_slices;
mod postgres_slices;
mod postgres;
mod handle;
mod slices;
pub(crate) mod bulk;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use commits::CommitLatency;
pub use conn::Conn;
pub(crate) use conn::{Driver, on_conn};
pub(crate) use cut::Cut;
pub use error::{DbError, DbErrorKind};
pub use handle::{Database, Db, DbConfig, DbDescription, ReadConn, StoreDescription};
pub use history::{History, Slice};
pub use sql::Sql;
pub(crate) use sql::sql;
pub use writer::Work;

/// The two stores, by what losing their last moments would mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Store {
    /// Work and everything it depends on: synced before it is acknowledged.
    Ledger,
    /// Around telemetry: the last moments may be lost when the machine loses power. What services
    /// report is in [`History`].
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
