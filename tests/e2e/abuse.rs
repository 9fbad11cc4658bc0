//! Strangers that flood both ports while others work.

use std::time::Duration;

use bridge::Transport;
use contract::grpc::v1::call_client::CallClient;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::{CallRequest, RegisterRequest};
use contract::tls::Peer;
use tonic::Code;

use crate::contracts::v1::Desk;
use crate::harness::{Database, Load, Member, World, failures, said, soak};

/// How much the runtime may grow: a connection that has said nothing costs kilobytes, and a
/// message is refused by its announced length.
const GROWTH_MAX: u64 = 256 << 20;
const HUGE: usize = 100 << 20;
const FLOODED_MAX: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_either_port_are_bounded_and_disturb_nobody() {
    let connections = if soak() { "8000" } else { "500" };
    let mut world = World::start(Database::sqlite()).await;
    let desk = world.desk("desk").await;
    let endpoint = world.endpoint("desk", &desk.instance).await;
    let mut builder = world.caller("orders").await;
    let client = builder.client::<Desk>();
    let bridge = builder.start().await.expect("starts");
    let key = world.key("flood").await;
    let before = [world.runtime().memory(), desk.process.memory()];
    let loads = [
        Load::start(&world.clock, &client, 50, Transport::Direct),
        Load::start(&world.clock, &client, 50, Transport::Proxy),
    ];
    let mut floods = Vec::new();
    for target in [world.address(), endpoint] {
        floods.push(world.spawn(&["flood", &target, connections], &key));
    }
    for flood in &floods {
        let told = flood
            .line(FLOODED_MAX, "flood", |line| {
                said(line, "flooding").or_else(|| said(line, "failed"))
            })
            .await;
        println!("{told}");
        assert_eq!(told["event"], "flooding");
        assert_eq!(
            told["refused"], told["attacks"],
            "every one that spoke was cut off"
        );
        assert!(told["opened"].as_u64().is_some_and(|it| it > 400), "{told}");
    }
    // Somebody new gets in beside them.
    let late = world.desk("late").await;
    assert!(!late.instance.is_empty());
    world.clock.sleep(Duration::from_secs(1)).await;
    let during = [world.runtime().memory(), desk.process.memory()];
    for load in loads {
        let outcomes = load.finish().await;
        let failed = failures(&outcomes, |_| true);
        assert!(
            failed.is_empty(),
            "{} of {}: {failed:?}",
            failed.len(),
            outcomes.len()
        );
    }
    for (process, (before, during)) in ["runtime", "instance"]
        .iter()
        .zip(before.into_iter().zip(during))
    {
        println!(
            "{process}: {} MiB before, {} MiB under {connections} connections",
            before >> 20,
            during >> 20
        );
        assert!(
            during < before + GROWTH_MAX,
            "{process} grew from {before} to {during}"
        );
    }
    drop(floods);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_100_megabytes_are_refused_by_their_length() {
    let mut world = World::start(Database::sqlite()).await;
    let desk = world.desk("desk").await;
    let member = Member::provision(&world.address(), &world.key("orders").await).await;
    let before = [world.runtime().memory(), desk.process.memory()];

    let channel = member.runtime(&world.address()).await;
    let origin = channel.origin();
    let request = RegisterRequest {
        sdk_version: "x".repeat(HUGE),
        ..RegisterRequest::default()
    };
    let refused = RegistryClient::with_origin(channel, origin)
        .register_and_watch(request)
        .await;
    let refused = refused.expect_err("too large for the runtime");
    let told = [Code::OutOfRange, Code::ResourceExhausted];
    assert!(told.contains(&refused.code()), "{refused:?}");

    let instance = Peer::Service {
        service: desk.service.parse().expect("a UUID"),
        instance: desk.instance.parse().expect("a UUID"),
    };
    let endpoint = world.endpoint("desk", &desk.instance).await;
    let channel = member.dial(&endpoint, instance).await;
    let origin = channel.origin();
    let request = CallRequest {
        method: "Echo".to_owned(),
        payload: vec![0; HUGE].into(),
        ..CallRequest::default()
    };
    let refused = CallClient::with_origin(channel, origin)
        .unary(request)
        .await;
    let refused = refused.expect_err("too large for an instance");
    assert!(told.contains(&refused.code()), "{refused:?}");

    let after = [world.runtime().memory(), desk.process.memory()];
    for (before, after) in before.into_iter().zip(after) {
        assert!(
            after < before + (HUGE as u64) / 2,
            "grew from {before} to {after}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_open_files_delay_newcomers_and_break_nothing() {
    let world = World::with_files(Database::sqlite(), Some(512)).await;
    let _desk = world.desk("desk").await;
    let mut builder = world.caller("orders").await;
    let client = builder.client::<Desk>();
    let bridge = builder.start().await.expect("starts");
    let key = world.key("flood").await;
    let load = Load::start(&world.clock, &client, 50, Transport::Proxy);
    let flood = world.spawn(&["flood", &world.address(), "700"], &key);
    let told = flood.line(FLOODED_MAX, "flood", |line| said(line, "flooding"));
    told.await;
    // Files were left for the operator and the store.
    let output = world.command_line(&["doctor"]).await;
    assert!(output.status.success(), "{output:?}");
    world.key("another").await;
    // Idle strangers are thrown out, so that a newcomer finds a place by trying again.
    world.desk("late").await;
    let outcomes = load.finish().await;
    let failed = failures(&outcomes, |_| true);
    assert!(
        failed.is_empty(),
        "{} of {}: {failed:?}",
        failed.len(),
        outcomes.len()
    );
    bridge.stop().await;
}
