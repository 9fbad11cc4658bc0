//! The runtime dies and comes back while services call each other.

use std::collections::BTreeSet;
use std::time::Duration;

use bridge::Transport;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::registry_event::Kind;
use contract::grpc::v1::{MethodType, OutgoingDep, RegisterRequest};

use crate::contracts::v1::Desk;
use crate::harness::{Load, Member, eventually, failures, on_both_databases};

const GRACE: Duration = Duration::from_secs(12);

on_both_databases! {
    async fn a_runtime_killed_under_load_costs_no_direct_call_and_leaves_no_ghost(world: World) {
        let desks = [world.desk("desk").await, world.desk("desk").await];
        let mut lost = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        let early = Member::provision(&world.address(), &world.key("early").await).await;
        world.set("registry.restart_grace_ms", &GRACE.as_millis().to_string()).await;
        let load = Load::start(&world.clock, &desk, 100, Transport::Direct);
        world.clock.sleep(Duration::from_secs(1)).await;

        let killed = world.clock.monotonic();
        world.runtime().kill();
        world.clock.sleep(Duration::from_secs(2)).await;
        let lost_at = world.clock.monotonic();
        lost.process.kill();
        world.clock.sleep(Duration::from_secs(1)).await;
        world.restart().await;
        let restarted = world.clock.monotonic();

        // Whoever returns first finds everybody, the one that will not return included.
        let shown = first_snapshot(&early, &world.address()).await;
        let all = desks.iter().chain([&lost]).map(|it| it.instance.clone());
        assert_eq!(shown, all.collect());
        let staying: BTreeSet<_> = desks.iter().map(|it| it.instance.clone()).collect();
        let (_, back) = eventually(Duration::from_secs(30), "services back by themselves", async || {
            let found = world.instances("desk").await;
            let connected = found.into_iter().filter(|it| it.status == "connected");
            (connected.map(|it| it.id).collect::<BTreeSet<_>>() == staying).then_some(())
        })
        .await;
        let limit = GRACE + Duration::from_secs(5);
        world.gone(limit, "desk", &lost.instance).await;
        let ghost = world.clock.monotonic().since(restarted);
        assert!(ghost >= GRACE, "removed within the grace: {ghost:?}");
        let left = world.instances("desk").await;
        assert_eq!(left.into_iter().map(|it| it.id).collect::<BTreeSet<_>>(), staying);

        let outcomes = load.finish().await;
        let second = lost_at + Duration::from_secs(1);
        let failed = failures(&outcomes, |it| !(lost_at..second).contains(&it.ended));
        assert!(failed.is_empty(), "{failed:?}");
        let away = outcomes.iter().filter(|it| (killed..restarted).contains(&it.started)).count();
        assert!(away > 200, "{away} calls while the runtime was away");
        println!(
            "{} direct calls, services back {back:?} after the restart, the dead one gone after {ghost:?}",
            outcomes.len()
        );
        bridge.stop().await;
    }
}

async fn first_snapshot(member: &Member, address: &str) -> BTreeSet<String> {
    let channel = member.runtime(address).await;
    let origin = channel.origin();
    let request = RegisterRequest {
        outgoing: vec![OutgoingDep {
            service_name: "desk".to_owned(),
            method_name: "Echo".to_owned(),
            r#type: MethodType::Rpc as i32,
        }],
        protocol_version: 1,
        ..RegisterRequest::default()
    };
    let mut client = RegistryClient::with_origin(channel, origin);
    let mut frames = client
        .register_and_watch(request)
        .await
        .expect("registered")
        .into_inner();
    let first = frames.message().await.expect("no error").expect("a frame");
    let Some(Kind::Snapshot(snapshot)) = first.kind else {
        panic!("the first frame is a snapshot");
    };
    snapshot
        .instances
        .into_iter()
        .filter(|it| it.service_name == "desk")
        .map(|it| it.instance_id)
        .collect()
}
