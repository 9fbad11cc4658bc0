//! The routes that change something: services, their keys, settings; and the trail they leave.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

use super::engine::{AskError, Operator};
use super::model::{
    AuditLine, AuditPage, CreateService, KeyRevoked, ServiceKeyShown, ServiceRevoked,
    ServiceSummary, SetSetting, SettingChanged, SettingSummary,
};
use crate::accounts::Caller;
use crate::audit;
use crate::identity::CreatedKey;
use crate::problem::Problem;
use crate::rest::{Api, Ask, Body, Made, NoBody, Nothing, Shown, get, post, put};

/// Entries of a page of the audit trail when no limit is asked for.
const AUDIT_DEFAULT: u32 = 50;

pub(super) fn routes(operator: &Operator) -> Api {
    let services = ("services", operator);
    let settings = ("settings", operator);
    let taken = [StatusCode::CONFLICT];
    Api::new()
        .add(
            services,
            get("list_services", "/services", "Every service, by name."),
            list_services,
        )
        .add(
            services,
            post(
                "create_service",
                "/services",
                "Creates a service and its first key.\nThe key is shown this once. 409 when the name is taken.",
            )
            .refuses(&taken)
            ,
            create_service,
        )
        .add(
            services,
            post(
                "create_key",
                "/services/{name}/keys",
                "Adds a key to a service.\nThe key is shown this once. 409 when the service is revoked.",
            )
            .refuses(&taken)
            ,
            create_key,
        )
        .add(
            services,
            post(
                "revoke_service",
                "/services/{name}/revoke",
                "Revokes a service for good.\nIts keys stop working, its sessions end, its peers are told.",
            )
            .refuses(&taken)
            ,
            revoke_service,
        )
        .add(
            services,
            post(
                "revoke_key",
                "/services/{name}/keys/{id}/revoke",
                "Revokes one key of a service.\nNobody joins with it again; instances that did stay.",
            )
            .refuses(&taken)
            ,
            revoke_key,
        )
        .add(
            settings,
            get("list_settings", "/settings", "Every setting, by section."),
            list_settings,
        )
        .add(
            settings,
            put("set_setting", "/settings/{key}", "Sets a setting, or its default again."),
            set_setting,
        )
        .add(
            settings,
            get("list_audit", "/audit", "Who changed what, newest first."),
            list_audit,
        )
}

/// A service by its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceNamed {
    /// Name of the service.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z][a-z0-9_-]{0,62}$"))]
    pub(super) name: String,
}

/// A setting by its key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SettingNamed {
    /// Key of the setting: `section.name`.
    #[schemars(length(min = 1, max = 100))]
    key: String,
}

/// The name of whoever asks, for the audit trail.
fn actor<P, Q, B>(ask: &Ask<P, Q, B>) -> Result<&str, Problem> {
    let caller = ask.parts.extensions.get::<Caller>();
    let nobody = || Problem::new(StatusCode::UNAUTHORIZED, "log in, or send an API token");
    caller.map(|it| &*it.name).ok_or_else(nobody)
}

async fn list_services(
    operator: Operator,
    _: Ask<Nothing, Nothing, NoBody>,
) -> Result<Shown<Vec<ServiceSummary>>, Problem> {
    Ok(Shown(operator.services().await?))
}

async fn create_service(
    operator: Operator,
    ask: Ask<Nothing, Nothing, Body<CreateService>>,
) -> Result<Made<ServiceKeyShown>, Problem> {
    let name = &ask.body.0.name;
    let made = operator.create_service_by(name, actor(&ask)?).await?;
    Ok(Made(shown(made)))
}

async fn create_key(
    operator: Operator,
    ask: Ask<ServiceNamed, Nothing, NoBody>,
) -> Result<Made<ServiceKeyShown>, Problem> {
    let made = operator.create_key_by(&ask.path.name, actor(&ask)?).await?;
    Ok(Made(shown(made)))
}

fn shown(created: CreatedKey) -> ServiceKeyShown {
    ServiceKeyShown {
        id: created.service.to_string(),
        name: created.name,
        key: created.key,
    }
}

async fn revoke_service(
    operator: Operator,
    ask: Ask<ServiceNamed, Nothing, NoBody>,
) -> Result<Shown<ServiceRevoked>, Problem> {
    operator
        .revoke_service_by(&ask.path.name, actor(&ask)?)
        .await?;
    Ok(Shown(ServiceRevoked {
        name: ask.path.name,
        status: "revoked".to_owned(),
    }))
}

/// A key of a service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyNamed {
    /// Name of the service.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z][a-z0-9_-]{0,62}$"))]
    name: String,
    /// Id of the key, hexadecimal.
    #[schemars(length(min = 2, max = 64), regex(pattern = r"^[0-9a-f]+$"))]
    id: String,
}

async fn revoke_key(
    operator: Operator,
    ask: Ask<KeyNamed, Nothing, NoBody>,
) -> Result<Shown<KeyRevoked>, Problem> {
    let (name, id) = (&ask.path.name, &ask.path.id);
    let identity = &operator.parts().identity;
    identity.revoke_key(name, id, actor(&ask)?).await?;
    Ok(Shown(KeyRevoked {
        id: ask.path.id,
        status: "revoked".to_owned(),
    }))
}

async fn list_settings(
    operator: Operator,
    _: Ask<Nothing, Nothing, NoBody>,
) -> Result<Shown<Vec<SettingSummary>>, Problem> {
    let settings = operator.parts().settings.list().into_iter();
    Ok(Shown(settings.map(summary).collect()))
}

fn summary(it: crate::settings::SettingView) -> SettingSummary {
    let limits = it.setting.limits();
    SettingSummary {
        key: it.setting.key.to_owned(),
        value: it.value.to_string(),
        pending: it.pending.map(|value| value.to_string()),
        default: it.setting.default().to_string(),
        bounds: it.setting.bounds(),
        doc: it.setting.doc.trim().to_owned(),
        section: it.setting.section().to_owned(),
        kind: it.setting.type_name().to_owned(),
        unit: limits.unit.to_owned(),
        min: limits.min,
        max: limits.max,
        choices: limits.choices.iter().map(|it| (*it).to_owned()).collect(),
        requires_restart: it.setting.needs_restart,
    }
}

async fn set_setting(
    operator: Operator,
    ask: Ask<SettingNamed, Nothing, Body<SetSetting>>,
) -> Result<Shown<SettingChanged>, Problem> {
    let settings = &operator.parts().settings;
    let actor = actor(&ask)?;
    let key = &ask.path.key;
    let value = match &ask.body.0.value {
        Some(text) => Some(settings.set(key, text, actor).await?.to_string()),
        None => {
            settings.reset(key, actor).await?;
            None
        }
    };
    let key = ask.path.key;
    Ok(Shown(SettingChanged { key, value }))
}

/// Which part of the audit trail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Most entries to return; 50 when absent.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// Where an earlier page said that the next one starts.
    #[schemars(
        length(max = 36),
        regex(pattern = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
    )]
    cursor: Option<String>,
}

async fn list_audit(
    operator: Operator,
    ask: Ask<Nothing, AuditQuery, NoBody>,
) -> Result<Shown<AuditPage>, Problem> {
    let cursor = ask.query.cursor.as_deref().map(|text| {
        // Only the one spelling that was given out.
        let id = Uuid::try_parse(text)
            .ok()
            .filter(|it| it.to_string() == text);
        let wrong = "the cursor is not one that an earlier page returned; start again without one";
        id.ok_or_else(|| AskError::Wrong(wrong.to_owned()))
    });
    let limit = ask.query.limit.unwrap_or(AUDIT_DEFAULT);
    let page = audit::list(&operator.parts().db, limit, cursor.transpose()?).await?;
    let line = |it: audit::Entry| AuditLine {
        id: it.id.to_string(),
        at_unix_ms: it.at.as_millis(),
        actor: it.actor,
        action: it.action,
        target: it.target,
        detail: it.detail,
    };
    Ok(Shown(AuditPage {
        entries: page.entries.into_iter().map(line).collect(),
        next: page.next.map(|it| it.to_string()),
    }))
}
