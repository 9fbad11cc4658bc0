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

/// A map of the services, each with its methods as kind, name and hash, and of who calls what of
/// whom, as kind and method.
fn map(services: &[(&str, &[[&str; 3]])], edges: &[[&str; 4]]) -> ServiceMap {
    let methods = |all: &[[&str; 3]]| -> Vec<_> {
        let method = |[kind, name, hash]: &[&str; 3]| json!({ "kind": kind, "name": name, "contract_hash": hash });
        all.iter().map(method).collect()
    };
    let services = services.iter();
    let services = services.map(|(name, all)| json!({ "name": name, "methods": methods(all) }));
    let edges = edges.iter().map(|[from, to, kind, method]| {
        json!({ "from": from, "to": to, "kind": kind, "method": method, "declared": true })
    });
    let map = json!({
        "services": services.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
    });
    ServiceMap::parse(Path::new("map.json"), &map.to_string()).expect("a map")
}

/// Who is named with each change that breaks, in the order of the report.
#[track_caller]
fn named(accepted: &str, present: &str, map: &ServiceMap) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("bridge.lock");
    std::fs::write(&file, accepted).expect("a writable folder");
    let gate = Gate::open(&file, Some(map), &lock(present), &Places::default());
    let gate = gate.expect("a lock");
    let major = |it: &&Change| it.verdict == Verdict::Major;
    let changes = gate.report.changes.iter().filter(major);
    let names = |it: &Change| {
        let all = gate.concerned(it).into_iter();
        all.map(|it| it.name.clone()).collect()
    };
    changes.map(names).collect()
}

#[test]
fn what_breaks_json_breaks_callers_over_http_and_what_breaks_bytes_breaks_callers_of_the_rpc() {
    let map = map(
        &[(
            "payments",
            &[["rpc", "Charge", "v2:aa"], ["http", "POST /v1/charges", ""]],
        )],
        &[
            ["orders", "payments", "rpc", "Charge"],
            ["web", "payments", "http", "POST /v1/charges"],
        ],
    );
    for (from, to, expected) in [
        ("json odd", "json odder", &["web"][..]),
        ("1 order_id string", "7 order_id string", &["orders"]),
        ("1 order_id string", "1 order string", &["web", "orders"]),
        ("2 cents int64", "2 cents string", &["web", "orders"]),
    ] {
        assert!(SAMPLE.contains(from), "{from}");
        let present = SAMPLE.replacen(from, to, 1);
        assert_eq!(named(SAMPLE, &present, &map), [expected], "{from} -> {to}");
    }
}

#[test]
fn callers_of_a_service_that_is_away_are_named_as_such() {
    let edges = [
        ["visitor", "payments", "rpc", "Charge"],
        ["other", "payments", "rpc", "Other"],
        ["orders", "desk", "rpc", "Charge"],
    ];
    let desk: (&str, &[_]) = ("desk", &[["rpc", "Charge", "v2:later"]]);
    for services in [&[desk][..], &[desk, ("payments", &[])]] {
        let found = map(services, &edges).consumers(&lock(SAMPLE));
        let found = &found["shop.Payments/Charge"];
        let names: Vec<_> = found.iter().map(|it| (it.shown(), it.away)).collect();
        assert_eq!(names, [("visitor", true)]);
    }
    // One that is there is known by what it serves.
    let there: (&str, &[_]) = ("till", &[["rpc", "Charge", "v2:aa"]]);
    let found = map(&[desk, there], &edges).consumers(&lock(SAMPLE));
    assert_eq!(found["shop.Payments/Charge"], []);
}

#[test]
fn rpcs_of_one_name_and_hash_are_said_to_be_told_apart_by_nothing() {
    let twin = SAMPLE.replace(
        "\nrpc shop.Payments/Watch",
        "\nrpc shop.Desk/Charge\n  in a\n  out b\n  hash v2:aa\n  idempotency unknown\n\nrpc shop.Payments/Watch",
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("bridge.lock");
    std::fs::write(&file, &twin).expect("a writable folder");
    let map = map(&[("desk", &[["rpc", "Charge", "v2:aa"]])], &[]);
    let gate = Gate::open(&file, Some(&map), &lock(SAMPLE), &Places::default());
    let gate = gate.expect("a lock");
    let [gone] = &gate.report.changes[..] else {
        panic!("one change: {:#?}", gate.report.changes);
    };
    assert_eq!(gone.what, "rpc `shop.Desk/Charge` is gone");
    assert_eq!(gate.alike_to(gone), ["shop.Payments/Charge"].into());
}
