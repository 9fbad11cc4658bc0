//! What a change of an OpenAPI document means for who sends and for who reads.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{DEPTH_MAX, ENTRIES_MAX, Lock, Places, Report, Verdict, compare, routes};

/// A document of one operation that takes and gives a value of the schema, with more schemas.
fn document(schema: &Value, more: &Value) -> Value {
    let content = json!({ "application/json": { "schema": schema } });
    json!({
        "openapi": "3.1.0",
        "paths": { "/v1/orders": { "post": {
            "requestBody": { "required": true, "content": content },
            "responses": { "200": { "description": "done", "content": content } },
        } } },
        "components": { "schemas": more },
    })
}

fn lock(document: &Value) -> Lock {
    let routes = routes(document).expect("a document");
    Lock {
        routes: Some(routes),
        ..Lock::default()
    }
}

fn lines(document: &Value) -> Vec<String> {
    let text = lock(document).to_text();
    let lines = text.lines().filter_map(|it| it.strip_prefix("  in.body"));
    lines.map(str::to_owned).collect()
}

fn report(old: &Value, new: &Value) -> Report {
    compare(&lock(old), &lock(new), &Places::default())
}

/// The verdicts on what is taken and on what is given, when one schema becomes the other.
fn verdicts(old: &Value, new: &Value) -> [Option<Verdict>; 2] {
    let none = json!({});
    let report = report(&document(old, &none), &document(new, &none));
    ["`in.body", "`out.200"].map(|place| {
        let of_place = report.changes.iter().filter(|it| it.what.contains(place));
        of_place.map(|it| it.verdict).max()
    })
}

const TIGHTER: [Option<Verdict>; 2] = [Some(Verdict::Major), Some(Verdict::Minor)];
const LOOSER: [Option<Verdict>; 2] = [Some(Verdict::Minor), Some(Verdict::Major)];
const OTHER: [Option<Verdict>; 2] = [Some(Verdict::Major), Some(Verdict::Major)];

#[test]
fn asking_for_less_breaks_who_sends_and_giving_more_breaks_who_reads() {
    for (loose, tight) in [
        (
            json!({ "type": "string" }),
            json!({ "type": "string", "maxLength": 9 }),
        ),
        (
            json!({ "type": "string", "maxLength": 10 }),
            json!({ "type": "string", "maxLength": 9 }),
        ),
        (
            json!({ "type": "string" }),
            json!({ "type": "string", "minLength": 1 }),
        ),
        (
            json!({ "type": "string" }),
            json!({ "type": "string", "pattern": "^a" }),
        ),
        (
            json!({ "type": "string" }),
            json!({ "type": "string", "format": "uuid" }),
        ),
        (json!({ "type": "string" }), json!({ "enum": ["a", "b"] })),
        (json!({ "type": "string" }), json!({ "enum": ["1", "01"] })),
        (json!({ "type": "number" }), json!({ "enum": [1, 1.5] })),
        (json!({ "enum": ["a", "b"] }), json!({ "enum": ["a"] })),
        (
            json!({ "type": ["string", "null"] }),
            json!({ "type": "string" }),
        ),
        (
            json!({ "type": "string", "nullable": true }),
            json!({ "type": "string" }),
        ),
        (json!({ "enum": ["a", null] }), json!({ "enum": ["a"] })),
        (json!({ "type": "number" }), json!({ "type": "integer" })),
        (
            json!({ "type": ["string", "integer"] }),
            json!({ "type": "integer" }),
        ),
        (
            json!({ "type": "integer", "format": "int64" }),
            json!({ "type": "integer", "format": "int32" }),
        ),
        (
            json!({ "type": "integer", "minimum": 0 }),
            json!({ "type": "integer", "minimum": 1 }),
        ),
        (
            json!({ "type": "array", "items": {} }),
            json!({ "type": "array", "items": {}, "uniqueItems": true }),
        ),
        (json!({}), json!({ "type": "string" })),
        (
            json!({ "oneOf": [{ "type": "string" }, { "type": "integer" }] }),
            json!({ "oneOf": [{ "type": "string" }, { "type": "integer", "maximum": 3 }] }),
        ),
    ] {
        assert_eq!(verdicts(&loose, &tight), TIGHTER, "{loose} -> {tight}");
        assert_eq!(verdicts(&tight, &loose), LOOSER, "{tight} -> {loose}");
        assert_eq!(verdicts(&tight, &tight), [None, None], "{tight}");
    }
}

#[test]
fn what_has_no_order_breaks_both_sides() {
    for (old, new) in [
        (
            json!({ "type": "string", "pattern": "a" }),
            json!({ "type": "string", "pattern": "b" }),
        ),
        (json!({ "type": "string" }), json!({ "type": "integer" })),
        (
            json!({ "type": "string", "format": "uuid" }),
            json!({ "type": "string", "format": "date" }),
        ),
        (json!({ "enum": ["1", "2"] }), json!({ "enum": [1, 2] })),
        // Words that some number is written as, and no number of JSON.
        (
            json!({ "enum": ["01", "02"] }),
            json!({ "type": "integer" }),
        ),
        (
            json!({ "enum": ["+1", "-0x"] }),
            json!({ "type": "integer" }),
        ),
        (
            json!({ "enum": ["inf", "nan", ".5"] }),
            json!({ "type": "number" }),
        ),
        (
            json!({ "enum": ["true", "null"] }),
            json!({ "type": "boolean" }),
        ),
        (
            json!({ "type": "object", "not": { "required": ["a"] } }),
            json!({ "type": "object", "not": { "required": ["b"] } }),
        ),
    ] {
        assert_eq!(verdicts(&old, &new), OTHER, "{old} -> {new}");
    }
}

#[test]
fn bounds_are_the_same_in_both_versions_of_the_format() {
    let none = json!({});
    let older = json!({ "type": "integer", "minimum": 3, "exclusiveMinimum": true });
    let newer = json!({ "type": "integer", "exclusiveMinimum": 3.0, "maximum": 1e3 });
    let older = lines(&document(&older, &none));
    assert_eq!(older, [" required integer exclusiveMinimum 3"]);
    let newer = lines(&document(&newer, &none));
    assert_eq!(newer, [" required integer exclusiveMinimum 3 maximum 1000"]);
}

#[test]
fn a_request_that_is_closed_refuses_what_it_took() {
    let open = json!({ "type": "object", "properties": { "a": {} } });
    let closed =
        json!({ "type": "object", "properties": { "a": {} }, "additionalProperties": false });
    // Readers pass over what they do not know, so it says nothing of answers.
    assert_eq!(verdicts(&open, &closed), [Some(Verdict::Major), None]);
    assert_eq!(verdicts(&closed, &open), [Some(Verdict::Minor), None]);
}

#[test]
fn all_parts_of_a_value_are_one_value() {
    let more = json!({
        "Base": { "type": "object", "properties": { "id": { "type": "string" } } },
        "Named": { "properties": { "name": { "type": "string", "maxLength": 20 } } },
    });
    let schema = json!({ "allOf": [
        { "$ref": "#/components/schemas/Base" },
        { "$ref": "#/components/schemas/Named" },
        { "required": ["id"], "properties": { "name": { "maxLength": 10 } } },
    ] });
    let expected = [
        " required object",
        ".id required string",
        ".name optional string maxLength 10",
    ];
    assert_eq!(lines(&document(&schema, &more)), expected);
    let beside = json!({
        "$ref": "#/components/schemas/Base",
        "properties": { "name": { "type": "string", "maxLength": 10 } },
        "required": ["id"],
    });
    assert_eq!(lines(&document(&beside, &more)), expected);
}

#[test]
fn alternatives_are_named_by_what_tells_them_apart() {
    let more = json!({
        "Card": {
            "type": "object", "required": ["kind", "number"],
            "properties": { "kind": { "const": "card" }, "number": { "type": "string" } },
        },
        "Cash": { "type": "object", "required": ["kind"], "properties": { "kind": { "enum": ["cash"] } } },
    });
    let references = json!([
        { "$ref": "#/components/schemas/Cash" },
        { "$ref": "#/components/schemas/Card" },
    ]);
    let by_tag = json!({ "oneOf": references });
    assert_eq!(
        lines(&document(&by_tag, &more)),
        [
            " required \"one of(kind=card|kind=cash)\"",
            "<kind=card> required object",
            "<kind=card>.kind required enum(card)",
            "<kind=card>.number required string",
            "<kind=cash> required object",
            "<kind=cash>.kind required enum(cash)",
        ]
    );
    let by_member = json!({ "oneOf": [
        { "type": "object", "required": ["Card"], "properties": { "Card": { "type": "string" } } },
        { "type": "string", "enum": ["Cash"] },
    ] });
    assert_eq!(
        lines(&document(&by_member, &more)),
        [
            " required \"one of(=Cash|Card)\"",
            "<=Cash> required enum(Cash)",
            "<Card> required object",
            "<Card>.Card required string",
        ]
    );
}

#[test]
fn a_change_below_a_reference_in_an_alternative_is_told_where_it_is() {
    let schema =
        json!({ "anyOf": [{ "$ref": "#/components/schemas/Card" }, { "type": "string" }] });
    let more = |length: u32| {
        json!({ "Card": {
            "type": "object", "required": ["number"],
            "properties": { "number": { "type": "string", "maxLength": length } },
        } })
    };
    let report = report(&document(&schema, &more(20)), &document(&schema, &more(16)));
    let shown: Vec<_> = report
        .changes
        .iter()
        .map(|it| (it.verdict, it.what.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (
                Verdict::Major,
                "route `POST /v1/orders`: `in.body<number>.number` has the maxLength 16 instead of 20"
            ),
            (
                Verdict::Minor,
                "route `POST /v1/orders`: `out.200<number>.number` has the maxLength 16 instead of 20"
            ),
        ]
    );
}

#[test]
fn an_alternative_that_comes_or_goes_is_told_once() {
    let of = |types: &[&str]| {
        let all: Vec<_> = types.iter().map(|ty| json!({ "type": ty })).collect();
        json!({ "oneOf": all })
    };
    let (two, three) = (
        of(&["string", "integer"]),
        of(&["string", "integer", "boolean"]),
    );
    assert_eq!(verdicts(&three, &two), TIGHTER);
    let none = json!({});
    let report = report(&document(&two, &none), &document(&three, &none));
    assert_eq!(report.changes.len(), 2, "{report:#?}");
}

#[test]
fn alternatives_that_nothing_tells_apart_are_compared_as_text_without_their_names() {
    let schema = |name: &str| {
        let reference = format!("#/components/schemas/{name}");
        json!({ "anyOf": [{ "$ref": reference }, { "type": "object", "properties": { "b": {} } }] })
    };
    let more = |name: &str, ty: &str| json!({ name: { "type": "object", "properties": { "a": { "type": ty } } } });
    let old = document(&schema("One"), &more("One", "string"));
    assert!(lines(&old)[0].contains("one of {"), "{:?}", lines(&old));
    let renamed = document(&schema("Two"), &more("Two", "string"));
    assert_eq!(report(&old, &renamed), Report::default());
    let changed = document(&schema("One"), &more("One", "integer"));
    assert_eq!(report(&old, &changed).verdict(), Some(Verdict::Major));
}

#[test]
fn one_more_form_of_a_body_breaks_nobody() {
    let none = json!({});
    let old = document(&json!({ "type": "object" }), &none);
    let mut new = old.clone();
    new["paths"]["/v1/orders"]["post"]["requestBody"]["content"]["text/csv"] =
        json!({ "schema": { "type": "string" } });
    let report = report(&old, &new);
    assert_eq!(report.verdict(), Some(Verdict::Minor));
    assert_eq!(report.changes.len(), 1);
}

#[test]
fn an_operation_that_is_too_large_is_refused_by_name() {
    let wide = |count: usize| {
        let members: serde_json::Map<_, _> =
            (0..count).map(|it| (format!("m{it}"), json!({}))).collect();
        json!({ "type": "object", "properties": members })
    };
    // The body and the answer, each with its members.
    let fits = ENTRIES_MAX / 2 - 1;
    assert!(routes(&document(&wide(fits), &json!({}))).is_ok());
    let refused = routes(&document(&wide(fits + 1), &json!({})));
    let refused = refused.expect_err("one too many");
    assert!(
        refused.starts_with("has an operation `POST /v1/orders` with more than 20000 values"),
        "{refused}"
    );

    let deep = |depth: usize| {
        let inner = json!({ "type": "string" });
        (0..depth).fold(inner, |inner, _| json!({ "type": "array", "items": inner }))
    };
    assert!(routes(&document(&deep(DEPTH_MAX - 1), &json!({}))).is_ok());
    assert!(routes(&document(&deep(DEPTH_MAX), &json!({}))).is_err());
    // Schemas that double at each reference: two to the hundredth values.
    let level = |it: usize| {
        let next = json!({ "$ref": format!("#/components/schemas/L{}", it + 1) });
        (
            format!("L{it}"),
            json!({ "type": "object", "properties": { "a": next, "b": next } }),
        )
    };
    let doubling: serde_json::Map<_, _> = (0..90).map(level).collect();
    let first = json!({ "$ref": "#/components/schemas/L0" });
    assert!(routes(&document(&first, &Value::Object(doubling))).is_err());
}

#[test]
fn blanks_and_punctuation_in_names_read_back() {
    let none = json!({});
    let schema = json!({ "type": "object", "required": ["a.b c"], "properties": {
        "a.b c": { "enum": ["x|y", "1", 1, null, "(z)", ""] },
        "a": { "type": "string", "pattern": "^[ #\"]+$" },
    } });
    let mut odd = document(&schema, &none);
    let paths = odd["paths"].as_object_mut().expect("paths");
    let item = paths.remove("/v1/orders").expect("a path");
    paths.insert("/v1/all orders/{the id}".to_owned(), item);
    let lock = lock(&odd);
    let text = lock.to_text();
    assert!(
        text.contains("\nroute POST \"/v1/all orders/{the id}\"\n"),
        "{text}"
    );
    assert!(text.contains("\n  in.body.a%2eb%20c required "), "{text}");
    let read = Lock::parse(Path::new("bridge.lock"), &text).expect("a lock");
    assert_eq!(read, lock);
}

#[test]
fn lists_that_are_empty_are_told_from_lists_that_nobody_made() {
    for lock in [
        Lock::default(),
        Lock {
            routes: Some(BTreeMap::new()),
            events: Some(BTreeMap::new()),
            ..Lock::default()
        },
    ] {
        let read = Lock::parse(Path::new("bridge.lock"), &lock.to_text());
        assert_eq!(read.expect("a lock"), lock);
    }
}
