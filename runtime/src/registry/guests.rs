//! Foreign services at the registry: admitted when they report, shown on the map, never called.
//!
//! Invariant: what a foreign service reports is kept only once its name is stored.

use std::sync::Arc;

use contract::ids::{InstanceId, ServiceId};

use super::engine::Registry;
use super::foreign::store::{self, StoredForeign};
use super::foreign::{self, Admission, Foreign, SERVICES_MAX};
use super::map::{MapInstance, MapMethod, MapService};
use crate::db::{Db, DbError, Store};

/// Why a foreign service may not report.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// There are too many names.
    #[error(
        "{SERVICES_MAX} foreign services are known already; give this one a name (service.name) that is among them"
    )]
    TooMany,
    /// Its name cannot be stored now.
    #[error(transparent)]
    Store(#[from] DbError),
}

impl Registry {
    /// Takes in a foreign service that reports; says what it is known as.
    ///
    /// # Errors
    ///
    /// [`AdmitError::TooMany`] is final for a while; [`AdmitError::Store`] is worth a repeat.
    pub async fn admit(&self, who: &Foreign) -> Result<(ServiceId, InstanceId), AdmitError> {
        let (db, clock) = (self.db(), self.clock());
        let admission = self.state().foreign.admit(who, clock.now());
        let saved = match admission {
            Admission::Known => None,
            Admission::Full => return Err(AdmitError::TooMany),
            Admission::Save(stored) => Some((stored, None)),
            Admission::Replace(stored, other) => Some((stored, Some(other))),
        };
        if let Some((stored, other)) = saved {
            save(db, stored.clone(), other).await?;
            let mut state = self.state();
            if let Some(other) = other {
                state.foreign.remove(other);
            }
            state.foreign.saved(stored);
        }
        let at = (clock.now(), clock.monotonic());
        self.state().foreign.seen(who, at);
        Ok(foreign::ids(who))
    }

    /// Notes that a foreign service serves a method; `kind` is that of the map.
    pub fn foreign_serves(&self, service: ServiceId, kind: &'static str, name: &str) {
        self.state().foreign.serves(service, kind, name);
    }

    /// Whether a service has no key and only reports.
    pub fn is_foreign(&self, service: ServiceId) -> bool {
        self.state().foreign.contains(service)
    }

    /// Whether an instance is registered, or is one of a foreign service that reports.
    pub fn is_here(&self, instance: InstanceId) -> bool {
        let now = self.clock().monotonic();
        let state = self.state();
        state.instances.contains_key(&instance) || state.foreign.is_here(instance, now)
    }

    /// The service with a key whose instance answers at `host:port`, calls or HTTP.
    pub fn serving_at(&self, address: &str) -> Option<ServiceId> {
        let state = self.state();
        let mut all = state.instances.values();
        let here = |it: &&super::model::Registration| {
            it.request.http_endpoint == address || it.request.call_endpoint == address
        };
        all.find(here).map(|it| it.service)
    }

    /// Foreign services as the map shows them.
    pub(super) fn guests(&self) -> Vec<MapService> {
        let at = (self.clock().now(), self.clock().monotonic());
        let state = self.state();
        let shown = state
            .foreign
            .shown(at, |name| state.names.contains_key(name));
        shown.into_iter().map(service).collect()
    }
}

fn service(it: foreign::Shown) -> MapService {
    let instances = it.instances.len();
    let method = |(kind, name): (&str, String)| MapMethod {
        kind: kind.to_owned(),
        name,
        contract_hash: String::new(),
        instances,
    };
    MapService {
        id: it.id.to_string(),
        name: it.name,
        status: "foreign".to_owned(),
        methods: it.methods.into_iter().map(method).collect(),
        instances: it.instances.into_iter().map(instance).collect(),
    }
}

fn instance((id, sdk): (InstanceId, String)) -> MapInstance {
    MapInstance {
        id: id.to_string(),
        status: "connected".to_owned(),
        call_endpoint: String::new(),
        http_endpoint: String::new(),
        sdk,
        unhealthy_since_unix_ms: 0,
        health: "healthy".to_owned(),
        certificate: None,
        connected_since_unix_ms: None,
    }
}

async fn save(db: &Db, stored: StoredForeign, other: Option<ServiceId>) -> Result<(), DbError> {
    const ACTION: &str = "store a foreign service";
    let stored = Arc::new(stored);
    db.write::<(), DbError, _>(Store::Telemetry, ACTION, move |conn| {
        let stored = stored.clone();
        Box::pin(async move {
            if let Some(other) = other {
                store::delete(conn, other).await?;
            }
            store::save(conn, &stored).await
        })
    })
    .await
}
