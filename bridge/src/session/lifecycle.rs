//! What a bridge tells about itself: events for listeners, a status for probes.

use std::time::Duration;

use contract::ids::{InstanceId, ServiceId};

use crate::error::Error;

/// Who this process is in the mesh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The control session, new with every reconnect. Empty before the first welcome.
    pub session_id: String,
    /// The service the key belongs to.
    pub service_id: ServiceId,
    /// Its present name; a label that may change.
    pub service_name: String,
    /// This process.
    pub instance_id: InstanceId,
}

/// Where a bridge stands. Later ones follow earlier ones, except that a connection comes and
/// goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Not connected yet.
    #[default]
    Starting,
    /// Connected to the runtime.
    Connected,
    /// The runtime is away; direct calls go on.
    Reconnecting,
    /// Finishing what runs, taking nothing new.
    Stopping,
    /// Over.
    Stopped,
}

impl Phase {
    /// Whether calls are taken.
    pub(crate) fn serves(self) -> bool {
        matches!(self, Self::Connected | Self::Reconnecting)
    }

    pub(crate) fn is_over(self) -> bool {
        self == Self::Stopped
    }
}

/// A bridge at one moment; see [`Bridge::status`](crate::Bridge::status).
#[derive(Clone, Debug)]
pub struct Status {
    /// Where it stands.
    pub phase: Phase,
    /// Whether it takes and makes calls: what a readiness probe asks. Stays true while the
    /// runtime is away, because direct calls need no runtime.
    pub is_ready: bool,
    /// Who we are; `None` before the first connection.
    pub identity: Option<Identity>,
    /// Why it is not connected, or why it stopped.
    pub last_error: Option<Error>,
    /// Operations that were dropped because the runtime did not take them in time.
    pub operations_dropped: u64,
}

/// Something that happened to the bridge itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Lifecycle {
    /// The runtime welcomed us; once per session.
    Connected {
        /// Who we are.
        identity: Identity,
        /// Build version of the runtime.
        runtime_version: String,
    },
    /// The connection was lost or could not be made; another attempt follows.
    Reconnecting {
        /// Consecutive failures, from 1.
        attempt: u32,
        /// Until the next attempt.
        delay: Duration,
        /// Why.
        reason: Error,
    },
    /// The runtime announced that it will stop. Nothing changes until it does.
    Draining {
        /// The runtime's words.
        reason: String,
    },
    /// The bridge is over: stopped by its owner, or for the reason given.
    Disconnected {
        /// `None` after an ordinary stop.
        error: Option<Error>,
    },
    /// Policy forbids something this service declared or tried.
    PolicyViolation {
        /// `rpc.call`, `rpc.handle`, …
        declaration: String,
        /// What it was about, such as `payments/Charge`.
        value: String,
        /// Whose rule forbids it.
        deny_side: String,
        /// For people.
        reason: String,
    },
}

/// Each event once in the log, at the level it deserves.
pub(super) fn log(event: &Lifecycle) {
    match event {
        Lifecycle::Connected {
            identity,
            runtime_version,
        } => tracing::info!(
            service = %identity.service_name,
            instance = %identity.instance_id,
            session = %identity.session_id,
            runtime_version,
            "connected to the runtime"
        ),
        Lifecycle::Reconnecting {
            attempt,
            delay,
            reason,
        } => tracing::warn!(
            attempt,
            delay_ms = delay.as_millis(),
            %reason,
            "not connected to the runtime"
        ),
        Lifecycle::Draining { reason } => tracing::info!(reason, "the runtime is stopping"),
        Lifecycle::Disconnected { error: None } => tracing::info!("bridge stopped"),
        Lifecycle::Disconnected { error: Some(error) } => {
            tracing::error!(%error, "bridge stopped for good");
        }
        Lifecycle::PolicyViolation {
            declaration,
            value,
            deny_side,
            reason,
        } => {
            tracing::warn!(declaration, value, deny_side, reason, "policy violation");
        }
    }
}
