//! Slices of history on PostgreSQL: partitions, and a catalog that several processes share.
//!
//! The functions that a migration of the telemetry store installs do the work in one transaction
//! each; here they are called, and their outcome is remembered.
//!
//! Invariant: what is remembered is only ever a reason to look again, never to give up: a slice
//! that is not known is looked up before it counts as gone.

use std::sync::Arc;

use parking_lot::RwLock;
use sqlx::{FromRow, PgPool};

use super::error::{DbError, DbErrorKind};
use super::history::{History, Slice};
use super::sql::{Sql, sql};

/// Slices read back, over all kinds; far above what retention leaves.
const SLICES_MAX: i64 = 100_000;

const LIST: Sql =
    sql!(sqlite: "db/list_slices.postgres.sql", postgres: "db/list_slices.postgres.sql");
const ADD: Sql = sql!(sqlite: "db/add_slice.postgres.sql", postgres: "db/add_slice.postgres.sql");
const DROP: Sql =
    sql!(sqlite: "db/drop_slice.postgres.sql", postgres: "db/drop_slice.postgres.sql");
const BYTES: Sql =
    sql!(sqlite: "db/slice_bytes.postgres.sql", postgres: "db/slice_bytes.postgres.sql");

/// The slices of all kinds.
#[derive(Debug)]
pub(super) struct PgSlices {
    pool: PgPool,
    kinds: [RwLock<Arc<[Slice]>>; History::ALL.len()],
}

#[derive(FromRow)]
struct SliceRow {
    kind: String,
    id: i64,
    from_ms: i64,
}

impl PgSlices {
    /// Reads the catalog and gives every kind its first slice, which begins at `now_ms`.
    pub(super) async fn open(pool: &PgPool, now_ms: i64) -> Result<Self, DbError> {
        let slices = Self {
            pool: pool.clone(),
            kinds: std::array::from_fn(|_| RwLock::new(Arc::new([]) as Arc<[Slice]>)),
        };
        slices.refresh().await?;
        for history in History::ALL {
            if slices.list(history).is_empty() {
                slices.add(history, now_ms).await?;
            }
        }
        Ok(slices)
    }

    pub(super) fn list(&self, history: History) -> Arc<[Slice]> {
        self.kinds[history.index()].read().clone()
    }

    /// Reads the catalog again: slices that another process added or dropped.
    pub(super) async fn refresh(&self) -> Result<(), DbError> {
        let rows = sqlx::query_as::<_, SliceRow>(LIST.postgres)
            .bind(SLICES_MAX)
            .fetch_all(&self.pool)
            .await
            .map_err(|source| DbError::from_sqlx("list the slices of history", source))?;
        for history in History::ALL {
            let rows = rows.iter().filter(|it| it.kind == history.name());
            let slice = |row: &SliceRow| Slice {
                id: row.id,
                from_ms: row.from_ms,
            };
            *self.kinds[history.index()].write() = rows.map(slice).collect();
        }
        Ok(())
    }

    /// Whether a slice is there, after looking again if it is not known.
    pub(super) async fn find(
        &self,
        history: History,
        id: i64,
        action: &'static str,
    ) -> Result<(), DbError> {
        let is_known = || self.list(history).iter().any(|it| it.id == id);
        if is_known() {
            return Ok(());
        }
        self.refresh().await?;
        if is_known() {
            return Ok(());
        }
        Err(DbError::gone(action, history.name(), id))
    }

    /// Adds a slice unless another process was faster; either way the newest is returned.
    pub(super) async fn add(&self, history: History, from_ms: i64) -> Result<i64, DbError> {
        const ACTION: &str = "add a slice of history";
        let id = self.list(history).last().map_or(1, |newest| newest.id + 1);
        sqlx::query_scalar::<_, bool>(ADD.postgres)
            .bind(history.name())
            .bind(id)
            .bind(from_ms)
            .fetch_one(&self.pool)
            .await
            .map_err(|source| DbError::from_sqlx(ACTION, source))?;
        self.refresh().await?;
        let newest = self.list(history).last().map(|newest| newest.id);
        newest.ok_or_else(|| DbError::new(DbErrorKind::Other, ACTION, "the catalog is empty"))
    }

    pub(super) async fn drop_slice(&self, history: History, id: i64) -> Result<(), DbError> {
        sqlx::query(DROP.postgres)
            .bind(history.name())
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(|source| DbError::from_sqlx("drop a slice of history", source))?;
        let mut kind = self.kinds[history.index()].write();
        *kind = kind.iter().copied().filter(|it| it.id != id).collect();
        Ok(())
    }

    pub(super) async fn bytes(&self, history: History, id: i64) -> Result<u64, DbError> {
        let bytes = sqlx::query_scalar::<_, i64>(BYTES.postgres)
            .bind(history.name())
            .bind(id)
            .fetch_one(&self.pool)
            .await
            .map_err(|source| DbError::from_sqlx("measure a slice of history", source))?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }
}
