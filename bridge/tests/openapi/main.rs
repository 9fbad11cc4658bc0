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
mod errors;
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
