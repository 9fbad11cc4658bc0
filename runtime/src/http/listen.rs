//! The port: who is let in, and what a connection too many is told.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use contract::clock::{Clock, Monotonic};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::gate::Gate;
use super::{assets, headers, origin};
use crate::accounts::Accounts;
use crate::port::{self, Answer, Seat};

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 512;
/// Time the head of a request has to arrive, and an idle connection to be used again.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
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
        let mut turned_away = TurnedAway::default();
        let seat = |socket: &TcpStream, remote: SocketAddr| {
            let Ok(slot) = slots.clone().try_acquire_owned() else {
                turned_away.one(socket, remote, clock.monotonic());
                return None;
            };
            let answers = Served {
                gate: gate.clone(),
                peer: remote.ip(),
            };
            Some(Seat {
                answers,
                slot,
                head_patience: HEAD_PATIENCE,
                keep_alive: true,
            })
        };
        port::serve(self.listener, "console", &clock, seat, shutdown).await;
    }
}

impl Answer for Served {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
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
