//! What somebody on the wire sees of a call.
//!
//! A relay between both ends records every byte of both directions. Names do not matter to the
//! ends, identities do, so they talk through it as they would directly.

use std::sync::Arc;

use bridge::{Bridge, Transport};
use contract::grpc::v1::CallRequest;
use contract::grpc::v1::call_client::CallClient;
use contract::tls::Peer;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::contracts::v1::{Desk, EchoReply, EchoRequest};
use crate::harness::{Database, Member, World};

/// In no certificate, name or header.
const SECRET: &str = "the vault opens at 4 past midnight";
/// First bytes of a TLS record that carries data.
const APPLICATION_DATA: [u8; 3] = [0x17, 0x03, 0x03];

type Capture = Arc<Mutex<Vec<u8>>>;

/// Passes connections on to `target` and records them.
async fn relay(target: String) -> (String, Capture) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    let capture = Capture::default();
    let seen = capture.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(&target).await else {
                continue;
            };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(pump(from_client, to_server, seen.clone()));
            tokio::spawn(pump(from_server, to_client, seen.clone()));
        }
    });
    (address, capture)
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, seen: Capture) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        seen.lock().extend_from_slice(&buffer[..count]);
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

fn holds(capture: &Capture, bytes: &[u8]) -> bool {
    capture.lock().windows(bytes.len()).any(|it| it == bytes)
}

/// No eight letters of the secret in a row, but records that carried something.
fn assert_unreadable(capture: &Capture, what: &str) {
    let length = capture.lock().len();
    assert!(length > 1_000, "{what}: {length} bytes");
    assert!(holds(capture, &APPLICATION_DATA), "{what}: no TLS data");
    for part in SECRET.as_bytes().windows(8) {
        assert!(!holds(capture, part), "{what}: {part:?} in clear");
    }
    println!("{what}: {length} bytes, none of them readable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_of_a_call_holds_no_byte_of_it_in_clear() {
    let world = World::start(Database::sqlite()).await;
    let desk = world.desk("desk").await;
    let request = EchoRequest {
        text: SECRET.to_owned(),
    };

    let endpoint = world.endpoint("desk", &desk.instance).await;
    let (tapped, direct) = relay(endpoint).await;
    let member = Member::provision(&world.address(), &world.key("orders").await).await;
    let instance = Peer::Service {
        service: desk.service.parse().expect("a UUID"),
        instance: desk.instance.parse().expect("a UUID"),
    };
    let channel = member.dial(&tapped, instance).await;
    let origin = channel.origin();
    let call = CallRequest {
        method: "Echo".to_owned(),
        payload: request.encode_to_vec().into(),
        ..CallRequest::default()
    };
    let reply = CallClient::with_origin(channel, origin).unary(call).await;
    let reply = reply.expect("answered").into_inner();
    assert_eq!(
        EchoReply::decode(&*reply.payload).expect("an echo").text,
        SECRET
    );
    assert_unreadable(&direct, "caller to instance");

    let (tapped, proxied) = relay(world.address()).await;
    let key = world.key("billing").await;
    let mut builder = Bridge::builder("billing").runtime(tapped, key);
    let client = builder.client::<Desk>();
    let bridge = builder.caller_only().start().await.expect("starts");
    let reply = client.echo(request).transport(Transport::Proxy).await;
    assert_eq!(reply.expect("answered").text, SECRET);
    bridge.stop().await;
    assert_unreadable(&proxied, "caller to runtime");
}
