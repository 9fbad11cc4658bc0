//! The runtime's orderly end, and the lock on its data.

use std::time::Duration;

use bridge::{Lifecycle, Phase};
use bridge_runtime::operator::model::Finding;
use contract::grpc::v1::OpenRequest;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::server_control::Kind;

use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{Member, Process, World, eventually, on_both_databases};

const STOP_MAX: Duration = Duration::from_secs(5);

/// Says what a session says until it ends.
async fn last_words(world: &World, member: &Member) -> Vec<Kind> {
    let channel = member.runtime(&world.address()).await;
    let origin = channel.origin();
    let open = OpenRequest {
        protocol_version: 1,
        ..OpenRequest::default()
    };
    let session = ControlClient::with_origin(channel, origin).open(open).await;
    let mut session = session.expect("welcome").into_inner();
    let mut said = Vec::new();
    while let Ok(Some(frame)) = session.message().await {
        said.extend(frame.kind);
    }
    said
}

on_both_databases! {
    async fn sigterm_says_farewell_to_every_session_and_ends_in_time(world: World) {
        let desk = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        let mut events = bridge.events();
        let member = Member::provision(&world.address(), &world.key("raw").await).await;
        let stop = async {
            eventually(STOP_MAX, "three sessions", async || {
                let findings: Vec<Finding> = world.get("/api/v1/doctor").await;
                let mut details = findings.iter().map(|it| &it.detail);
                details.any(|it| it.starts_with("3 present")).then_some(())
            })
            .await;
            world.terminate();
        };
        let (said, ()) = tokio::join!(last_words(&world, &member), stop);
        assert!(matches!(said[..], [Kind::Welcome(_), Kind::Drain(_)]), "{said:?}");
        let (status, took) = world.runtime().ended(STOP_MAX).await;
        assert!(status.success(), "{status}");
        println!("stopped {took:?} after the farewell");
        let drained = eventually(STOP_MAX, "the drain event", async || {
            match events.try_recv() {
                Ok(Lifecycle::Draining { reason }) => Some(reason),
                _ => None,
            }
        });
        let (reason, _) = drained.await;
        assert!(reason.contains("shutting down"), "{reason}");
        let status = bridge.status();
        assert!(status.is_ready, "direct calls need no runtime: {status:?}");
        let reply = client.echo(EchoRequest::default()).await.expect("answers");
        assert_eq!(reply.instance, desk.instance);
        world.restart().await;
        eventually(Duration::from_secs(20), "connected again", async || {
            (bridge.status().phase == Phase::Connected).then_some(())
        })
        .await;
        bridge.stop().await;
    }

    async fn a_second_runtime_on_the_same_data_is_refused_by_name(world: World) {
        let mut command = world.serve(&world.data());
        let mut second = Process::spawn("second runtime", &mut command);
        let (status, _) = second.ended(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(1));
        let refused = second
            .line(STOP_MAX, "refusal", |line| line.starts_with("error: ").then(|| line.to_owned()))
            .await;
        assert!(refused.contains("in use by another runtime"), "{refused}");
        assert!(refused.contains(&world.runtime().pid().to_string()), "{refused}");
        assert!(refused.contains("--data"), "{refused}");
        // The first one has not noticed.
        world.key("orders").await;
    }
}
