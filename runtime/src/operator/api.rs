//! The routes of the operator API.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use contract::clock::{Clock, Monotonic, Timestamp};
use contract::tls::Leaf;
use serde::Deserialize;
use tokio::net::UnixListener;

use super::model::{
    AuditLine, CreateService, Finding, Problem, ServiceKeyShown, ServiceSummary, SetSetting,
    SettingSummary, TraceLine, TraceTree,
};
use super::{doctor, trace};
use crate::audit;
use crate::db::{Db, DbError};
use crate::identity::{self, CreatedKey, Identity, Presence};
use crate::registry::{Registry, ServiceMap};
use crate::settings::{Settings, SettingsError};
use crate::tasks::Tasks;
use crate::telemetry::Telemetry;

/// Who the audit trail names for changes over the socket.
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

    /// The newest traces.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn traces(&self, filter: &TraceQuery) -> Result<Vec<TraceLine>, DbError> {
        trace::list(self, filter).await
    }

    /// One trace as a tree; `None` when nothing of it is known.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn trace(&self, id: &str) -> Result<Option<TraceTree>, DbError> {
        trace::show(self, id).await
    }

    /// What is well and what is not.
    pub async fn doctor(&self) -> Vec<Finding> {
        doctor::examine(self).await
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

/// Serves the operator API on a bound socket until `shutdown` is ready.
pub async fn serve(
    socket: UnixListener,
    operator: Operator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let router = Router::new()
        .route("/v1/services", get(list_services).post(create_service))
        .route("/v1/services/{name}/keys", post(create_key))
        .route("/v1/services/{name}/revoke", post(revoke_service))
        .route("/v1/map", get(show_map))
        .route("/v1/traces", get(list_traces))
        .route("/v1/traces/{id}", get(show_trace))
        .route("/v1/settings", get(list_settings))
        .route("/v1/settings/{key}", put(set_setting))
        .route("/v1/audit", get(list_audit))
        .route("/v1/doctor", get(show_doctor))
        .with_state(operator);
    if let Err(error) = axum::serve(socket, router)
        .with_graceful_shutdown(shutdown)
        .await
    {
        tracing::error!(error = %error, "the operator socket failed");
    }
}

/// A refusal as the API answers it.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(Problem { error: self.1 })).into_response()
    }
}

impl From<identity::Error> for Refusal {
    fn from(error: identity::Error) -> Self {
        let status = match &error {
            identity::Error::NoService(_) => StatusCode::NOT_FOUND,
            identity::Error::NameTaken(_) | identity::Error::RevokedService(_) => {
                StatusCode::CONFLICT
            }
            identity::Error::Name(_) => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, doctor::chain(&error))
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, doctor::chain(&error))
    }
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        let status = match &error {
            SettingsError::Unknown { .. } => StatusCode::NOT_FOUND,
            SettingsError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            SettingsError::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, doctor::chain(&error))
    }
}

type Answer<T> = Result<Json<T>, Refusal>;

async fn list_services(State(operator): State<Operator>) -> Answer<Vec<ServiceSummary>> {
    Ok(Json(operator.services().await?))
}

async fn create_service(
    State(operator): State<Operator>,
    Json(wanted): Json<CreateService>,
) -> Result<(StatusCode, Json<ServiceKeyShown>), Refusal> {
    Ok((
        StatusCode::CREATED,
        shown(operator.create_service(&wanted.name).await?),
    ))
}

async fn create_key(
    State(operator): State<Operator>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<ServiceKeyShown>), Refusal> {
    Ok((
        StatusCode::CREATED,
        shown(operator.create_key(&name).await?),
    ))
}

fn shown(created: CreatedKey) -> Json<ServiceKeyShown> {
    Json(ServiceKeyShown {
        id: created.service.to_string(),
        name: created.name,
        key: created.key,
    })
}

async fn revoke_service(
    State(operator): State<Operator>,
    Path(name): Path<String>,
) -> Answer<serde_json::Value> {
    operator.revoke_service(&name).await?;
    Ok(Json(
        serde_json::json!({ "name": name, "status": "revoked" }),
    ))
}

async fn show_map(State(operator): State<Operator>) -> Json<ServiceMap> {
    Json(operator.map())
}

async fn list_traces(
    State(operator): State<Operator>,
    Query(query): Query<TraceQuery>,
) -> Answer<Vec<TraceLine>> {
    Ok(Json(operator.traces(&query).await?))
}

async fn show_trace(State(operator): State<Operator>, Path(id): Path<String>) -> Answer<TraceTree> {
    let found = operator.trace(&id).await?;
    let missing = || {
        let text = format!("trace {id} is not known; `bridge trace list` shows the newest");
        Refusal(StatusCode::NOT_FOUND, text)
    };
    found.map(Json).ok_or_else(missing)
}

async fn list_settings(State(operator): State<Operator>) -> Json<Vec<SettingSummary>> {
    let summary = |it: crate::settings::SettingView| SettingSummary {
        key: it.setting.key.to_owned(),
        value: it.value.to_string(),
        pending: it.pending.map(|value| value.to_string()),
        default: it.setting.default().to_string(),
        bounds: it.setting.bounds(),
        doc: it.setting.doc.to_owned(),
    };
    Json(
        operator
            .parts()
            .settings
            .list()
            .into_iter()
            .map(summary)
            .collect(),
    )
}

async fn set_setting(
    State(operator): State<Operator>,
    Path(key): Path<String>,
    Json(wanted): Json<SetSetting>,
) -> Answer<serde_json::Value> {
    let settings = &operator.parts().settings;
    let value = match &wanted.value {
        Some(text) => Some(settings.set(&key, text, ACTOR).await?.to_string()),
        None => {
            settings.reset(&key, ACTOR).await?;
            None
        }
    };
    Ok(Json(serde_json::json!({ "key": key, "value": value })))
}

#[derive(Deserialize)]
struct AuditQuery {
    limit: Option<u32>,
}

async fn list_audit(
    State(operator): State<Operator>,
    Query(query): Query<AuditQuery>,
) -> Answer<Vec<AuditLine>> {
    let page = audit::list(&operator.parts().db, query.limit.unwrap_or(50), None).await?;
    let line = |it: audit::Entry| AuditLine {
        at_unix_ms: it.at.as_millis(),
        actor: it.actor,
        action: it.action,
        target: it.target,
        detail: it.detail,
    };
    Ok(Json(page.entries.into_iter().map(line).collect()))
}

async fn show_doctor(State(operator): State<Operator>) -> Json<Vec<Finding>> {
    Json(operator.doctor().await)
}
