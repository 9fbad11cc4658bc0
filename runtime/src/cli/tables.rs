//! Answers as tables for people.

use std::error::Error;
use std::process::ExitCode;

use comfy_table::{Table, presets};
use contract::clock::Timestamp;
use contract::error_code::ErrorCode;
use time::OffsetDateTime;

use super::AnyError;
use crate::operator::model::{
    AuditLine, Finding, ServiceKeyShown, ServiceSummary, SettingSummary, TraceLine,
};
use crate::registry::ServiceMap;

/// An error with its causes, outermost first.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        let more = source.to_string();
        if !text.ends_with(&more) {
            text.push_str("\n  because: ");
            text.push_str(&more);
        }
        cause = source.source();
    }
    text
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(head);
    for row in rows {
        table.add_row(row);
    }
    table.trim_fmt()
}

fn when(unix_ms: i64) -> String {
    let at = Timestamp::from_millis(unix_ms).as_micros();
    let Ok(at) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000) else {
        return unix_ms.to_string();
    };
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

pub(super) fn services(services: &[ServiceSummary]) -> String {
    if services.is_empty() {
        return "no services yet; `bridge service create NAME` makes one".to_owned();
    }
    table(
        ["NAME", "STATUS", "KEYS", "INSTANCES", "CREATED", "ID"],
        services.iter().map(|it| {
            [
                it.name.clone(),
                it.status.clone(),
                it.keys.to_string(),
                it.instances.to_string(),
                when(it.created_at_unix_ms),
                it.id.clone(),
            ]
        }),
    )
}

pub(super) fn key(made: &ServiceKeyShown) -> String {
    format!(
        "service `{}` ({})\n\nIts key is shown this once. Give it to the service as BRIDGE_KEY:\n\n{}",
        made.name, made.id, made.key
    )
}

pub(super) fn map(map: &ServiceMap) -> String {
    if map.services.is_empty() {
        return "no services yet; `bridge service create NAME` makes one".to_owned();
    }
    let instances = map.services.iter().flat_map(|service| {
        let mut rows: Vec<_> = service
            .instances
            .iter()
            .map(|it| {
                let state = if it.unhealthy_since_unix_ms != 0 {
                    "unhealthy"
                } else {
                    &it.status
                };
                let endpoint = if it.call_endpoint.is_empty() {
                    "-"
                } else {
                    &it.call_endpoint
                };
                [
                    service.name.clone(),
                    it.id.clone(),
                    state.to_owned(),
                    endpoint.to_owned(),
                    it.sdk.clone(),
                ]
            })
            .collect();
        if rows.is_empty() {
            let state = if service.status == "active" {
                "no instance"
            } else {
                &service.status
            };
            rows.push([
                service.name.clone(),
                "-".into(),
                state.to_owned(),
                "-".into(),
                "-".into(),
            ]);
        }
        rows
    });
    let mut text = table(
        ["SERVICE", "INSTANCE", "STATUS", "CALL ENDPOINT", "SDK"],
        instances,
    );
    let methods: Vec<_> = map
        .services
        .iter()
        .flat_map(|service| service.methods.iter().map(move |it| (service, it)))
        .map(|(service, it)| {
            let hash = it.contract_hash.chars().take(15).collect();
            [
                service.name.clone(),
                it.kind.clone(),
                it.name.clone(),
                it.instances.to_string(),
                hash,
            ]
        })
        .collect();
    if !methods.is_empty() {
        text.push_str("\n\n");
        let head = ["SERVICE", "KIND", "METHOD", "INSTANCES", "CONTRACT"];
        text.push_str(&table(head, methods.into_iter()));
    }
    if !map.edges.is_empty() {
        text.push_str("\n\n");
        let rows = map.edges.iter().map(|it| {
            let live = if it.live { "live" } else { "nobody serves it" };
            [
                it.from.clone(),
                it.to.clone(),
                it.kind.clone(),
                it.method.clone(),
                live.to_owned(),
            ]
        });
        text.push_str(&table(["FROM", "TO", "KIND", "METHOD", "STATE"], rows));
    }
    text
}

pub(super) fn traces(traces: &[TraceLine]) -> String {
    if traces.is_empty() {
        return "no traces match".to_owned();
    }
    table(
        [
            "STARTED", "STATUS", "DURATION", "OPS", "SERVICE", "SUBJECT", "TRACE",
        ],
        traces.iter().map(|it| {
            let status = if it.running { "RUNNING" } else { &it.status };
            [
                when(it.started_at_unix_ms),
                status.to_owned(),
                format!("{} ms", it.duration_ms),
                it.ops.to_string(),
                it.service.clone(),
                it.subject.clone(),
                it.trace_id.clone(),
            ]
        }),
    )
}

pub(super) fn settings(settings: &[SettingSummary]) -> String {
    table(
        ["KEY", "VALUE", "DEFAULT", "ALLOWED", "MEANING"],
        settings.iter().map(|it| {
            let pending = it
                .pending
                .as_ref()
                .map(|next| format!(" (after restart: {next})"));
            let value = format!("{}{}", it.value, pending.unwrap_or_default());
            [
                it.key.clone(),
                value,
                it.default.clone(),
                it.bounds.clone(),
                it.doc.trim().to_owned(),
            ]
        }),
    )
}

pub(super) fn audit(lines: &[AuditLine]) -> String {
    if lines.is_empty() {
        return "nothing was changed yet".to_owned();
    }
    table(
        ["AT", "BY", "ACTION", "TARGET", "DETAIL"],
        lines.iter().map(|it| {
            [
                when(it.at_unix_ms),
                it.actor.clone(),
                it.action.clone(),
                it.target.clone(),
                it.detail.to_string(),
            ]
        }),
    )
}

pub(super) fn doctor(findings: &[Finding]) -> String {
    let rows = findings
        .iter()
        .map(|it| [it.verdict.clone(), it.check.clone(), it.detail.clone()]);
    table(["", "CHECK", "FOUND"], rows)
}

pub(super) fn explain(code: Option<&str>) -> Result<ExitCode, AnyError> {
    let Some(text) = code else {
        let rows = ErrorCode::ALL.iter().map(|it| {
            let repeat = if it.retryable() { "yes" } else { "no" };
            [
                it.as_str().to_owned(),
                repeat.to_owned(),
                it.meaning().to_owned(),
            ]
        });
        println!("{}", table(["CODE", "RETRY", "MEANING"], rows));
        return Ok(ExitCode::SUCCESS);
    };
    let Some(code) = ErrorCode::parse(&text.to_uppercase()) else {
        return Err(format!("`{text}` is not an error code; `bridge explain` lists them").into());
    };
    let repeat = if code.retryable() {
        "a repeat may succeed"
    } else {
        "do not repeat blindly"
    };
    println!("{code}: {}\n  {repeat}; {}", code.meaning(), code.advice());
    Ok(ExitCode::SUCCESS)
}
