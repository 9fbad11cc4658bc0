//! The lists of schema changes, oldest first, in the spelling of each database.
//!
//! A list per store, and one per kind of history: on SQLite it is applied to every slice's file,
//! on PostgreSQL once, to the tables whose partitions the slices are.
//!
//! Invariant: the lists and the folders under `migrations/` agree (a test compares them), and an
//! entry that has shipped is never edited: the runner refuses a changed checksum.

use super::Store;
use super::history::History;

/// One schema change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    /// File name without `.sql`: `NNNN_what`.
    pub(super) name: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

/// What one list of migrations builds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema {
    /// Key in the table of migrations, and folder under `migrations/sqlite` and `…/postgres`.
    pub(super) name: &'static str,
    /// Every migration that this binary knows, oldest first.
    pub(super) known: &'static [Migration],
}

macro_rules! schema {
    ($name:literal: $($migration:literal),+) => {
        Schema {
            name: $name,
            known: &[$(Migration {
                name: $migration,
                sqlite: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $name, "/", $migration, ".sql"
                )),
                postgres: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/", $name, "/", $migration, ".sql"
                )),
            }),+],
        }
    };
}

impl Store {
    pub(super) const fn schema(self) -> Schema {
        match self {
            Self::Ledger => schema!("ledger": "0001_first"),
            Self::Telemetry => schema!("telemetry": "0001_first", "0002_slices"),
        }
    }
}

impl History {
    pub(super) const fn schema(self) -> Schema {
        match self {
            Self::Ops => schema!("history/ops": "0001_first"),
            Self::Logs => schema!("history/logs": "0001_first"),
            Self::Metrics => schema!("history/metrics": "0001_first"),
            Self::Payloads => schema!("history/payloads": "0001_first"),
        }
    }
}
