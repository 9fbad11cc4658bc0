//! The sets of an audit.

use axum::Router;
use axum::routing::{MethodRouter, any, get, post};

use super::super::{Audit, Declared, Doubt, RouteTable, Strictness};
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
  GET     /refunds                         refunds                  unless inside of /files/{*}
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
fn a_route_that_two_declare_a_slash_alone_and_what_hides_in_a_service_are_ambiguous() {
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
  POST    /hooks                           hook                     may be /hooks, as may hook_again
  POST    /hooks                           hook_again               may be /hooks, as may hook
mounted, not declared: 2
  POST    /api/orders
  ANY     /files/{*}
",
    );
    assert_eq!(audit.exit_code(Strictness::Declared), 1);
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

/// The doubts about what is declared, by operation.
fn doubts(declared: &[Declared], paths: &[&str]) -> Vec<(String, Vec<String>, Vec<String>)> {
    let app: Router = paths
        .iter()
        .fold(Router::new(), |app, path| app.route(path, post(handler)));
    let table = RouteTable::of(&app).expect("a router");
    let audit = Audit::of(declared, &table, None);
    let told = audit.ambiguous.into_iter().map(|it| {
        let with = match it.doubt {
            Doubt::Shared(with) => with,
            _ => Vec::new(),
        };
        let with = with.into_iter().map(|it| it.operation).collect();
        (it.declared.operation, it.candidates, with)
    });
    told.collect()
}

#[test]
fn a_route_that_somebody_declares_as_it_stands_is_nobody_elses() {
    let pay = declared(Verb::Post, "/payments", "pay");
    let refund = declared(Verb::Post, "/refunds/payments", "refund");
    let paths = ["/v1/payments", "/refunds/payments"];
    assert_eq!(doubts(&[refund.clone(), pay.clone()], &paths), []);
    // Alone it is at both.
    assert_eq!(doubts(&[pay], &paths), []);
}

#[test]
fn who_else_may_mean_a_route_is_told_also_where_its_end_is_shorter() {
    let long = declared(Verb::Post, "/orders/{id}", "long");
    let short = declared(Verb::Post, "/{id}", "short");
    let paths = ["/users/{id}", "/v1/orders/{id}", "/v2/orders/{id}"];
    let told = doubts(&[long.clone(), short.clone()], &paths);
    let of = |at: usize| (told[at].0.as_str(), told[at].1.len(), told[at].2.join(" "));
    assert_eq!(of(0), ("long", 2, "short".to_owned()));
    assert_eq!(of(1), ("short", 3, "long".to_owned()));
    // One place is enough to know where it is.
    assert_eq!(doubts(&[long, short], &paths[..2]), []);
}

#[test]
fn a_path_that_is_mounted_as_it_stands_tells_who_else_ends_so() {
    let app = ["/pay", "/v1/pay", "/v2/pay", "/v2/repay"].iter();
    let app: Router = app.fold(Router::new(), |app, path| app.route(path, post(handler)));
    let table = RouteTable::of(&app).expect("a router");
    let all = [
        declared(Verb::Post, "/pay", "pay"),
        declared(Verb::Post, "/v2/pay", "pay_later"),
    ];
    let joined = Audit::of(&all, &table, None).declared_and_mounted;
    assert_eq!(joined[0].elsewhere, ["/v1/pay"]);
    assert!(joined[1].elsewhere.is_empty());
}

#[test]
fn one_route_that_another_may_mean_is_not_joined() {
    let long = declared(Verb::Post, "/orders/{id}", "long");
    let short = declared(Verb::Post, "/{id}", "short");
    let users = declared(Verb::Post, "/users/{id}", "users");
    let paths = ["/users/{id}", "/v1/orders/{id}", "/v2/orders/{id}"];
    let told = doubts(&[long, short, users], &paths);
    let who: Vec<_> = told.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(who, ["long", "short"]);
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
    let both = ["same", "other"].map(|it| declared(Verb::Post, "/same", it));
    let alone = Audit::of(&both[..1], &table, None);
    assert_eq!(alone.declared_and_mounted.len(), 20);
    let audit = Audit::of(&both, &table, None);
    assert_eq!(audit.ambiguous[0].candidates.len(), 20);
    assert_eq!(audit.mounted_not_declared, []);
    let text = audit.ambiguous[0].to_string();
    let end = " or /15/same or one of 12 more, as may same";
    assert!(text.ends_with(end), "{text}");
    let json: serde_json::Value = serde_json::from_str(&audit.to_json()).expect("JSON");
    let found = &json["ambiguous"][0];
    assert_eq!(found["candidates"].as_array().map(Vec::len), Some(8));
    assert_eq!(found["candidates_total"], 20);
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
