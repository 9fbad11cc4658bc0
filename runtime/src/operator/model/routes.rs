//! HTTP routes of services, and which of them were called.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Routes of services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoutesPage {
    /// Calls are told from here on, unix milliseconds: as asked, rounded down to a step of the
    /// metric; never before the oldest that is kept.
    pub from_unix_ms: i64,
    /// Calls are told until here, unix milliseconds.
    pub until_unix_ms: i64,
    /// By name.
    pub services: Vec<ServiceRoutes>,
    /// Whether there are more services than one answer carries.
    pub truncated: bool,
}

/// Routes of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceRoutes {
    /// Name of the service.
    pub service: String,
    /// Instances that are registered.
    pub instances: usize,
    /// Names of its routes as they were registered, each once: `GET /orders/{id}`.
    pub mounted: Vec<String>,
    /// What was called, as method and template; absent when the service counts no requests.
    pub called: Option<Vec<String>>,
    /// Mounted ones of which it cannot be told, because the service has too many series.
    pub uncertain: Vec<String>,
}
