//! What is shown: the trace, the map, and how to go on by hand.

#![allow(clippy::print_stdout)] // this is the output of the command

use std::collections::BTreeMap;
use std::path::Path;

use bridge::embedded::{ServiceMap, TraceTree, draw};

use super::processes::http_address;

/// The trace as a tree.
pub(super) fn trace(trace: &TraceTree) {
    println!();
    println!("{}", draw::tree(trace));
}

/// Services, their instances, what they serve and whom they call.
pub(super) fn map(map: &ServiceMap) {
    println!();
    for service in &map.services {
        println!("{}", service.name);
        for instance in &service.instances {
            println!(
                "  instance {}  {}  calls {}  http {}",
                instance.id, instance.status, instance.call_endpoint, instance.http_endpoint
            );
        }
        for method in &service.methods {
            println!("  serves   {} {}", method.kind, method.name);
        }
        let mut calls: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for edge in map
            .edges
            .iter()
            .filter(|it| it.from == service.name && it.live)
        {
            calls.entry(&edge.to).or_default().push(&edge.method);
        }
        for (to, methods) in calls {
            println!("  may call {to}: {}", methods.join(", "));
        }
    }
}

/// Commands to copy.
pub(super) fn by_hand(map: &ServiceMap, data: &Path) {
    let at = |service: &str| http_address(map, service).unwrap_or_default();
    let (orders, data) = (at("orders"), data.display());
    println!();
    println!("Try it:");
    println!("  curl -i http://{orders}/v1/orders -H 'content-type: application/json' \\");
    println!("       -d '{{\"sku\": \"tea\", \"quantity\": 1, \"card\": \"4242\"}}'");
    println!("    (another sku: mug; 100 mugs are too many; card 0000 is declined)");
    println!("  curl http://{orders}/v1/orders/order-1");
    println!("  curl http://{}/v1/stock", at("inventory"));
    println!("  curl http://{}/v1/charges", at("payments"));
    println!("  curl http://{orders}/health");
    println!("  cargo run --release -p bridge-runtime -- --data {data} trace list");
    println!("  cargo run --release -p bridge-runtime -- --data {data} map --format mermaid");
    println!();
    println!("Ctrl-C stops everything.");
}
