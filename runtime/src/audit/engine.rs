//! Reading the audit trail.

use uuid::Uuid;

use super::model::{PAGE_MAX, Page};
use super::store;
use crate::db::{Db, DbError, Store};

/// Entries newest first, from just before `cursor` (an entry's id), at most `limit` (1 to 500).
///
/// # Errors
///
/// `Unavailable` when the database is; `Corrupt` when an entry cannot be read back.
pub async fn list(db: &Db, limit: u32, cursor: Option<Uuid>) -> Result<Page, DbError> {
    let limit = limit.clamp(1, PAGE_MAX);
    let mut held = db.read(Store::Ledger, "list the audit trail").await?;
    let entries = store::list(&mut held.conn(), i64::from(limit), cursor).await?;
    let full = entries.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let next = entries.last().filter(|_| full).map(|last| last.id);
    Ok(Page { entries, next })
}
