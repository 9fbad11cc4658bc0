//! What can go wrong in the store, by what the caller can do about it.
//!
//! Refuses to leak driver types: outside `db/` and the stores nobody sees an sqlx error. The
//! driver's own words stay in the source chain and are not repeated in the text.
//!
//! Invariant: every error names the action that failed, and its kind does not depend on which of
//! the two databases was in use.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use sqlx::error::{DatabaseError, ErrorKind};

/// What the caller can do about a [`DbError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbErrorKind {
    /// The database cannot be reached, is busy, shut down or out of space: try again later.
    Unavailable,
    /// More writes are waiting than the named limit allows: shed load, then try again.
    QueueFull,
    /// A row with the same unique value exists already.
    Conflict,
    /// The connection broke during the commit: the write may or may not have happened.
    CommitUnknown,
    /// The stored bytes are damaged or cannot be read back: restore a backup.
    Corrupt,
    /// The slice of history it was about has been dropped: look elsewhere, there is no going back.
    Gone,
    /// The schema does not fit this binary: run the other version or restore a backup.
    Schema,
    /// A fault of the statement or of the code around it.
    Other,
}

impl DbErrorKind {
    const fn text(self) -> &'static str {
        match self {
            Self::Unavailable => "the database is unavailable",
            Self::QueueFull => "too many writes are waiting",
            Self::Conflict => "it exists already",
            Self::CommitUnknown => {
                "the connection broke during the commit, so the write may or may not have happened"
            }
            Self::Corrupt => "the stored data cannot be read",
            Self::Gone => "that part of the history has been dropped",
            Self::Schema => "the schema does not fit this binary",
            Self::Other => "the statement failed",
        }
    }
}

/// A failed read or write. Cheap to clone: one failed commit answers many writers.
#[derive(Clone)]
pub struct DbError(Arc<Fault>);

struct Fault {
    kind: DbErrorKind,
    action: Cow<'static, str>,
    detail: Option<String>,
    retry: bool,
    source: Option<Arc<sqlx::Error>>,
}

impl DbError {
    /// What the caller can do about it.
    pub fn kind(&self) -> DbErrorKind {
        self.0.kind
    }

    /// Whether a row with the same unique value was in the way.
    pub fn is_conflict(&self) -> bool {
        self.0.kind == DbErrorKind::Conflict
    }

    /// Whether the slice of history it was about has been dropped.
    pub fn is_gone(&self) -> bool {
        self.0.kind == DbErrorKind::Gone
    }

    /// Whether the same call may succeed later without anybody changing anything else.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            DbErrorKind::Unavailable | DbErrorKind::QueueFull
        )
    }

    /// What was being done, as in "cannot open the store".
    pub fn action(&self) -> &str {
        &self.0.action
    }

    /// An error without a driver error behind it; `detail` replaces the kind's own sentence.
    pub(crate) fn new(
        kind: DbErrorKind,
        action: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        let (action, detail) = (action.into(), Some(detail.into()));
        Self(Arc::new(Fault {
            kind,
            action,
            detail,
            retry: false,
            source: None,
        }))
    }

    /// A stored value that does not parse: somebody else wrote it, or it is damaged.
    pub(crate) fn corrupt(action: &'static str, detail: impl Into<String>) -> Self {
        Self::new(DbErrorKind::Corrupt, action, detail)
    }

    /// The write queue has reached its limit.
    pub(super) fn queue_full(action: &'static str, limit: usize) -> Self {
        let detail = format!("{limit} writes are waiting already; slow down and try again");
        Self::new(DbErrorKind::QueueFull, action, detail)
    }

    /// The slice is not, or no longer, there.
    pub(super) fn gone(action: &'static str, what: &str, slice: i64) -> Self {
        let detail = format!("slice {slice} of {what} has been dropped");
        Self::new(DbErrorKind::Gone, action, detail)
    }

    /// The database was closed while the caller waited.
    pub(super) fn closed(action: &'static str) -> Self {
        Self::new(
            DbErrorKind::Unavailable,
            action,
            "the database has been closed",
        )
    }

    /// A commit whose answer never came.
    pub(super) fn commit_unknown(action: &'static str, source: sqlx::Error) -> Self {
        let kind = DbErrorKind::CommitUnknown;
        let (action, source) = (action.into(), Some(Arc::new(source)));
        Self(Arc::new(Fault {
            kind,
            action,
            detail: None,
            retry: false,
            source,
        }))
    }

    pub(super) fn from_sqlx(action: impl Into<Cow<'static, str>>, source: sqlx::Error) -> Self {
        let (kind, retry) = classify(&source);
        let (action, source) = (action.into(), Some(Arc::new(source)));
        Self(Arc::new(Fault {
            kind,
            action,
            detail: None,
            retry,
            source,
        }))
    }

    /// The same fault as seen by one of the writers it hit.
    pub(super) fn during(&self, action: &'static str) -> Self {
        let Fault {
            kind,
            retry,
            ref detail,
            ref source,
            ..
        } = *self.0;
        let (detail, source) = (detail.clone(), source.clone());
        Self(Arc::new(Fault {
            kind,
            action: action.into(),
            detail,
            retry,
            source,
        }))
    }

    /// Whether another connection holds the lock right now (SQLite only).
    pub(super) fn is_busy(&self) -> bool {
        let code = match self.0.source.as_deref() {
            Some(sqlx::Error::Database(fault)) => fault.code().unwrap_or_default().into_owned(),
            _ => return false,
        };
        code.parse::<i32>()
            .is_ok_and(|code| code & 0xff == SQLITE_BUSY)
    }

    /// Whether running the whole transaction again is safe and likely to help: the database
    /// rolled it back itself, or the connection went away before the commit.
    pub(super) fn is_worth_another_attempt(&self) -> bool {
        self.0.retry
    }
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = self.0.detail.as_deref().unwrap_or(self.0.kind.text());
        write!(f, "cannot {}: {why}", self.0.action)
    }
}

impl fmt::Debug for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DbError")
            .field("kind", &self.0.kind)
            .field("text", &self.to_string())
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for DbError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// SQLite's primary result code for "locked by another connection".
const SQLITE_BUSY: i32 = 5;

/// Kind, and whether another attempt of the same transaction makes sense.
fn classify(error: &sqlx::Error) -> (DbErrorKind, bool) {
    match error {
        sqlx::Error::Database(fault) => classify_answer(fault.as_ref()),
        sqlx::Error::Io(_) | sqlx::Error::BeginFailed => (DbErrorKind::Unavailable, true),
        sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => (DbErrorKind::Unavailable, false),
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => (DbErrorKind::Corrupt, false),
        sqlx::Error::ColumnNotFound(_) => (DbErrorKind::Schema, false),
        _ => (DbErrorKind::Other, false),
    }
}

fn classify_answer(fault: &dyn DatabaseError) -> (DbErrorKind, bool) {
    if fault.kind() == ErrorKind::UniqueViolation {
        return (DbErrorKind::Conflict, false);
    }
    let code = fault.code().unwrap_or_default();
    match fault.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        // A row for a partition that is not there.
        Some(fault) if fault.routine() == Some("ExecFindPartition") => (DbErrorKind::Gone, false),
        Some(_) => classify_sqlstate(&code),
        None => (classify_sqlite(code.parse().unwrap_or(0)), false),
    }
}

/// PostgreSQL's five-character SQLSTATE; its first two characters are the class.
fn classify_sqlstate(code: &str) -> (DbErrorKind, bool) {
    match code {
        "40001" | "40P01" => (DbErrorKind::Unavailable, true), // serialization, deadlock
        "57P01" | "57P02" | "57P03" => (DbErrorKind::Unavailable, true), // shutting down, starting
        "55P03" => (DbErrorKind::Unavailable, false),          // lock timeout
        "42P01" | "42703" => (DbErrorKind::Schema, false),     // no such table, column
        "XX001" | "XX002" => (DbErrorKind::Corrupt, false),
        _ => match code.get(..2) {
            Some("08") => (DbErrorKind::Unavailable, true), // connection
            Some("53" | "57" | "28" | "3D") => (DbErrorKind::Unavailable, false),
            _ => (DbErrorKind::Other, false),
        },
    }
}

/// SQLite's extended result code; the low byte is the primary code.
const fn classify_sqlite(code: i32) -> DbErrorKind {
    match code & 0xff {
        // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN
        5 | 6 | 8 | 10 | 13 | 14 => DbErrorKind::Unavailable,
        11 | 26 => DbErrorKind::Corrupt, // CORRUPT, NOTADB
        17 => DbErrorKind::Schema,
        _ => DbErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_databases_own_codes() {
        assert_eq!(classify_sqlite(5), DbErrorKind::Unavailable);
        assert_eq!(
            classify_sqlite(10 | (3 << 8)),
            DbErrorKind::Unavailable,
            "extended IOERR"
        );
        assert_eq!(classify_sqlite(26), DbErrorKind::Corrupt);
        assert_eq!(classify_sqlite(1), DbErrorKind::Other);
        assert_eq!(classify_sqlstate("40001"), (DbErrorKind::Unavailable, true));
        assert_eq!(
            classify_sqlstate("53100"),
            (DbErrorKind::Unavailable, false)
        );
        assert_eq!(classify_sqlstate("42P01"), (DbErrorKind::Schema, false));
        assert_eq!(classify_sqlstate("22P02"), (DbErrorKind::Other, false));
        assert_eq!(classify_sqlstate(""), (DbErrorKind::Other, false));
    }

    #[test]
    fn the_text_names_the_action_and_leaves_the_cause_to_the_chain() {
        let error = DbError::from_sqlx("read a setting", sqlx::Error::PoolTimedOut);
        assert_eq!(
            error.to_string(),
            "cannot read a setting: the database is unavailable"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
}
