//! What a report stream does with logs, metrics and payloads: from the wire into storage.
//!
//! Each function returns once the batch is committed, with the number of items that were dropped
//! on purpose and count as such.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::clock::Clock;
use contract::grpc::v1;

use super::engine::Telemetry;
use super::mask::MaskKeys;
use super::model::Actor;
use super::payloads::Rules;
use super::wire;
use crate::db::DbError;
use crate::registry::Registry;
use crate::settings::{Settings, keys};

/// Who reports, and on which stream: a repeat is what an earlier stream brought.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) actor: Actor,
    pub(super) stream: u64,
}

/// Takes batches in. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    telemetry: Telemetry,
    settings: Settings,
    registry: Registry,
    clock: Clock,
    streams: Arc<AtomicU64>,
}

impl Intake {
    /// Into `telemetry`; schemas and instances are those of `registry`.
    pub(super) fn new(
        telemetry: &Telemetry,
        settings: &Settings,
        registry: &Registry,
        clock: &Clock,
    ) -> Self {
        telemetry.payloads().follow(registry);
        Self {
            telemetry: telemetry.clone(),
            settings: settings.clone(),
            registry: registry.clone(),
            clock: clock.clone(),
            streams: Arc::new(AtomicU64::new(1)),
        }
    }

    /// A stream that begins now.
    pub(super) fn source(&self, actor: Actor) -> Source {
        let stream = self.streams.fetch_add(1, Ordering::Relaxed);
        Source { actor, stream }
    }

    /// Log lines; none is dropped but repeats, which do not count.
    pub(super) async fn logs(&self, from: Source, batch: v1::LogBatch) -> Result<usize, DbError> {
        let now_ms = self.clock.now().as_millis();
        let service = from.actor.service;
        let is_sibling = |instance| self.registry.service_of(instance) == Some(service);
        let entry = |line| wire::log_entry(from.actor, line, now_ms, is_sibling);
        let entries: Vec<_> = batch.items.into_iter().map(entry).collect();
        let all = entries.len();
        let ingested = self.telemetry.logs().ingest(from.stream, entries).await?;
        Ok(all - ingested.lines - ingested.repeats)
    }

    /// Points of metrics; those that are not sound are dropped.
    pub(super) async fn metrics(
        &self,
        from: Source,
        batch: v1::MetricBatch,
    ) -> Result<usize, DbError> {
        let reports = batch.items.into_iter().map(wire::metric_report).collect();
        let metrics = self.telemetry.metrics();
        let ingested = metrics.ingest(from.stream, from.actor, reports).await?;
        Ok(ingested.refused)
    }

    /// Payloads; those of no operation are dropped.
    pub(super) async fn payloads(
        &self,
        from: Source,
        batch: v1::PayloadBatch,
    ) -> Result<usize, DbError> {
        let all = batch.items.len();
        let reports = batch.items.into_iter().filter_map(wire::payload_report);
        let reports: Vec<_> = reports.collect();
        let refused = all - reports.len();
        let mask_keys = self.mask_keys();
        let bytes_max = self.settings.get(keys::TELEMETRY_PAYLOAD_BYTES_MAX);
        let rules = Rules {
            mask_keys: &mask_keys,
            bytes_max: usize::try_from(bytes_max).unwrap_or(0),
        };
        let payloads = self.telemetry.payloads();
        payloads.ingest(from.actor, reports, rules).await?;
        Ok(refused)
    }

    /// Names of secrets, as they are set now.
    pub(super) fn mask_keys(&self) -> MaskKeys {
        MaskKeys::new(&self.settings.get(keys::TELEMETRY_MASK_KEYS))
    }
}
