//! What a card says of instances that are not well: unhealthy, draining, with a certificate that
//! was not renewed in time.
//!
//! The runtime is in this process: certificates of seconds are for tests only.

use std::time::Duration;

use bridge::Transport;
use contract::grpc::v1::control_client::ControlClient;
use contract::grpc::v1::registry_client::RegistryClient;
use contract::grpc::v1::{IncomingMethod, MethodType, OpenRequest, RegisterRequest};
use serde_json::json;
use tempfile::TempDir;

use super::{logged_in, open};
use crate::console::{PASSWORD, USERNAME};
use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{Browser, Member, key_of, short_leaved};

/// Where nobody listens.
const NOWHERE: &str = "127.0.0.1:1";
/// Services renew at half of it; one that does not is late after five eighths.
const LEAF_LIFE: Duration = Duration::from_secs(24);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn draining_and_unhealthy_instances_are_told_on_their_cards() {
    let (world, mut browser) = logged_in().await;
    world.set("registry.disconnect_grace_ms", "60000").await;
    let mut desk = world.desk("desk").await;
    open(&mut browser, "/").await;
    let healthy = json!({ "service": "desk", "pattern": "is-ok.*healthy" });
    browser.step("card_says", healthy).await;
    // Its streams end and it is not removed yet: what it has begun may still end.
    desk.process.kill();
    let draining = json!({ "service": "desk", "pattern": "is-warn.*draining" });
    browser.step("card_says", draining).await;
    browser
        .step("looks", json!({ "name": "map-draining" }))
        .await;

    // The runtime cannot reach it: nobody listens where it said that it does.
    let key = world.key("mute").await;
    let member = Member::provision(&world.address(), &key).await;
    let held = stay(&member, &world.address(), NOWHERE).await;
    let mut builder = world.caller("caller").await;
    let client = builder.client_of::<Desk>("mute");
    let caller = builder.start().await.expect("starts");
    let healthy = json!({ "service": "mute", "pattern": "is-ok" });
    browser.step("card_says", healthy).await;
    let request = EchoRequest::default();
    let asked = client.echo(request).transport(Transport::Proxy).await;
    asked.expect_err("nobody listens");
    let unhealthy = json!({ "service": "mute", "pattern": "is-bad.*unhealthy" });
    browser.step("card_says", unhealthy).await;
    browser
        .step("looks", json!({ "name": "map-unhealthy" }))
        .await;
    caller.stop().await;
    drop(held);
}

/// Joins as an instance that serves a desk at `endpoint`, and stays as long as the value does.
async fn stay(member: &Member, address: &str, endpoint: &str) -> Box<dyn std::any::Any + Send> {
    let channel = member.runtime(address).await;
    let open = OpenRequest {
        protocol_version: 1,
        ..OpenRequest::default()
    };
    let control = ControlClient::with_origin(channel.clone(), channel.origin())
        .open(open)
        .await;
    let control = control.expect("a session").into_inner();
    let echo = &<Desk as bridge::Contract>::METHODS[0];
    let served = IncomingMethod {
        r#type: MethodType::Rpc.into(),
        name: echo.name.to_owned(),
        contract_hash: echo.contract_hash.to_owned(),
        ..IncomingMethod::default()
    };
    let request = RegisterRequest {
        incoming: vec![served],
        call_endpoint: endpoint.to_owned(),
        protocol_version: 1,
        ..RegisterRequest::default()
    };
    let watch = RegistryClient::with_origin(channel.clone(), channel.origin())
        .register_and_watch(request)
        .await;
    Box::new((control, watch.expect("registered").into_inner(), channel))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_not_renewed_in_time_is_told_on_its_card() {
    let folder = TempDir::new().expect("a folder");
    let runtime = short_leaved(&folder.path().join("data"), LEAF_LIFE).await;
    let address = runtime.grpc_addr().to_string();
    let link = runtime.setup_link().expect("nobody is there yet");
    let token = link.split_once("token=").expect("a token").1.to_owned();
    let mut browser = Browser::start(&runtime.console_url()).await;
    let first = json!({ "token": token, "username": USERNAME, "password": PASSWORD });
    browser.step("set_up", first).await;

    // One renews by itself, the other never does.
    let builder =
        bridge::Bridge::builder("careful").runtime(&address, key_of(&runtime, "careful").await);
    let careful = builder.caller_only().start().await.expect("starts");
    let member = Member::provision(&address, &key_of(&runtime, "careless").await).await;
    let held = stay(&member, &address, NOWHERE).await;
    open(&mut browser, "/?group=off").await;
    let fresh = json!({ "service": "careless", "pattern": "is-ok" });
    browser.step("card_says", fresh).await;
    let late =
        json!({ "service": "careless", "pattern": "not renewed in time", "within_ms": 40_000 });
    browser.step("card_says", late).await;
    open(&mut browser, "/?group=off&select=s:careless").await;
    let age = json!({ "pattern": "certificate .* old, .* left: renewal is late" });
    browser.step("shows", age).await;
    browser
        .step("looks", json!({ "name": "map-certificate" }))
        .await;
    let over =
        json!({ "service": "careless", "pattern": "certificate expired", "within_ms": 40_000 });
    browser.step("card_says", over).await;
    let says = browser
        .step(
            "card_says",
            json!({ "service": "careful", "pattern": "is-ok" }),
        )
        .await;
    assert!(
        !says["card"].as_str().unwrap_or("").contains("certificate"),
        "{says}"
    );
    careful.stop().await;
    drop(held);
    runtime.stop().await;
}
