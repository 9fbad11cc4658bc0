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
use super::http::HttpOperation;
use super::joined::audit_of;
#[cfg(feature = "openapi")]
use super::joined::document_by;
use super::refused::refusals;

/// The variable with the name of the file.
pub(super) const DESCRIBE: &str = "BRIDGE_DESCRIBE";
/// What readers of the file go by.
const FORMAT: u64 = 1;

/// A bridge is being built, so the description ends with its start.
pub(super) static BUILDING: AtomicBool = AtomicBool::new(false);
/// What was told before that.
pub(super) static TOLD: Mutex<Vec<Map<String, Value>>> = Mutex::new(Vec::new());

/// Tells of an application, if anybody asks. Ends the program if that is all there is to tell.
pub(crate) fn application(app: &Observed, handlers: &Handlers) -> bool {
    let Some(file) = std::env::var_os(DESCRIBE) else {
        return false;
    };
    let mut told = mounted(app.routes(), &handlers.http);
    told.insert("rpcs".into(), rpcs(handlers));
    TOLD.lock().push(told);
    if !BUILDING.load(Ordering::Relaxed) {
        write_and_end(&file, None);
    }
    true
}

/// Whether the program is asked to describe itself instead of doing its work.
#[cfg(feature = "mesh")]
pub(crate) fn is_asked() -> bool {
    std::env::var_os(DESCRIBE).is_some()
}

pub(super) fn write_and_end(file: &std::ffi::OsStr, service: Option<&str>) -> ! {
    write(file, service);
    std::process::exit(0)
}

/// Writes what was told so far; a program that cannot is of no use to whoever asked, and ends.
pub(super) fn write(file: &std::ffi::OsStr, service: Option<&str>) {
    let text = description(service, &TOLD.lock()).to_string();
    if let Err(error) = std::fs::write(file, text) {
        let file = file.to_string_lossy();
        // Whoever asked for the file reads this, with or without a log.
        let _ = writeln!(
            std::io::stderr(),
            "{DESCRIBE}: cannot write {file}: {error}"
        );
        std::process::exit(1)
    }
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

pub(super) fn mounted(table: &RouteTable, operations: &[HttpOperation]) -> Map<String, Value> {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let audit = audit_of(operations, table);
    let mut told: Map<String, Value> = Map::from_iter([
        ("map".to_owned(), parsed(&RouteMap::from(table).to_json())),
        (
            "operations".to_owned(),
            operations.iter().map(operation).collect(),
        ),
        ("audit".to_owned(), parsed(&audit.to_json())),
        ("refused".to_owned(), refusals(operations, &audit).into()),
    ]);
    if let Some(document) = openapi(operations, &audit) {
        told.insert("openapi".to_owned(), document);
    }
    told
}

/// The document of the handlers, with where its parts are defined.
#[cfg(feature = "openapi")]
fn openapi(operations: &[HttpOperation], audit: &Audit) -> Option<Value> {
    if operations.is_empty() {
        return None;
    }
    Some(match document_by(operations, audit) {
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

pub(super) fn operation(operation: &HttpOperation) -> Value {
    let HttpOperation { id, name, doc, .. } = operation;
    let millis = |it: std::time::Duration| u64::try_from(it.as_millis()).ok();
    json!({
        "name": name,
        "method": id.verb,
        "path": id.name,
        "doc": doc,
        "tag": operation.tag,
        "deprecated": operation.is_deprecated,
        "site": id.site,
        "deadline_ms": operation.deadline.and_then(millis),
        "idempotent_by": operation.idempotent.map(|it| it.header),
        "idempotent_within": operation.within,
        "idempotent_required": operation.idempotent.is_some_and(|it| it.is_required),
        "idempotent_for_ms": operation.idempotent.and_then(|it| millis(it.keep)),
        "calls": operation.called(),
    })
}

#[cfg(feature = "mesh")]
pub(super) fn rpcs(handlers: &Handlers) -> Value {
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

/// Handlers of messages need a mesh.
#[cfg(not(feature = "mesh"))]
fn rpcs(_: &Handlers) -> Value {
    json!([])
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
