//! The sets of an audit.

use axum::Router;
use axum::routing::{MethodRouter, any, get, post};

use super::super::{Audit, Declared, RouteTable, Strictness};
use crate::record::Verb;

async fn handler() {}

fn declared(verb: Verb, path: &str, operation: &str) -> Declared {
    Declared {
        verb,
        path: path.to_owned(),
        operation: operation.to_owned(),
    }
}

fn service() -> MethodRouter {
    get(handler)
}

fn table() -> RouteTable {
    let orders = Router::new()
        .route("/", get(handler).post(handler))
        .route("/{order}", get(handler))
        .route("/{order}/lines", get(handler));
    let app: Router = Router::new()
        .route("/healthz", get(handler))
        .nest("/api/orders", orders)
        .route("/hooks", any(handler).get(handler))
        .nest_service("/files", service());
    RouteTable::of(&app).expect("a router")
}

fn check(declared: &[Declared], expected: &str) -> Audit {
    let audit = Audit::of(declared, &table(), None);
    assert_eq!(audit.to_string(), expected);
    audit
}

#[test]
fn a_path_is_joined_in_full_or_by_its_end_whatever_its_parameters_are_called() {
    let audit = check(
        &[
            declared(Verb::Get, "/healthz", "health"),
            declared(Verb::Get, "/{id}/lines", "lines"),
            declared(Verb::Get, "/api/orders/{id}", "order"),
            declared(Verb::Post, "/", "place"),
            declared(Verb::Delete, "/hooks", "unhook"),
        ],
        "declared and mounted: 5
  POST    /                                place                    nested at /api/orders
  GET     /api/orders/{id}                 order
  GET     /healthz                         health
  DELETE  /hooks                           unhook
  GET     /{id}/lines                      lines                    nested at /api/orders/{order}/lines
declared, not mounted: 0
declared, ambiguous: 0
mounted, not declared: 3
  GET     /api/orders
  ANY     /files/{*}
  GET     /hooks
",
    );
    assert_eq!(audit.exit_code(Strictness::Declared), 0);
    assert_eq!(audit.exit_code(Strictness::Everything), 1);
}

#[test]
fn what_is_declared_and_mounted_nowhere_fails() {
    let audit = check(
        &[
            declared(Verb::Get, "/refunds", "refunds"),
            declared(Verb::Put, "/healthz", "set_health"),
        ],
        "declared and mounted: 0
declared, not mounted: 2
  PUT     /healthz                         set_health               mounted with GET
  GET     /refunds                         refunds
declared, ambiguous: 0
mounted, not declared: 8
  GET     /api/orders
  POST    /api/orders
  GET     /api/orders/{order}
  GET     /api/orders/{order}/lines
  ANY     /files/{*}
  GET     /healthz
  GET     /hooks
  ANY     /hooks
",
    );
    assert_eq!(audit.exit_code(Strictness::Declared), 1);
}

#[test]
fn a_path_that_fits_two_routes_or_hides_in_a_service_is_ambiguous() {
    let audit = check(
        &[
            declared(Verb::Get, "/{id}", "one"),
            declared(Verb::Get, "/", "two"),
            declared(Verb::Get, "/files/logo.svg", "logo"),
            declared(Verb::Post, "/hooks", "hook"),
            declared(Verb::Post, "/hooks", "hook_again"),
        ],
        "declared and mounted: 1
  GET     /{id}                            one                      nested at /api/orders/{order}
declared, not mounted: 0
declared, ambiguous: 4
  GET     /                                two                      may be /api/orders or /api/orders/{order}/lines or /healthz or /hooks
  GET     /files/logo.svg                  logo                     may be /files/{*}
  POST    /hooks                           hook                     may be /hooks
  POST    /hooks                           hook_again               may be /hooks
mounted, not declared: 2
  POST    /api/orders
  ANY     /files/{*}
",
    );
    assert_eq!(audit.exit_code(Strictness::Declared), 0);
    assert_eq!(audit.exit_code(Strictness::Everything), 1);
}

#[test]
fn the_longest_end_has_the_first_choice() {
    let orders = Router::new().route("/{id}", get(handler));
    let users = Router::new().route("/users/{id}", get(handler));
    let app: Router = Router::new().nest("/v1/orders", orders).nest("/v1", users);
    let table = RouteTable::of(&app).expect("a router");
    let all = [
        declared(Verb::Get, "/{id}", "order"),
        declared(Verb::Get, "/users/{id}", "user"),
    ];
    let audit = Audit::of(&all, &table, None);
    let joined = audit.declared_and_mounted.iter();
    let joined: Vec<_> = joined
        .map(|it| (&*it.declared.operation, &*it.path))
        .collect();
    assert_eq!(
        joined,
        [("user", "/v1/users/{id}"), ("order", "/v1/orders/{id}")]
    );
    assert_eq!(audit.exit_code(Strictness::Everything), 0);
}

#[test]
fn what_was_never_called_is_told_by_handler() {
    let table = table();
    let called = |route: u32, verb: Verb| {
        let path = &*table.routes()[route as usize].path;
        // `HEAD` reaches the handler for `GET`, and what nobody handles reaches `any`.
        u64::from(matches!(
            (path, verb),
            ("/healthz", Verb::Head)
                | ("/hooks", Verb::Other)
                | ("/api/orders", Verb::Post | Verb::Delete)
                | ("/files/{*}", Verb::Get)
        ))
    };
    let audit = Audit::of(&[], &table, Some(&called));
    let never = audit.mounted_never_called.expect("it was counted");
    let never: Vec<_> = never
        .iter()
        .map(|it| (it.handler.as_str(), &*it.path))
        .collect();
    assert_eq!(
        never,
        [
            ("GET", "/api/orders"),
            ("GET", "/api/orders/{order}"),
            ("GET", "/api/orders/{order}/lines"),
            ("GET", "/hooks"),
        ]
    );
}

#[test]
fn candidates_are_named_up_to_their_limit() {
    let app: Router = (0..20).fold(Router::new(), |app, at| {
        app.route(&format!("/{at}/same"), post(handler))
    });
    let table = RouteTable::of(&app).expect("a router");
    let audit = Audit::of(&[declared(Verb::Post, "/same", "same")], &table, None);
    assert_eq!(audit.ambiguous[0].candidates.len(), 8);
    assert_eq!(audit.mounted_not_declared, []);
}

#[test]
fn an_audit_is_json_for_programs() {
    let all = [
        declared(Verb::Get, "/{id}/lines", "lines"),
        declared(Verb::Put, "/healthz", "health"),
        declared(Verb::Get, "/files/a", "a"),
    ];
    let audit = Audit::of(&all, &table(), Some(&|_, _| 1));
    let json: serde_json::Value = serde_json::from_str(&audit.to_json()).expect("JSON");
    assert_eq!(
        json["declared_and_mounted"][0]["mounted_at"],
        "/api/orders/{order}/lines"
    );
    assert_eq!(json["declared_and_mounted"][0]["exact"], false);
    assert_eq!(json["declared_not_mounted"][0]["mounted_methods"][0], "GET");
    assert_eq!(json["ambiguous"][0]["candidates"][0], "/files/{*}");
    assert_eq!(json["mounted_not_declared"][0]["path"], "/api/orders");
    assert_eq!(json["mounted_never_called"], serde_json::json!([]));
    let uncounted = Audit::of(&all, &table(), None).to_json();
    assert!(
        uncounted.contains("\"mounted_never_called\":null"),
        "{uncounted}"
    );
}
