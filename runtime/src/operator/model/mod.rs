//! What travels over the operator API, as JSON. Times are unix milliseconds, spans milliseconds.

mod map;
mod logs;
mod metrics;
mod routes;
mod trace;
mod live;
mod service;
mod about;

pub use about::*;
pub use live::*;
pub use logs::*;
pub use map::*;
pub use metrics::*;
pub use routes::*;
pub use service::*;
pub use trace::*;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service to create.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateService {
    /// Its name: lower-case letters, digits, `-` and `_`, starting with a letter.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z][a-z0-9_-]{0,62}$"))]
    pub name: String,
}

/// A service with its new key. The key is shown this once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
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

/// A service that was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceRevoked {
    /// Name.
    pub name: String,
    /// `revoked`.
    pub status: String,
}

/// A service in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSetting {
    /// The new value; absent or null sets the default again.
    #[schemars(length(max = 8192))]
    pub value: Option<String>,
}

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingChanged {
    /// Key.
    pub key: String,
    /// The new value; null when it has its default again.
    pub value: Option<String>,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// The part of the key before the dot.
    pub section: String,
    /// `integer`, `switch`, `choice` or `words`.
    pub kind: String,
    /// Unit of an integer: `ms`, `bytes`, `days`; empty when it has none.
    pub unit: String,
    /// Least value of an integer.
    pub min: Option<i64>,
    /// Greatest value of an integer.
    pub max: Option<i64>,
    /// Every value of a choice.
    pub choices: Vec<String>,
    /// Whether a change waits for the next start.
    pub requires_restart: bool,
}

/// The audit trail, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditPage {
    /// Newest first.
    pub entries: Vec<AuditLine>,
    /// Where the next page starts; null on the last.
    pub next: Option<String>,
}

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditLine {
    /// UUID.
    pub id: String,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// `ok`, `warn` or `fail`.
    pub verdict: String,
    /// What was found, and what to do if it is not ok.
    pub detail: String,
}
