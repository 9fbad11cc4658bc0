//! A lock is text that reads back, and its differences have the verdicts that people rely on.

use std::path::Path;

use serde_json::json;

use super::routes::is_error_answer;
use super::{Breaks, Change, Lock, Places, Report, Verdict, compare, routes};

pub(super) const SAMPLE: &str = r#"lock 1

rpc shop.Payments/Charge
  in shop.ChargeRequest
  out shop.ChargeReply
  hash v2:aa
  idempotency idempotent
  http POST /v1/charges body *

rpc shop.Payments/Watch
  in shop.Kind
  out shop.Empty
  hash v2:bb
  idempotency unknown
  stream

message shop.ChargeReply
  1 id string

message shop.ChargeRequest
  1 order_id string
  2 cents int64 oneof amount
  3 labels map string string
  4 kind repeated enum shop.Kinds
  5 "odd name" optional string default "" json odd deprecated
  6 card message shop.Card
  reserved 9 12
  reserved old

message shop.Card
  1 number required string

message shop.Empty

message shop.Kind

enum shop.Kinds
  0 KINDS_UNSPECIFIED
  1 KINDS_ONCE

events
  card.charged shop.ChargeRequest

routes

route GET /v1/orders
  operation list_orders
  in.query.page optional integer
  out.200 required array
  out.200[] required object
  out.200[].id required string
  out.200[].state optional enum(new|paid)
"#;

pub(super) fn lock(text: &str) -> Lock {
    Lock::parse(Path::new("bridge.lock"), text).expect("a lock")
}

/// The sample with one text replaced, compared with the sample.
pub(super) fn report(from: &str, to: &str) -> Report {
    assert!(SAMPLE.contains(from), "{from}");
    let changed = SAMPLE.replacen(from, to, 1);
    compare(&lock(SAMPLE), &lock(&changed), &Places::default())
}

pub(super) fn only(from: &str, to: &str) -> Change {
    let report = report(from, to);
    let [change] = &report.changes[..] else {
        panic!("one change: {:#?}", report.changes);
    };
    change.clone()
}

#[track_caller]
pub(super) fn check(from: &str, to: &str, expected: &str) {
    assert_eq!(only(from, to).to_string(), expected);
}

#[test]
fn a_field_that_goes_breaks_unless_its_number_moved() {
    check(
        "  1 order_id string\n",
        "",
        "major: `shop.ChargeRequest`: field 1 `order_id` is gone (breaks json, code): put it back, \
         or write `reserved 1; reserved \"order_id\";` and accept",
    );
    check(
        "  1 order_id string\n",
        "  8 order_id string\n",
        "major: `shop.ChargeRequest`: field `order_id` has number 8 instead of 1 (breaks wire): \
         give it number 1 back; a number is what travels",
    );
    let report = report(
        "  1 order_id string\n",
        "  reserved 1 1\n  reserved order_id\n",
    );
    let gone = &report.changes[0];
    assert_eq!(
        gone.todo,
        "its number and name are reserved: accept it once nobody reads the field"
    );
}

#[test]
fn a_new_field_is_minor_unless_it_is_required_or_its_number_was_reserved() {
    check(
        "  1 id string\n",
        "  1 id string\n  2 at string\n",
        "minor: `shop.ChargeReply`: field 2 `at` is new: end each literal that names every field in \
         `..Default::default()`",
    );
    let required = only("  1 id string\n", "  1 id string\n  2 at required string\n");
    assert_eq!(required.verdict, Verdict::Major);
    let reserved = only("  6 card", "  10 taken string\n  6 card");
    assert_eq!(reserved.verdict, Verdict::Major);
    assert!(
        reserved
            .what
            .ends_with("though its number or name was reserved")
    );
}

#[test]
fn types_that_read_each_others_bytes_break_json_and_code_alone() {
    let kin = only("2 cents int64", "2 cents uint32");
    assert_eq!(kin.breaks, [Breaks::Json, Breaks::Code].into());
    let other = only("2 cents int64", "2 cents sint64");
    assert!(other.breaks.contains(&Breaks::Wire));
    check(
        "6 card message shop.Card",
        "6 card message shop.Empty",
        "major: `shop.ChargeRequest`: field 6 `card` is `shop.Empty` instead of `shop.Card` \
         (breaks wire, json, code): keep 6 as it was, and add a field with a number of its own",
    );
}

#[test]
fn labels_oneofs_defaults_and_names_are_compared() {
    for (from, to, breaks) in [
        (
            "1 order_id string",
            "1 order_id optional string",
            &[Breaks::Code][..],
        ),
        (
            "1 order_id string",
            "1 order_id repeated string",
            &[Breaks::Wire, Breaks::Json, Breaks::Code],
        ),
        (
            "1 number required string",
            "1 number string",
            &[Breaks::Wire, Breaks::Json, Breaks::Code],
        ),
        ("int64 oneof amount", "int64", &[Breaks::Wire, Breaks::Code]),
        ("default \"\"", "default x", &[Breaks::Wire]),
        ("json odd", "json odder", &[Breaks::Json]),
        (
            "1 order_id string",
            "1 order string",
            &[Breaks::Json, Breaks::Code],
        ),
        (
            "3 labels map string",
            "3 labels map int32",
            &[Breaks::Wire, Breaks::Json, Breaks::Code],
        ),
    ] {
        let change = only(from, to);
        assert_eq!(
            change.breaks,
            breaks.iter().copied().collect(),
            "{from} -> {to}"
        );
        assert_eq!(change.verdict, Verdict::Major, "{from} -> {to}");
    }
}

#[test]
fn rpcs_keep_types_streams_promises_and_bindings() {
    check(
        "idempotency idempotent",
        "idempotency unknown",
        "major: rpc `shop.Payments/Charge` has the idempotency unknown instead of idempotent \
         (breaks promise): callers that were built before repeat calls on the old promise: keep it",
    );
    assert_eq!(
        only("idempotency unknown", "idempotency no_side_effects").verdict,
        Verdict::Minor
    );
    assert_eq!(
        only("  stream\n", "").breaks,
        [Breaks::Wire, Breaks::Code].into()
    );
    assert_eq!(
        only("http POST /v1/charges body *", "http POST /v1/charges").breaks,
        [Breaks::Http, Breaks::Json].into()
    );
    let moved = report("http POST /v1/charges", "http PUT /v1/charges");
    assert_eq!(moved.verdict(), Some(Verdict::Major));
    assert_eq!(moved.changes.len(), 2);
}

#[test]
fn a_change_deep_inside_names_every_rpc_that_carries_it() {
    let change = only(
        "  1 number required string\n",
        "  1 number required string\n  2 holder string\n",
    );
    assert_eq!(change.verdict, Verdict::Minor);
    let concerned = ["event card.charged", "shop.Payments/Charge"];
    assert_eq!(change.concerns, concerned.map(str::to_owned).into());
}

#[test]
fn a_new_hash_is_no_breakage_and_told_apart() {
    let report = report("hash v2:aa", "hash v2:ab");
    assert!(report.changes.is_empty());
    assert_eq!(report.rerouted.len(), 1);
    assert_eq!(report.rerouted[0].rpc, "shop.Payments/Charge");
}

#[test]
fn what_a_route_takes_and_what_it_gives_are_judged_in_opposite_directions() {
    for (from, to, verdict) in [
        (
            "in.query.page optional",
            "in.query.page required",
            Verdict::Major,
        ),
        (
            "out.200[].id required",
            "out.200[].id optional",
            Verdict::Major,
        ),
        (
            "out.200[].state optional",
            "out.200[].state required",
            Verdict::Minor,
        ),
        ("  in.query.page optional integer\n", "", Verdict::Major),
        ("  out.200[].id required string\n", "", Verdict::Major),
        (
            "  out.200[].id",
            "  out.200[].at required string\n  out.200[].id",
            Verdict::Minor,
        ),
        ("enum(new|paid)", "enum(new)", Verdict::Minor),
        ("enum(new|paid)", "enum(lost|new|paid)", Verdict::Major),
        ("operation list_orders", "operation orders", Verdict::Major),
    ] {
        assert_eq!(only(from, to).verdict, verdict, "{from} -> {to}");
    }
}

#[test]
fn an_error_answer_that_is_gone_is_told_from_a_part_of_one() {
    for place in ["out.404", "out.5XX", "out.404(text/plain)"] {
        assert!(is_error_answer(place), "{place}");
    }
    for place in [
        "out.404.code",
        "out.404[]",
        "out.404(text/plain).a",
        "out.200",
        "in.4",
    ] {
        assert!(!is_error_answer(place), "{place}");
    }
}

#[test]
fn events_keep_their_addresses_and_messages() {
    check(
        "  card.charged shop.ChargeRequest\n",
        "",
        "major: event `card.charged` is gone (breaks wire): go on publishing it until nobody \
         subscribes, then accept",
    );
    let other = only("card.charged shop.ChargeRequest", "card.charged shop.Card");
    assert_eq!(other.verdict, Verdict::Major);
    check(
        "  card.charged shop.ChargeRequest\n",
        "  card.charged shop.ChargeRequest\n  card.lost shop.Card\n",
        "minor: event `card.lost` is new",
    );
}

#[test]
fn routes_and_events_that_nobody_described_are_not_compared() {
    let (without, _) = SAMPLE.split_once("\nevents").expect("events");
    let report = compare(&lock(SAMPLE), &lock(without), &Places::default());
    assert_eq!(report, Report::default());
}

#[test]
fn an_openapi_document_is_flattened_and_recursion_ends() {
    let document = json!({
        "openapi": "3.1.0",
        "paths": { "/v1/nodes/{id}": {
            "parameters": [{ "in": "path", "name": "id", "required": true, "schema": { "type": "integer", "format": "int64" } }],
            "put": {
                "operationId": "put_node",
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Node" } } } },
                "responses": {
                    "200": { "description": "done", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Node" } } } },
                    "204": { "description": "nothing to do" },
                },
            },
        } },
        "components": { "schemas": { "Node": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": { "type": ["string", "null"] },
                "kind": { "enum": ["leaf", "branch"] },
                "parent": { "anyOf": [{ "$ref": "#/components/schemas/Node" }, { "type": "null" }] },
                "tags": { "type": "object", "additionalProperties": { "type": "string" } },
                "parts": { "type": "array", "items": { "oneOf": [{ "type": "string" }, { "type": "integer" }] } },
            },
        } } },
    });
    let found = routes(&document).expect("a document");
    let route = &found["PUT /v1/nodes/{id}"];
    let lines: Vec<_> = route
        .shape
        .iter()
        .map(|(place, it)| format!("{place} {} {}", it.required, it.ty))
        .collect();
    let node = [
        "true object",
        ".kind false enum(branch|leaf)",
        ".name true null|string",
        ".parent false null|again(1)",
        ".parts false array",
        ".parts[] true one of(integer|string)",
        ".parts[]<integer> true integer",
        ".parts[]<string> true string",
        ".tags false object",
        ".tags{} true string",
    ];
    let at = |root: &str| -> Vec<String> {
        let join = |line: &&str| {
            let space = if line.starts_with('.') { "" } else { " " };
            format!("{root}{space}{line}")
        };
        node.iter().map(join).collect()
    };
    let mut expected = at("in.body");
    expected.push("in.path.id true integer(int64)".to_owned());
    expected.extend(at("out.200"));
    expected.push("out.204 true nothing".to_owned());
    assert_eq!(lines, expected);
}

#[test]
fn a_name_with_a_line_end_stays_in_its_line() {
    let odd = SAMPLE.replace("1 order_id string", "1 \"a\\ncargo::warning=b\" string");
    let report = compare(&lock(&odd), &lock(SAMPLE), &Places::default());
    let shown = report.changes[0].to_string();
    assert!(shown.contains("`a\\ncargo::warning=b`"), "{shown}");
    assert!(!shown.contains('\n'));
}
