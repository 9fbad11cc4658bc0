//! Operations of an operator, over whichever door they come.

use std::path::PathBuf;
use std::sync::Arc;

use contract::clock::{Clock, Monotonic, Timestamp};
use contract::ids::ServiceId;
use contract::tls::Leaf;

use super::model::ServiceSummary;
use crate::accounts::Accounts;
use crate::db::{Db, DbError};
use crate::identity::{self, CreatedKey, Identity, Presence};
use crate::registry::{Registry, ServiceMap};
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::telemetry::Telemetry;

/// Who the audit trail names for changes from inside of the process.
const ACTOR: &str = "local";

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
    /// Who may ask.
    pub accounts: Accounts,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The question is wrong; the text says what and how to ask.
    #[error("{0}")]
    Wrong(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl AskError {
    pub(super) fn wrong(error: &dyn std::error::Error) -> Self {
        Self::Wrong(error.to_string())
    }
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
        self.create_service_by(name, ACTOR).await
    }

    pub(super) async fn create_service_by(
        &self,
        name: &str,
        actor: &str,
    ) -> Result<CreatedKey, identity::Error> {
        let created = self.0.identity.create_service(name, actor).await?;
        self.0.registry.add_service(created.service, &created.name);
        Ok(created)
    }

    /// Adds a key to a service.
    ///
    /// # Errors
    ///
    /// When the service does not exist or is revoked.
    pub async fn create_key(&self, name: &str) -> Result<CreatedKey, identity::Error> {
        self.create_key_by(name, ACTOR).await
    }

    pub(super) async fn create_key_by(
        &self,
        name: &str,
        actor: &str,
    ) -> Result<CreatedKey, identity::Error> {
        self.0.identity.create_key(name, actor).await
    }

    /// Revokes a service, ends its sessions and tells its peers.
    ///
    /// # Errors
    ///
    /// When the service does not exist or is revoked already.
    pub async fn revoke_service(&self, name: &str) -> Result<(), identity::Error> {
        self.revoke_service_by(name, ACTOR).await
    }

    pub(super) async fn revoke_service_by(
        &self,
        name: &str,
        actor: &str,
    ) -> Result<(), identity::Error> {
        let service = self.0.identity.revoke_service(name, actor).await?;
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

    /// The name of a service, or its id when nobody knows it any more.
    pub(super) fn service_name(&self, id: ServiceId) -> String {
        let name = self.0.registry.service_name(id);
        name.unwrap_or_else(|| id.to_string())
    }
}
