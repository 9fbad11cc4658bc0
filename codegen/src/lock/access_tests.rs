//! Servers and security of an OpenAPI document: who still finds an operation, and who still gets in.

use serde_json::{Value, json};

use super::access::WAYS_MAX;
use super::tests::lock;
use super::{Lock, Places, Report, Verdict, compare, routes};

fn lock_of(document: &Value) -> Lock {
    Lock {
        routes: Some(routes(document).expect("a document")),
        ..Lock::default()
    }
}

/// The differences, worst first; both states are read back from their files on the way.
fn told(old: &Value, new: &Value) -> Vec<(Verdict, String)> {
    let [old, new] = [old, new].map(|document| {
        let made = lock_of(document);
        let read = lock(&made.to_text());
        assert_eq!(read, made, "{}", made.to_text());
        read
    });
    let report = compare(&old, &new, &Places::default());
    let changes = report.changes.into_iter();
    changes.map(|it| (it.verdict, it.what)).collect()
}

/// A document of one operation with members of its own.
fn document(more: &Value) -> Value {
    let mut document = json!({ "openapi": "3.1.0", "paths": { "/o": { "get": {} } } });
    let members = document.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    document
}

fn servers(urls: &[&str]) -> Value {
    let servers: Vec<_> = urls.iter().map(|url| json!({ "url": url })).collect();
    document(&json!({ "servers": servers }))
}

#[track_caller]
fn check_servers(old: &[&str], new: &[&str], expected: Option<(Verdict, &str)>) {
    let expected = expected.map(|(verdict, paths)| {
        (
            verdict,
            format!("route `GET /o`: the path of the server is {paths}"),
        )
    });
    let told = told(&servers(old), &servers(new));
    assert_eq!(told, Vec::from_iter(expected), "{old:?} -> {new:?}");
}

#[test]
fn an_operation_below_another_path_is_not_found() {
    use Verdict::{Major, Minor};
    for (old, new, expected) in [
        (
            &["/api/v1"][..],
            &["/api/v2"][..],
            Some((Major, "`/api/v2` instead of `/api/v1`")),
        ),
        (
            &["https://a.example/api/v1/"],
            &["https://b.example/api/v2"],
            Some((Major, "`/api/v2` instead of `/api/v1`")),
        ),
        (
            &["/v1"],
            &["/v1", "/v2"],
            Some((Minor, "`/v1` or `/v2` instead of `/v1`")),
        ),
        (
            &["/v1", "/v2"],
            &["/v2"],
            Some((Major, "`/v2` instead of `/v1` or `/v2`")),
        ),
        (&[], &["/v1"], Some((Major, "`/v1` instead of `/`"))),
        (
            &["//a.example"],
            &["//a.example/v1"],
            Some((Major, "`/v1` instead of `/`")),
        ),
        // Hosts are other ones wherever it runs.
        (
            &["https://a.example/v1"],
            &["http://b.example:8080/v1/", "/v1", "./v1", "v1"],
            None,
        ),
        (&["https://a.example", "https://b.example/"], &[], None),
    ] {
        check_servers(old, new, expected);
    }
}

#[test]
fn servers_of_an_operation_come_before_those_of_its_path_and_of_the_document() {
    let of = |levels: [Option<&str>; 3]| {
        let [all, item, operation] =
            levels.map(|it| json!(it.map(|url| json!([{ "url": url }])).unwrap_or(json!([]))));
        json!({
            "openapi": "3.1.0",
            "servers": all,
            "paths": { "/o": { "servers": item, "get": { "servers": operation } } },
        })
    };
    for (levels, path) in [
        ([Some("/a"), None, None], "/a"),
        ([Some("/a"), Some("/b"), None], "/b"),
        ([Some("/a"), Some("/b"), Some("/c")], "/c"),
        ([None, None, Some("/c")], "/c"),
        ([None, None, None], "/"),
    ] {
        assert_eq!(told(&of(levels), &servers(&[path])), [], "{levels:?}");
    }
}

#[test]
fn each_choice_of_a_variable_is_a_path_and_so_is_the_default_of_one_without_choices() {
    let of = |variable: Value| {
        let server = json!({ "url": "{at}/api/{version}", "variables": {
            "at": { "default": "https://a.example" }, "version": variable } });
        document(&json!({ "servers": [server] }))
    };
    let both = of(json!({ "default": "v2", "enum": ["v1", "v2"] }));
    assert_eq!(told(&both, &servers(&["/api/v1", "/api/v2"])), []);
    assert_eq!(
        told(&of(json!({ "default": "v1" })), &servers(&["/api/v1"])),
        []
    );
    // Which of them is meant where nothing is said breaks nobody who says it.
    let turned = of(json!({ "default": "v1", "enum": ["v2", "v1"] }));
    assert_eq!(told(&both, &turned), []);
}

#[test]
fn an_operation_of_too_many_servers_is_refused_by_name() {
    let of = |count: usize| {
        let choices: Vec<_> = (0..count).map(|it| format!("v{it}")).collect();
        let server = json!({ "url": "/{v}", "variables": { "v": { "enum": choices } } });
        routes(&document(&json!({ "servers": [server] })))
    };
    assert!(of(WAYS_MAX).is_ok());
    let refused = of(WAYS_MAX + 1).expect_err("one too many");
    assert!(
        refused.contains("`GET /o`") && refused.contains("1000 paths of servers"),
        "{refused}"
    );
}

/// A document that asks for the ways in, whose schemes are called otherwise each time.
fn asking(security: &Value) -> Value {
    document(
        &json!({ "security": security, "components": { "securitySchemes": {
        "token": { "type": "http", "scheme": "bearer" },
        "bearer": { "type": "http", "scheme": "Bearer", "bearerFormat": "JWT" },
        "basic": { "type": "http", "scheme": "basic" },
        "key": { "type": "apiKey", "in": "header", "name": "X-Key" },
        "lower": { "type": "apiKey", "in": "header", "name": "x-key" },
        "query": { "type": "apiKey", "in": "query", "name": "x-key" },
        "login": { "type": "oauth2", "flows": {} },
        "behind": { "$ref": "#/components/securitySchemes/token" },
    } } }),
    )
}

#[test]
fn whoever_was_let_in_must_be_let_in() {
    use Verdict::{Major, Minor};
    for (old, new, expected) in [
        (
            json!([]),
            json!([{ "token": [] }]),
            Some((Major, "`http(bearer)` instead of nothing")),
        ),
        (
            json!([{ "token": [] }]),
            json!([]),
            Some((Minor, "nothing instead of `http(bearer)`")),
        ),
        (
            json!([]),
            json!([{}, { "token": [] }]),
            Some((Minor, "nothing or `http(bearer)` instead of nothing")),
        ),
        (
            json!([{}, { "token": [] }]),
            json!([{ "token": [] }]),
            Some((Major, "`http(bearer)` instead of nothing or `http(bearer)`")),
        ),
        (
            json!([{ "token": [] }]),
            json!([{ "token": [], "key": [] }]),
            Some((
                Major,
                "`apiKey(header:x-key)` and `http(bearer)` instead of `http(bearer)`",
            )),
        ),
        (
            json!([{ "token": [], "key": [] }]),
            json!([{ "key": [] }]),
            Some((
                Minor,
                "`apiKey(header:x-key)` instead of `apiKey(header:x-key)` and `http(bearer)`",
            )),
        ),
        (
            json!([{ "token": [] }]),
            json!([{ "token": [] }, { "key": [] }]),
            Some((
                Minor,
                "`apiKey(header:x-key)` or `http(bearer)` instead of `http(bearer)`",
            )),
        ),
        (
            json!([{ "token": [] }]),
            json!([{ "basic": [] }]),
            Some((Major, "`http(basic)` instead of `http(bearer)`")),
        ),
        (
            json!([{ "key": [] }]),
            json!([{ "query": [] }]),
            Some((
                Major,
                "`apiKey(query:x-key)` instead of `apiKey(header:x-key)`",
            )),
        ),
        (
            json!([{ "login": ["a"] }]),
            json!([{ "login": ["a", "b"] }]),
            Some((
                Major,
                "`oauth2` and `oauth2:a` and `oauth2:b` instead of `oauth2` and `oauth2:a`",
            )),
        ),
        (
            json!([{ "login": ["a", "b"] }]),
            json!([{ "login": ["a"] }]),
            Some((
                Minor,
                "`oauth2` and `oauth2:a` instead of `oauth2` and `oauth2:a` and `oauth2:b`",
            )),
        ),
        (
            json!([{ "token": [] }]),
            json!([{ "stranger": [] }]),
            Some((Major, "`undeclared(stranger)` instead of `http(bearer)`")),
        ),
        // Requests do not have the names of schemes.
        (json!([{ "token": [] }]), json!([{ "bearer": [] }]), None),
        (json!([{ "token": [] }]), json!([{ "behind": [] }]), None),
        (json!([{ "key": [] }]), json!([{ "lower": [] }]), None),
        (json!([]), json!([{}]), None),
    ] {
        let expected = expected
            .map(|(verdict, what)| (verdict, format!("route `GET /o`: the security is {what}")));
        assert_eq!(
            told(&asking(&old), &asking(&new)),
            Vec::from_iter(expected),
            "{old} -> {new}"
        );
    }
}

#[test]
fn what_an_operation_asks_for_comes_before_what_the_document_does() {
    let mut own = asking(&json!([{ "token": [] }]));
    own["paths"]["/o"]["get"]["security"] = json!([]);
    assert_eq!(told(&own, &asking(&json!([]))), []);
    let lost = document(&json!({ "security": [{ "a": [] }], "components": {
        "securitySchemes": { "a": { "$ref": "#/components/securitySchemes/gone" } } } }));
    let refused = routes(&lost).expect_err("nothing is known of what it asks for");
    assert!(
        refused.contains("`#/components/securitySchemes/gone`"),
        "{refused}"
    );
}

#[test]
fn what_all_operations_have_is_told_once_with_all_of_them() {
    let of = |url: &str| {
        json!({
            "openapi": "3.1.0",
            "servers": [{ "url": url }],
            "paths": { "/o": { "get": {}, "put": {} }, "/o/{id}": { "get": {} } },
        })
    };
    let report = compare(
        &lock_of(&of("/v1")),
        &lock_of(&of("/v2")),
        &Places::default(),
    );
    let [change] = &report.changes[..] else {
        panic!("one change: {:#?}", report.changes);
    };
    assert_eq!(
        change.to_string(),
        "major: 3 routes: the path of the server is `/v2` instead of `/v1` (breaks http): keep the \
         server of before, too, until nobody calls it, then accept"
    );
    let concerned = ["GET /o", "GET /o/{id}", "PUT /o"];
    assert_eq!(change.concerns, concerned.map(str::to_owned).into());
}

#[test]
fn a_lock_that_does_not_say_is_compared_in_the_rest_and_goes_on_not_saying() {
    let before = lock("lock 1\nroutes\nroute GET /o\n  in.query.a optional string\n");
    let now = asking(&json!([{ "token": [] }]));
    let report = compare(&before, &lock_of(&now), &Places::default());
    let told: Vec<_> = report.changes.iter().map(|it| &*it.what).collect();
    assert_eq!(told, ["route `GET /o`: `in.query.a` is not taken any more"]);
    // Accepted again without a document, in a file of today.
    let carried = Lock::default().or_as_in(&before);
    let text = carried.to_text();
    assert!(
        text.contains("\nroute GET /o\n  access unknown\n"),
        "{text}"
    );
    assert_eq!(lock(&text), carried);
    let again = compare(&lock(&text), &lock_of(&now), &Places::default());
    assert_eq!(again, report);
    assert_ne!(again, Report::default());
}
