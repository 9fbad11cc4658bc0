//! What comes in by other ways than report streams: ops, logs and metrics of foreign services.
//!
//! It takes the same queue and the same limits, and answers after the commit. Unlike a service's
//! report it may speak of events: a foreign producer is not the runtime's own.
//!
//! Refuses when the queue is full or the store is away; the whole may be sent again.

use super::counters::QUEUE_BYTES_MAX;
use super::engine::Batch;
use super::logs::LogEntry;
use super::metrics::MetricReport;
use super::model::{Actor, Frame};
use super::report::Reports;
use crate::db::{DbError, DbErrorKind};

/// What one sender says at once.
#[derive(Debug, Default)]
pub struct Outside {
    /// Which sending it is: equal logs and points of an earlier one are repeats.
    pub stream: u64,
    /// Operations by their actor.
    pub ops: Vec<(Actor, Vec<Frame>)>,
    /// Log lines.
    pub logs: Vec<LogEntry>,
    /// Points by their actor.
    pub metrics: Vec<(Actor, Vec<MetricReport>)>,
}

/// Why it could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The queue is full.
    #[error(
        "{} MiB of telemetry wait to be stored already; send it again later",
        QUEUE_BYTES_MAX >> 20
    )]
    Full,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl Reports {
    /// Stores what a sender says in `bytes`; returns once it is committed, with the number of
    /// points that were dropped on purpose. Goes on when the caller stops waiting.
    ///
    /// # Errors
    ///
    /// [`OutsideError`]; some of it may have been stored, and all of it may be sent again.
    pub async fn take(&self, bytes: usize, said: Outside) -> Result<usize, OutsideError> {
        let telemetry = self.telemetry().clone();
        let work = async move {
            let mut dropped = 0;
            let batch = |(actor, frames)| Batch { actor, frames };
            let batches: Vec<Batch> = said.ops.into_iter().map(batch).collect();
            if !batches.is_empty() {
                // What it drops it counts itself.
                telemetry.store(batches).await?;
            }
            if !said.logs.is_empty() {
                telemetry.logs().ingest(said.stream, said.logs).await?;
            }
            for (actor, reports) in said.metrics {
                let metrics = telemetry.metrics();
                dropped += metrics.ingest(said.stream, actor, reports).await?.refused;
            }
            Ok(dropped)
        };
        let receipt = self.run(bytes, work).map_err(|_| OutsideError::Full)?;
        let lost = |_| {
            let detail = "the task that stores it has ended";
            DbError::new(DbErrorKind::Unavailable, "store a report", detail)
        };
        Ok(receipt.await.map_err(lost)??)
    }
}
