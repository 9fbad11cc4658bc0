//! Maps and traces as pictures in text.

use std::fmt::Write as _;

use super::model::{TraceOp, TraceTree};
use crate::registry::ServiceMap;

/// Width of the bar of the longest operation, in characters.
const BAR_CHARS: i64 = 24;

/// A Mermaid flowchart of services and their declared calls.
pub fn mermaid(map: &ServiceMap) -> String {
    let mut text = String::from("flowchart LR\n");
    let id = |name: &str| {
        map.services
            .iter()
            .position(|it| it.name == name)
            .map_or_else(
                || {
                    format!(
                        "x{}",
                        name.bytes().map(|b| format!("{b:02x}")).collect::<String>()
                    )
                },
                |position| format!("s{position}"),
            )
    };
    for service in &map.services {
        let count = service.instances.len();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    {}[\"{}<br/>{count} live\"]",
            id(&service.name),
            service.name
        );
    }
    for (from, to, label, live) in calls(map) {
        let arrow = if live { "-->" } else { "-.->" };
        let label = label.replace('"', "'");
        let _ = writeln!(
            text,
            "    {} {arrow}|\"{label}\"| {}[\"{to}\"]",
            id(from),
            id(to)
        );
    }
    text.trim_end().to_owned()
}

/// A Graphviz digraph of services and their declared calls.
pub fn dot(map: &ServiceMap) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = String::from("digraph services {\n    rankdir=LR;\n    node [shape=box];\n");
    for service in &map.services {
        let label = format!("{} ({} live)", service.name, service.instances.len());
        let _ = writeln!(
            text,
            "    {} [label={}];",
            quote(&service.name),
            quote(&label)
        );
    }
    for (from, to, label, live) in calls(map) {
        let style = if live { "" } else { ", style=dashed" };
        let (from, to) = (quote(from), quote(to));
        let _ = writeln!(text, "    {from} -> {to} [label={}{style}];", quote(&label));
    }
    text.push('}');
    text
}

/// One line per pair of services.
fn calls(map: &ServiceMap) -> Vec<(&str, &str, String, bool)> {
    let mut calls: Vec<(&str, &str, String, bool)> = Vec::new();
    for edge in &map.edges {
        match calls.last_mut() {
            Some((from, to, label, live)) if *from == edge.from && *to == edge.to => {
                label.push_str(", ");
                label.push_str(&edge.method);
                *live &= edge.live;
            }
            _ => calls.push((&edge.from, &edge.to, edge.method.clone(), edge.live)),
        }
    }
    calls
}

/// A trace as a tree with bars on one time line.
pub fn tree(trace: &TraceTree) -> String {
    let start = trace
        .ops
        .iter()
        .map(|it| it.started_at_unix_ms)
        .filter(|it| *it > 0)
        .min();
    let start = start.unwrap_or(0);
    let end = |it: &TraceOp| it.started_at_unix_ms + it.duration_ms.unwrap_or(0);
    let span = (trace.ops.iter().map(end).max().unwrap_or(start) - start).max(1);
    let names: Vec<_> = trace
        .ops
        .iter()
        .enumerate()
        .map(|(at, it)| branch(&trace.ops, at) + &it.subject)
        .collect();
    let width = names.iter().map(|it| it.chars().count()).max().unwrap_or(0);
    let service_width = trace
        .ops
        .iter()
        .map(|it| it.service.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = format!("trace {}\n", trace.trace_id);
    for (op, name) in trace.ops.iter().zip(&names) {
        let duration = op
            .duration_ms
            .map_or("running".to_owned(), |ms| format!("{ms} ms"));
        let offset = ((op.started_at_unix_ms - start).max(0) * BAR_CHARS / span).min(BAR_CHARS - 1);
        let length = (op.duration_ms.unwrap_or(0) * BAR_CHARS / span).clamp(1, BAR_CHARS - offset);
        let bar = format!("{}{}", " ".repeat(at(offset)), "█".repeat(at(length)));
        let message = if op.message.is_empty() {
            String::new()
        } else {
            format!("  {}", op.message)
        };
        let _ = writeln!(
            text,
            "{name:<width$}  {:<service_width$}  {bar:<24}  {duration:>9}  {}{message}",
            op.service, op.status
        );
    }
    if trace.truncated {
        text.push_str("… and more operations than one answer carries\n");
    }
    text.trim_end().to_owned()
}

fn at(chars: i64) -> usize {
    usize::try_from(chars).unwrap_or(0)
}

/// The lines left of an operation that join it to its parent and siblings.
fn branch(ops: &[TraceOp], at: usize) -> String {
    let depth = ops[at].depth;
    let goes_on = |level: usize| {
        let below = ops[at + 1..].iter().take_while(|it| it.depth >= level);
        below.into_iter().any(|it| it.depth == level)
    };
    let mut text = String::new();
    for level in 1..=depth {
        text.push_str(match (level == depth, goes_on(level)) {
            (true, true) => "├─ ",
            (true, false) => "└─ ",
            (false, true) => "│  ",
            (false, false) => "   ",
        });
    }
    text
}
