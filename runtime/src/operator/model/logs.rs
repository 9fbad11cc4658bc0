//! Logs as they are listed and followed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One line of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// Which line it is; no other has the same.
    pub id: String,
    /// Unix milliseconds.
    pub at_unix_ms: i64,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// Name of the service.
    pub service: String,
    /// Instance that wrote it.
    pub instance_id: String,
    /// `sdk`, `console` or `runtime`.
    pub source: String,
    /// What was said.
    pub message: String,
    /// With which fields, an object.
    pub fields: Value,
    /// UUID of the trace it was written in; empty outside of any.
    pub trace_id: String,
    /// UUID of the operation it was written in; empty outside of any.
    pub op_id: String,
}

/// Lines, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogsPage {
    /// Newest first.
    pub logs: Vec<LogLine>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
}
