//! HTTP with JSON against an axum application.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use contract::message::{FieldTable, Form, Kind, Label, MessageTable, Scalar};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::business::BusinessError;
use crate::link::tests::localhost;
use crate::rpc::json_form::JsonForm;
use crate::rpc::{Call, StreamCall};

static METHODS: &[MethodMeta] = &[
    meta("Place", false),
    meta("Find", false),
    meta("Watch", true),
];

const fn meta(name: &'static str, streaming: bool) -> MethodMeta {
    MethodMeta {
        service: "t.Orders",
        name,
        contract_hash: "v2:orders",
        input_schema: "{}",
        output_schema: "{}",
        streaming,
    }
}

/// A message of one text, which `String` is encoded as too.
static TEXT: MessageTable = MessageTable {
    name: "t.Text",
    doc: "",
    form: Form::Fields,
    requires: false,
    fields: &[FieldTable {
        number: 1,
        name: "the_text",
        json: "theText",
        doc: "",
        label: Label::Implicit,
        kind: Kind::Scalar(Scalar::String),
        oneof: None,
    }],
};

const fn form(verb: &'static str, path: &'static str, body: &'static str) -> JsonForm {
    JsonForm {
        input: &TEXT,
        output: &TEXT,
        verb,
        path,
        body,
        response_body: "",
    }
}

struct Orders;

impl Contract for Orders {
    const NAME: &'static str = "t.Orders";
    const DEFAULT_TARGET: &'static str = "orders";
    const METHODS: &'static [MethodMeta] = METHODS;
    const FORMS: &'static [JsonForm] = &[
        form("POST", "/t.Orders/Place", "*"),
        form("GET", "/v1/orders/{the_text}", ""),
        form("POST", "/t.Orders/Watch", "*"),
    ];
    type Client = OrdersClient;
}

#[derive(Clone)]
struct OrdersClient(Target);

impl From<Target> for OrdersClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl OrdersClient {
    fn place(&self, text: &str) -> Call<String> {
        self.0.unary(&METHODS[0], text.to_owned())
    }

    fn find(&self, text: &str) -> Call<String> {
        self.0.unary(&METHODS[1], text.to_owned())
    }

    fn watch(&self) -> StreamCall<String> {
        self.0.stream(&METHODS[2], String::new())
    }
}

#[derive(Debug, PartialEq)]
struct SoldOut;

impl BusinessError for SoldOut {
    fn code(&self) -> &'static str {
        "SOLD_OUT"
    }

    fn message(&self) -> String {
        String::new()
    }

    fn from_wire(code: &str, _: &str) -> Option<Self> {
        (code == "SOLD_OUT").then_some(Self)
    }
}

/// Connections so far.
#[derive(Clone, Default)]
struct Seen(Arc<parking_lot::Mutex<Vec<SocketAddr>>>, Arc<AtomicU32>);

impl Seen {
    fn note(&self, peer: SocketAddr) {
        self.1.fetch_add(1, Ordering::Relaxed);
        let mut peers = self.0.lock();
        if !peers.contains(&peer) {
            peers.push(peer);
        }
    }
}

async fn place(
    State(seen): State<Seen>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> (StatusCode, Json<Value>) {
    seen.note(peer);
    let said = |name: &str| {
        headers
            .get(name)
            .map_or("-", |it| it.to_str().unwrap())
            .to_owned()
    };
    match asked["theText"].as_str() {
        Some("sold") => {
            let problem = json!({"status": 409, "code": "SOLD_OUT", "detail": "none left"});
            (StatusCode::CONFLICT, Json(problem))
        }
        Some("broken") => (StatusCode::BAD_GATEWAY, Json(json!({}))),
        Some("large") => (
            StatusCode::OK,
            Json(json!({ "theText": "x".repeat(5 << 20) })),
        ),
        Some("hang") => std::future::pending().await,
        Some(text) => {
            let key = said("idempotency-key");
            let left = said("grpc-timeout");
            assert_ne!(left, "-");
            (
                StatusCode::OK,
                Json(json!({ "theText": format!("{text} {key}") })),
            )
        }
        None => (StatusCode::OK, Json(json!({ "new": 1 }))),
    }
}

async fn find(Path(text): Path<String>, Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
    assert!(query.is_empty(), "the path has taken all there is");
    Json(json!({ "the_text": format!("found {text}") }))
}

async fn serve(seen: &Seen) -> SocketAddr {
    let app = Router::new()
        .route("/api/t.Orders/Place", post(place))
        .route("/api/v1/orders/{text}", get(find))
        .with_state(seen.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

#[tokio::test]
async fn a_server_of_json_is_called_by_the_forms_of_the_contract() {
    let seen = Seen::default();
    let address = serve(&seen).await;
    let remote = Remote::json(&format!("http://{address}/api/")).unwrap();
    let orders = remote.client::<Orders>();
    let reply = orders.place("tea").idempotency_key("k-1").await.unwrap();
    assert_eq!(reply, "tea k-1");
    assert_eq!(
        orders.place("").await.unwrap(),
        "",
        "what we do not know is passed over"
    );
    assert_eq!(orders.find("a/b ä").await.unwrap(), "found a/b ä");
    let sold = orders.place("sold").await.unwrap_err();
    assert_eq!(
        (sold.business(), sold.message()),
        (Some(SoldOut), "none left")
    );
    assert_eq!(
        orders.place("broken").await.unwrap_err().code(),
        ErrorCode::Connection
    );
    let empty = orders.find("").await.unwrap_err();
    assert_eq!(empty.code(), ErrorCode::Validation, "{empty}");
    assert_eq!(
        orders.watch().await.unwrap_err().code(),
        ErrorCode::Validation
    );
    assert_eq!(seen.0.lock().len(), 1, "one connection served them all");
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_too_late_is_an_error_and_nothing_is_repeated() {
    let seen = Seen::default();
    let address = serve(&seen).await;
    let remote = Remote::json(&format!("http://{address}/api")).unwrap();
    let orders = remote.client::<Orders>();
    let large = orders.place("large").await.unwrap_err();
    assert_eq!(large.code(), ErrorCode::Validation, "{large}");
    assert!(large.message().contains("larger than"), "{large}");
    let slow = orders.place("hang").timeout(Duration::from_millis(200));
    assert_eq!(slow.await.unwrap_err().code(), ErrorCode::Timeout);
    assert_eq!(orders.place("tea").await.unwrap(), "tea -");
    assert_eq!(seen.1.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_deadline_that_ends_during_the_handshake_says_that_nothing_was_sent() {
    // Connections are taken by the system, and nobody ever says a word on them.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", mute.local_addr().unwrap().port());
    let (_, _, trusting) = localhost();
    for remote in [
        Remote::grpc_with_tls(&url, trusting.clone()),
        Remote::json_with_tls(&url, trusting),
    ] {
        let orders = remote.unwrap().client::<Orders>();
        let call = orders.place("tea").timeout(Duration::from_millis(100));
        let error = call.await.unwrap_err();
        let told = (error.code(), error.retryable());
        assert_eq!(told, (ErrorCode::Connection, true), "{error}");
        assert!(error.message().contains("no connection"), "{error}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_short_may_be_of_work_that_was_done() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4_096];
        assert_ne!(socket.read(&mut request).await.unwrap(), 0);
        let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        socket.write_all(begun).await.unwrap();
    });
    let orders = Remote::json(&url).unwrap().client::<Orders>();
    let broken = orders.place("tea").await.unwrap_err();
    let told = (broken.code(), broken.retryable());
    assert_eq!(told, (ErrorCode::Connection, false), "{broken}");
    asked.await.unwrap();
}

#[tokio::test]
async fn what_this_side_refuses_is_not_tried_again() {
    let (clock, _hand) = Clock::manual(contract::clock::Timestamp::EPOCH);
    for remote in [
        Remote::grpc("http://127.0.0.1:1"),
        Remote::json("http://127.0.0.1:1"),
    ] {
        // Nobody moves this clock: a pause would have no end.
        let remote = Remote {
            clock: clock.clone(),
            ..remote.unwrap()
        };
        let call = remote.client::<Orders>().place("tea");
        let refused = call.request_id("line\nbreak").await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Validation, "{refused}");
        assert!(refused.message().contains("visible ASCII"), "{refused}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_the_reason() {
    let once = |remote: Result<Remote, Error>| {
        let once = Retry {
            attempts: 1,
            ..Retry::default()
        };
        remote.unwrap().retry(once).client::<Orders>()
    };
    let url = "http://127.0.0.1:1";
    for orders in [once(Remote::grpc(url)), once(Remote::json(url))] {
        let nobody = orders.place("tea").await.unwrap_err();
        assert!(nobody.message().contains("refused"), "{nobody}");
    }
}

#[tokio::test]
async fn many_calls_at_once_take_a_connection_each_and_keep_them() {
    let seen = Seen::default();
    let address = serve(&seen).await;
    let remote = Remote::json(&format!("http://{address}/api")).unwrap();
    let orders = remote.client::<Orders>();
    for _ in 0..3 {
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let call = orders.place("tea");
            all.spawn(async move { call.await });
        }
        assert!(
            all.join_all()
                .await
                .into_iter()
                .all(|it| it.unwrap() == "tea -")
        );
    }
    assert!(seen.0.lock().len() <= 8);
}
