//! What a backup says about itself: at its beginning what it is, at its end what it holds.

use serde::{Deserialize, Serialize};

use crate::db::bulk::{Column, Place, Schemas};

/// The format this binary writes, and the newest it reads.
pub(super) const FORMAT: u32 = 1;

/// Whether the certificate authority is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Its certificate and private key are.
    Included,
    /// The operator brought it (`--ca-cert`, `--ca-key`) and keeps it.
    External,
}

/// The beginning of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    /// Version of the runtime that took it.
    pub(crate) bridge: String,
    /// Everything acknowledged before this is inside, unix milliseconds.
    pub(crate) taken_at_unix_ms: i64,
    /// `sqlite` or `postgres`.
    pub(crate) database: String,
    /// Newest migration of each schema.
    pub(crate) schemas: Schemas,
    /// Whether telemetry is inside.
    pub(crate) telemetry: bool,
    /// Whether the authority is.
    pub(crate) authority: Authority,
}

/// The beginning of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TableHead {
    /// Where it is.
    pub(crate) place: Place,
    /// Its name.
    pub(crate) table: String,
    /// What each row holds.
    pub(crate) columns: Vec<Column>,
}

impl TableHead {
    /// For messages.
    pub(super) fn name(&self) -> String {
        format!("`{}` of {}", self.table, self.place)
    }
}

/// How much there is of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCount {
    /// Store, or kind and number of a slice.
    pub place: String,
    /// Name of the table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// Their bytes in the backup.
    pub bytes: u64,
}

/// What a whole backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Tables in their order.
    pub tables: Vec<TableCount>,
    /// Files: certificate and key of the authority.
    pub files: Vec<String>,
}

impl Contents {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|it| it.rows).sum()
    }

    /// Rows of one table over all its places.
    pub fn rows_of(&self, table: &str) -> u64 {
        let of = self.tables.iter().filter(|it| it.table == table);
        of.map(|it| it.rows).sum()
    }
}
