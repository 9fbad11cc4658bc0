//! The background sweep: gives up what vanished instances left running, begins and drops slices.
//!
//! It asks the store which instances have something running, rather than waiting to be told who
//! left, so it also finds what an earlier runtime process did not live to see.
//!
//! Invariant: an instance that was here within `telemetry.abandon_after_ms` keeps its operations.

use std::collections::HashMap;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::ids::InstanceId;

use super::engine::Telemetry;
use super::retention::{self, Ages};
use crate::db::DbError;
use crate::registry::Registry;
use crate::settings::{Settings, keys};

/// Pause between two sweeps.
const PERIOD: Duration = Duration::from_secs(5);

/// Sweeps after which every slice is asked for running operations where other processes write too.
const ASK_ALL_EVERY: u32 = 12;

/// What sweeps remember from one to the next.
#[derive(Debug, Default)]
pub(super) struct Swept {
    gone: Gone,
    ages: Ages,
    sweeps: u32,
}

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
        let mut swept = Swept::default();
        let mut beats = clock.interval(PERIOD);
        loop {
            beats.tick().await;
            let is_here = |instance| registry.is_registered(instance);
            if let Err(error) = self.sweep(&settings, &clock, is_here, &mut swept).await {
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
        swept: &mut Swept,
    ) -> Result<(), DbError> {
        // Each half is tried whatever becomes of the other.
        let kept = retention::keep(self.db(), settings, clock, &mut swept.ages).await;
        if self.db().is_shared() && swept.sweeps.is_multiple_of(ASK_ALL_EVERY) {
            self.mark_all_running();
        }
        swept.sweeps = swept.sweeps.wrapping_add(1);
        let running: Vec<InstanceId> = self.running_instances().await?.into_iter().collect();
        let patience = settings.get(keys::TELEMETRY_ABANDON_AFTER);
        let due = swept
            .gone
            .note(&running, is_here, clock.monotonic(), patience);
        if !due.is_empty() {
            let ops = self.abandon_pending(&due, clock.now()).await?;
            tracing::debug!(instances = due.len(), ops, "operations abandoned");
        }
        kept
    }
}
