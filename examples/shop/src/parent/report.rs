//! What is shown: the trace, the map, and how to go on by hand.

use std::collections::BTreeMap;
use std::path::Path;

use bridge::embedded::{LogLine, MetricLine, ServiceMap, TraceTree, draw};

use super::processes::http_address;
use super::progress::say;

/// The trace as a tree.
pub(super) fn trace(trace: &TraceTree) {
    say("");
    say(&draw::tree(trace));
}

/// What was logged and counted.
pub(super) fn told(lines: &[LogLine], series: &[MetricLine]) {
    say("");
    for line in lines {
        say(&format!(
            "log     {} {}: {} {}",
            line.level, line.service, line.message, line.fields
        ));
    }
    for line in series {
        let labels: Vec<_> = line
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        say(&format!(
            "metric  {} {}: {}",
            line.service,
            line.name,
            labels.join(", ")
        ));
    }
}

/// Services, their instances, what they serve and whom they call.
pub(super) fn map(map: &ServiceMap) {
    say("");
    for service in &map.services {
        say(&service.name);
        for instance in &service.instances {
            let (id, status) = (&instance.id, &instance.status);
            let (rpc, http) = (&instance.call_endpoint, &instance.http_endpoint);
            say(&format!(
                "  instance  {id} {status}, rpc {rpc}, http {http}"
            ));
        }
        let methods: Vec<_> = service.methods.iter().map(|it| &*it.name).collect();
        say(&format!("  serves    {}", methods.join(", ")));
        let mut calls: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let declared = map.edges.iter().filter(|it| it.from == service.name);
        for edge in declared.filter(|it| it.live) {
            calls.entry(&edge.to).or_default().push(&edge.method);
        }
        for (to, methods) in calls {
            say(&format!("  may call  {to}: {}", methods.join(", ")));
        }
    }
}

/// A page to open and commands to copy.
pub(super) fn by_hand(map: &ServiceMap, data: &Path, console: &str) {
    say("");
    say("Look at it: the map, the order's trace, its log. The page makes your account first:");
    say(&format!("  {console}"));
    let at = |service: &str| http_address(map, service).unwrap_or_default();
    let (orders, data) = (at("orders"), data.display());
    say("");
    say("Try it:");
    say(&format!(
        "  curl -i http://{orders}/v1/orders -H 'content-type: application/json' \\"
    ));
    say(r#"       -d '{"sku": "tea", "quantity": 1, "card": "4242"}'"#);
    say("    (another sku: mug; 100 mugs are too many; card 0000 is declined)");
    say(&format!("  curl http://{orders}/v1/orders/order-1"));
    say(&format!("  curl http://{}/v1/stock", at("inventory")));
    say(&format!("  curl http://{}/v1/charges", at("payments")));
    say(&format!("  curl http://{orders}/health"));
    say(&format!(
        "  cargo run --release -p bridge-runtime -- --data {data} trace list"
    ));
    say(&format!(
        "  cargo run --release -p bridge-runtime -- --data {data} map --format mermaid"
    ));
    say("");
    say("Ctrl-C stops everything.");
}
