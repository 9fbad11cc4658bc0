//! What was said about axum handlers, where it cannot be told where they are mounted.
//!
//! Invariant: a deadline and a key hold for the handler's requests, or the application is refused
//! with everybody who is meant.

use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use bridge::routes::Strictness;
use bridge::{Handlers, Observed};
use tower::ServiceExt as _;

#[bridge::rpc(
    post,
    "/payments",
    idempotent_by = "Idempotency-Key",
    required,
    deadline = "20ms"
)]
async fn pay() -> &'static str {
    "paid"
}

mod refunds {
    /// Another handler with an end that fits what the other one is at.
    #[bridge::rpc(post, "/payments")]
    pub(super) async fn refund() {}

    /// The same, where it is mounted.
    #[bridge::rpc(post, "/refunds/payments")]
    pub(super) async fn refund_there() {}
}

async fn plain() -> &'static str {
    "plain"
}

fn payments() -> Router {
    Router::new().route("/payments", post(pay))
}

async fn status(app: &Observed, request: Request<Body>) -> StatusCode {
    let answer = app.clone().oneshot(request).await;
    answer.unwrap_or_else(|never| match never {}).status()
}

/// How an application answers what has no key.
async fn posted(app: &Observed, path: &str) -> StatusCode {
    let request = Request::post(path).body(Body::empty());
    status(app, request.expect("it is a request")).await
}

/// Why an application is refused.
fn refused(app: impl Into<bridge::HttpApp>, handlers: &Handlers) -> String {
    let declared = AssertUnwindSafe(|| bridge::declare(app, handlers));
    let panic = catch_unwind(declared).expect_err("it is refused");
    *panic.downcast::<String>().expect("it is a text")
}

#[tokio::test]
async fn a_promise_holds_wherever_its_router_is_nested() {
    let handlers = bridge::handlers![pay];
    let twice = Router::new()
        .nest("/v1", payments())
        .nest("/v2", payments());
    let app = bridge::declare(twice, &handlers);
    for path in ["/v1/payments", "/v2/payments"] {
        assert_eq!(posted(&app, path).await, StatusCode::BAD_REQUEST, "{path}");
    }
    let audit = bridge::audit(&app, &handlers);
    let joined = audit.declared_and_mounted.iter();
    let at: Vec<_> = joined.map(|it| it.path.as_str()).collect();
    assert_eq!(at, ["/v1/payments", "/v2/payments"], "{audit}");
    assert!(audit.ambiguous.is_empty(), "{audit}");
    assert_eq!(audit.exit_code(Strictness::Everything), 0, "{audit}");
}

#[tokio::test]
async fn an_unrelated_route_with_the_same_end_takes_no_promise_away() {
    let handlers = bridge::handlers![pay];
    let with_refunds = || {
        let refunds = Router::new().route("/refunds/payments", post(plain));
        Router::new().nest("/v1", payments()).merge(refunds)
    };
    let app = bridge::declare(with_refunds(), &handlers);
    let bad = StatusCode::BAD_REQUEST;
    assert_eq!(posted(&app, "/v1/payments").await, bad);
    // Nobody says whether it is not this one.
    assert_eq!(posted(&app, "/refunds/payments").await, bad);
    // Once somebody does, it is left alone.
    let handlers = bridge::handlers![pay, refunds::refund_there];
    let app = bridge::declare(with_refunds(), &handlers);
    assert_eq!(posted(&app, "/v1/payments").await, bad);
    assert_eq!(posted(&app, "/refunds/payments").await, StatusCode::OK);
    let audit = bridge::audit(&app, &handlers);
    assert!(audit.ambiguous.is_empty(), "{audit}");
}

#[tokio::test]
async fn a_whole_path_means_that_route_and_the_audit_names_those_that_end_so() {
    let handlers = bridge::handlers![pay];
    let app = payments().nest("/v1", payments());
    let app = bridge::declare(app, &handlers);
    assert_eq!(posted(&app, "/payments").await, StatusCode::BAD_REQUEST);
    assert_eq!(posted(&app, "/v1/payments").await, StatusCode::OK);
    let audit = bridge::audit(&app, &handlers);
    let joined = &audit.declared_and_mounted[0];
    assert_eq!(joined.elsewhere, ["/v1/payments"], "{audit}");
}

#[test]
fn two_operations_that_fit_one_route_are_refused_with_both() {
    let both = || bridge::handlers![pay].and(bridge::handlers![refunds::refund]);
    let nested = Router::new()
        .nest("/v1", payments())
        .nest("/refunds", payments());
    assert_eq!(
        refused(nested, &both()),
        "`pay` (promises::pay, POST /payments) and `refund` (promises::refunds::refund, POST \
         /payments) may each be what is mounted at /refunds/payments or /v1/payments, so it cannot \
         be told whose deadline or key holds there; write the whole path in the attribute of each, \
         with what it is nested below, or take out of the list what is not mounted"
    );
    let text = refused(payments(), &both());
    assert!(text.contains("mounted at /payments, so"), "{text}");
    // Of an application that is declared bit by bit as well.
    let app = bridge::declare(payments(), &bridge::handlers![pay]);
    let again = refused(app, &bridge::handlers![refunds::refund]);
    assert_eq!(again, text);
}

#[test]
fn operations_without_a_promise_are_served_as_they_are() {
    mod other {
        #[bridge::rpc(post, "/payments")]
        pub(super) async fn also() {}
    }
    let handlers = bridge::handlers![refunds::refund].and(bridge::handlers![other::also]);
    let app = Router::new().route("/payments", post(refunds::refund));
    let app = bridge::declare(app, &handlers);
    let audit = bridge::audit(&app, &handlers);
    assert_eq!(audit.ambiguous.len(), 2, "{audit}");
    assert_eq!(audit.exit_code(Strictness::Declared), 1, "{audit}");
}

#[test]
fn a_promise_at_the_root_of_a_nested_router_has_to_say_where_it_is() {
    #[bridge::rpc(get, "/", deadline = "1s")]
    async fn index() {}
    let orders = Router::new().route("/", get(index));
    let app = Router::new().nest("/orders", orders);
    let handlers = bridge::handlers![index];
    let alone = bridge::declare(app.clone(), &handlers);
    let audit = bridge::audit(&alone, &handlers);
    assert_eq!(audit.declared_and_mounted[0].path, "/orders", "{audit}");
    let text = refused(app.route("/other", get(plain)), &handlers);
    assert!(
        text.starts_with("`index` (promises::index, GET /) may be mounted at /orders or /other: "),
        "{text}"
    );
}

#[test]
fn a_promise_inside_of_a_service_that_cannot_be_seen_is_refused() {
    #[bridge::rpc(get, "/files/logo", deadline = "1s")]
    async fn logo() {}
    let files: Router = Router::new().route("/logo", get(logo));
    let app = Router::new().nest_service("/files", files.into_service::<Body>());
    let text = refused(app, &bridge::handlers![logo]);
    assert!(
        text.contains("inside of the service at /files/{*}"),
        "{text}"
    );
}

#[test]
fn a_promise_that_is_mounted_nowhere_in_sight_is_refused_where_a_service_may_hide_it() {
    #[bridge::rpc(get, "/logo", deadline = "1s")]
    async fn logo() {}
    #[bridge::rpc(get, "/icon")]
    async fn icon() {}
    let files: Router = Router::new()
        .route("/logo", get(logo))
        .route("/icon", get(icon));
    let app = Router::new().nest_service("/files", files.into_service::<Body>());
    let text = refused(app.clone(), &bridge::handlers![logo]);
    assert_eq!(
        text,
        "`logo` (promises::logo, GET /logo) is mounted nowhere that can be seen, and may be inside of \
         the service at /files/{*}, where its deadline or key cannot hold; nest its router with \
         `nest`, or take it out of the list if it is not mounted"
    );
    // What promises nothing is told of by the audit, which names the service.
    let handlers = bridge::handlers![icon];
    let app = bridge::declare(app, &handlers);
    let audit = bridge::audit(&app, &handlers);
    assert_eq!(audit.declared_not_mounted[0].hidden_in, ["/files/{*}"]);
    // Where nothing can hide it, it is not mounted, and that is a warning.
    let app = bridge::declare(Router::new(), &bridge::handlers![logo]);
    assert!(app.routes().routes().is_empty());
}

#[tokio::test]
async fn what_is_declared_later_is_added_to_what_was_declared() {
    #[bridge::rpc(get, "/slow", deadline = "5ms")]
    async fn slow() {
        std::future::pending::<()>().await;
    }
    let router = payments().route("/slow", get(slow));
    let app = bridge::declare(router, &bridge::handlers![pay]);
    let app = bridge::declare(app, &bridge::handlers![slow]);
    // What is said again is said once.
    let app = bridge::declare(app, &bridge::handlers![pay].and(bridge::handlers![pay]));
    assert_eq!(
        posted(&app, "/payments").await,
        StatusCode::BAD_REQUEST,
        "of the first list"
    );
    for of in [Request::get("/slow"), Request::head("/slow")] {
        let answer = status(&app, of.body(Body::empty()).unwrap()).await;
        assert_eq!(answer, StatusCode::GATEWAY_TIMEOUT);
    }
}

/// Run by the test below as a program that describes itself.
#[test]
#[should_panic(expected = "may each be what is mounted at /payments")]
fn a_program_that_is_refused() {
    let handlers = bridge::handlers![pay].and(bridge::handlers![refunds::refund]);
    bridge::declare(payments(), &handlers);
}

#[test]
fn a_program_that_would_be_refused_describes_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("description.json");
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_program_that_is_refused"])
        .env("BRIDGE_DESCRIBE", &file)
        .status();
    assert!(status.unwrap().success());
    let description = std::fs::read(&file).unwrap();
    let description: serde_json::Value = serde_json::from_slice(&description).unwrap();
    let text = description["refused"][0].as_str().expect("a text");
    assert!(text.contains("promises::refunds::refund"), "{text}");
    assert_eq!(description["audit"]["ambiguous"][0]["doubt"], "shared");
}
