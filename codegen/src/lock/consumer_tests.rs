//! Who is named as broken: callers on a map of what runs.

use std::path::Path;

use serde_json::json;

use super::tests::{SAMPLE, lock};
use super::{Change, Gate, Lock, Places, ServiceMap, Verdict};

#[test]
fn of_what_the_map_does_not_serve_as_accepted_nobody_is_said_to_be_nobody() {
    let map = |hash: &str| {
        let map = json!({ "edges": [], "services": [
            { "name": "payments", "methods": [{ "kind": "rpc", "name": "Charge", "contract_hash": hash }] },
        ] });
        ServiceMap::parse(Path::new("map.json"), &map.to_string()).expect("a map")
    };
    assert_eq!(
        map("v2:aa").consumers(&lock(SAMPLE))["shop.Payments/Charge"],
        []
    );
    assert!(map("v2:later").consumers(&lock(SAMPLE)).is_empty());
    for no_map in ["{}", "[]", r#"{"services":[]}"#, r#"{"describe":1}"#] {
        let error = ServiceMap::parse(Path::new("map.json"), no_map).expect_err(no_map);
        assert!(error.to_string().contains("bridge map -o json"), "{error}");
    }
}

#[test]
fn consumers_are_found_by_the_accepted_hash() {
    let map = json!({
        "services": [
            { "name": "payments", "methods": [{ "kind": "rpc", "name": "Charge", "contract_hash": "v2:aa" }] },
            { "name": "other", "methods": [{ "kind": "rpc", "name": "Charge", "contract_hash": "v2:zz" }] },
            { "name": "orders", "methods": [{ "kind": "http", "name": "GET /v1/orders", "contract_hash": "" }] },
        ],
        "edges": [
            { "from": "orders", "to": "payments", "kind": "rpc", "method": "Charge", "declared": true, "live": true },
            { "from": "audit", "to": "payments", "kind": "rpc", "method": "Charge", "declared": false, "load": { "count": 3 } },
            { "from": "stranger", "to": "other", "kind": "rpc", "method": "Charge", "declared": true },
            { "from": "", "to": "orders", "kind": "http", "method": "GET /v1/orders", "declared": false, "load": { "count": 1 } },
        ],
    });
    let map = ServiceMap::parse(Path::new("map.json"), &map.to_string()).expect("a map");
    let found = map.consumers(&lock(SAMPLE));
    let names = |key: &str| -> Vec<_> {
        found[key]
            .iter()
            .map(|it| (it.shown(), it.observed))
            .collect()
    };
    assert_eq!(names("shop.Payments/Charge"), [("audit", 3), ("orders", 0)]);
    assert_eq!(names("GET /v1/orders"), [("somebody outside", 1)]);
    assert_eq!(found.len(), 2);
}

#[test]
fn who_calls_an_http_form_is_named_when_it_moves_and_nobody_else_is() {
    let map = json!({
        "services": [{ "name": "payments", "methods": [
            { "kind": "rpc", "name": "Charge", "contract_hash": "v2:aa" },
            { "kind": "http", "name": "PUT /v1/charges/{id}" },
        ] }],
        "edges": [
            { "from": "orders", "to": "payments", "kind": "rpc", "method": "Charge", "declared": true },
            { "from": "web", "to": "payments", "kind": "http", "method": "PUT /v1/charges/{id}", "declared": true },
        ],
    });
    let map = ServiceMap::parse(Path::new("map.json"), &map.to_string()).expect("a map");
    let sample = SAMPLE.replace("POST /v1/charges", "PUT /v1/{name=charges/*}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("bridge.lock");
    std::fs::write(&file, &sample).expect("a writable folder");
    let names = |present: &str| -> Vec<_> {
        let gate = Gate::open(&file, Some(&map), &lock(present), &Places::default());
        let gate = gate.expect("a lock");
        let major = |it: &&Change| it.verdict == Verdict::Major;
        let changes = gate.report.changes.iter().filter(major);
        let consumers = changes.flat_map(|it| gate.concerned(it));
        consumers.map(|it| it.name.clone()).collect()
    };
    let moved = sample.replace("/v1/{name=", "/v2/{name=");
    assert_eq!(names(&moved), ["web"]);
    let (before, after) = sample.split_once("rpc shop.Payments/Watch").expect("rpcs");
    let head = before.split_once("\nrpc").expect("a head").0;
    let gone = format!("{head}\nrpc shop.Payments/Watch{after}");
    assert_eq!(names(&gone), ["web", "orders"]);
}

#[test]
fn what_nobody_described_is_said_not_to_be_compared() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("bridge.lock");
    std::fs::write(&file, SAMPLE).expect("a writable folder");
    let open = |present: &Lock| {
        let gate = Gate::open(&file, None, present, &Places::default());
        gate.expect("a lock").not_compared
    };
    assert_eq!(open(&lock(SAMPLE)), [""; 0]);
    let (without, _) = SAMPLE.split_once("\nevents").expect("events");
    assert_eq!(open(&lock(without)), ["routes", "events"]);
}
