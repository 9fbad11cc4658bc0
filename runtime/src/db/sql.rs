//! Statements: static text under `sql/<domain>/`, one spelling where the two databases agree.
//!
//! Refuses text made at run time: a statement is a file, so it can be read, reviewed and prepared
//! by a test on both databases.

/// One statement in the spelling of each database.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A statement from `sql/`: `sql!("identity/find.sql")`, or, where the spelling must differ,
/// `sql!(sqlite: "telemetry/save.sqlite.sql", postgres: "telemetry/save.postgres.sql")`.
macro_rules! sql {
    (sqlite: $sqlite:literal, postgres: $postgres:literal) => {
        $crate::db::Sql {
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $sqlite)),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $postgres)),
        }
    };
    ($both:literal) => {
        $crate::db::sql!(sqlite: $both, postgres: $both)
    };
}
pub(crate) use sql;
