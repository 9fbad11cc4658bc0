//! Calls of a peer that is dead or answers badly, over real sockets.

use super::mesh::Mesh;
use super::mesh_tests::{Echo, EchoClient, HOUR, echo, serve, until_answered};
use super::*;
use crate::options::Retry;
use crate::{CallError, Transport};

async fn call(mesh: &Mesh) -> (Bridge, EchoClient) {
    let mut builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let client = builder.client::<Echo>();
    let retry = Retry {
        attempts: 2,
        base: Duration::from_millis(1),
        ..Retry::default()
    };
    let bridge = builder.retry(retry).start().await.expect("starts");
    until_answered(&client).await;
    (bridge, client)
}

async fn directly(client: &EchoClient, text: &str) -> Result<String, CallError> {
    client.echo(text).transport(Transport::Direct).await
}

#[tokio::test]
async fn a_dead_peer_is_held_back_and_calls_go_through_the_runtime() {
    let mesh = Mesh::start(HOUR).await;
    let _callee = serve(&mesh).await;
    let (_caller, client) = call(&mesh).await;
    // Nobody listens where it says; the registry does not know.
    mesh.rewrite(|it| {
        if !it.call_endpoint.is_empty() {
            it.call_endpoint = "127.0.0.1:1".into();
        }
    });
    let mut failed = 0;
    let held = loop {
        match directly(&client, "x").await {
            // The news has not come yet.
            Ok(_) => tokio::task::yield_now().await,
            Err(error) if error.code() == ErrorCode::Connection => failed += 1,
            Err(error) => break error,
        }
        assert!(failed < 10, "ten failures are enough");
    };
    assert_eq!(held.code(), ErrorCode::NoLiveInstance, "{held}");
    let text = held.message();
    assert!(
        text.starts_with("circuit open") && text.contains("1 instances"),
        "{text}"
    );
    assert!(held.retryable());
    // What could not be reached from here may be reached from there, without a pause.
    assert!(mesh.invoked().is_empty());
    assert_eq!(client.echo("b").await.unwrap(), "b");
    assert_eq!(mesh.invoked().len(), 1);
}

#[tokio::test]
async fn errors_of_the_handler_never_hold_it_back() {
    let mesh = Mesh::start(HOUR).await;
    let _callee = serve(&mesh).await;
    let (_caller, client) = call(&mesh).await;
    for _ in 0..30 {
        let error = directly(&client, "").await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Handler, "{error}");
    }
    assert_eq!(directly(&client, "x").await.unwrap(), "x");
}

#[tokio::test]
async fn a_peer_that_never_answers_in_time_is_held_back() {
    let mesh = Mesh::start(HOUR).await;
    let _callee = serve(&mesh).await;
    let (_caller, client) = call(&mesh).await;
    let late = || directly_within(&client, Duration::from_millis(5));
    let mut codes = Vec::new();
    while codes.len() < 40 && codes.last() != Some(&ErrorCode::NoLiveInstance) {
        codes.push(late().await.code());
    }
    let (held, late) = codes.split_last().unwrap();
    assert_eq!(*held, ErrorCode::NoLiveInstance);
    assert!(
        late.len() >= 9 && late.iter().all(|it| *it == ErrorCode::Timeout),
        "{late:?}"
    );
    // It does answer the runtime, but no sooner: there is no other way round.
    let error = client.echo("x").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NoLiveInstance, "{error}");
    assert!(mesh.invoked().is_empty());
}

#[tokio::test]
async fn a_peer_without_room_is_asked_again_as_soon_as_it_has_some() {
    let mesh = Mesh::start(HOUR).await;
    let builder = Bridge::builder("echo").runtime(mesh.address(), mesh.key("echo"));
    let builder = builder.advertise("127.0.0.1:0").serve(echo());
    let builder = builder.max_concurrent_calls(1).max_queued_calls(0);
    let _callee = builder.start().await.expect("starts");
    let (caller, client) = call(&mesh).await;
    // There is room for one of them, and that one stays.
    let refused = tokio::select! {
        ended = directly(&client, "forever") => ended,
        ended = directly(&client, "forever") => ended,
    };
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Overloaded, "{refused}");
    let routes = caller.0.session.registry.routes();
    assert!(!routes.slot(0).candidates[0].instance.is_shunned());
}

async fn directly_within(client: &EchoClient, timeout: Duration) -> CallError {
    let call = client.echo("slow").transport(Transport::Direct);
    call.timeout(timeout).await.unwrap_err()
}
