//! The wire, proven by a client that shares no code with us: Python's stock gRPC, stubs generated
//! from our `.proto` files.
//!
//! The first run installs the pinned packages into `target/python`; python3 is required.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use bridge::{ErrorCode, Transport};

use crate::contracts::v1;
use crate::harness::{Process, World, on_both_databases, said};

#[path = "../python/installed.rs"]
pub(crate) mod packages;

pub(crate) use packages::installed;
use packages::run;

/// Longest installation of the packages.
const PATIENCE: Duration = Duration::from_secs(60);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The interpreter with the pinned packages, and the folder with the generated stubs. Made once in a
/// run of the tests, because another test's interpreter may be reading them; the lock is for a
/// second run beside it.
pub(crate) fn prepared() -> (PathBuf, PathBuf) {
    static MADE: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    MADE.get_or_init(prepare).clone()
}

fn prepare() -> (PathBuf, PathBuf) {
    let target = root().join("target/python");
    let bin = installed("python", include_str!("../python/requirements.txt"));
    let lock = std::fs::File::create(target.join("lock")).expect("target can be written");
    lock.lock().expect("the lock can be waited for");
    let (python, stubs) = (bin.join("python"), target.join("stubs"));
    generate(&python, &stubs);
    (python, stubs)
}

fn generate(python: &Path, stubs: &Path) {
    std::fs::create_dir_all(stubs).expect("target can be written");
    let (ours, wire) = (root().join("tests/contracts"), root().join("proto"));
    let protos = std::fs::read_dir(wire.join("servicebridge/v1")).expect("the protos are there");
    let protos = protos.map(|entry| entry.expect("readable").path());
    let mut command = Command::new(python);
    command.args(["-m", "grpc_tools.protoc"]);
    for include in [&ours, &wire] {
        command.arg("-I").arg(include);
    }
    for out in ["--python_out", "--grpc_python_out"] {
        command.arg(format!("{out}={}", stubs.display()));
    }
    let ours = ["desk.proto", "ticker.proto"].map(|name| ours.join(name));
    run(command.args(protos).args(ours));
}

/// A member of the service `snake`: runs `script` with the hash of what it serves and the service
/// it calls.
pub(crate) async fn python(world: &World, script: &str, hash: &str, target: &str) -> Process {
    let (python, stubs) = tokio::task::spawn_blocking(prepared)
        .await
        .expect("python can be prepared");
    let mut command = Command::new(python);
    command
        .arg(root().join("tests/python").join(script))
        .args([&world.address(), hash, target])
        .env("BRIDGE_KEY", world.key("snake").await)
        .env("PYTHONPATH", stubs);
    Process::spawn_open("python", &mut command)
}

on_both_databases! {
    async fn a_stock_grpc_client_joins_is_called_and_calls(world: World) {
        let desk = world.desk("desk").await;
        let hash = <v1::Desk as bridge::Contract>::METHODS[0].contract_hash;
        let snake = python(&world, "client.py", hash, "desk").await;
        let heard = async |event: &'static str| {
            snake.line(PATIENCE, event, move |line| said(line, event)).await
        };

        let me = heard("provisioned").await;
        let (service, instance) = (me["service"].as_str().expect("text"), me["instance"].as_str().expect("text"));
        let uri = format!("spiffe://service-bridge/service/{service}/instance/{instance}");
        assert_eq!(me["uris"], serde_json::json!([uri]));
        assert_eq!(me["expiry_agrees"], true);
        assert_eq!(heard("welcome").await["protocol_version"], 1);
        let first = heard("first_frame").await;
        assert_eq!((&first["kind"], &first["policy"]), (&"snapshot".into(), &true.into()));

        // Python calls Rust through the runtime.
        let answered = heard("answered").await;
        assert_eq!(answered["text"], "hello from python");
        assert_eq!(answered["caller_service"], service);
        assert_eq!(answered["caller_instance"], "", "the runtime vouches for the service alone");
        assert_eq!(answered["request_id"], "from-python");

        // Rust calls Python, directly and through the runtime.
        heard("serving").await;
        let mut builder = world.caller("orders").await;
        let client = builder.client_of::<v1::Desk>("snake");
        let bridge = builder.start().await.expect("starts");
        let own = bridge.identity().expect("started");
        for (transport, text) in [(Transport::Direct, "direct"), (Transport::Proxy, "proxy")] {
            let request = v1::EchoRequest { text: text.to_owned() };
            let reply = client.echo(request).transport(transport).await;
            let reply = reply.unwrap_or_else(|error| panic!("{transport:?}: {error}"));
            assert_eq!(reply.text, format!("python: {text}"));
            let refused = v1::EchoRequest { text: "refuse".to_owned() };
            let error = client.echo(refused).transport(transport).await.expect_err("refuses");
            assert_eq!(error.code(), ErrorCode::Handler);
            assert_eq!(error.handler_code(), Some("NOT_TODAY"));
            assert_eq!(error.message(), "python says no");
        }
        let ours = bridge::ServiceId::to_string(&own.service_id);
        let seen = |peer: &str, line: &str| {
            let call = said(line, "called")?;
            let names = call["peer"].as_array()?.iter().any(|name| name.as_str() == Some(peer));
            (names && call["caller_service"] == ours.as_str()).then_some(call)
        };
        let leaf = format!("spiffe://service-bridge/service/{ours}/instance/{}", own.instance_id);
        for peer in [leaf.as_str(), "spiffe://service-bridge/runtime"] {
            let call = snake.line(PATIENCE, "call", |line| seen(peer, line)).await;
            assert_eq!(call["trace"].as_str().expect("text").len(), 73);
            assert_eq!(call["trace"], call["trace_header"], "both carriers say the same");
            let left = call["remaining_s"].as_f64().expect("a deadline");
            assert!((20.0..=30.1).contains(&left), "{left} s");
        }
        bridge.stop().await;
        drop(desk);
    }
}
