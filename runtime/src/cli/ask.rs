//! Commands that ask a running runtime over its socket.

use std::process::ExitCode;

use http::Method;

use super::args::{Command, Map, MapFormat, Output, Service, Setting};
use super::screen::{answer, say};
use super::{AnyError, account, audit, logs, metrics, path, tables, trace};
use crate::operator::model::{
    AuditPage, CreateService, Finding, LiveMap, ServiceKeyShown, ServiceSummary, SetSetting,
    SettingSummary,
};
use crate::operator::{Client, draw};

pub(super) async fn ask(
    client: &Client,
    output: Output,
    command: Command,
) -> Result<ExitCode, AnyError> {
    match command {
        Command::Service(command) => service(client, output, command).await,
        Command::Map(wanted) => map(client, output, wanted).await,
        Command::Trace(command) => trace::run(client, output, command).await,
        Command::Logs(wanted) => logs::run(client, output, wanted).await,
        Command::Metrics(command) => metrics::run(client, output, command).await,
        Command::Setting(command) => setting(client, output, command).await,
        Command::Account(command) => account::run(client, output, command).await,
        Command::Token(command) => account::run_token(client, output, command).await,
        Command::Audit(wanted) => audit::run(client, output, wanted).await,
        Command::Changes { limit } => {
            let page: AuditPage = client.get(&format!("/api/v1/audit?limit={limit}")).await?;
            answer(output, &page.entries, |it| tables::changes(it))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor => {
            let findings: Vec<Finding> = client.get("/api/v1/doctor").await?;
            answer(output, &findings, |it| tables::doctor(it))?;
            let failed = findings.iter().any(|it| it.verdict == "fail");
            Ok(if failed {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            })
        }
        Command::Dev(_)
        | Command::Serve(_)
        | Command::Explain { .. }
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Health { .. } => {
            unreachable!("these run without a runtime to ask")
        }
    }
}

async fn service(client: &Client, output: Output, command: Service) -> Result<ExitCode, AnyError> {
    match command {
        Service::List => {
            let services: Vec<ServiceSummary> = client.get("/api/v1/services").await?;
            answer(output, &services, |it| tables::services(it))
        }
        Service::Create { name } => {
            let wanted = CreateService { name };
            let made: ServiceKeyShown = client
                .send_json(Method::POST, "/api/v1/services", &wanted)
                .await?;
            answer(output, &made, tables::key)
        }
        Service::Key { name } => {
            let path = format!("/api/v1/services/{}/keys", path::segment(&name));
            let made: ServiceKeyShown = client.send_json(Method::POST, &path, &()).await?;
            answer(output, &made, tables::key)
        }
        Service::Revoke { name } => {
            let path = format!("/api/v1/services/{}/revoke", path::segment(&name));
            let done: serde_json::Value = client.send_json(Method::POST, &path, &()).await?;
            answer(output, &done, |_| format!("service `{name}` is revoked"))
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn map(client: &Client, output: Output, wanted: Map) -> Result<ExitCode, AnyError> {
    let window_ms = wanted.window.as_millis();
    let mut map: LiveMap = client
        .get(&format!("/api/v1/map?window_ms={window_ms}"))
        .await?;
    if wanted.no_traffic {
        map = map.without_traffic();
    }
    match wanted.format {
        MapFormat::Table => answer(output, &map, tables::map),
        MapFormat::Json => answer(Output::Json, &map, tables::map),
        MapFormat::Mermaid => Ok(say(&draw::mermaid(&map))?),
        MapFormat::Dot => Ok(say(&draw::dot(&map))?),
        MapFormat::Svg => Ok(say(draw::svg(&map, &wanted.title).trim_end())?),
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn setting(client: &Client, output: Output, command: Setting) -> Result<ExitCode, AnyError> {
    match command {
        Setting::List => {
            let settings: Vec<SettingSummary> = client.get("/api/v1/settings").await?;
            answer(output, &settings, |it| tables::settings(it))
        }
        Setting::Set { key, value } => {
            let path = format!("/api/v1/settings/{}", path::segment(&key));
            let wanted = SetSetting { value };
            let done: serde_json::Value = client.send_json(Method::PUT, &path, &wanted).await?;
            answer(output, &done, |_| match &wanted.value {
                Some(value) => format!("{key} = {value}"),
                None => format!("{key} has its default again"),
            })
        }
    }?;
    Ok(ExitCode::SUCCESS)
}
