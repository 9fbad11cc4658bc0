//! SQL of outcomes: one function per statement, no decisions.
//!
//! The caller holds the transaction. A body is opaque here, and so is the digest that names the
//! work.

use contract::clock::Timestamp;
use contract::ids::ServiceId;
use sqlx::FromRow;

use super::model::{Digest, Row};
use crate::db::{Conn, DbError, Sql, on_conn, sql};

const CLAIM: Sql = sql!("outcomes/claim.sql");
const FIND: Sql = sql!("outcomes/find.sql");
const RENEW: Sql = sql!("outcomes/renew.sql");
const SETTLE: Sql = sql!("outcomes/settle.sql");
const RELEASE: Sql = sql!("outcomes/release.sql");
const SWEEP: Sql = sql!("outcomes/sweep.sql");
const COUNT: Sql = sql!("outcomes/count.sql");
const RESUME: Sql = sql!("outcomes/resume.sql");

/// Rows that one statement changes at most.
pub(super) const ROWS_MAX: u64 = 1_000;
/// Owners that are told apart when outcomes are counted; services have to be made by hand.
const OWNERS_MAX: i64 = 100_000;

/// A claim to be stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewClaim {
    pub(crate) owner: ServiceId,
    pub(crate) digest: Digest,
    pub(crate) request: Digest,
    pub(crate) now: Timestamp,
    pub(crate) lease_until: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) bytes: i64,
}

/// An end of a claim.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    pub(crate) digest: Digest,
    pub(crate) epoch: i64,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) bytes: i64,
    pub(crate) expires_at: Timestamp,
}

#[derive(FromRow)]
struct StoredRow {
    request: Vec<u8>,
    lease_until_us: Option<i64>,
    body: Option<Vec<u8>>,
    expires_at_us: i64,
}

/// How much of one owner's is stored.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub(crate) struct Stored {
    /// A service's id; empty for rows that are older than owners.
    pub(crate) owner: String,
    pub(crate) entries: i64,
    pub(crate) bytes: i64,
}

/// Claims work that nobody has, or whose holder let go. Returns the epoch; `None` when somebody
/// has it.
pub(crate) async fn claim(conn: &mut Conn<'_>, claim: &NewClaim) -> Result<Option<i64>, DbError> {
    let text = conn.text(CLAIM);
    on_conn!(conn, "claim idempotent work", c => {
        sqlx::query_scalar::<_, i64>(text)
            .bind(claim.digest.as_slice())
            .bind(claim.request.as_slice())
            .bind(claim.now.as_micros())
            .bind(claim.lease_until.as_micros())
            .bind(claim.expires_at.as_micros())
            .bind(claim.bytes)
            .bind(claim.owner.to_string())
            .fetch_optional(c)
            .await
    })
}

/// The row of a piece of work.
pub(crate) async fn find(conn: &mut Conn<'_>, digest: &Digest) -> Result<Option<Row>, DbError> {
    let text = conn.text(FIND);
    let row = on_conn!(conn, "find an outcome", c => {
        sqlx::query_as::<_, StoredRow>(text)
            .bind(digest.as_slice())
            .fetch_optional(c)
            .await
    })?;
    Ok(row.map(|row| Row {
        request: row.request,
        lease_until: row.lease_until_us.map(Timestamp::from_micros),
        body: row.body,
        expires_at: Timestamp::from_micros(row.expires_at_us),
    }))
}

/// Makes a claim last until `lease_until`. False when it is not the sender's any more.
pub(crate) async fn renew(
    conn: &mut Conn<'_>,
    (digest, epoch): (&Digest, i64),
    lease_until: Timestamp,
    expires_at: Timestamp,
) -> Result<bool, DbError> {
    let text = conn.text(RENEW);
    on_conn!(conn, "renew a claim", c => {
        sqlx::query(text)
            .bind(digest.as_slice())
            .bind(epoch)
            .bind(lease_until.as_micros())
            .bind(expires_at.as_micros())
            .execute(c)
            .await
            .map(|done| done.rows_affected() > 0)
    })
}

/// Makes an outcome of a claim; doing so again does no harm. False when it is not the sender's any
/// more.
pub(crate) async fn settle(conn: &mut Conn<'_>, end: &Settlement) -> Result<bool, DbError> {
    let text = conn.text(SETTLE);
    on_conn!(conn, "store an outcome", c => {
        sqlx::query(text)
            .bind(end.digest.as_slice())
            .bind(end.epoch)
            .bind(end.body.as_deref())
            .bind(end.bytes)
            .bind(end.expires_at.as_micros())
            .execute(c)
            .await
            .map(|done| done.rows_affected() > 0)
    })
}

/// Forgets a claim. False when it is not the sender's any more.
pub(crate) async fn release(
    conn: &mut Conn<'_>,
    digest: &Digest,
    epoch: i64,
) -> Result<bool, DbError> {
    let text = conn.text(RELEASE);
    on_conn!(conn, "release a claim", c => {
        sqlx::query(text)
            .bind(digest.as_slice())
            .bind(epoch)
            .execute(c)
            .await
            .map(|done| done.rows_affected() > 0)
    })
}

/// Deletes rows whose time is over, at most [`ROWS_MAX`]. Returns how many there were.
pub(crate) async fn sweep(conn: &mut Conn<'_>, now: Timestamp) -> Result<u64, DbError> {
    let text = conn.text(SWEEP);
    on_conn!(conn, "delete outcomes whose time is over", c => {
        sqlx::query(text)
            .bind(now.as_micros())
            .bind(ROWS_MAX.cast_signed())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })
}

/// How much is stored, by owner.
pub(crate) async fn count(conn: &mut Conn<'_>) -> Result<Vec<Stored>, DbError> {
    let text = conn.text(COUNT);
    on_conn!(conn, "count the outcomes", c => {
        sqlx::query_as::<_, Stored>(text).bind(OWNERS_MAX).fetch_all(c).await
    })
}

/// Makes claims whose rows end from the first of `ends` on and before the last one last until
/// `lease_until`, their rows until the last one. Returns how many, at most [`ROWS_MAX`]; none are
/// left when it is none.
pub(crate) async fn resume(
    conn: &mut Conn<'_>,
    ends: (Timestamp, Timestamp),
    lease_until: Timestamp,
) -> Result<u64, DbError> {
    let text = conn.text(RESUME);
    on_conn!(conn, "give claims another lease", c => {
        sqlx::query(text)
            .bind(ends.0.as_micros())
            .bind(ends.1.as_micros())
            .bind(lease_until.as_micros())
            .bind(ROWS_MAX.cast_signed())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })
}
