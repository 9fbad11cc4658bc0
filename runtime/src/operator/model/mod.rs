//! What travels over the operator API, as JSON. Times are unix milliseconds, spans milliseconds.

mod map;
mod logs;
mod metrics;
mod routes;
mod trace;

pub use logs::*;
pub use map::*;
pub use metrics::*;
pub use routes::*;
pub use trace::*;

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

/// Any refusal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong and what to do.
    pub error: String,
}
