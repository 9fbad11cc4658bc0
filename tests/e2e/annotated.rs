//! Annotated axum handlers with every kind of argument and answer, for what is made of them.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contracts::every;

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: u64,
    lines: Vec<Line>,
    #[serde(default)]
    note: Option<String>,
    state: Stage,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Stage {
    Open,
    Sent { by: String },
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Line {
    sku: String,
    /// A line may stand for others.
    parts: Vec<Line>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Page<T> {
    items: Vec<T>,
    next: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is of interest")]
struct Wanted {
    /// How many at most.
    limit: Option<u32>,
    sku: Vec<String>,
}

#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(status = 404)]
    Unknown,
    #[bridge(status = 409, retryable, message = "{left} of {sku} left")]
    OutOfStock { sku: String, left: u32 },
    #[bridge(status = 409)]
    Closed,
    #[bridge(transparent)]
    Call(#[from] bridge::CallError),
}

/// Places an order.
///
/// A repeat gets the first answer.
#[bridge::rpc(
    post,
    "/{shop}/orders",
    tag = "orders",
    deadline = "2s",
    idempotent_by = "Idempotency-Key"
)]
async fn place(
    _: State<()>,
    _: Path<String>,
    order: Json<Order>,
) -> Result<(StatusCode, Json<Order>), OrderError> {
    Ok((StatusCode::CREATED, order))
}

#[bridge::rpc(get, "/{shop}/orders", tag = "orders")]
async fn list(_: Path<String>, _: Query<Wanted>) -> Json<Page<Order>> {
    Json(Page {
        items: Vec::new(),
        next: None,
    })
}

#[bridge::rpc(get, "/{shop}/orders/{id}", tag = "orders")]
async fn read(Path((_, _)): Path<(String, u64)>) -> Result<Json<Order>, OrderError> {
    Err(OrderError::Unknown)
}

#[bridge::rpc(get, "/{shop}/events")]
async fn events() -> Sse<tokio_stream::Empty<Result<Event, std::convert::Infallible>>> {
    Sse::new(tokio_stream::empty())
}

#[bridge::rpc(get, "/files/{*path}")]
async fn file(_: Path<String>) -> impl IntoResponse {
    StatusCode::NO_CONTENT
}

#[bridge::rpc(get, "/hello")]
async fn hello() -> Html<&'static str> {
    Html("hello")
}

/// A message of a contract as a body of a handler.
#[bridge::rpc(post, "/echo")]
async fn echo(said: Json<every::Every>) -> Json<every::Every> {
    said
}

/// The document of all of them, mounted below `/v1`.
pub(crate) fn document() -> bridge::OpenApi {
    let handlers = bridge::handlers![place, list, read, events, file, hello, echo];
    let routes = Router::new()
        .route("/{shop}/orders", post(place).get(list))
        .route("/{shop}/orders/{id}", get(read))
        .route("/{shop}/events", get(events))
        .route("/files/{*path}", get(file))
        .route("/hello", get(hello))
        .route("/echo", post(echo));
    let app: Router = Router::new().nest("/v1", routes.with_state(()));
    let document = bridge::openapi(&app, &handlers);
    let document = document.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(document.left_out(), [""; 0]);
    document.info("annotated", "1.0.0")
}
