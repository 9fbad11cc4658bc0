//! What travels over the operator API, as JSON.

use serde::{Deserialize, Serialize};

/// A service to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateService {
    /// Its name.
    pub name: String,
}

/// A service with its new key. The key is shown this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServiceKeyShown {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// The key's text.
    pub key: String,
}

impl std::fmt::Debug for ServiceKeyShown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceKeyShown")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A service in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSummary {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// `active` or `revoked`.
    pub status: String,
    /// Keys that work.
    pub keys: i64,
    /// Connected or returning instances.
    pub instances: usize,
    /// Unix milliseconds.
    pub created_at_unix_ms: i64,
}

/// A setting to change.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetSetting {
    /// The new value; absent sets the default again.
    pub value: Option<String>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingSummary {
    /// Key.
    pub key: String,
    /// Present value.
    pub value: String,
    /// Value that takes effect at the next start.
    pub pending: Option<String>,
    /// Default.
    pub default: String,
    /// Allowed values.
    pub bounds: String,
    /// Meaning.
    pub doc: String,
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditLine {
    /// Unix milliseconds.
    pub at_unix_ms: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To which thing.
    pub target: String,
    /// Details.
    pub detail: serde_json::Value,
}

/// One finding of `bridge doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// `ok`, `warn` or `fail`.
    pub verdict: String,
    /// What was found, and what to do if it is not ok.
    pub detail: String,
}

/// One trace in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLine {
    /// UUID.
    pub trace_id: String,
    /// Subject of its first operation.
    pub subject: String,
    /// Service of its first operation.
    pub service: String,
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
}

/// One operation of a trace; children follow their parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// A trace as a tree in reading order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceTree {
    /// UUID.
    pub trace_id: String,
    /// Its operations, depth first.
    pub ops: Vec<TraceOp>,
    /// Whether there are more than one answer carries.
    pub truncated: bool,
}

/// Any refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong and what to do.
    pub error: String,
}
