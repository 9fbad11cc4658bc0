//! What comes in by other ways than report streams: ops, logs and metrics of foreign services.
//!
//! It takes the same queue and the same limits, and answers after the commit. Unlike a service's
//! report it may speak of events: a foreign producer is not the runtime's own.
//!
//! Refuses when the queue is full or the store is away; the whole may be sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

impl Outside {
    /// Bytes that it takes in memory, about.
    fn bytes(&self) -> usize {
        let op = |it: &Frame| {
            let texts = [
                &it.subject,
                &it.business_key,
                &it.status_message,
                &it.peer_service,
                &it.peer_instance,
            ];
            let texts: usize = texts.iter().map(|it| it.len()).sum();
            size_of::<Frame>() + texts + it.meta_json.len() + it.attrs_json.len()
        };
        let line = |it: &LogEntry| size_of::<LogEntry>() + it.message.len() + it.fields_json.len();
        let point = |it: &MetricReport| {
            let label = |it: (&String, &String)| 2 * size_of::<String>() + it.0.len() + it.1.len();
            let labels: usize = it.labels.iter().map(label).sum();
            let texts = it.name.len() + it.unit.len() + it.buckets_json.len();
            size_of::<MetricReport>() + labels + texts
        };
        let ops: usize = self.ops.iter().flat_map(|it| &it.1).map(op).sum();
        let points = self.metrics.iter().flat_map(|it| &it.1).map(point);
        ops + self.logs.iter().map(line).sum::<usize>() + points.sum::<usize>()
    }
}

/// What of it was dropped on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Operations: unsound, or with the ids of one that belongs to somebody else.
    pub ops: usize,
    /// Points: unsound, or of a series that there is no room for.
    pub points: usize,
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
    /// Stores what a sender says in `bytes`, or in as many as it takes in memory if that is more; returns once it is committed, with what
    /// was dropped on purpose. Goes on when the caller stops waiting.
    ///
    /// # Errors
    ///
    /// [`OutsideError`]; some of it may have been stored, and all of it may be sent again.
    pub async fn take(&self, bytes: usize, said: Outside) -> Result<Dropped, OutsideError> {
        let bytes = bytes.max(said.bytes());
        let telemetry = self.telemetry().clone();
        let refused = Arc::new(AtomicUsize::new(0));
        let ops = refused.clone();
        let work = async move {
            let mut dropped = 0;
            let batch = |(actor, frames)| Batch { actor, frames };
            let batches: Vec<Batch> = said.ops.into_iter().map(batch).collect();
            if !batches.is_empty() {
                // What it drops it counts itself, so that it is no part of the receipt.
                let stored = telemetry.store(batches).await?;
                let dropped = stored.iter().map(|it| it.refused).sum();
                ops.store(dropped, Ordering::Relaxed);
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
        let points = receipt.await.map_err(lost)??;
        let ops = refused.load(Ordering::Relaxed);
        Ok(Dropped { ops, points })
    }
}

#[cfg(test)]
mod tests {
    use contract::clock::{Clock, Timestamp};
    use contract::ids::{IdMint, InstanceId, ServiceId};

    use super::super::logs::Level;
    use super::*;

    #[test]
    fn what_is_small_on_the_wire_weighs_what_it_takes_in_memory() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
        let mint = IdMint::seeded(1, &clock);
        let actor = Actor {
            service: ServiceId::mint(&mint),
            instance: InstanceId::mint(&mint),
        };
        let line = LogEntry::new(actor, 1, 1, Level::Info, "word");
        let report = MetricReport {
            at_ms: 1,
            name: "name".to_owned(),
            kind: None,
            labels: [("key".to_owned(), "value".to_owned())].into(),
            value: 1.0,
            unit: String::new(),
            buckets_json: vec![b' '; 100],
        };
        let said = Outside {
            logs: vec![line; 10],
            metrics: vec![(actor, vec![report; 10])],
            ..Outside::default()
        };
        let least = 10 * (size_of::<LogEntry>() + 4 + size_of::<MetricReport>() + 4 + 8 + 100);
        assert!(said.bytes() >= least, "{} of {least}", said.bytes());
        assert_eq!(Outside::default().bytes(), 0);
    }
}
