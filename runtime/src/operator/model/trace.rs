//! Traces as they are listed, shown and followed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::LogLine;

/// One trace in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceLine {
    /// UUID.
    pub trace_id: String,
    /// Subject of its first operation.
    pub subject: String,
    /// Service of its first operation.
    pub service: String,
    /// `http`, `rpc`, `event`, `workflow`, `job` or `user`, of its first operation; empty when it
    /// is not known.
    #[serde(default)]
    pub channel: String,
    /// Unix milliseconds.
    pub started_at_unix_ms: i64,
    /// Milliseconds.
    pub duration_ms: i64,
    /// Operations in it.
    pub ops: u32,
    /// Status of the whole.
    pub status: String,
    /// Whether something in it still runs.
    pub running: bool,
    /// Operations that failed, ran out of time or were abandoned.
    #[serde(default)]
    pub errors: u32,
}

/// Traces, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TracesPage {
    /// Newest first.
    pub traces: Vec<TraceLine>,
    /// Where the next page starts; absent on the last.
    pub next: Option<String>,
}

/// One operation of a trace; children follow their parent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceOp {
    /// UUID.
    pub op_id: String,
    /// Steps below the root.
    pub depth: usize,
    /// `http`, `rpc`, `event`, `workflow`, `job` or `user`.
    pub channel: String,
    /// What was done.
    pub subject: String,
    /// Name of the service that did it.
    pub service: String,
    /// Instance that did it.
    pub instance_id: String,
    /// Name of the service it was done to, if another.
    pub peer: String,
    /// Unix milliseconds.
    pub started_at_unix_ms: i64,
    /// Milliseconds; absent while it runs.
    pub duration_ms: Option<i64>,
    /// `PENDING`, `SUCCESS`, `ERROR`, `TIMEOUT` or `ABANDONED`.
    pub status: String,
    /// Why it failed.
    pub message: String,
    /// Which attempt ended it.
    pub attempt: i32,
    /// Correlation or idempotency key; empty when it has none.
    #[serde(default)]
    pub business_key: String,
    /// Whether the trace would have ended earlier, had this one been faster.
    #[serde(default)]
    pub critical: bool,
    /// What its reporter added, an object.
    #[serde(default)]
    pub meta: Value,
    /// Its attributes, an object.
    #[serde(default)]
    pub attrs: Value,
}

/// A trace as a tree in reading order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceTree {
    /// UUID.
    pub trace_id: String,
    /// Its operations, depth first.
    pub ops: Vec<TraceOp>,
    /// Whether there are more than one answer carries.
    pub truncated: bool,
    /// What was logged in it, earliest first, if it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<LogLine>,
    /// Whether there is more in the log than one answer carries.
    #[serde(default)]
    pub logs_truncated: bool,
    /// What was sent and received, if it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payloads: Vec<PayloadShown>,
}

/// What an operation received or sent, as far as it was captured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PayloadShown {
    /// UUID of the operation.
    pub op_id: String,
    /// `in` or `out`.
    pub direction: String,
    /// Bytes before anything was cut.
    pub original_bytes: i64,
    /// Bytes that were kept.
    pub kept_bytes: usize,
    /// What the bytes mean; absent when nobody can tell.
    pub decoded: Option<Value>,
    /// The bytes as text where they are that, else in hexadecimal.
    pub raw: String,
    /// Hash of the contract they were encoded with; empty when there is none.
    pub contract_hash: String,
    /// Whether that contract is not known here, or does not fit.
    pub schema_drift: bool,
}

/// An operation that has just ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndedOp {
    /// UUID of its trace.
    pub trace_id: String,
    /// UUID.
    pub op_id: String,
    /// UUID of what it is part of; absent for a root.
    pub parent_op_id: Option<String>,
    /// `http`, `rpc`, `event`, `workflow`, `job` or `user`.
    pub channel: String,
    /// What was done.
    pub subject: String,
    /// Name of the service that did it.
    pub service: String,
    /// Instance that did it.
    pub instance_id: String,
    /// Name of the service it was done to, if another.
    pub peer: String,
    /// Correlation or idempotency key; empty when it has none.
    pub business_key: String,
    /// Unix milliseconds.
    pub started_at_unix_ms: i64,
    /// Milliseconds.
    pub duration_ms: i64,
    /// `SUCCESS`, `ERROR`, `TIMEOUT` or `ABANDONED`.
    pub status: String,
    /// Why it failed.
    pub message: String,
}

/// One line of the stream of ended operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum TailLine {
    /// An operation ended.
    Op(Box<EndedOp>),
    /// This many ended that could not be told in time.
    Missed {
        /// How many.
        count: u64,
    },
    /// Nothing ended for a while; the runtime is well.
    Quiet,
}
