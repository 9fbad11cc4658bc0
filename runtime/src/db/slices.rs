//! History on the handle: reading, writing, adding and dropping slices.

use std::sync::Arc;

use super::Store;
use super::conn::Conn;
use super::error::{DbError, DbErrorKind};
use super::handle::{Backend, Db, ReadConn};
use super::history::{History, Slice};
use super::postgres::Target;
use super::writer::Work;

impl Db {
    /// Whether other processes may write the same history: so it is on PostgreSQL.
    pub fn is_shared(&self) -> bool {
        matches!(self.backend(), Backend::Postgres(_))
    }

    /// The slices of `history`, oldest first, from memory; at least one.
    pub fn slices(&self, history: History) -> Arc<[Slice]> {
        match self.backend() {
            Backend::Sqlite { slices, .. } => slices.list(history),
            Backend::Postgres(stores) => stores.slices().list(history),
        }
    }

    /// Runs `body` in one transaction on a slice and returns after its commit; otherwise as
    /// [`Db::write`], whose rules for `body` hold here too.
    ///
    /// # Errors
    ///
    /// As [`Db::write`], and `Gone` when the slice has been dropped.
    pub async fn write_slice<T, E, F>(
        &self,
        history: History,
        slice: i64,
        action: &'static str,
        body: F,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'a> Fn(&'a mut Conn<'_>) -> Work<'a, T, E> + Send + Sync + 'static,
    {
        match self.backend() {
            Backend::Sqlite { slices, .. } => {
                let writer = slices.writer(history, slice, action).await?;
                writer.write(action, body).await
            }
            Backend::Postgres(stores) => {
                stores.slices().find(history, slice, action).await?;
                stores.write(Target::History(history), action, body).await
            }
        }
    }

    /// A connection to read a slice with. Hold it for one operation, not longer: there are few.
    ///
    /// # Errors
    ///
    /// `Gone` when the slice has been dropped: go on with the next one. Otherwise as [`Db::read`].
    pub async fn read_slice(
        &self,
        history: History,
        slice: i64,
        action: &'static str,
    ) -> Result<ReadConn, DbError> {
        match self.backend() {
            Backend::Sqlite { slices, .. } => {
                let reader = slices.reader(history, slice, action).await?;
                Ok(ReadConn::Sqlite(reader))
            }
            Backend::Postgres(stores) => {
                stores.slices().find(history, slice, action).await?;
                self.read(Store::Telemetry, action).await
            }
        }
    }

    /// Adds a slice that begins at `from_ms`, and returns the id of the newest: of this one, or of
    /// the one that another process added at the same time.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database or the data folder is.
    pub async fn add_slice(&self, history: History, from_ms: i64) -> Result<i64, DbError> {
        match self.backend() {
            Backend::Sqlite { slices, .. } => slices.add(history, from_ms).await,
            Backend::Postgres(stores) => stores.slices().add(history, from_ms).await,
        }
    }

    /// Whether slices can be dropped now. Not on PostgreSQL while this process reads everything: a
    /// drop would wait for that reader, and every writer behind the drop.
    pub fn may_drop_slices(&self) -> bool {
        !(self.is_shared() && self.slices_are_held())
    }

    /// Drops a slice with all it holds. Readers on it finish; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// `Other` for the newest slice, which is where history goes on. `Unavailable` when it could
    /// not be dropped now: on PostgreSQL also when a long reader was in the way, and at once while
    /// [`may_drop_slices`](Self::may_drop_slices) says no.
    pub async fn drop_slice(&self, history: History, slice: i64) -> Result<(), DbError> {
        const ACTION: &str = "drop a slice of history";
        let newest = self.slices(history).last().map(|it| it.id);
        if newest == Some(slice) {
            let detail = format!("slice {slice} of {} is the newest", history.name());
            return Err(DbError::new(DbErrorKind::Other, ACTION, detail));
        }
        if !self.may_drop_slices() {
            let detail = "a backup is being taken";
            return Err(DbError::new(DbErrorKind::Unavailable, ACTION, detail));
        }
        match self.backend() {
            Backend::Sqlite { slices, .. } => slices.drop_slice(history, slice).await,
            Backend::Postgres(stores) => stores.slices().drop_slice(history, slice).await,
        }
    }

    /// Bytes a slice takes, indexes and on SQLite its write-ahead log included; 0 when it is gone.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is.
    pub async fn slice_bytes(&self, history: History, slice: i64) -> Result<u64, DbError> {
        match self.backend() {
            Backend::Sqlite { slices, .. } => Ok(slices.bytes(history, slice)),
            Backend::Postgres(stores) => stores.slices().bytes(history, slice).await,
        }
    }

    /// Looks for slices that another process added or dropped, and closes files nobody uses. The
    /// sweep of telemetry does so every few seconds.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database or the data folder is.
    pub async fn refresh_slices(&self) -> Result<(), DbError> {
        match self.backend() {
            Backend::Sqlite { slices, .. } => {
                slices.rest();
                for history in History::ALL {
                    slices.refresh(history).await?;
                }
                Ok(())
            }
            Backend::Postgres(stores) => stores.slices().refresh().await,
        }
    }
}
