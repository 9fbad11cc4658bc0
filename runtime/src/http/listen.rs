//! The port: connections, their limits, and their end.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use contract::clock::{Clock, Monotonic};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::gate::Gate;
use super::{assets, headers, origin};
use crate::accounts::Accounts;

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 512;
/// Time the head of a request has to arrive, and an idle connection to be used again.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Time a peer may leave what was sent to it unread.
const UNREAD_PATIENCE: Duration = Duration::from_secs(30);
/// Pause after a failed accept: what failed (open files, mostly) needs a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time between two words in the log about connections that were turned away.
const WORD_EVERY: Duration = Duration::from_secs(10);
/// The answer to a connection too many.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\
    connection: close\r\n\r\n";

/// The console and the API on a bound port.
#[derive(Debug)]
pub struct Console {
    listener: TcpListener,
    gate: Gate,
    connections_max: usize,
}

/// One connection's share of what is served.
#[derive(Clone, Debug)]
struct Served {
    gate: Arc<Gate>,
    peer: IpAddr,
}

impl Console {
    /// Serves `routes` to whom `accounts` knows, on `listener`.
    pub fn new(listener: TcpListener, accounts: Accounts, routes: Router, clock: &Clock) -> Self {
        Self {
            listener,
            gate: Gate {
                accounts,
                routes,
                clock: clock.clone(),
            },
            connections_max: CONNECTIONS_MAX,
        }
    }

    /// The same with fewer connections.
    #[cfg(test)]
    pub(super) fn with_connections(mut self, max: usize) -> Self {
        self.connections_max = max;
        self
    }

    /// Serves until `shutdown` is ready, then lets running requests finish.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) {
        let (clock, gate) = (self.gate.clock.clone(), Arc::new(self.gate));
        let slots = Arc::new(Semaphore::new(self.connections_max));
        let stop = watch::Sender::new(false);
        let mut turned_away = TurnedAway::default();
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, remote)) => match slots.clone().try_acquire_owned() {
                    Ok(slot) => {
                        let served = Served {
                            gate: gate.clone(),
                            peer: remote.ip(),
                        };
                        connections.spawn(converse(socket, served, slot, stop.subscribe()));
                    }
                    Err(_) => turned_away.one(&socket, remote, clock.monotonic()),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection to the console could not be accepted");
                    clock.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        stop.send_replace(true);
        while connections.join_next().await.is_some() {}
    }
}

/// One connection until its end, or until the runtime stops and its present request is answered.
async fn converse(
    socket: TcpStream,
    served: Served,
    slot: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    // A socket that fails here fails when it is read, too.
    let _ = socket.set_nodelay(true);
    let unread_ms = u32::try_from(UNREAD_PATIENCE.as_millis()).unwrap_or(u32::MAX);
    let _ = sockopt::set_tcp_user_timeout(&socket, unread_ms);
    let service = service_fn(move |request: Request<Incoming>| {
        let served = served.clone();
        async move { Ok::<_, Infallible>(served.answer(request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Ends with an error when the peer broke the protocol or went away; its own affair.
        _ = &mut connection => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
    drop(slot);
}

impl Served {
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        let is_api = path == "/api" || path.starts_with("/api/");
        let mut response = if is_api {
            let remote = origin::remote(self.peer, request.headers());
            self.gate.answer(request, remote).await
        } else {
            assets::answer(request.method(), path, request.headers())
        };
        headers::add(&mut response, is_api);
        response
    }
}

/// Connections there was no room for.
#[derive(Debug, Default)]
struct TurnedAway {
    since_word: u64,
    word_at: Option<Monotonic>,
}

impl TurnedAway {
    fn one(&mut self, socket: &TcpStream, remote: SocketAddr, now: Monotonic) {
        // Whoever cannot take a line at once does not get one.
        let _ = socket.try_write(FULL);
        self.since_word += 1;
        if self.word_at.is_some_and(|at| now.since(at) < WORD_EVERY) {
            return;
        }
        self.word_at = Some(now);
        let turned_away = std::mem::take(&mut self.since_word);
        tracing::warn!(%remote, turned_away, "the console has too many connections");
    }
}
