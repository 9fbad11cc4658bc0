//! What a service with a bridge tells of itself: its name, what it serves, what it calls, and contracts
//! that are written in Rust.
//!
//! Invariant: a program with a bridge tells all of it at its start. What it lists of contracts before
//! that is told at once, so that a program which only lists them, and starts nothing, tells them too.

use std::sync::atomic::Ordering;

use bridge_tower::routes::RouteTable;
use serde_json::{Map, Value, json};

use super::Handlers;
use super::describe::{BUILDING, DESCRIBE, TOLD, mounted, operation, rpcs, write, write_and_end};
use super::http::HttpOperation;
use crate::registry::Dependency;

/// There will be a start that has more to tell.
pub(crate) fn building() {
    BUILDING.store(true, Ordering::Relaxed);
}

/// Tells of a service, with the routes that its builder was given, and ends the program.
pub(crate) fn service(
    name: &str,
    handlers: &Handlers,
    dependencies: &[Dependency],
    routes: &[(String, Vec<String>)],
) {
    let Some(file) = std::env::var_os(DESCRIBE) else {
        return;
    };
    let names = routes
        .iter()
        .flat_map(|(_, names)| names)
        .map(String::as_str);
    let table = RouteTable::from_names(names).unwrap_or_default();
    let is_mounted = !table.routes().is_empty();
    let mut told = if is_mounted {
        mounted(&table, &handlers.http)
    } else {
        unmounted(&handlers.http)
    };
    told.insert("rpcs".into(), rpcs(handlers));
    told.insert("dependencies".into(), calls(dependencies));
    TOLD.lock().push(told);
    write_and_end(&file, Some(name));
}

/// Tells of contracts that are written in Rust. The program goes on: it may have more to tell.
pub(crate) fn contracts(told: impl FnOnce() -> Value) {
    if let Some(file) = std::env::var_os(DESCRIBE) {
        let told = Map::from_iter([("descriptors".to_owned(), json!([told()]))]);
        TOLD.lock().push(told);
        write(&file, None);
    }
}

/// What is declared, where nobody knows what is mounted.
fn unmounted(operations: &[HttpOperation]) -> Map<String, Value> {
    let mut told = Map::from_iter([(
        "operations".to_owned(),
        operations.iter().map(operation).collect(),
    )]);
    if cfg!(feature = "openapi") && !operations.is_empty() {
        let text = "where its handlers are mounted is not known before it serves: declare the application \
                    before the start, as `let app = bridge::declare(router, &handlers);`, and serve that";
        told.insert("openapi".to_owned(), json!({ "refused": [text] }));
    }
    told
}

fn calls(dependencies: &[Dependency]) -> Value {
    let mut calls: Vec<Value> = Vec::new();
    for dependency in dependencies {
        let call = json!({
            "service": &*dependency.service,
            "contract": dependency.method.service,
        });
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    calls.into()
}
