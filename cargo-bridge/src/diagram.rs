//! A program's description as a drawing: what it serves, and whom each handler calls.
//!
//! Invariant: names from the program cannot end the text that they stand in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::describe::{Description, Operation};

/// The drawing's parts, the same for every language of drawings.
pub(crate) struct Parts {
    pub(crate) service: String,
    /// What is served, with the contracts that it calls.
    pub(crate) served: BTreeMap<String, BTreeSet<String>>,
    /// Contracts that are called, with the services that answer them.
    pub(crate) called: BTreeMap<String, BTreeSet<String>>,
}

impl From<&Description> for Parts {
    fn from(description: &Description) -> Self {
        let mut served = BTreeMap::<String, BTreeSet<String>>::new();
        for route in &description.map.routes {
            for method in &route.methods {
                served
                    .entry(format!("{method} {}", route.path))
                    .or_default();
            }
        }
        for it in &description.operations {
            for at in mounted(description, it) {
                served
                    .entry(at)
                    .or_default()
                    .extend(it.calls.iter().cloned());
            }
        }
        for it in &description.rpcs {
            let name = format!("rpc {}/{}", it.contract, it.name);
            served
                .entry(name)
                .or_default()
                .extend(it.calls.iter().cloned());
        }
        let mut called = BTreeMap::<String, BTreeSet<String>>::new();
        for it in served.values().flatten() {
            called.entry(it.clone()).or_default();
        }
        for it in &description.dependencies {
            called
                .entry(it.contract.clone())
                .or_default()
                .insert(it.service.clone());
        }
        Self {
            service: description
                .service
                .clone()
                .unwrap_or_else(|| "application".to_owned()),
            served,
            called,
        }
    }
}

/// Where an operation is served, once or more: nests around it add to its path.
fn mounted(description: &Description, operation: &Operation) -> Vec<String> {
    let Operation {
        name, method, path, ..
    } = operation;
    let joined = description
        .audit
        .iter()
        .flat_map(|it| &it.declared_and_mounted);
    let own = joined
        .filter(|it| it.operation == *name && it.method == *method && it.path == *path)
        .filter(|it| !it.mounted_at.is_empty());
    let places: Vec<_> = own
        .map(|it| format!("{method} {}", it.mounted_at))
        .collect();
    match places.is_empty() {
        true => vec![format!("{method} {path}")],
        false => places,
    }
}

/// A flowchart of Mermaid.
pub(crate) fn mermaid(description: &Description) -> String {
    let parts = Parts::from(description);
    let label = |text: &str| {
        let text = text.replace('#', "#35;").replace('"', "#quot;");
        let text = text.replace('<', "#lt;").replace('>', "#gt;");
        format!("\"{}\"", text.replace(char::is_control, " "))
    };
    let mut chart = format!("flowchart LR\n  app([{}])\n", label(&parts.service));
    let numbers = numbers(&parts);
    for (number, (served, calls)) in parts.served.iter().enumerate() {
        let _ = writeln!(chart, "  app --> h{number}[{}]", label(served));
        for call in calls {
            let _ = writeln!(chart, "  h{number} --> c{}", numbers[call.as_str()]);
        }
    }
    for (number, (contract, services)) in parts.called.iter().enumerate() {
        let _ = writeln!(
            chart,
            "  c{number}[[{}]]",
            label(&callee(contract, services))
        );
        if !parts.served.values().any(|calls| calls.contains(contract)) {
            let _ = writeln!(chart, "  app --> c{number}");
        }
    }
    chart
}

/// A graph for Graphviz.
pub(crate) fn dot(description: &Description) -> String {
    let parts = Parts::from(description);
    let label = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace(char::is_control, " "))
    };
    let mut graph = String::from("digraph map {\n  rankdir=LR;\n  node [shape=box];\n");
    let _ = writeln!(
        graph,
        "  app [shape=oval, label={}];",
        label(&parts.service)
    );
    let numbers = numbers(&parts);
    for (number, (served, calls)) in parts.served.iter().enumerate() {
        let _ = writeln!(
            graph,
            "  h{number} [label={}];\n  app -> h{number};",
            label(served)
        );
        for call in calls {
            let _ = writeln!(graph, "  h{number} -> c{};", numbers[call.as_str()]);
        }
    }
    for (number, (contract, services)) in parts.called.iter().enumerate() {
        let text = label(&callee(contract, services));
        let _ = writeln!(graph, "  c{number} [shape=component, label={text}];");
        if !parts.served.values().any(|calls| calls.contains(contract)) {
            let _ = writeln!(graph, "  app -> c{number};");
        }
    }
    graph.push_str("}\n");
    graph
}

fn numbers(parts: &Parts) -> BTreeMap<&str, usize> {
    parts.called.keys().map(String::as_str).zip(0..).collect()
}

/// A contract, and who answers it.
pub(crate) fn callee(contract: &str, services: &BTreeSet<String>) -> String {
    if services.is_empty() {
        return contract.to_owned();
    }
    let services: Vec<_> = services.iter().map(String::as_str).collect();
    format!("{} ({contract})", services.join(", "))
}
