//! The program describes itself: what it offers, where it is mounted, and what it calls, as a file.
//!
//! Tools that compare contracts, draw maps or audit routes need what only the program knows. Run
//! with `BRIDGE_DESCRIBE=file`, it writes that and ends, before anything is bound or connected.
//!
//! Refuses to guess what it was not given: a part that is not known is not in the file.
//!
//! Invariant: without the variable nothing is written and nothing ends.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use bridge_tower::Observed;
use bridge_tower::routes::{Audit, RouteMap, RouteTable};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use super::Handlers;
#[cfg(feature = "openapi")]
use super::document::document;
use super::http::HttpOperation;
use super::offered::audit_of;
use crate::registry::Dependency;

/// The variable with the name of the file.
const DESCRIBE: &str = "BRIDGE_DESCRIBE";
/// What readers of the file go by.
const FORMAT: u64 = 1;

/// A bridge is being built, so the description ends with its start.
static BUILDING: AtomicBool = AtomicBool::new(false);
/// What was told before that.
static TOLD: Mutex<Vec<Map<String, Value>>> = Mutex::new(Vec::new());

/// There will be a start that has more to tell.
pub(crate) fn building() {
    BUILDING.store(true, Ordering::Relaxed);
}

/// Tells of an application. Ends the program if that is all there is to tell.
pub(crate) fn application(app: &Observed, handlers: &Handlers) {
    let Some(file) = std::env::var_os(DESCRIBE) else {
        return;
    };
    let mut told = mounted(app.routes(), &handlers.http);
    told.insert("rpcs".into(), rpcs(handlers));
    TOLD.lock().push(told);
    if !BUILDING.load(Ordering::Relaxed) {
        write_and_end(&file, None);
    }
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

/// Tells of contracts that are written in Rust.
pub(crate) fn contracts(told: impl FnOnce() -> Value) {
    if std::env::var_os(DESCRIBE).is_some() {
        let told = Map::from_iter([("descriptors".to_owned(), json!([told()]))]);
        TOLD.lock().push(told);
    }
}

fn write_and_end(file: &std::ffi::OsStr, service: Option<&str>) -> ! {
    let text = description(service, &TOLD.lock()).to_string();
    let code = match std::fs::write(file, text) {
        Ok(()) => 0,
        Err(error) => {
            let file = file.to_string_lossy();
            // Whoever asked for the file reads this, with or without a log.
            let _ = writeln!(
                std::io::stderr(),
                "{DESCRIBE}: cannot write {file}: {error}"
            );
            1
        }
    };
    std::process::exit(code)
}

/// All that was told, as one: lists are joined, and of the rest the first counts.
fn description(service: Option<&str>, told: &[Map<String, Value>]) -> Value {
    let mut all = Map::from_iter([
        ("describe".to_owned(), FORMAT.into()),
        ("service".to_owned(), service.into()),
    ]);
    for (name, value) in told.iter().flatten() {
        match (all.get_mut(name), value) {
            (Some(Value::Array(known)), Value::Array(more)) => {
                let new = more.iter().filter(|it| !known.contains(it));
                let new: Vec<_> = new.cloned().collect();
                known.extend(new);
            }
            (Some(_), _) => {}
            (None, _) => {
                all.insert(name.clone(), value.clone());
            }
        }
    }
    all.into()
}

fn mounted(table: &RouteTable, operations: &[HttpOperation]) -> Map<String, Value> {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let audit = audit_of(operations, table);
    let mut told: Map<String, Value> = Map::from_iter([
        ("map".to_owned(), parsed(&RouteMap::from(table).to_json())),
        (
            "operations".to_owned(),
            operations.iter().map(operation).collect(),
        ),
        ("audit".to_owned(), parsed(&audit.to_json())),
    ]);
    if let Some(document) = openapi(operations, &audit) {
        told.insert("openapi".to_owned(), document);
    }
    told
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

/// The document of the handlers, with where its parts are defined.
#[cfg(feature = "openapi")]
fn openapi(operations: &[HttpOperation], audit: &Audit) -> Option<Value> {
    if operations.is_empty() {
        return None;
    }
    Some(match document(operations, audit) {
        Ok(made) => json!({
            "document": made.json(),
            "sites": made.sites,
            "left_out": made.left_out(),
        }),
        Err(error) => json!({ "refused": error.faults }),
    })
}

/// None was built in.
#[cfg(not(feature = "openapi"))]
const fn openapi(_: &[HttpOperation], _: &Audit) -> Option<Value> {
    None
}

fn operation(operation: &HttpOperation) -> Value {
    let HttpOperation { id, name, doc, .. } = operation;
    let millis = |it: std::time::Duration| u64::try_from(it.as_millis()).ok();
    json!({
        "name": name,
        "method": id.verb,
        "path": id.name,
        "doc": doc,
        "tag": operation.tag,
        "site": id.site,
        "deadline_ms": operation.deadline.and_then(millis),
        "idempotent_by": operation.idempotent.map(|it| it.header),
        "idempotent_required": operation.idempotent.is_some_and(|it| it.is_required),
        "idempotent_for_ms": operation.idempotent.and_then(|it| millis(it.keep)),
        "calls": operation.calls.iter().map(|it| it.contract).collect::<Value>(),
    })
}

fn rpcs(handlers: &Handlers) -> Value {
    let rpcs = handlers.rpc.iter().map(|it| {
        json!({
            "contract": it.meta.service,
            "name": it.meta.name,
            "hash": it.meta.contract_hash,
            "streaming": it.meta.streaming,
            "site": it.site,
        })
    });
    rpcs.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_in_parts_is_one_description() {
        let part = |json: Value| json.as_object().cloned().unwrap();
        let told = [
            part(json!({ "rpcs": [1], "map": { "routes": [] } })),
            part(json!({ "rpcs": [1, 2], "map": {}, "dependencies": [3] })),
        ];
        assert_eq!(
            description(Some("orders"), &told),
            json!({
                "describe": 1, "service": "orders", "rpcs": [1, 2], "dependencies": [3],
                "map": { "routes": [] },
            })
        );
    }
}
