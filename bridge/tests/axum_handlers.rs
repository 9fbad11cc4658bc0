//! Annotated axum handlers, as their requests find them.
//!
//! Each request goes through the application as it would be served, without a socket in between.
//!
//! Invariant: what an annotation said holds wherever its handler is mounted, and nothing else of
//! the application changes.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use bridge::routes::Strictness;
use bridge::{Handlers, Observed};
use serde_json::{Value, json};
use tower::ServiceExt as _;

static PLACED: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, serde::Deserialize)]
struct NewOrder {
    sku: String,
}

#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(status = 409, retryable, message = "{sku} is out of stock")]
    OutOfStock { sku: String },
}

/// Places an order.
#[bridge::rpc(
    post,
    "/orders",
    idempotent_by = "Idempotency-Key",
    idempotent_for = "1h"
)]
async fn place_order(
    State(prefix): State<&'static str>,
    Json(new): Json<NewOrder>,
) -> Result<Json<Value>, OrderError> {
    if new.sku == "none" {
        return Err(OrderError::OutOfStock { sku: new.sku });
    }
    let number = PLACED.fetch_add(1, Ordering::Relaxed);
    Ok(Json(json!({ "order": format!("{prefix}{number}") })))
}

#[bridge::rpc(get, "/orders/{id}", deadline = "20ms")]
async fn order(Path(id): Path<u64>, Query(wait): Query<Vec<(String, u64)>>) -> Json<u64> {
    if !wait.is_empty() {
        std::future::pending::<()>().await;
    }
    Json(id)
}

/// A handler of its own kind: generic, and with arguments nobody can name.
#[bridge::rpc(get, "/generic")]
async fn generic<T: Default + std::fmt::Display>(
    _: Option<Json<Value>>,
) -> impl axum::response::IntoResponse {
    T::default().to_string()
}

fn handlers() -> Handlers {
    bridge::handlers![place_order, order, generic]
}

/// Mounted as it would be without annotations, below a prefix.
fn shop() -> Observed {
    let orders = Router::new()
        .route("/orders", post(place_order).get(|| async { "all" }))
        .route("/orders/{number}", get(order))
        .route("/generic", get(generic::<u8>))
        .with_state("o-");
    bridge::declare(Router::new().nest("/v1", orders), &handlers())
}

async fn ask(app: &Observed, request: Request<Body>) -> Response<Body> {
    let answer = app.clone().oneshot(request).await;
    answer.unwrap_or_else(|never| match never {})
}

async fn json_of(answer: Response<Body>) -> Value {
    let bytes = to_bytes(answer.into_body(), 65_536).await.expect("it ends");
    serde_json::from_slice(&bytes).expect("it is JSON")
}

fn placing(key: &str, sku: &str) -> Request<Body> {
    Request::post("/v1/orders")
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(Body::from(json!({ "sku": sku }).to_string()))
        .expect("it is a request")
}

fn getting(path: &str) -> Request<Body> {
    Request::get(path)
        .body(Body::empty())
        .expect("it is a request")
}

#[tokio::test]
async fn what_is_declared_is_found_where_it_is_mounted() {
    let app = shop();
    ask(&app, getting("/v1/orders/7")).await;
    let audit = bridge::audit(&app, &handlers());
    assert_eq!(audit.declared_and_mounted.len(), 3, "{audit}");
    assert_eq!(audit.exit_code(Strictness::Declared), 0, "{audit}");
    let undeclared = &audit.mounted_not_declared;
    assert_eq!(undeclared.len(), 1, "{audit}");
    assert_eq!(undeclared[0].path, "/v1/orders");
    let never = audit.mounted_never_called.unwrap();
    assert!(
        never.iter().all(|it| it.path != "/v1/orders/{number}"),
        "{never:?}"
    );
    assert!(never.iter().any(|it| it.path == "/v1/generic"), "{never:?}");
}

#[tokio::test]
async fn what_is_mounted_nowhere_is_reported() {
    let app = bridge::declare(Router::new(), &handlers());
    let audit = bridge::audit(&app, &handlers());
    assert_eq!(audit.declared_not_mounted.len(), 3, "{audit}");
    assert_eq!(audit.exit_code(Strictness::Declared), 1);
}

/// Runs the test above once more, as a program that is asked to describe itself.
#[test]
fn a_program_that_is_asked_writes_what_it_declares_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("description.json");
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_is_mounted_nowhere_is_reported"])
        .env("BRIDGE_DESCRIBE", &file)
        .status();
    assert!(status.unwrap().success());
    let description: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(description["describe"], 1);
    let place = &description["operations"][0];
    assert_eq!(
        place,
        &json!({
            "name": "place_order", "method": "POST", "path": "/orders",
            "doc": "Places an order.", "site": "axum_handlers::place_order",
            "deadline_ms": null, "deprecated": false, "idempotent_by": "Idempotency-Key",
            "idempotent_for_ms": 3_600_000, "idempotent_required": false, "idempotent_within": [],
            "tag": null, "calls": [],
        })
    );
    assert_eq!(description["operations"][1]["deadline_ms"], 20);
    let missing = &description["audit"]["declared_not_mounted"];
    assert_eq!(missing.as_array().map(Vec::len), Some(3));
    assert_eq!(description["map"]["routes"], json!([]));
}

#[cfg(feature = "mesh")]
#[tokio::test]
async fn a_bridge_without_a_key_does_not_start() {
    let builder = bridge::Bridge::builder("shop").runtime("127.0.0.1:1", "no key");
    let router = Router::new().nest("/v1", Router::new().route("/orders/{id}", get(order)));
    let handlers = bridge::handlers![order];
    let _app = bridge::declare(router, &handlers);
    let error = builder.serve(handlers).start().await.expect_err("no key");
    assert_eq!(error.code(), bridge::ErrorCode::Config);
}

/// Runs the test above once more, as a program that is asked to describe itself.
#[cfg(feature = "mesh")]
#[test]
fn a_program_with_a_bridge_tells_the_routes_that_it_declared_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("description.json");
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_bridge_without_a_key_does_not_start"])
        .env("BRIDGE_DESCRIBE", &file)
        .status();
    assert!(status.unwrap().success());
    let description: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(description["service"], "shop");
    let joined = &description["audit"]["declared_and_mounted"][0];
    assert_eq!(joined["mounted_at"], "/v1/orders/{id}");
    let document = &description["openapi"]["document"];
    let is_there = document["paths"]["/v1/orders/{id}"]["get"].is_object();
    assert_eq!(is_there, cfg!(feature = "openapi"), "{document}");
}

/// As most programs begin.
#[cfg(feature = "mesh")]
#[tokio::test]
async fn a_bridge_of_an_environment_without_a_runtime_is_refused() {
    let error = match bridge::Bridge::from_env("shop") {
        Err(error) => error,
        Ok(builder) => builder.start().await.expect_err("no runtime"),
    };
    assert_eq!(error.code(), bridge::ErrorCode::Config);
}

/// Runs the test above once more, as a program that is asked to describe itself.
#[cfg(feature = "mesh")]
#[test]
fn a_program_describes_itself_without_a_key_and_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("description.json");
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    program.args([
        "--exact",
        "a_bridge_of_an_environment_without_a_runtime_is_refused",
    ]);
    for variable in ["BRIDGE_URL", "BRIDGE_KEY", "BRIDGE_ADVERTISE"] {
        program.env_remove(variable);
    }
    let status = program.env("BRIDGE_DESCRIBE", &file).status();
    assert!(status.unwrap().success());
    let description: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(description["service"], "shop");
}

#[tokio::test]
async fn a_router_is_audited_as_the_application_that_is_made_of_it() {
    let router = Router::new().nest("/v1", Router::new().route("/orders/{id}", get(order)));
    let handlers = bridge::handlers![order];
    let before = bridge::audit(&router, &handlers);
    assert_eq!(before.mounted_never_called, None, "nobody counted");
    let app = bridge::declare(router, &handlers);
    let after = bridge::audit(&app, &handlers);
    assert_eq!(before.declared_and_mounted, after.declared_and_mounted);
    assert_eq!(after.mounted_never_called.map(|it| it.len()), Some(1));
}

#[tokio::test]
async fn a_declared_deadline_ends_the_request() {
    let app = shop();
    let in_time = ask(&app, getting("/v1/orders/7")).await;
    assert_eq!(in_time.status(), StatusCode::OK);
    assert_eq!(json_of(in_time).await, 7);
    let late = ask(&app, getting("/v1/orders/7?wait=1")).await;
    assert_eq!(late.status(), StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_request_that_is_repeated_gets_the_first_answer() {
    let app = shop();
    let first = json_of(ask(&app, placing("k-1", "A-1")).await).await;
    let again = ask(&app, placing("k-1", "A-1")).await;
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(json_of(again).await, first);
    let other = json_of(ask(&app, placing("k-2", "A-1")).await).await;
    assert_ne!(other, first);
    let conflict = ask(&app, placing("k-1", "B-2")).await;
    assert_eq!(conflict.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_request_without_a_required_key_is_refused() {
    #[bridge::rpc(post, "/pay", idempotent_by = "Idempotency-Key", required)]
    async fn pay() -> &'static str {
        "paid"
    }
    let app: Router = Router::new().route("/pay", post(pay));
    let app = bridge::declare(app, &bridge::handlers![pay]);
    let paying = || Request::post("/pay");
    let answer = ask(&app, paying().body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let keyed = paying().header("idempotency-key", "k").body(Body::empty());
    assert_eq!(ask(&app, keyed.unwrap()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_business_error_is_a_problem_and_comes_back_typed() {
    let answer = ask(&shop(), placing("k-3", "none")).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let bytes = to_bytes(answer.into_body(), 65_536).await.unwrap();
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(problem["code"], "OUT_OF_STOCK");
    assert_eq!(problem["detail"], "none is out of stock");
    assert_eq!(
        (&problem["retryable"], &problem["sku"]),
        (&json!(true), &json!("none"))
    );
    let OrderError::OutOfStock { sku } = bridge::error_of_problem(&bytes).unwrap();
    assert_eq!(sku, "none");
}

#[tokio::test]
async fn an_annotated_handler_is_still_a_function() {
    let placed = place_order(State("test-"), Json(NewOrder { sku: "A-1".into() })).await;
    assert!(placed.is_ok());
}

#[tokio::test]
async fn other_routes_have_no_deadline() {
    static RELEASED: tokio::sync::Notify = tokio::sync::Notify::const_new();
    async fn slow() -> &'static str {
        RELEASED.notified().await;
        "done"
    }
    let app = Router::new()
        .route("/slow", get(slow))
        .route("/orders/{id}", get(order));
    let app = bridge::declare(app, &bridge::handlers![order]);
    let outlasting = async {
        let late = ask(&app, getting("/orders/7?wait=1")).await;
        assert_eq!(late.status(), StatusCode::GATEWAY_TIMEOUT);
        RELEASED.notify_one();
    };
    let (slow, ()) = tokio::join!(ask(&app, getting("/slow")), outlasting);
    assert_eq!(slow.status(), StatusCode::OK);
}

mod companions {
    //! Other attributes above and below ours.

    use axum::Json;
    use axum::extract::Path;

    #[bridge::rpc(get, "/a/{id}")]
    #[axum::debug_handler]
    #[tracing::instrument]
    #[utoipa::path(get, path = "/a/{id}", params(("id" = u64, Path)), responses((status = 200)))]
    pub(super) async fn below(Path(id): Path<u64>) -> Json<u64> {
        Json(id)
    }

    #[utoipa::path(get, path = "/b/{id}", params(("id" = u64, Path)), responses((status = 200)))]
    #[tracing::instrument]
    #[axum::debug_handler]
    #[bridge::rpc(get, "/b/{id}")]
    pub(super) async fn above(Path(id): Path<u64>) -> Json<u64> {
        Json(id)
    }
}

#[tokio::test]
async fn other_attributes_may_stand_above_and_below() {
    use companions::{above, below};

    let app = Router::new()
        .route("/a/{id}", get(below))
        .route("/b/{id}", get(above));
    let handlers = bridge::handlers![companions::below, companions::above];
    let app = bridge::declare(app, &handlers);
    for path in ["/a/1", "/b/1"] {
        assert_eq!(
            ask(&app, getting(path)).await.status(),
            StatusCode::OK,
            "{path}"
        );
    }
    assert_eq!(
        bridge::audit(&app, &handlers).exit_code(Strictness::Everything),
        0
    );
}

#[bridge::rpc(get, "/tested/below")]
#[tokio::test]
async fn a_test_below_ours_is_a_test() {
    let _ = bridge::handlers![a_test_below_ours_is_a_test];
}

#[tokio::test]
#[bridge::rpc(get, "/tested/above")]
async fn a_test_above_ours_is_a_test() {
    let _ = bridge::handlers![a_test_above_ours_is_a_test];
}
