//! Bridges against a small runtime over real sockets: joining, calling, failing over, leaving.

use std::future::IntoFuture as _;

use contract::clock::Clock;

use super::mesh::Mesh;
use super::*;
use crate::business::BusinessError;
use crate::call_error::CallError;
use crate::handler::{MethodMeta, OperationDef};
use crate::operation::Handlers;
use crate::rpc::{Call, Contract, Target};
use crate::{Context, Transport};

pub(super) const HOUR: Duration = Duration::from_secs(3_600);

static ECHO: &[MethodMeta] = &[MethodMeta {
    service: "t.Echo",
    name: "Echo",
    contract_hash: "v2:echo",
    input_schema: "{}",
    output_schema: "{}",
    streaming: false,
}];

pub(super) struct Echo;

impl Contract for Echo {
    const NAME: &'static str = "t.Echo";
    const DEFAULT_TARGET: &'static str = "echo";
    const METHODS: &'static [MethodMeta] = ECHO;
    type Client = EchoClient;
}

#[derive(Clone)]
pub(super) struct EchoClient(Target);

impl From<Target> for EchoClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl EchoClient {
    pub(super) fn echo(&self, text: &str) -> Call<String> {
        self.0.unary(&ECHO[0], text.to_owned())
    }
}

#[derive(Debug, PartialEq)]
enum EchoError {
    Silence,
}

impl BusinessError for EchoError {
    fn code(&self) -> &'static str {
        "SILENCE"
    }

    fn message(&self) -> String {
        "nothing to echo".into()
    }

    fn from_wire(code: &str, _: &str) -> Option<Self> {
        (code == "SILENCE").then_some(Self::Silence)
    }
}

pub(super) fn echo() -> Handlers {
    Handlers::from_operations(vec![OperationDef::unary(&ECHO[0], "tests::echo", |_| {
        Ok(|text: String, context: Context| async move {
            match &*text {
                "" => Err(EchoError::Silence),
                "who" => Ok(context.caller().unwrap().service.to_string()),
                "flags" => {
                    let current = crate::telemetry::current().unwrap();
                    let is_recorded = current.flags.is_sampled();
                    Ok(if is_recorded {
                        "recorded"
                    } else {
                        "unrecorded"
                    }
                    .to_owned())
                }
                "slow" => {
                    pause(Duration::from_millis(300)).await;
                    Ok(text)
                }
                "forever" => std::future::pending().await,
                _ => Ok(text),
            }
        })
    })])
}

pub(super) async fn serve(mesh: &Mesh) -> Bridge {
    let builder = Bridge::builder("echo").runtime(mesh.address(), mesh.key("echo"));
    builder
        .advertise("127.0.0.1:0")
        .serve(echo())
        .start()
        .await
        .expect("starts")
}

pub(super) async fn call(mesh: &Mesh) -> (Bridge, EchoClient) {
    let mut builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let client = builder.client::<Echo>();
    let builder = builder.reconnect_interval(Duration::from_millis(100));
    (builder.start().await.expect("starts"), client)
}

async fn pause(span: Duration) {
    Clock::system().sleep(span).await;
}

/// Repeats a call until somebody can take it.
pub(super) async fn until_answered(client: &EchoClient) {
    let clock = Clock::system();
    let begun = clock.monotonic();
    while let Err(error) = client.echo("x").await {
        assert!(
            clock.monotonic().since(begun) < Duration::from_secs(10),
            "{error}"
        );
    }
}

pub(super) async fn until(mut condition: impl FnMut() -> bool) {
    let clock = Clock::system();
    let begun = clock.monotonic();
    while !condition() {
        assert!(
            clock.monotonic().since(begun) < Duration::from_secs(10),
            "it never came true"
        );
        pause(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn two_services_join_and_one_calls_the_other() {
    let mesh = Mesh::start(HOUR).await;
    let callee = serve(&mesh).await;
    let (caller, client) = call(&mesh).await;
    until_answered(&client).await;
    assert_eq!(
        client
            .echo("hello")
            .transport(Transport::Direct)
            .await
            .unwrap(),
        "hello"
    );
    let who = client.echo("who").await.unwrap();
    assert_eq!(who, caller.identity().unwrap().service_id.to_string());
    let error = client.echo("").await.unwrap_err();
    assert_eq!(
        (error.code(), error.handler_code()),
        (ErrorCode::Handler, Some("SILENCE"))
    );
    assert_eq!(error.business::<EchoError>(), Some(EchoError::Silence));
    assert!(callee.status().is_ready);
    caller.stop().await;
    let operations = mesh.operations();
    let of_error = operations
        .iter()
        .find(|op| op.status_message.starts_with("SILENCE"))
        .unwrap();
    assert_eq!(of_error.subject, "rpc.call:echo/Echo");
    assert_eq!(
        of_error.peer_instance_id,
        callee.identity().unwrap().instance_id.to_string()
    );
    assert_eq!(caller.status().phase, Phase::Stopped);
    let error: CallError = client.echo("late").await.unwrap_err();
    assert_ne!(error.code(), ErrorCode::Internal);
}

#[tokio::test]
async fn a_dead_instance_is_left_for_the_next_one_and_then_for_the_proxy() {
    let mesh = Mesh::start(HOUR).await;
    let _first = serve(&mesh).await;
    let _second = serve(&mesh).await;
    let (_caller, client) = call(&mesh).await;
    until_answered(&client).await;
    // One of the two moves to a port nobody listens on; the registry does not know.
    let mut is_first = true;
    mesh.rewrite(|it| {
        if !it.call_endpoint.is_empty() && std::mem::take(&mut is_first) {
            it.call_endpoint = "127.0.0.1:1".into();
        }
    });
    pause(Duration::from_millis(100)).await;
    for _ in 0..50 {
        assert_eq!(
            client.echo("a").transport(Transport::Direct).await.unwrap(),
            "a"
        );
    }
    assert!(mesh.invoked().is_empty());
    mesh.rewrite(|it| {
        if !it.call_endpoint.is_empty() {
            it.call_endpoint = "127.0.0.1:1".into();
        }
    });
    pause(Duration::from_millis(100)).await;
    assert_eq!(client.echo("b").await.unwrap(), "b");
    let invoked = mesh.invoked();
    assert_eq!(invoked.len(), 1);
    assert_eq!(invoked[0].exclude_instance_ids.len(), 2);
    assert_eq!(invoked[0].contract_hash, b"v2:echo");
    let error = client
        .echo("c")
        .transport(Transport::Direct)
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.retryable()),
        (ErrorCode::Connection, true)
    );
}

#[tokio::test]
async fn nobody_to_call_is_said_after_the_pauses_of_the_retry() {
    let mesh = Mesh::start(HOUR).await;
    let (_caller, client) = call(&mesh).await;
    let clock = Clock::system();
    let begun = clock.monotonic();
    let error = client.echo("x").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoLiveInstance);
    assert!(
        error.retryable() && error.message().contains("start the service"),
        "{error}"
    );
    let took = clock.monotonic().since(begun);
    assert!((350..1_500).contains(&took.as_millis()), "{took:?}");
    let late = client.echo("x").timeout(Duration::ZERO).await.unwrap_err();
    assert_eq!(late.code(), ErrorCode::Timeout);
}

#[tokio::test]
async fn a_deadline_ends_the_call_here_and_there() {
    let mesh = Mesh::start(HOUR).await;
    let _callee = serve(&mesh).await;
    let (_caller, client) = call(&mesh).await;
    until_answered(&client).await;
    let error = client
        .echo("slow")
        .timeout(Duration::from_millis(50))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.retryable()),
        (ErrorCode::Timeout, false)
    );
    assert_eq!(client.echo("slow").await.unwrap(), "slow");
}

#[tokio::test]
async fn a_stopping_instance_withdraws_and_finishes_what_runs() {
    let mesh = Mesh::start(HOUR).await;
    let callee = serve(&mesh).await;
    let (_caller, client) = call(&mesh).await;
    until_answered(&client).await;
    let slow = tokio::spawn(client.echo("slow").into_future());
    pause(Duration::from_millis(50)).await;
    let clock = Clock::system();
    let begun = clock.monotonic();
    callee.stop().await;
    assert!(
        clock.monotonic().since(begun) < Duration::from_secs(4),
        "{:?}",
        clock.monotonic().since(begun)
    );
    assert_eq!(slow.await.unwrap().unwrap(), "slow");
    assert!(
        mesh.registrations()
            .iter()
            .all(|it| it.call_endpoint.is_empty())
    );
    let error = client.echo("x").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoLiveInstance, "{error}");
}

#[tokio::test]
async fn calls_go_on_while_the_runtime_is_away_and_everybody_comes_back() {
    let mesh = Mesh::start(HOUR).await;
    let callee = serve(&mesh).await;
    let (caller, client) = call(&mesh).await;
    until_answered(&client).await;
    mesh.kill();
    until(|| caller.status().phase == Phase::Reconnecting).await;
    for _ in 0..20 {
        assert_eq!(
            client.echo("a").transport(Transport::Direct).await.unwrap(),
            "a"
        );
    }
    assert!(caller.status().is_ready);
    mesh.serve().await;
    until(|| mesh.registrations().len() == 2).await;
    until(|| callee.status().phase == Phase::Connected).await;
    until_answered(&client).await;
}

#[tokio::test]
async fn certificates_are_replaced_under_load_without_a_failed_call() {
    let mesh = Mesh::start(Duration::from_millis(800)).await;
    let callee = serve(&mesh).await;
    let instance = callee.identity().unwrap().instance_id;
    let (_caller, client) = call(&mesh).await;
    until_answered(&client).await;
    let before = mesh.refreshed();
    while mesh.refreshed() < before + 6 {
        client
            .echo("x")
            .transport(Transport::Direct)
            .await
            .expect("no call fails");
        pause(Duration::from_millis(2)).await;
    }
    assert_eq!(callee.identity().unwrap().instance_id, instance);
}

#[tokio::test]
async fn a_refused_key_a_foreign_key_and_a_wrong_name_each_say_so_at_once() {
    let mesh = Mesh::start(HOUR).await;
    let other = Mesh::start(HOUR).await;
    for (name, key, code, said) in [
        (
            "revoked",
            mesh.key("revoked"),
            ErrorCode::AccessDenied,
            "revoked",
        ),
        (
            "orders",
            other.key("orders"),
            ErrorCode::Config,
            "another runtime",
        ),
        (
            "orders",
            mesh.key("payments"),
            ErrorCode::Config,
            "belongs to service `payments`",
        ),
    ] {
        let clock = Clock::system();
        let begun = clock.monotonic();
        let error = Bridge::builder(name)
            .runtime(mesh.address(), key)
            .start()
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(said), "{error}");
        assert!(clock.monotonic().since(begun) < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_revoked_service_stops_for_good_and_its_http_server_says_why() {
    let mesh = Mesh::start(HOUR).await;
    let bridge = serve(&mesh).await;
    let mut events = bridge.events();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = tokio::spawn({
        let bridge = bridge.clone();
        async move { bridge.serve_http(listener, axum::Router::new()).await }
    });
    until(|| {
        mesh.registrations()
            .iter()
            .any(|it| !it.http_endpoint.is_empty())
    })
    .await;
    mesh.kick();
    let error = http.await.unwrap().unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessDenied, "{error}");
    assert_eq!(
        bridge.stopped().await.unwrap_err().to_string(),
        error.to_string()
    );
    bridge.stop().await;
    let ends = std::iter::from_fn(|| events.try_recv().ok())
        .filter(|it| matches!(it, Lifecycle::Disconnected { .. }));
    assert_eq!(ends.count(), 1);
}

#[bridge_macros::rpc(get, "/paid", deadline = "1s", crate = crate)]
async fn paid() {}

#[tokio::test]
async fn an_application_whose_promises_cannot_hold_is_not_served() {
    mod other {
        #[bridge_macros::rpc(get, "/paid", crate = crate)]
        pub(super) async fn also() {}
    }
    let mesh = Mesh::start(HOUR).await;
    let builder = Bridge::builder("echo").runtime(mesh.address(), mesh.key("echo"));
    let handlers = bridge_macros::handlers![crate = crate; paid];
    let builder = builder.serve(handlers.and(bridge_macros::handlers![crate = crate; other::also]));
    let bridge = builder.start().await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app = axum::Router::new().route("/v1/paid", axum::routing::get(paid));
    let error = bridge.serve_http(listener, app).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    bridge.stop().await;
}

#[tokio::test]
async fn a_call_made_while_serving_http_hangs_under_the_request() {
    let mesh = Mesh::start(HOUR).await;
    let _callee = serve(&mesh).await;
    let (caller, client) = call(&mesh).await;
    until_answered(&client).await;
    let handler = move || async move { client.echo("nested").await.map_err(|_| ()).unwrap() };
    let app = axum::Router::new().route("/orders/{id}", axum::routing::get(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bridge = caller.clone();
    let http = tokio::spawn(async move { bridge.serve_http(listener, app).await });
    let answer = get(address, "/orders/7").await;
    assert!(answer.ends_with("nested"), "{answer}");
    caller.stop().await;
    http.await.unwrap().unwrap();
    let operations = mesh.operations();
    let request = "http.handle:GET//orders/{id}";
    let request = operations
        .iter()
        .rfind(|op| op.subject == request)
        .expect("recorded");
    let nested = operations
        .iter()
        .rfind(|op| op.parent_op_id == request.op_id)
        .expect("nested");
    assert_eq!(
        (&nested.trace_id, &*nested.subject),
        (&request.trace_id, "rpc.call:echo/Echo")
    );
}

pub(super) async fn get(address: std::net::SocketAddr, path: &str) -> String {
    get_with(address, path, "accept: */*").await
}

/// The whole answer to a request with one more header.
pub(super) async fn get_with(address: std::net::SocketAddr, path: &str, header: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: t\r\n{header}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}
