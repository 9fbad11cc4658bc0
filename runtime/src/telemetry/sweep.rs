//! The background sweep: gives up what vanished instances left running, deletes what is too old.
//!
//! It asks the store which instances have something running, rather than waiting to be told who
//! left, so it also finds what an earlier runtime process did not live to see.
//!
//! Invariant: an instance that was here within `telemetry.abandon_after_ms` keeps its operations.

use std::collections::HashMap;
use std::time::Duration;

use contract::clock::{Clock, Monotonic, Timestamp};
use contract::ids::InstanceId;

use super::engine::Telemetry;
use crate::db::DbError;
use crate::registry::Registry;
use crate::settings::{Settings, keys};

/// Pause between two sweeps.
const PERIOD: Duration = Duration::from_secs(5);

/// Instances with something running that are looked at per page.
const PAGE: u32 = 1_000;

/// Since when the instances with something running have not been here.
#[derive(Debug, Default)]
pub(super) struct Gone(HashMap<InstanceId, Monotonic>);

impl Gone {
    /// Notes who of `running` is not here, forgets everybody else, and returns who has been gone
    /// for `patience`.
    pub(super) fn note(
        &mut self,
        running: &[InstanceId],
        is_here: impl Fn(InstanceId) -> bool,
        now: Monotonic,
        patience: Duration,
    ) -> Vec<InstanceId> {
        let absent = running
            .iter()
            .copied()
            .filter(|instance| !is_here(*instance));
        let since = |instance| (instance, self.0.get(&instance).copied().unwrap_or(now));
        self.0 = absent.map(since).collect();
        let due = self
            .0
            .iter()
            .filter(|(_, since)| now.since(**since) >= patience);
        due.map(|(instance, _)| *instance).collect()
    }
}

impl Telemetry {
    /// Sweeps for ever; run it as a background task.
    pub async fn sweep_for_ever(self, clock: Clock, settings: Settings, registry: Registry) {
        let mut gone = Gone::default();
        let mut beats = clock.interval(PERIOD);
        loop {
            beats.tick().await;
            let is_here = |instance| registry.is_registered(instance);
            if let Err(error) = self.sweep(&settings, &clock, is_here, &mut gone).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "the telemetry sweep failed; the next one makes up for it"
                );
            }
        }
    }

    /// One sweep. `is_here` tells whether an instance is registered.
    pub(super) async fn sweep(
        &self,
        settings: &Settings,
        clock: &Clock,
        is_here: impl Fn(InstanceId) -> bool + Send,
        gone: &mut Gone,
    ) -> Result<(), DbError> {
        let running = self.running_instances().await?;
        let patience = settings.get(keys::TELEMETRY_ABANDON_AFTER);
        let due = gone.note(&running, is_here, clock.monotonic(), patience);
        if !due.is_empty() {
            let ops = self.abandon_pending(&due, clock.now()).await?;
            tracing::debug!(instances = due.len(), ops, "operations abandoned");
        }
        let keep = settings.get(keys::TELEMETRY_OPS_RETENTION);
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let before_ms = clock.now().as_millis().saturating_sub(keep_ms);
        self.prune(Timestamp::from_millis(before_ms)).await?;
        Ok(())
    }

    async fn running_instances(&self) -> Result<Vec<InstanceId>, DbError> {
        let mut all = Vec::new();
        loop {
            let page = self.running_page(all.last().copied(), PAGE).await?;
            let full = page.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
            all.extend(page);
            if !full {
                return Ok(all);
            }
        }
    }
}
