//! The lists of schema changes, oldest first, in the spelling of each database.
//!
//! A list per store, and one per kind of history: on SQLite it is applied to every slice's file,
//! on PostgreSQL once, to the tables whose partitions the slices are.
//!
//! A migration only adds: tables, indexes, columns that may be null or have a default. So the binary
//! of one migration ago goes on working on what a newer one has migrated, and an upgrade can be taken
//! back by starting the old binary again. One that cannot keep to that says so in its name, which
//! ends with [`BREAKS`]; then the older binary refuses the store.
//!
//! Invariant: the lists and the folders under `migrations/` agree, and whatever takes something away
//! is called so (tests compare both). An entry that has shipped is never edited: the runner refuses a
//! changed checksum.

use super::Store;
use super::history::History;

/// How the name of a migration ends that older binaries cannot work with.
pub(super) const BREAKS: &str = "_breaks";

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

impl Schema {
    /// The same list up to and with the migration `newest`; `None` when it is not in it.
    pub(super) fn until(self, newest: &str) -> Option<Self> {
        let last = self.known.iter().position(|it| it.name == newest)?;
        Some(Self {
            known: self.known.get(..=last)?,
            ..self
        })
    }
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
            Self::Ledger => schema!(
                "ledger": "0001_first", "0002_accounts", "0003_outcomes", "0004_outcome_owners"
            ),
            Self::Telemetry => {
                schema!("telemetry": "0001_first", "0002_slices", "0003_foreign_services")
            }
        }
    }
}

impl History {
    pub(super) const fn schema(self) -> Schema {
        match self {
            Self::Ops => schema!("history/ops": "0001_first", "0002_running_breaks"),
            Self::Logs => schema!("history/logs": "0001_first"),
            Self::Metrics => schema!("history/metrics": "0001_first"),
            Self::Payloads => schema!("history/payloads": "0001_first"),
        }
    }
}
