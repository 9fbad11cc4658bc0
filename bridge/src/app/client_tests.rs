//! One client over everything that can carry its calls, and every option over each of them, said by
//! the client or by the call.

use std::net::SocketAddr;

use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use contract::headers::parse_grpc_timeout;
use contract::message::{FieldTable, Form, Kind, Label, MessageTable, Scalar};
use contract::w3c::TraceParent;
use http::HeaderValue;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::mesh::Mesh;
use super::mesh_tests::{HOUR, until};
use super::*;
use crate::Context;
use crate::context::tests::context;
use crate::handler::{MethodMeta, OperationDef, RpcRequest};
use crate::operation::{Handlers, ServiceClient};
use crate::rpc::{Call, ClientOptions, Contract, JsonForm, Target};
use crate::{Local, Mock, Remote, Transport};

static METHODS: &[MethodMeta] = &[MethodMeta {
    service: "t.Clerk",
    name: "Ask",
    contract_hash: "v2:clerk",
    input_schema: "{}",
    output_schema: "{}",
    streaming: false,
}];

/// What the callee was told, as one text.
#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(string, tag = "1")]
    text: String,
}

static TOLD: MessageTable = MessageTable {
    name: "t.Told",
    doc: "",
    form: Form::Fields,
    requires: false,
    fields: &[FieldTable {
        number: 1,
        name: "text",
        json: "text",
        doc: "",
        label: Label::Implicit,
        kind: Kind::Scalar(Scalar::String),
        oneof: None,
    }],
};

impl RpcRequest<Told> for Told {
    const METHODS: &'static [MethodMeta] = METHODS;
}

#[derive(Debug)]
struct Clerk;

impl Contract for Clerk {
    const NAME: &'static str = "t.Clerk";
    const DEFAULT_TARGET: &'static str = "clerk";
    const METHODS: &'static [MethodMeta] = METHODS;
    const FORMS: &'static [JsonForm] = &[JsonForm {
        input: &TOLD,
        output: &TOLD,
        verb: "POST",
        path: "/t.Clerk/Ask",
        body: "*",
        response_body: "",
    }];
    type Client = ClerkClient;
}

#[derive(Clone)]
struct ClerkClient {
    target: Target,
}

impl From<Target> for ClerkClient {
    fn from(target: Target) -> Self {
        Self { target }
    }
}

crate::__client_impls!(ClerkClient, Clerk);

impl ClerkClient {
    fn ask(&self) -> Call<Told> {
        self.target.unary(&METHODS[0], Told::default())
    }
}

/// `key seconds trace`
fn said(key: &str, left: Option<Duration>, trace: Option<u128>) -> Told {
    let seconds = left.map_or(0, |left| left.as_millis().div_ceil(1_000));
    let trace = trace.map_or("-".to_owned(), |it| format!("{it:x}"));
    let text = format!("{key} {seconds} {trace}");
    Told { text }
}

fn said_in(headers: &HeaderMap) -> Told {
    let text = |name: &str| headers.get(name).map_or("", |it| it.to_str().unwrap());
    let trace = TraceParent::parse(text("traceparent").as_bytes()).map(|it| it.trace());
    let left = parse_grpc_timeout(text("grpc-timeout"));
    said(text("idempotency-key"), left, trace)
}

fn handlers() -> Handlers {
    let ask = OperationDef::unary(&METHODS[0], "tests::ask", |_| {
        Ok(|_: Told, context: Context| {
            let key = context.idempotency_key().unwrap_or_default();
            let told = said(
                key,
                context.remaining(),
                context.trace().trace.as_uuid().as_u128().into(),
            );
            std::future::ready(Ok::<_, std::convert::Infallible>(told))
        })
    });
    Handlers::from_operations(vec![ask])
}

async fn over_json(headers: HeaderMap, Json(_): Json<Value>) -> Json<Value> {
    Json(json!({ "text": said_in(&headers).text }))
}

/// A plain gRPC method by hand: one frame in, one frame and a status out.
async fn over_grpc(headers: HeaderMap, _: Request) -> Response {
    let mut frame = vec![0, 0, 0, 0];
    let told = said_in(&headers).encode_to_vec();
    frame.push(u8::try_from(told.len()).unwrap());
    frame.extend(told);
    let status = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let body = Full::from(frame).with_trailers(std::future::ready(Some(Ok(status))));
    let mut response = Response::new(axum::body::Body::new(body));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert("content-type", grpc);
    response
}

fn json_app() -> Router {
    Router::new().route("/t.Clerk/Ask", post(over_json))
}

async fn serve_http2(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let service = TowerToHyperService::new(app.clone());
            let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(socket), service));
        }
    });
    address
}

async fn serve_http1(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Options of the client hold, those of the call hold more, and what neither says is the default.
async fn options_hold(what: &str, client: &ClerkClient) {
    let (outer, inner) = (context(1, None), context(2, None));
    let plain = client.ask().await.unwrap().text;
    let (keyless, rest) = plain.split_once(' ').unwrap();
    assert_eq!((keyless, &rest[..3]), ("", "30 "), "{what}: {plain}");

    let options = ClientOptions::new()
        .timeout(seconds(7))
        .idempotency_key("of the client")
        .context(&outer)
        .transport(Transport::Direct);
    let own = client.with(&options);
    let expected = said(
        "of the client",
        Some(seconds(7)),
        outer.trace().trace.as_uuid().as_u128().into(),
    );
    assert_eq!(own.ask().await.unwrap(), expected, "{what}");
    // What later options do not say stays.
    let more = own.with(&ClientOptions::new().timeout(seconds(5)));
    let expected = said(
        "of the client",
        Some(seconds(5)),
        outer.trace().trace.as_uuid().as_u128().into(),
    );
    assert_eq!(more.ask().await.unwrap(), expected, "{what}");

    let call = own.ask().timeout(seconds(3)).idempotency_key("of the call");
    let call = call.context(&inner).transport(Transport::Direct);
    let expected = said(
        "of the call",
        Some(seconds(3)),
        inner.trace().trace.as_uuid().as_u128().into(),
    );
    assert_eq!(call.await.unwrap(), expected, "{what}");

    let late = client.with(&ClientOptions::new().timeout(Duration::ZERO));
    assert_eq!(
        late.ask().await.unwrap_err().code(),
        ErrorCode::Timeout,
        "{what}"
    );
}

/// What only the mesh can do is refused, and says so.
async fn the_mesh_is_not_there(what: &str, client: &ClerkClient) {
    let proxied = ClientOptions::new().transport(Transport::Proxy);
    let elsewhere = ClientOptions::new().service("clerk-eu");
    for (call, why) in [
        (client.ask().transport(Transport::Proxy), "Proxy"),
        (client.with(&proxied).ask(), "Proxy"),
        (client.with(&elsewhere).ask(), "`service`"),
    ] {
        let refused = call.await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Config, "{what}: {refused}");
        assert!(refused.message().contains(why), "{what}: {refused}");
    }
    // The call has the last word.
    let direct = client.with(&proxied).ask().transport(Transport::Auto);
    direct.await.unwrap();
}

#[tokio::test]
async fn every_option_holds_over_the_mesh() {
    let mesh = Mesh::start(HOUR).await;
    let builder = Bridge::builder("clerk").runtime(mesh.address(), mesh.key("clerk"));
    let builder = builder.advertise("127.0.0.1:0").serve(handlers());
    let _callee = builder.start().await.expect("starts");
    let mut builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let clerk = builder.client::<Clerk>();
    let of_eu = builder.client_with::<Clerk>(&ClientOptions::new().service("clerk-eu"));
    let caller = builder.start().await.expect("starts");
    until(|| caller.status().is_ready).await;
    while clerk.ask().await.is_err() {}
    options_hold("mesh", &clerk).await;
    for call in [
        clerk.ask().transport(Transport::Proxy),
        clerk
            .with(&ClientOptions::new().transport(Transport::Proxy))
            .ask(),
    ] {
        assert_eq!(call.await.unwrap().text, "", "the runtime here echoes");
    }
    assert_eq!(mesh.invoked().len(), 2);
    let nobody = of_eu.ask().await.unwrap_err();
    assert_eq!(nobody.code(), ErrorCode::NoLiveInstance);
    assert!(nobody.message().contains("clerk-eu"), "{nobody}");
    let late = clerk.with(&ClientOptions::new().service("clerk-eu"));
    let refused = late.ask().await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Config);
    assert!(refused.message().contains("client_with"), "{refused}");
}

#[tokio::test]
async fn every_option_holds_or_is_refused_without_a_mesh() {
    let grpc = Router::new().route("/t.Clerk/Ask", post(over_grpc));
    let grpc = format!("http://{}", serve_http2(grpc).await);
    let json = format!("http://{}", serve_http1(json_app()).await);
    let local = Local::serve(handlers()).build().unwrap();
    let none = ClientOptions::new();
    for (what, client) in [
        ("gRPC", Remote::grpc(&grpc).unwrap().client::<Clerk>()),
        (
            "JSON",
            Remote::json(&json).unwrap().client_with::<Clerk>(&none),
        ),
        ("an application", Remote::app(json_app()).client::<Clerk>()),
        ("handlers", local.client_with::<Clerk>(&none)),
    ] {
        options_hold(what, &client).await;
        the_mesh_is_not_there(what, &client).await;
    }
}

#[tokio::test]
async fn a_mock_stands_for_any_of_them() {
    let mock = Mock::<Clerk>::new();
    mock.on("Ask", |_: Told| {
        Ok::<_, std::convert::Infallible>(Told::default())
    });
    let options = ClientOptions::new()
        .timeout(seconds(7))
        .idempotency_key("of the client")
        .context(&context(1, None))
        .transport(Transport::Proxy);
    let clerk = mock.client_with(&options);
    clerk.ask().await.unwrap();
    clerk.ask().idempotency_key("of the call").await.unwrap();
    clerk.ask().transport(Transport::Direct).await.unwrap();
    let keys = ["of the client", "of the call", "of the client"];
    assert_eq!(mock.keys("Ask"), keys.map(|it| Some(it.to_owned())));
    let late = clerk.ask().timeout(Duration::ZERO).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::Timeout);
    let named = clerk.with(&ClientOptions::new().service("clerk-eu"));
    assert_eq!(named.ask().await.unwrap_err().code(), ErrorCode::Config);
}

#[tokio::test]
async fn what_is_no_grpc_server_is_told_from_one() {
    let app = Router::new()
        .route("/t.Clerk/Ask", post(|| async { "<html>welcome</html>" }))
        .fallback(|| async { (axum::http::StatusCode::BAD_GATEWAY, "<html>") });
    let address = serve_http2(app).await;
    let clerk = Remote::grpc(&format!("http://{address}"))
        .unwrap()
        .client::<Clerk>();
    let error = clerk.ask().await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Internal);
    let text = error.to_string();
    for part in [
        "no gRPC server",
        "200 OK",
        "text/plain",
        &address.to_string(),
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test]
async fn an_application_of_this_process_answers_as_over_a_socket() {
    let app = Router::new().route(
        "/t.Clerk/Ask",
        post(|headers: HeaderMap| async move {
            match headers.get("idempotency-key").map(HeaderValue::as_bytes) {
                Some(b"panic") => panic!("secret detail"),
                Some(b"hang") => std::future::pending().await,
                _ => Json(json!({ "text": "x".repeat(5 << 20) })),
            }
        }),
    );
    let clerk = Remote::app(app).client::<Clerk>();
    let broken = clerk.ask().idempotency_key("panic").await.unwrap_err();
    assert_eq!(broken.code(), ErrorCode::Internal, "{broken}");
    assert!(!broken.to_string().contains("secret"), "{broken}");
    let large = clerk.ask().await.unwrap_err();
    assert!(large.message().contains("larger than"), "{large}");
    let slow = clerk
        .ask()
        .idempotency_key("hang")
        .timeout(Duration::from_millis(50));
    assert_eq!(slow.await.unwrap_err().code(), ErrorCode::Timeout);
}
