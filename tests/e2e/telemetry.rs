//! Operations of services: from their processes into the store, and who may read them.

use contract::clock::Clock;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{
    Channel, GetTraceRequest, ListTracesRequest, OpBatch, OpReport, Status, TelemetryBatch,
};
use contract::ids::{IdMint, OpId, TraceId};
use tokio_stream::StreamExt as _;
use tonic::Code;

use crate::contracts::v1::{PassRequest, Relay};
use crate::harness::{Member, World, eventually, on_both_databases};

use bridge_runtime::operator::model::TraceTree;

const CHANGED_MAX: std::time::Duration = std::time::Duration::from_secs(5);

async fn client(world: &World, member: &Member) -> TelemetryClient<contract::transport::Channel> {
    let channel = member.runtime(&world.address()).await;
    let origin = channel.origin();
    TelemetryClient::with_origin(channel, origin)
}

on_both_databases! {
    async fn a_chain_of_calls_is_one_tree_of_operations(world: World) {
        let desk = world.desk("desk").await;
        let relay = world.peer(&["relay", "relay", "desk"]).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Relay>();
        let bridge = builder.start().await.expect("starts");
        let request = PassRequest { text: "onwards".to_owned() };
        assert_eq!(client.pass(request).await.expect("passed").text, "onwards");
        let tree = world.trace("Pass", 2).await;
        let [first, second] = &tree.ops[..] else {
            panic!("two calls: {tree:?}");
        };
        assert!(first.subject.contains("Pass") && second.subject.contains("Echo"), "{tree:?}");
        assert_eq!((first.depth, second.depth), (0, 1));
        assert_eq!((&*first.service, &*first.peer), ("orders", "relay"));
        assert_eq!((&*second.service, &*second.peer), ("relay", "desk"));
        let me = bridge.identity().expect("started").instance_id.to_string();
        assert_eq!(first.instance_id, me);
        assert_eq!(second.instance_id, relay.instance);
        assert!(tree.ops.iter().all(|it| it.status == "SUCCESS"), "{tree:?}");
        drop(desk);
        bridge.stop().await;
    }

    async fn what_was_acknowledged_survives_a_kill(world: World) {
        let member = Member::provision(&world.address(), &world.key("orders").await).await;
        let mint = IdMint::system(&Clock::system());
        let (trace, root) = (TraceId::mint(&mint), OpId::mint(&mint));
        let mut telemetry = client(&world, &member).await;
        let now = world.clock.now().as_millis();
        let report = OpReport {
            trace_id: trace.to_string(),
            op_id: root.to_string(),
            channel: Channel::User as i32,
            kind: 1,
            subject: "survivor".to_owned(),
            attempt: 1,
            started_at_ms: now,
            finished_at_ms: Some(now + 5),
            status: Status::Success as i32,
            ..OpReport::default()
        };
        let batch = TelemetryBatch {
            kind: Some(Kind::Ops(OpBatch { items: vec![report] })),
            sequence: 1,
        };
        let frames = tokio_stream::once(batch).chain(tokio_stream::pending());
        let mut acks = telemetry.report(frames).await.expect("taken").into_inner();
        loop {
            let ack = acks.message().await.expect("no error").expect("no end");
            if ack.acknowledged_sequence == 1 {
                break;
            }
        }
        world.runtime().kill();
        world.restart().await;
        let tree: TraceTree = world.get(&format!("/api/v1/traces/{trace}")).await;
        assert_eq!(tree.ops.len(), 1);
        assert_eq!((&*tree.ops[0].subject, &*tree.ops[0].service), ("survivor", "orders"));
    }

    async fn services_read_traces_only_when_the_setting_says_so(world: World) {
        let member = Member::provision(&world.address(), &world.key("orders").await).await;
        let mut telemetry = client(&world, &member).await;
        let list = ListTracesRequest { limit: 10, ..ListTracesRequest::default() };
        let refused = telemetry.list_traces(list.clone()).await.expect_err("not by default");
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
        let refused = telemetry.get_trace(GetTraceRequest::default()).await.expect_err("nor this");
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
        world.set("telemetry.services_may_query", "true").await;
        eventually(CHANGED_MAX, "allowed", async || telemetry.list_traces(list.clone()).await.ok()).await;
    }
}
