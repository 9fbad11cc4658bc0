//! What the gate found, for people and for machines.

use std::collections::BTreeSet;

use bridge_codegen::lock::{Breaks, Change, Consumer, Gate, Rerouted};
use serde::Serialize;

use crate::screen;

/// Names that are printed in one line; the rest is counted.
const NAMES_MAX: usize = 8;

/// The report as JSON has it.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'g> {
    /// `major`, `minor`, `patch`, or null when nothing differs.
    verdict: Option<&'static str>,
    /// Files of generated code that are not what the contracts give.
    stale: &'g [String],
    changes: Vec<ChangeShown<'g>>,
    rerouted: Vec<ReroutedShown<'g>>,
    /// Whether nothing was accepted so far, so that nothing could be compared.
    is_first: bool,
    /// Whether the lock is of an earlier version and says less.
    is_outdated: bool,
    /// Whether consumers were looked for.
    has_map: bool,
    /// What is accepted and was not compared: `routes`, `events`.
    not_compared: &'g [&'static str],
}

#[derive(Debug, Serialize)]
struct ChangeShown<'g> {
    verdict: &'static str,
    what: &'g str,
    todo: &'g str,
    place: Option<&'g str>,
    breaks: Vec<&'static str>,
    concerns: Vec<&'g str>,
    consumers: Vec<ConsumerShown<'g>>,
    /// What the map does not know, so that its consumers are not among those above.
    unknown: Vec<&'g str>,
    /// Rpcs that the map cannot tell from those that are concerned: consumers may call them instead.
    alike: Vec<&'g str>,
}

#[derive(Debug, Serialize)]
struct ReroutedShown<'g> {
    rpc: &'g str,
    accepted: &'g str,
    present: &'g str,
    consumers: Vec<ConsumerShown<'g>>,
}

#[derive(Debug, Serialize)]
struct ConsumerShown<'g> {
    /// Empty for somebody outside.
    name: &'g str,
    target: &'g str,
    declared: bool,
    observed: u64,
    /// Whether the target is away, so that what is called there is known by name only.
    away: bool,
}

pub(crate) fn machine<'g>(gate: &'g Gate, stale: &'g [String]) -> Report<'g> {
    let change = |it: &'g Change| ChangeShown {
        verdict: it.verdict.as_str(),
        what: &it.what,
        todo: &it.todo,
        place: it.place.as_deref(),
        breaks: it.breaks.iter().map(|it| it.as_str()).collect(),
        concerns: it.concerns.iter().map(String::as_str).collect(),
        consumers: gate.concerned(it).into_iter().map(consumer).collect(),
        unknown: gate.unknown(it),
        alike: gate.alike_to(it).into_iter().collect(),
    };
    let rerouted = |it: &'g Rerouted| ReroutedShown {
        rpc: &it.rpc,
        accepted: &it.accepted,
        present: &it.present,
        consumers: gate.callers(&it.rpc).iter().map(consumer).collect(),
    };
    Report {
        verdict: gate.report.verdict().map(|it| it.as_str()),
        stale,
        changes: gate.report.changes.iter().map(change).collect(),
        rerouted: gate.report.rerouted.iter().map(rerouted).collect(),
        is_first: gate.is_first,
        is_outdated: gate.is_outdated,
        has_map: gate.has_map,
        not_compared: &gate.not_compared,
    }
}

fn consumer(it: &Consumer) -> ConsumerShown<'_> {
    ConsumerShown {
        name: &it.name,
        target: &it.target,
        declared: it.declared,
        observed: it.observed,
        away: it.away,
    }
}

/// What a person must not take for unchanged.
pub(crate) fn not_compared(gate: &Gate) -> Vec<String> {
    let mut found = Vec::new();
    if !gate.not_compared.is_empty() {
        let kinds = gate.not_compared.join(" and ");
        let how = "give --openapi FILE to compare routes";
        found.push(format!("its {kinds} were not compared: {how}"));
    }
    if gate.is_outdated {
        found.push(
            "is of an earlier version, which has no servers and security of routes, and no aliases \
             and reserved numbers of enums: `cargo bridge accept` records them"
                .to_owned(),
        );
    }
    found
}

/// The report as paragraphs, one for each change, worst first.
pub(crate) fn people(gate: &Gate) -> String {
    let mut parts: Vec<String> = gate
        .report
        .changes
        .iter()
        .map(|it| paragraph(gate, it))
        .collect();
    if !gate.report.rerouted.is_empty() {
        parts.push(rerouted(gate));
    }
    parts.join("\n\n")
}

fn paragraph(gate: &Gate, change: &Change) -> String {
    let mut lines = vec![screen::visible(&change.what)];
    if let Some(place) = &change.place {
        lines.push(format!("at {}", screen::visible(place)));
    }
    if !change.breaks.is_empty() {
        let words: Vec<_> = change.breaks.iter().map(|it| meaning(*it)).collect();
        lines.push(format!("breaks {}", words.join("; ")));
        lines.extend(who(gate, change));
    }
    if !change.todo.is_empty() {
        lines.push(format!("do: {}", screen::visible(&change.todo)));
    }
    let head = format!("{}  ", screen::verdict(change.verdict));
    let margin = " ".repeat(change.verdict.as_str().len() + 2);
    format!("{head}{}", lines.join(&format!("\n{margin}")))
}

/// Who is concerned, those who call over HTTP in a line of their own.
fn who(gate: &Gate, change: &Change) -> Vec<String> {
    let is_http = |it: &String| it.contains(' ') && !it.starts_with("event ");
    let all = change.concerns.iter().cloned();
    let (http, others): (BTreeSet<_>, BTreeSet<_>) = all.partition(is_http);
    let part = |concerns: BTreeSet<String>| {
        let mut part = change.clone();
        part.concerns = concerns;
        part
    };
    [others, http]
        .into_iter()
        .filter(|it| !it.is_empty())
        .map(|it| who_of(gate, &part(it)))
        .collect()
}

fn who_of(gate: &Gate, change: &Change) -> String {
    let concerns: Vec<&str> = change.concerns.iter().map(String::as_str).collect();
    let of = limited(&concerns);
    if !gate.has_map {
        return format!("in {of}; --map or --live names who calls that");
    }
    let callers = shown(gate.concerned(change));
    let callers: Vec<&str> = callers.iter().map(String::as_str).collect();
    let unknown = gate.unknown(change);
    let on_map = match (callers.as_slice(), unknown.len() == concerns.len()) {
        (_, true) => String::new(),
        ([], false) => ", which nobody on the map calls".to_owned(),
        (callers, false) => format!(", called by {}", limited(callers)),
    };
    let alike = gate.alike_to(change);
    let doubt = if callers.is_empty() || alike.is_empty() {
        String::new()
    } else {
        let alike: Vec<&str> = alike.into_iter().collect();
        format!(
            ", or that is {}, which the map cannot tell apart",
            limited(&alike)
        )
    };
    let not_on_map = match unknown.as_slice() {
        [] => String::new(),
        unknown => format!(
            "; the map has no service with {} as accepted, so who calls that is not known",
            limited(unknown)
        ),
    };
    format!("in {of}{on_map}{doubt}{not_on_map}")
}

/// Consumers with what is known of each, and whom they call where that is not one service.
fn shown<'c>(consumers: impl IntoIterator<Item = &'c Consumer>) -> Vec<String> {
    let consumers: Vec<_> = consumers.into_iter().collect();
    let targets: BTreeSet<_> = consumers.iter().map(|it| &it.target).collect();
    let one = |it: &&Consumer| {
        let of = if targets.len() > 1 {
            format!(" of {}", it.target)
        } else {
            String::new()
        };
        let how = match (it.declared, it.observed) {
            (true, 0) => "declared".to_owned(),
            (true, count) => format!("declared, {count} calls"),
            (false, count) => format!("not declared, {count} calls"),
        };
        let away = if it.away {
            format!("; {} is away", it.target)
        } else {
            String::new()
        };
        screen::visible(&format!("{}{of} ({how}{away})", it.shown()))
    };
    consumers.iter().map(one).collect()
}

fn limited(names: &[&str]) -> String {
    let shown = names
        .iter()
        .take(NAMES_MAX)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => screen::visible(&shown),
        more => screen::visible(&format!("{shown} and {more} more")),
    }
}

fn meaning(breaks: Breaks) -> &'static str {
    match breaks {
        Breaks::Wire => "the wire: bytes are read wrongly or refused",
        Breaks::Json => "JSON: values are read wrongly or refused",
        Breaks::Http => "HTTP: requests are refused, find nothing, or something else",
        Breaks::Code => "code, once it is generated anew",
        Breaks::Promise => "a promise about repeated calls",
        other => other.as_str(),
    }
}

fn rerouted(gate: &Gate) -> String {
    let rows = gate.report.rerouted.iter().map(|it| {
        let callers = shown(gate.callers(&it.rpc));
        let callers: Vec<&str> = callers.iter().map(String::as_str).collect();
        let who = match (gate.consumers.contains_key(&it.rpc), callers.as_slice()) {
            (false, _) => "?".to_owned(),
            (true, []) => "nobody".to_owned(),
            (true, callers) => limited(callers),
        };
        [it.rpc.clone(), short(&it.accepted), short(&it.present), who]
    });
    format!(
        "These rpcs have a new identity. Callers of the build before reach only instances of the \
         build before:\nkeep one of those running until the callers are deployed anew.\n\n{}",
        screen::table(["RPC", "ACCEPTED", "PRESENT", "CALLED BY"], rows)
    )
}

fn short(hash: &str) -> String {
    hash.chars().take(11).collect()
}
