//! A client that means harm: opens connections and holds each in one of several bad ways.
//!
//! It prints `flooding` once every connection was tried and keeps what stayed open until it is
//! killed. Invariant: it never finishes a handshake with a certificate of its own.

use std::io;
use std::time::Duration;

use contract::clock::Clock;
use contract::key::ServiceKey;
use contract::tls::{Peer, client_config};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Failure, say};

/// First bytes of a TLS record that announces a hello and never brings it.
const HALF_A_HELLO: &[u8] = &[
    0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03,
];
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Length, type (DATA), flags and stream of a frame of 16 MiB, the most the format can say.
const HUGE_FRAME: &[u8] = &[0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01];
/// Connections that do more than wait.
const BUSY_MAX: usize = 200;
const REPLY_MAX: Duration = Duration::from_secs(20);

/// Opens `connections` to `target`: idle, half a hello, random bytes, frames of absurd size.
pub(super) async fn run(target: &str, connections: usize) -> Result<(), Failure> {
    raise_file_limit(connections as u64 + 256)?;
    let mut held = Vec::with_capacity(connections);
    let mut busy = Vec::new();
    for number in 0..connections {
        let Ok(mut socket) = TcpStream::connect(target).await else {
            continue;
        };
        match number % 8 {
            0 if busy.len() < BUSY_MAX => busy.push(tokio::spawn(noise(socket))),
            1 => {
                // Whether it is taken or refused is the server's business.
                let _ = socket.write_all(HALF_A_HELLO).await;
                held.push(socket);
            }
            2 if busy.len() < BUSY_MAX => busy.push(tokio::spawn(huge_frame(socket))),
            _ => held.push(socket),
        }
    }
    let opened = held.len() + busy.len();
    let attacks = busy.len();
    let mut refused = 0;
    for attack in busy {
        refused += usize::from(attack.await.is_ok_and(|outcome| outcome.is_ok()));
    }
    say(
        serde_json::json!({ "event": "flooding", "opened": opened, "attacks": attacks, "refused": refused }),
    );
    std::future::pending().await
}

/// Random bytes, up to a mebibyte, until the server has enough.
async fn noise(mut socket: TcpStream) -> io::Result<()> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut chunk = [0; 4096];
    for _ in 0..256 {
        for byte in &mut chunk {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
        if socket.write_all(&chunk).await.is_err() {
            return Ok(());
        }
    }
    ends(&mut socket).await
}

/// Speaks TLS without a certificate, and announces a frame larger than anybody takes.
async fn huge_frame(socket: TcpStream) -> io::Result<()> {
    let key: ServiceKey = std::env::var("BRIDGE_KEY")
        .map_err(io::Error::other)?
        .parse()
        .map_err(io::Error::other)?;
    let tls = client_config(&key.ca_cert_der, None, Peer::Runtime).map_err(io::Error::other)?;
    let name = ServerName::try_from("flood.invalid").map_err(io::Error::other)?;
    let Ok(mut stream) = TlsConnector::from(tls).connect(name, socket).await else {
        // An instance, which is not the runtime: the handshake is over.
        return Ok(());
    };
    stream.write_all(PREFACE).await?;
    stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await?;
    stream.write_all(HUGE_FRAME).await?;
    let chunk = vec![0; 1 << 16];
    for _ in 0..1_600 {
        if stream.write_all(&chunk).await.is_err() {
            return Ok(());
        }
    }
    ends(&mut stream).await
}

/// Reads until the other side closes.
async fn ends(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<()> {
    let clock = Clock::system();
    let mut rest = [0; 1024];
    let reading = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
    let ended = clock.timeout(REPLY_MAX, reading).await;
    ended.map_err(|_| io::Error::other("the server keeps the connection"))
}

fn raise_file_limit(wanted: u64) -> Result<(), Failure> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let current = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(current),
                maximum,
            },
        )?;
    }
    Ok(())
}
