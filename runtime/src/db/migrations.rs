//! The list of schema changes, oldest first, in the spelling of each database.
//!
//! Invariant: the list and the folders under `migrations/` agree (a test compares them), and an
//! entry that has shipped is never edited: the runner refuses a changed checksum.

use super::Store;

/// One schema change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    /// File name without `.sql`: `NNNN_what`.
    pub(super) name: &'static str,
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

macro_rules! migration {
    ($store:literal, $name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/migrations/sqlite/",
                $store,
                "/",
                $name,
                ".sql"
            )),
            postgres: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/migrations/postgres/",
                $store,
                "/",
                $name,
                ".sql"
            )),
        }
    };
}

const LEDGER: &[Migration] = &[migration!("ledger", "0001_first")];
const TELEMETRY: &[Migration] = &[migration!("telemetry", "0001_first")];

/// Every migration of `store` that this binary knows, oldest first.
pub(super) const fn known(store: Store) -> &'static [Migration] {
    match store {
        Store::Ledger => LEDGER,
        Store::Telemetry => TELEMETRY,
    }
}
