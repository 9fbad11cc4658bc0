//! OpenAPI of annotated axum handlers, by what their signatures say.
//!
//! Invariant: what is asserted here is what a reader of the document relies on; that the whole is a
//! valid document is judged by a validator in the end-to-end tests.

use std::collections::HashMap;

use axum::extract::{Form, Multipart, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, NoContent, Redirect};
use axum::routing::{MethodRouter, any};
use axum::{Json, Router};
use bridge::Handlers;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An order.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: u64,
    /// What is bought.
    sku: String,
    #[serde(default)]
    note: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Page {
    /// How many are skipped.
    #[serde(default)]
    skip: u32,
    limit: u32,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Place {
    shop: String,
    id: u64,
}

/// A type that says nothing of its fields.
#[derive(Serialize, Deserialize)]
struct Plain {}

#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(status = 404)]
    Unknown,
    #[bridge(status = 409, retryable, message = "{left} of {sku} left")]
    OutOfStock { sku: String, left: u32 },
    #[bridge(status = 409, message = "{{closed}} by {by:?}")]
    Closed { by: Plainly },
    #[bridge(transparent)]
    Call(#[from] bridge::CallError),
}

/// A field without a schema.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Plainly {}

type Answer<T> = Result<Json<T>, OrderError>;

/// The document of one handler at a path.
fn document(handlers: &Handlers, path: &str, method: MethodRouter) -> Value {
    let app = Router::new().route(path, method);
    let document = bridge::openapi(&app, handlers).expect("nothing is in the way");
    assert_eq!(document.left_out(), [""; 0]);
    document.json().clone()
}

/// The operation of one handler, which must be the only one.
macro_rules! operation {
    ($handler:ident, $path:literal, $method:ident $(, $of:tt $($ty:tt)*)?) => {{
        let route = axum::routing::$method($handler$($of $($ty)*)?);
        let document = document(&bridge::handlers![$handler], $path, route);
        let template = $path.replace('*', "");
        let operation = document["paths"][template][stringify!($method)].clone();
        assert!(operation.is_object(), "{document:#}");
        operation
    }};
}

mod arguments;
mod keys;
mod mounted;

#[test]
fn answers_have_their_status_and_media_type() {
    type Content = Option<(&'static str, Value)>;
    let check = |said: Value, status: &str, content: Content| {
        let answer = &said["responses"][status];
        assert!(answer["description"].is_string(), "{said:#}");
        let expected = content.map(|(media, schema)| json!({ media: { "schema": schema } }));
        assert_eq!(answer.get("content"), expected.as_ref(), "{said:#}");
        assert!(said["responses"]["default"].is_object(), "{said:#}");
    };
    let order = json!({ "$ref": "#/components/schemas/Order" });
    let text = json!({ "type": "string" });

    #[bridge::rpc(get, "/a")]
    async fn described() -> Json<Order> {
        unreachable!()
    }
    check(
        operation!(described, "/a", get),
        "200",
        Some(("application/json", order.clone())),
    );

    #[bridge::rpc(get, "/a")]
    async fn plain() -> Json<Plain> {
        unreachable!()
    }
    check(
        operation!(plain, "/a", get),
        "200",
        Some(("application/json", json!({}))),
    );

    #[bridge::rpc(get, "/a")]
    async fn chosen() -> (StatusCode, Json<Order>) {
        unreachable!()
    }
    check(
        operation!(chosen, "/a", get),
        "default",
        Some(("application/json", order.clone())),
    );

    #[bridge::rpc(get, "/a")]
    async fn chosen_or_not() -> Result<(StatusCode, HeaderMap, Json<Order>), StatusCode> {
        unreachable!()
    }
    let said = operation!(chosen_or_not, "/a", get);
    check(said, "2XX", Some(("application/json", order.clone())));

    #[bridge::rpc(get, "/a")]
    async fn html() -> Html<String> {
        unreachable!()
    }
    check(
        operation!(html, "/a", get),
        "200",
        Some(("text/html", text.clone())),
    );

    #[bridge::rpc(get, "/a")]
    async fn string() -> Result<String, (StatusCode, String)> {
        unreachable!()
    }
    check(
        operation!(string, "/a", get),
        "200",
        Some(("text/plain", text.clone())),
    );

    #[bridge::rpc(get, "/a")]
    async fn borrowed() -> &'static str {
        unreachable!()
    }
    check(
        operation!(borrowed, "/a", get),
        "200",
        Some(("text/plain", text.clone())),
    );

    #[bridge::rpc(get, "/a")]
    async fn nothing() {}
    check(operation!(nothing, "/a", get), "200", None);

    #[bridge::rpc(get, "/a")]
    async fn no_content() -> NoContent {
        unreachable!()
    }
    check(operation!(no_content, "/a", get), "204", None);

    #[bridge::rpc(get, "/a")]
    async fn elsewhere() -> Redirect {
        unreachable!()
    }
    check(operation!(elsewhere, "/a", get), "3XX", None);

    #[bridge::rpc(get, "/a")]
    async fn status() -> StatusCode {
        unreachable!()
    }
    let problem = json!({ "$ref": "#/components/schemas/bridge.Problem" });
    check(
        operation!(status, "/a", get),
        "default",
        Some(("application/problem+json", problem)),
    );

    #[bridge::rpc(get, "/a")]
    async fn hidden() -> impl IntoResponse {}
    check(operation!(hidden, "/a", get), "default", None);

    #[bridge::rpc(get, "/a")]
    async fn events() -> Sse<tokio_stream::Empty<Result<Event, std::convert::Infallible>>> {
        unreachable!()
    }
    check(
        operation!(events, "/a", get),
        "200",
        Some(("text/event-stream", text)),
    );

    #[bridge::rpc(get, "/a")]
    async fn anything() -> axum::response::Response {
        unreachable!()
    }
    check(operation!(anything, "/a", get), "default", None);
}

/// An error in plain text becomes the `detail` of a problem, where the request accepts one.
#[tokio::test]
async fn errors_in_plain_text_are_documented_as_they_are_answered() {
    #[bridge::rpc(get, "/owned")]
    async fn owned() -> Result<String, (StatusCode, String)> {
        Err((StatusCode::NOT_FOUND, "no such order".to_owned()))
    }
    #[bridge::rpc(get, "/borrowed")]
    async fn borrowed() -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, "no such order")
    }
    #[bridge::rpc(get, "/bare")]
    async fn bare() -> Result<String, StatusCode> {
        Err(StatusCode::NOT_FOUND)
    }
    #[bridge::rpc(get, "/json")]
    async fn own() -> Result<String, (StatusCode, Json<Plain>)> {
        unreachable!()
    }
    let handlers = bridge::handlers![owned, borrowed, bare, own];
    let app = Router::new()
        .route("/owned", axum::routing::get(owned))
        .route("/borrowed", axum::routing::get(borrowed))
        .route("/bare", axum::routing::get(bare))
        .route("/json", axum::routing::get(own));
    let document = bridge::openapi(&app, &handlers).expect("a document");
    let app = bridge::declare(app, &handlers);
    let media = |path: &str| {
        let answer = &document.json()["paths"][path]["get"]["responses"]["default"];
        let media = answer["content"].as_object().expect("it has a body");
        media.keys().map(String::as_str).collect::<Vec<_>>()
    };
    for (path, accept, answered) in [
        ("/owned", "*/*", Some("application/problem+json")),
        ("/borrowed", "*/*", Some("application/problem+json")),
        ("/bare", "*/*", Some("application/problem+json")),
        ("/owned", "text/plain", Some("text/plain; charset=utf-8")),
        ("/bare", "text/plain", None),
    ] {
        let request = axum::extract::Request::get(path).header("accept", accept);
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let answer = tower::ServiceExt::oneshot(app.clone(), request).await;
        let answer = answer.unwrap_or_else(|never| match never {});
        let found = answer.headers().get("content-type");
        let found = found.map(|it| it.to_str().expect("text"));
        assert_eq!(found, answered, "{path}");
        let is_documented = |it: &str| media(path).iter().any(|media| it.starts_with(media));
        assert!(found.is_none_or(is_documented), "{path} {:?}", media(path));
    }
    assert_eq!(media("/json"), ["application/json"]);
}

#[test]
fn every_variant_of_an_error_is_a_problem_with_its_status_and_fields() {
    #[bridge::rpc(post, "/orders", idempotent_by = "Idempotency-Key", deadline = "2s")]
    async fn place(_: Json<Order>) -> Answer<Order> {
        unreachable!()
    }
    let handlers = bridge::handlers![place];
    let document = document(&handlers, "/orders", axum::routing::post(place));
    let said = &document["paths"]["/orders"]["post"];
    let problem = |status: &str| {
        let answer = &said["responses"][status];
        answer["content"]["application/problem+json"]["schema"].clone()
    };
    assert_eq!(
        problem("404")["$ref"],
        "#/components/schemas/OrderError.UNKNOWN"
    );
    // The answer of a layer stands beside those of the error.
    let both = problem("409");
    assert_eq!(
        both["anyOf"][1]["$ref"],
        "#/components/schemas/bridge.Problem"
    );
    let conflict = &both["anyOf"][0];
    assert_eq!(
        conflict["oneOf"][0]["$ref"],
        "#/components/schemas/OrderError.OUT_OF_STOCK"
    );
    assert_eq!(
        conflict["discriminator"]["mapping"]["CLOSED"],
        "#/components/schemas/OrderError.CLOSED"
    );
    assert_eq!(
        said["responses"]["409"]["description"],
        "OUT_OF_STOCK: {left} of {sku} left\nCLOSED: {closed} by {by}\nThe first request with this \
         key is still being worked on, or its answer was not kept: it was too large, or it streamed."
    );
    for status in ["400", "413", "422", "503", "504", "default"] {
        assert_eq!(
            problem(status)["$ref"],
            "#/components/schemas/bridge.Problem",
            "{status}"
        );
    }
    let schemas = &document["components"]["schemas"];
    let out = &schemas["OrderError.OUT_OF_STOCK"];
    assert_eq!(
        out["properties"]["code"],
        json!({ "const": "OUT_OF_STOCK" })
    );
    assert_eq!(out["properties"]["status"], json!({ "const": 409 }));
    assert_eq!(out["properties"]["retryable"], json!({ "const": true }));
    assert_eq!(out["properties"]["left"]["type"], "integer");
    assert_eq!(
        out["required"],
        json!(["code", "status", "retryable", "left", "sku"])
    );
    assert_eq!(schemas["OrderError.CLOSED"]["properties"]["by"], json!({}));
    let key = &said["parameters"][0];
    assert_eq!(
        (&key["name"], &key["in"]),
        (&json!("Idempotency-Key"), &json!("header"))
    );
    let longest = bridge::layers::idempotency::TEXT_BYTES_MAX;
    assert_eq!(key["schema"]["maxLength"], longest);
    for (status, response) in said["responses"].as_object().expect("answers") {
        let headers = response["headers"].as_object().expect("headers");
        let names: Vec<_> = headers.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["Idempotency-Replayed", "Idempotency-Stored"],
            "{status}"
        );
    }
}

#[test]
fn what_is_read_and_what_is_written_are_one_component_where_they_are_equal() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Line {
        sku: String,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Basket {
        lines: Vec<Line>,
        order: Order,
    }
    #[bridge::rpc(post, "/a")]
    async fn echo(basket: Json<Basket>) -> Json<Basket> {
        basket
    }
    let document = document(&bridge::handlers![echo], "/a", axum::routing::post(echo));
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("components");
    let names: Vec<_> = schemas.keys().map(String::as_str).collect();
    // A note may be left out of what is read, and is always written.
    let expected = [
        "Basket.Input",
        "Basket.Output",
        "Line",
        "Order.Input",
        "Order.Output",
        "bridge.Problem",
    ];
    assert_eq!(names, expected);
    assert_eq!(schemas["Order.Input"]["required"], json!(["id", "sku"]));
    assert_eq!(
        schemas["Order.Output"]["required"],
        json!(["id", "sku", "note"])
    );
    let order = &schemas["Basket.Output"]["properties"]["order"]["$ref"];
    assert_eq!(order, "#/components/schemas/Order.Output");
}

#[test]
fn instances_of_a_generic_type_are_components_of_their_own() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Few<T> {
        items: Vec<T>,
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Line {}
    #[bridge::rpc(post, "/a")]
    async fn change(_: Json<Few<Line>>) -> Json<(Few<String>, Few<Line>)> {
        unreachable!()
    }
    let document = document(
        &bridge::handlers![change],
        "/a",
        axum::routing::post(change),
    );
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("components");
    let names: Vec<_> = schemas.keys().map(String::as_str).collect();
    assert_eq!(names, ["Few_Line", "Few_string", "Line", "bridge.Problem"]);
}

#[test]
fn instances_with_several_types_are_told_apart_by_each_of_them() {
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Pair<A, B> {
        both: (A, B),
    }
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Line {}
    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Crate {}
    #[bridge::rpc(post, "/a")]
    async fn change(_: Json<Pair<Line, Order>>) -> Json<Pair<Crate, Order>> {
        unreachable!()
    }
    let route = axum::routing::post(change);
    let document = document(&bridge::handlers![change], "/a", route);
    let schemas = document["components"]["schemas"].as_object();
    let names = schemas.expect("components").keys();
    let pairs: Vec<_> = names.filter(|it| it.starts_with("Pair")).collect();
    assert_eq!(
        pairs,
        [
            "Pair_openapi_Crateopenapi_Order",
            "Pair_openapi_Lineopenapi_Order"
        ]
    );
}

mod other {
    use super::*;

    #[derive(Debug, bridge::Error)]
    pub(super) enum OrderError {
        #[bridge(status = 404)]
        Unknown { name: String },
        #[bridge(status = 410)]
        Gone,
    }

    #[derive(Serialize, JsonSchema)]
    pub(super) struct Order {}

    #[bridge::rpc(get, "/b/{id}")]
    pub(super) async fn read(_: Path<u64>) -> Json<Order> {
        unreachable!()
    }
}

#[bridge::rpc(get, "/a/{id}", tag = "orders")]
async fn read(_: Path<u64>) -> Json<Order> {
    unreachable!()
}

#[test]
fn two_types_and_two_operations_of_one_name_are_refused_with_both_places() {
    let app = Router::<()>::new()
        .route("/a/{id}", any(read))
        .route("/b/{id}", any(other::read));
    let handlers = bridge::handlers![read, other::read];
    let error = bridge::openapi(&app, &handlers).expect_err("both are called read");
    assert_eq!(
        error.to_string(),
        "`read` is the name of two operations, `openapi::read` and `openapi::other::read`: give one \
         another name, as `name = \"…\"` in its attribute"
    );

    #[bridge::rpc(get, "/c")]
    async fn both() -> Result<Json<Order>, Json<other::Order>> {
        unreachable!()
    }
    let app = Router::<()>::new().route("/c", any(both));
    let error = bridge::openapi(&app, &bridge::handlers![both]).expect_err("two orders");
    assert_eq!(
        error.faults().collect::<Vec<_>>(),
        [
            "`Order` is the name of two types, `openapi::Order` and `openapi::other::Order`: rename \
          one of them, or give it another name in documents with `#[schemars(rename = \"…\")]`"
        ]
    );
}

#[test]
fn two_errors_of_one_name_with_one_code_are_refused_with_both_places() {
    #[bridge::rpc(get, "/a")]
    async fn one() -> Result<(), OrderError> {
        unreachable!()
    }
    #[bridge::rpc(get, "/b")]
    async fn two() -> Result<(), other::OrderError> {
        unreachable!()
    }
    let app = Router::<()>::new()
        .route("/a", any(one))
        .route("/b", any(two));
    let error = bridge::openapi(&app, &bridge::handlers![one, two]).expect_err("two of one name");
    assert_eq!(
        error.faults().collect::<Vec<_>>(),
        [
            "`OrderError.UNKNOWN` is the problem of two errors, `openapi::OrderError` and \
             `openapi::other::OrderError`: rename one of them"
        ]
    );
    // Where one of them is used twice there is one.
    #[bridge::rpc(get, "/c")]
    async fn again() -> Result<(), OrderError> {
        unreachable!()
    }
    let app = Router::<()>::new()
        .route("/a", any(one))
        .route("/c", any(again));
    assert!(bridge::openapi(&app, &bridge::handlers![one, again]).is_ok());
}
