//! Commands that ask a running runtime over its socket.

use std::path::Path;
use std::process::ExitCode;

use http::Method;
use serde::Serialize;

use super::{AnyError, Command, MapFormat, Output, Service, Setting, Trace, tables};
use crate::operator::model::{
    AuditLine, CreateService, Finding, ServiceKeyShown, ServiceSummary, SetSetting, SettingSummary,
    TraceLine, TraceTree,
};
use crate::operator::{Client, draw};
use crate::registry::ServiceMap;

pub(super) async fn ask(
    data: &Path,
    output: Output,
    command: Command,
) -> Result<ExitCode, AnyError> {
    let client = Client::new(data);
    match command {
        Command::Service(command) => service(&client, output, command).await,
        Command::Map { format } => map(&client, output, format).await,
        Command::Trace(command) => trace(&client, output, command).await,
        Command::Setting(command) => setting(&client, output, command).await,
        Command::Audit { limit } => {
            let lines: Vec<AuditLine> = client.get(&format!("/v1/audit?limit={limit}")).await?;
            print(output, &lines, |it| tables::audit(it))
        }
        Command::Doctor => {
            let findings: Vec<Finding> = client.get("/v1/doctor").await?;
            print(output, &findings, |it| tables::doctor(it))?;
            let failed = findings.iter().any(|it| it.verdict == "fail");
            Ok(if failed {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            })
        }
        Command::Dev(_) | Command::Serve(_) | Command::Explain { .. } => {
            unreachable!("these run without a runtime to ask")
        }
    }
}

fn print<T: Serialize + ?Sized>(
    output: Output,
    value: &T,
    table: impl FnOnce(&T) -> String,
) -> Result<ExitCode, AnyError> {
    match output {
        Output::Json => println!("{}", serde_json::to_string_pretty(value)?),
        Output::Table => println!("{}", table(value)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn service(client: &Client, output: Output, command: Service) -> Result<ExitCode, AnyError> {
    match command {
        Service::List => {
            let services: Vec<ServiceSummary> = client.get("/v1/services").await?;
            print(output, &services, |it| tables::services(it))
        }
        Service::Create { name } => {
            let wanted = CreateService { name };
            let made: ServiceKeyShown = client
                .send_json(Method::POST, "/v1/services", &wanted)
                .await?;
            print(output, &made, tables::key)
        }
        Service::Key { name } => {
            let path = format!("/v1/services/{}/keys", segment(&name));
            let made: ServiceKeyShown = client.send_json(Method::POST, &path, &()).await?;
            print(output, &made, tables::key)
        }
        Service::Revoke { name } => {
            let path = format!("/v1/services/{}/revoke", segment(&name));
            let done: serde_json::Value = client.send_json(Method::POST, &path, &()).await?;
            print(output, &done, |_| format!("service `{name}` is revoked"))
        }
    }
}

async fn map(client: &Client, output: Output, format: MapFormat) -> Result<ExitCode, AnyError> {
    let map: ServiceMap = client.get("/v1/map").await?;
    match format {
        MapFormat::Table => print(output, &map, tables::map),
        MapFormat::Json => print(Output::Json, &map, tables::map),
        MapFormat::Mermaid => print(Output::Table, &map, draw::mermaid),
        MapFormat::Dot => print(Output::Table, &map, draw::dot),
    }
}

async fn trace(client: &Client, output: Output, command: Trace) -> Result<ExitCode, AnyError> {
    match command {
        Trace::List {
            limit,
            text,
            service,
            failed,
        } => {
            let mut path = format!("/v1/traces?limit={limit}&failed={failed}");
            for (name, value) in [("text", text), ("service", service)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", segment(&value)));
                }
            }
            let traces: Vec<TraceLine> = client.get(&path).await?;
            print(output, &traces, |it| tables::traces(it))
        }
        Trace::Show { id } => {
            let tree: TraceTree = client.get(&format!("/v1/traces/{}", segment(&id))).await?;
            print(output, &tree, draw::tree)
        }
    }
}

async fn setting(client: &Client, output: Output, command: Setting) -> Result<ExitCode, AnyError> {
    match command {
        Setting::List => {
            let settings: Vec<SettingSummary> = client.get("/v1/settings").await?;
            print(output, &settings, |it| tables::settings(it))
        }
        Setting::Set { key, value } => {
            let path = format!("/v1/settings/{}", segment(&key));
            let wanted = SetSetting { value };
            let done: serde_json::Value = client.send_json(Method::PUT, &path, &wanted).await?;
            print(output, &done, |_| match &wanted.value {
                Some(value) => format!("{key} = {value}"),
                None => format!("{key} has its default again"),
            })
        }
    }
}

/// A text as one piece of a path or query.
fn segment(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let byte = |b: u8| {
        if plain(b) {
            char::from(b).to_string()
        } else {
            format!("%{b:02X}")
        }
    };
    text.bytes().map(byte).collect()
}
