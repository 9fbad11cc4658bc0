//! Answers as tables for people.

use std::error::Error;

use comfy_table::{Table, presets};
use contract::error_code::ErrorCode;

use super::AnyError;
use super::when::shown as when;
use crate::operator::draw::{load, visible};
use crate::operator::model::{
    AuditLine, Finding, LiveMap, ServiceKeyShown, ServiceSummary, SettingSummary, TracesPage,
};

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

/// What services say cannot steer the terminal.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(head);
    for row in rows {
        table.add_row(row.map(|it| visible(&it)));
    }
    table.trim_fmt()
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

pub(super) fn map(map: &LiveMap) -> String {
    if map.services.is_empty() {
        return "no services yet; `bridge service create NAME` makes one".to_owned();
    }
    let mut text = instances(map);
    for part in [methods(map), calls(map)] {
        if !part.is_empty() {
            text.push_str("\n\n");
            text.push_str(&part);
        }
    }
    if map.uncounted > 0 {
        let more = map.uncounted;
        text.push_str(&format!(
            "\n\n{more} operations were of too many kinds to tell apart"
        ));
    }
    text
}

fn instances(map: &LiveMap) -> String {
    let rows = map.services.iter().flat_map(|it| {
        let service = &it.service;
        let served = it.served.as_ref().map_or("-".to_owned(), load);
        if service.instances.is_empty() {
            let state = match &*service.status {
                "active" => "no instance",
                status => status,
            };
            let dash = || "-".to_owned();
            return vec![[
                service.name.clone(),
                dash(),
                state.to_owned(),
                dash(),
                dash(),
                served,
            ]];
        }
        let row = |it: &crate::registry::MapInstance| {
            let state = match it.unhealthy_since_unix_ms {
                0 => &*it.status,
                _ => "unhealthy",
            };
            [
                service.name.clone(),
                it.id.clone(),
                state.to_owned(),
                or_dash(&it.call_endpoint),
                it.sdk.clone(),
                served.clone(),
            ]
        };
        service.instances.iter().map(row).collect()
    });
    let head = [
        "SERVICE",
        "INSTANCE",
        "STATUS",
        "CALL ENDPOINT",
        "SDK",
        "SERVED",
    ];
    table(head, rows)
}

fn methods(map: &LiveMap) -> String {
    let services = map.services.iter().map(|it| &it.service);
    let all = services.flat_map(|service| service.methods.iter().map(move |it| (service, it)));
    let rows: Vec<_> = all
        .map(|(service, it)| {
            [
                service.name.clone(),
                it.kind.clone(),
                it.name.clone(),
                it.instances.to_string(),
                it.contract_hash.chars().take(15).collect(),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ["SERVICE", "KIND", "METHOD", "INSTANCES", "CONTRACT"];
    table(head, rows.into_iter())
}

fn calls(map: &LiveMap) -> String {
    if map.edges.is_empty() {
        return String::new();
    }
    let rows = map.edges.iter().map(|it| {
        let state = match (it.edge.live, it.declared || it.edge.from.is_empty()) {
            (true, true) => "live",
            (false, true) => "nobody serves it",
            (_, false) => "not declared",
        };
        [
            if it.edge.from.is_empty() {
                "(outside)".to_owned()
            } else {
                it.edge.from.clone()
            },
            it.edge.to.clone(),
            it.edge.kind.clone(),
            it.edge.method.clone(),
            state.to_owned(),
            it.load.as_ref().map_or("-".to_owned(), load),
        ]
    });
    table(["FROM", "TO", "KIND", "METHOD", "STATE", "CALLS"], rows)
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}

pub(super) fn traces(page: &TracesPage) -> String {
    let more = match &page.next {
        Some(next) => format!("\n\nolder ones follow: --cursor {next}, or --all"),
        None => String::new(),
    };
    if page.traces.is_empty() {
        return format!("no traces match{more}");
    }
    let head = [
        "STARTED", "STATUS", "DURATION", "OPS", "SERVICE", "SUBJECT", "TRACE",
    ];
    let rows = page.traces.iter().map(|it| {
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
    });
    table(head, rows) + &more
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

pub(super) fn changes(lines: &[AuditLine]) -> String {
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

pub(super) fn explain(code: Option<&str>) -> Result<String, AnyError> {
    let Some(text) = code else {
        let rows = ErrorCode::ALL.iter().map(|it| {
            let repeat = if it.retryable() { "yes" } else { "no" };
            [
                it.as_str().to_owned(),
                repeat.to_owned(),
                it.meaning().to_owned(),
            ]
        });
        return Ok(table(["CODE", "RETRY", "MEANING"], rows));
    };
    let Some(code) = ErrorCode::parse(&text.to_uppercase()) else {
        return Err(format!("`{text}` is not an error code; `bridge explain` lists them").into());
    };
    let repeat = if code.retryable() {
        "a repeat may succeed"
    } else {
        "do not repeat blindly"
    };
    Ok(format!(
        "{code}: {}\n  {repeat}; {}",
        code.meaning(),
        code.advice()
    ))
}
