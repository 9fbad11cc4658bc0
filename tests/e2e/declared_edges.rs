//! A client in a handler's signature is an edge of the map: declared as soon as the service is
//! registered, confirmed or contradicted by what is called.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use bridge::Bridge;
use contract::clock::Clock;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{Channel, OpBatch, OpReport, Status, TelemetryBatch};
use contract::ids::{IdMint, OpId, TraceId};
use serde_json::Value;
use tokio_stream::StreamExt as _;

use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{Member, World, eventually, on_both_databases};

const SOON: Duration = Duration::from_secs(20);

#[bridge::rpc(post, "/greetings")]
async fn greet(desk: bridge::Client<Desk>, text: String) -> String {
    match desk.echo(EchoRequest { text }).await {
        Ok(reply) => reply.text,
        Err(error) => error.to_string(),
    }
}

/// A service with that handler; says where it is.
async fn greeter(world: &World) -> (Bridge, String) {
    let builder = world.caller("greeter").await;
    let bridge = builder.serve(bridge::handlers![greet]).start().await;
    let bridge = bridge.expect("starts");
    let app = Router::new().route("/greetings", post(greet));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = bridge.clone();
    tokio::spawn(async move { serving.serve_http(listener, app).await });
    (bridge, format!("http://{address}/greetings"))
}

/// A service that says it called `desk/Echo`, and never said that it would.
async fn contradict(world: &World) {
    let member = Member::provision(&world.address(), &world.key("stranger").await).await;
    let mint = IdMint::system(&Clock::system());
    let now = world.clock.now().as_millis();
    let report = OpReport {
        trace_id: TraceId::mint(&mint).to_string(),
        op_id: OpId::mint(&mint).to_string(),
        channel: Channel::Rpc as i32,
        kind: 1,
        subject: "rpc.call:desk/Echo".to_owned(),
        attempt: 1,
        started_at_ms: now,
        finished_at_ms: Some(now + 5),
        status: Status::Success as i32,
        ..OpReport::default()
    };
    let batch = TelemetryBatch {
        kind: Some(Kind::Ops(OpBatch {
            items: vec![report],
        })),
        sequence: 1,
    };
    let channel = member.runtime(&world.address()).await;
    let origin = channel.origin();
    let mut telemetry = TelemetryClient::with_origin(channel, origin);
    let frames = tokio_stream::once(batch).chain(tokio_stream::pending());
    let acks = telemetry.report(frames).await.expect("taken");
    let ack = acks.into_inner().message().await.expect("no error");
    assert_eq!(ack.expect("no end").acknowledged_sequence, 1);
}

/// `declared` and the number of calls of `desk/Echo` by this service.
async fn edge(world: &World, from: &str) -> Option<(bool, Option<u64>)> {
    let map: Value = world.get("/api/v1/map").await;
    let edges = map["edges"].as_array()?;
    let edge = edges.iter().find(|it| {
        (&it["from"], &it["to"], &it["method"]) == (&from.into(), &"desk".into(), &"Echo".into())
    })?;
    Some((edge["declared"].as_bool()?, edge["load"]["count"].as_u64()))
}

on_both_databases! {
    async fn a_client_in_a_signature_is_an_edge_that_calls_confirm_or_contradict(world: World) {
        let _desk = world.desk("desk").await;
        let (bridge, url) = greeter(&world).await;
        assert_eq!(edge(&world, "greeter").await, Some((true, None)), "declared, not called");
        let client = reqwest::Client::new();
        let answer = client.post(&url).body("good day").send().await.expect("answers");
        assert_eq!(answer.text().await.expect("a body"), "good day");
        eventually(SOON, "the call confirms it", async || {
            (edge(&world, "greeter").await == Some((true, Some(1)))).then_some(())
        })
        .await;
        assert_eq!(edge(&world, "stranger").await, None);
        contradict(&world).await;
        eventually(SOON, "what was called and not declared is shown as such", async || {
            (edge(&world, "stranger").await == Some((false, Some(1)))).then_some(())
        })
        .await;
        let picture = world.command_line(&["map", "--format", "svg"]).await.stdout;
        let picture = String::from_utf8(picture).expect("text");
        assert!(picture.contains("class=\"link undeclared\""), "{picture}");
        assert!(picture.contains("class=\"link seen\""), "{picture}");
        bridge.stop().await;
    }
}
