//! What is done to all outcomes at once: leases given back at the start, old ones deleted, the rest
//! counted.
//!
//! Invariant: a transaction changes a bounded number of rows, however many there are.

use contract::clock::Timestamp;

use super::model::{RESUME_LEASE, RESUME_MAX, UNSETTLED_KEEP};
use super::store::{self, ROWS_MAX, Stored};
use crate::db::{Db, DbError, Store};

/// Gives claims whose lease ended a short while ago another one.
pub(super) async fn resume(db: &Db, now: Timestamp) -> Result<(), DbError> {
    let until = now + RESUME_LEASE;
    // The row of a claim ends that long after its lease.
    let ends = (now + (UNSETTLED_KEEP - RESUME_MAX), until + UNSETTLED_KEEP);
    let action = "give claims another lease";
    loop {
        let resuming = db.write::<_, DbError, _>(Store::Ledger, action, move |conn| {
            Box::pin(async move { store::resume(conn, ends, until).await })
        });
        // Fewer than the most says nothing: some may have been settled while it looked.
        if resuming.await? == 0 {
            return Ok(());
        }
    }
}

/// Deletes what has had its time.
pub(super) async fn sweep(db: &Db, now: Timestamp) -> Result<(), DbError> {
    let action = "delete outcomes whose time is over";
    loop {
        let deleting = db.write::<_, DbError, _>(Store::Ledger, action, move |conn| {
            Box::pin(async move { store::sweep(conn, now).await })
        });
        if deleting.await? < ROWS_MAX {
            return Ok(());
        }
    }
}

/// How much there is, by owner.
pub(super) async fn count(db: &Db) -> Result<Vec<Stored>, DbError> {
    let mut held = db.read(Store::Ledger, "count the outcomes").await?;
    store::count(&mut held.conn()).await
}
