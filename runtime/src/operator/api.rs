//! The routes of the operator API.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::UnixListener;
use tokio::sync::watch;

use super::engine::{ACTOR, Operator};
use super::model::{
    AuditLine, CreateService, Finding, ServiceKeyShown, ServiceSummary, SetSetting, SettingSummary,
};
use super::read::{self, Served};
use super::refusal::{Answer, Refusal};
use crate::audit;
use crate::identity::CreatedKey;

/// Serves the operator API on a bound socket until `shutdown` is ready.
pub async fn serve(
    socket: UnixListener,
    operator: Operator,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let (stop, stopped) = watch::channel(false);
    let router = Router::new()
        .route("/v1/services", get(list_services).post(create_service))
        .route("/v1/services/{name}/keys", post(create_key))
        .route("/v1/services/{name}/revoke", post(revoke_service))
        .route("/v1/settings", get(list_settings))
        .route("/v1/settings/{key}", put(set_setting))
        .route("/v1/audit", get(list_audit))
        .route("/v1/doctor", get(show_doctor))
        .merge(read::routes())
        .with_state(Served { operator, stopped });
    let shutdown = async move {
        shutdown.await;
        // Whoever follows something would hold the shutdown up for ever.
        stop.send_replace(true);
    };
    if let Err(error) = axum::serve(socket, router)
        .with_graceful_shutdown(shutdown)
        .await
    {
        tracing::error!(error = %error, "the operator socket failed");
    }
}

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
