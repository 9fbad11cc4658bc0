//! Whole stores in and out: what a backup reads and a restore fills.
//!
//! ```text
//!  Snapshot ──▶ place by place, table by table ──▶ rows of values ──▶ … ──▶ Filling
//! ```
//!
//! Values are the same on both databases, so what was read from one fills the other. Which tables a
//! store has follows from its migrations, which columns from the database itself: a new table is in
//! the next backup without anybody thinking of it. Statements are therefore made from templates
//! under `sql/bulk/`; the only names put into them are those of our own migrations.
//!
//! Refuses a store that a newer binary has migrated (its tables are not known here), columns of a
//! type it does not know, and to fill what is not empty.

mod value;
mod place;
mod tables;
mod statement;
mod snapshot;
mod filling;
mod fill_postgres;
mod fill_sqlite;
#[cfg(test)]
mod tests;

pub(crate) use filling::Filling;
pub(crate) use place::Place;
pub(crate) use snapshot::{RowSink, Snapshot};
pub(crate) use tables::{Schemas, newest_schemas};
pub(crate) use value::{Column, Kind, Row, Value, decode_rows};
