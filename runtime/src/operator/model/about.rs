//! The runtime itself, in a few numbers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What runs here and how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// Version of the runtime.
    pub version: String,
    /// When it started, unix milliseconds.
    pub started_at_unix_ms: i64,
    /// Its clock now, unix milliseconds.
    pub now_unix_ms: i64,
    /// `sqlite` or `postgresql`.
    pub database: String,
    /// Services that may join.
    pub services: usize,
    /// Instances that are registered.
    pub instances: usize,
    /// How the intake of telemetry is.
    pub telemetry: TelemetryHealth,
    /// Bytes on disk by what they hold: `ledger` and `telemetry` (the stores; on PostgreSQL both
    /// are the whole database), `ops`, `logs`, `metrics`, `payloads`.
    pub sizes: BTreeMap<String, u64>,
}

/// How the intake of telemetry is; counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TelemetryHealth {
    /// 0 below half of the queue, 1 up to nine tenths, 2 above.
    pub level: u32,
    /// Bytes that wait to be stored.
    pub queue_bytes: u64,
    /// Frames of operations that were stored.
    pub frames: u64,
    /// Items that were dropped on purpose: unsound, or more than a limit allows.
    pub dropped: u64,
    /// Batches that found the queue full; their services send them again.
    pub turned_away: u64,
    /// Operations that run now.
    pub pending: u64,
    /// ENDs of operations that had been given up as abandoned.
    pub late_ends: u64,
}
