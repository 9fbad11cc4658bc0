//! Operations of an operator, over whichever door they come.

use std::path::PathBuf;
use std::sync::Arc;

use contract::clock::{Clock, Monotonic, Timestamp};
use contract::tls::Leaf;
use serde::Deserialize;

use super::model::ServiceSummary;
use crate::db::Db;
use crate::identity::{self, CreatedKey, Identity, Presence};
use crate::registry::{Registry, ServiceMap};
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::telemetry::Telemetry;

/// Who the audit trail names for changes over the socket.
pub(super) const ACTOR: &str = "local";

/// What the operator API works on.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Data folder.
    pub data: PathBuf,
    /// Store.
    pub db: Db,
    /// Time.
    pub clock: Clock,
    /// Wall and monotonic time at start.
    pub started: (Timestamp, Monotonic),
    /// Settings.
    pub settings: Settings,
    /// Services and keys.
    pub identity: Identity,
    /// Who is here.
    pub presence: Presence,
    /// Who serves what.
    pub registry: Registry,
    /// Traces.
    pub telemetry: Telemetry,
    /// Background tasks.
    pub tasks: Tasks,
    /// The runtime's certificate.
    pub leaf: Leaf,
}

/// The operator API's operations, also for a runtime inside the caller's process.
#[derive(Clone, Debug)]
pub struct Operator(Arc<Parts>);

impl Operator {
    /// Joins the parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0
    }

    /// Creates a service and its first key.
    ///
    /// # Errors
    ///
    /// When the name is taken or not allowed.
    pub async fn create_service(&self, name: &str) -> Result<CreatedKey, identity::Error> {
        let created = self.0.identity.create_service(name, ACTOR).await?;
        self.0.registry.add_service(created.service, &created.name);
        Ok(created)
    }

    /// Adds a key to a service.
    ///
    /// # Errors
    ///
    /// When the service does not exist or is revoked.
    pub async fn create_key(&self, name: &str) -> Result<CreatedKey, identity::Error> {
        self.0.identity.create_key(name, ACTOR).await
    }

    /// Revokes a service, ends its sessions and tells its peers.
    ///
    /// # Errors
    ///
    /// When the service does not exist or is revoked already.
    pub async fn revoke_service(&self, name: &str) -> Result<(), identity::Error> {
        let service = self.0.identity.revoke_service(name, ACTOR).await?;
        self.0.registry.revoke(service).await;
        Ok(())
    }

    /// Every service.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn services(&self) -> Result<Vec<ServiceSummary>, identity::Error> {
        let map = self.0.registry.map();
        let instances = |id: &str| {
            map.services
                .iter()
                .find(|it| it.id == id)
                .map_or(0, |it| it.instances.len())
        };
        let summary = |it: identity::ServiceView| ServiceSummary {
            instances: instances(&it.id.to_string()),
            id: it.id.to_string(),
            name: it.name,
            status: if it.revoked_at.is_some() {
                "revoked"
            } else {
                "active"
            }
            .to_owned(),
            keys: it.keys,
            created_at_unix_ms: it.created_at.as_millis(),
        };
        Ok(self
            .0
            .identity
            .services()
            .await?
            .into_iter()
            .map(summary)
            .collect())
    }

    /// The service map.
    pub fn map(&self) -> ServiceMap {
        self.0.registry.map()
    }
}

/// Which traces to list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TraceQuery {
    /// Most traces to return; 50 when absent, 500 at most.
    pub limit: Option<u32>,
    /// Part of a subject or business key.
    pub text: Option<String>,
    /// Name of a service that took part.
    pub service: Option<String>,
    /// Only traces with an error.
    pub failed: bool,
}
