//! Certificates of a few seconds, replaced several times under load.

use std::collections::BTreeSet;
use std::time::Duration;

use bridge::Transport;
use contract::tls::{Peer, client_config};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::contracts::v1::Desk;
use crate::harness::{Load, Process, failures, key_of, said, short_leaved, soak};

const LEAF_LIFE: Duration = Duration::from_secs(6);

/// The certificate an instance presents now.
async fn presented(endpoint: &str, ca_der: &[u8], peer: Peer) -> Vec<u8> {
    let tls = client_config(ca_der, None, peer).expect("an authority");
    let socket = TcpStream::connect(endpoint).await.expect("it listens");
    let name = ServerName::try_from("servicebridge.peer").expect("a name");
    // The client's half is over before the server misses a certificate.
    let stream = TlsConnector::from(tls).connect(name, socket).await;
    let stream = stream.expect("the certificate is valid");
    let chain = stream.get_ref().1.peer_certificates();
    chain.expect("one was presented")[0].to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_fails_while_certificates_are_replaced() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let runtime = short_leaved(&folder.path().join("data"), LEAF_LIFE).await;
    let address = runtime.grpc_addr().to_string();
    let desk_key = key_of(&runtime, "desk").await;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_peer"));
    command
        .args(["desk", "desk"])
        .env("BRIDGE_URL", &address)
        .env("BRIDGE_KEY", &desk_key);
    let process = Process::spawn("desk", &mut command);
    let told = process
        .line(Duration::from_secs(30), "start", |line| {
            said(line, "started")
        })
        .await;
    let instance = told["instance"].as_str().expect("an id").to_owned();
    let peer = Peer::Service {
        service: told["service"]
            .as_str()
            .expect("an id")
            .parse()
            .expect("a UUID"),
        instance: instance.parse().expect("a UUID"),
    };
    let desks = runtime.operator().map();
    let desks = desks.services.iter().find(|it| it.name == "desk");
    let endpoint = desks.expect("it is there").instances[0]
        .call_endpoint
        .clone();
    let ca_der = desk_key
        .parse::<contract::key::ServiceKey>()
        .expect("a key")
        .ca_cert_der;

    let mut builder =
        bridge::Bridge::builder("orders").runtime(&address, key_of(&runtime, "orders").await);
    let desk = builder.client::<Desk>();
    let bridge = builder.caller_only().start().await.expect("starts");
    let before = bridge.identity().expect("started");
    let clock = contract::clock::Clock::system();
    let direct = Load::start(&clock, &desk, 100, Transport::Direct);
    let proxied = Load::start(&clock, &desk, 20, Transport::Proxy);

    let mut seen = BTreeSet::new();
    let seconds = if soak() { 600 } else { 16 };
    let late_key = key_of(&runtime, "late").await;
    for second in 0..seconds {
        seen.insert(presented(&endpoint, &ca_der, peer).await);
        clock.sleep(Duration::from_secs(1)).await;
        if second % 5 == 4 {
            // A newcomer shakes hands with whatever certificate is in use by now.
            let mut late = bridge::Bridge::builder("late").runtime(&address, &late_key);
            let late_desk = late.client::<Desk>();
            let late = late.caller_only().start().await.expect("starts");
            let hello = late_desk
                .echo(Default::default())
                .transport(Transport::Direct);
            assert_eq!(hello.await.expect("answers").instance, instance);
            late.stop().await;
        }
    }
    let outcomes = [direct.finish().await, proxied.finish().await].map(Vec::into_iter);
    let outcomes: Vec<_> = outcomes.into_iter().flatten().collect();
    let failed = failures(&outcomes, |_| true);
    assert!(failed.is_empty(), "{failed:?}");
    let ids: BTreeSet<_> = outcomes
        .iter()
        .flat_map(|it| &it.result)
        .map(|it| (it.instance.clone(), it.caller_service.clone()))
        .collect();
    assert_eq!(ids.len(), 1, "nobody changed who it is: {ids:?}");
    let after = bridge.identity().expect("started");
    assert_eq!(after, before, "same instance, same session");
    assert!(
        seen.len() >= 4,
        "{} certificates in {seconds} s",
        seen.len()
    );
    println!("{} calls over {} certificates", outcomes.len(), seen.len());
    bridge.stop().await;
    drop(process);
    runtime.stop().await;
}
