//! Logs, metrics and payloads on the handle that everybody holds.

use contract::ids::{OpId, ServiceId};

use super::engine::Telemetry;
use super::logs::{LogCursor, LogEntry, LogFilter, LogsPage, Origin};
use super::mask::MaskKeys;
use super::metrics::{MetricName, MetricQuery, MetricsPage};
use super::payloads::{Direction, Payload};
use crate::db::DbError;

impl Telemetry {
    /// Stores lines that the runtime itself writes and returns once they are committed.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`: some of the lines may have been stored.
    pub async fn log(&self, mut entries: Vec<LogEntry>) -> Result<usize, DbError> {
        for entry in &mut entries {
            entry.origin = Origin::Runtime;
        }
        self.logs().write(entries).await
    }

    /// Lines that match, newest first; `limit` 0 means the default. A page may end early when its
    /// text is long; it has a next one then.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is; `Corrupt` when a row cannot be read back.
    pub async fn query_logs(
        &self,
        filter: &LogFilter,
        limit: u32,
        cursor: Option<LogCursor>,
    ) -> Result<LogsPage, DbError> {
        self.logs().query(filter, limit, cursor).await
    }

    /// Series of a metric by labels and instance.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::query_logs`].
    pub async fn query_metrics(&self, query: &MetricQuery) -> Result<MetricsPage, DbError> {
        self.metrics().query(query).await
    }

    /// Metrics that somebody reports, by name; those of one service if one is given.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::query_logs`].
    pub async fn list_metric_names(
        &self,
        service: Option<ServiceId>,
    ) -> Result<Vec<MetricName>, DbError> {
        self.metrics().names(service).await
    }

    /// The payload of an operation that its own service attached; of an operation that is not known
    /// (yet) what any service did.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::query_logs`].
    pub async fn payload(
        &self,
        op: OpId,
        direction: Direction,
        mask_keys: &MaskKeys,
    ) -> Result<Option<Payload>, DbError> {
        let owner = self.get_operation(op).await?.map(|it| it.actor.service);
        self.payloads().get(op, direction, owner, mask_keys).await
    }
}
