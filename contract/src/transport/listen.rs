//! The accepting side: a listener that strangers cannot exhaust.
//!
//! Connections are counted, handshakes are timed, streams and headers are bounded, and a peer
//! that stops answering pings is dropped. Who the peer is goes into every request's extensions
//! as [`Connection`]; a request cannot name another.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::body::Body;
use tower_service::Service;

use crate::clock::Clock;
use crate::task::spawn;
use crate::tls::{Peer, Validity, handshake_advice};

/// Who is on the other end of a request, from the TLS handshake alone.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// The verified identity.
    pub peer: Peer,
    /// How long its certificate is valid; `None` without one.
    pub certificate: Option<Validity>,
    /// Where it connected from.
    pub remote: SocketAddr,
}

/// Bounds of a [`Listener`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections, handshakes included. One more is closed at once.
    pub connections_max: usize,
    /// Longest TLS handshake.
    pub handshake_timeout: Duration,
    /// Rhythm of pings to each peer, also while idle.
    pub keepalive: Duration,
    /// How long a ping may stay unanswered.
    pub keepalive_timeout: Duration,
    /// Requests one connection may have open.
    pub streams_max: u32,
    /// How long running requests may take after [`Listener::serve`]'s shutdown began.
    pub drain: Duration,
}

/// Largest header block of one request, in bytes.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
/// Resets a peer may cause and leave unread before its connection is dropped.
const RESETS_MAX: usize = 64;
/// Flow-control windows, in bytes. Small per stream, so that many idle streams cost nothing.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// Pause after `accept` failed, for example because the process is out of files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a connection was not let in.
#[derive(Debug)]
pub enum Refusal {
    /// `connections_max` are open.
    TooMany,
    /// The handshake took too long.
    Slow,
    /// The handshake failed; the cause is usually a TLS error.
    Handshake(std::io::Error),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMany => f.write_str("too many connections are open"),
            Self::Slow => f.write_str("the TLS handshake took too long"),
            Self::Handshake(error) => {
                let tls = error
                    .get_ref()
                    .and_then(|it| it.downcast_ref::<rustls::Error>());
                write!(f, "the TLS handshake failed: {error}")?;
                match tls.and_then(handshake_advice) {
                    Some(advice) => write!(f, " ({advice})"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// Hears of refusals; called on every one, so it has to bound what it does.
type OnRefusal = Arc<dyn Fn(SocketAddr, &Refusal) + Send + Sync>;

/// A bound port that speaks HTTP/2 over TLS.
pub struct Listener {
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    limits: Limits,
    clock: Clock,
    on_refusal: OnRefusal,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Binds `address`.
    ///
    /// # Errors
    ///
    /// The operating system's, for example when the port is taken.
    pub async fn bind(
        address: &str,
        tls: Arc<ServerConfig>,
        limits: Limits,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self {
            listener,
            tls,
            limits,
            clock,
            on_refusal: Arc::new(|_, _| {}),
        })
    }

    /// Tells `on_refusal` about every connection that is not let in. It runs on the accepting
    /// tasks and must not block; strangers decide how often.
    #[must_use]
    pub fn on_refusal(
        mut self,
        on_refusal: impl Fn(SocketAddr, &Refusal) + Send + Sync + 'static,
    ) -> Self {
        self.on_refusal = Arc::new(on_refusal);
        self
    }

    /// The bound address, with the real port where 0 was asked for.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` is ready, then lets running requests finish for `limits.drain`
    /// and closes what is left.
    pub async fn serve<S>(self, service: S, shutdown: impl Future<Output = ()>)
    where
        S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        let Self {
            listener,
            tls,
            limits,
            clock,
            on_refusal,
        } = self;
        let slots = Arc::new(Semaphore::new(limits.connections_max));
        let (stop, stopping) = watch::channel(Stage::Serving);
        let accepted = Accepted {
            tls: TlsAcceptor::from(tls),
            limits,
            clock: clock.clone(),
            stopping,
            on_refusal,
        };
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let (socket, remote) = tokio::select! {
                () = &mut shutdown => break,
                socket = listener.accept() => match socket {
                    Ok(socket) => socket,
                    Err(_) => { clock.sleep(ACCEPT_PAUSE).await; continue }
                },
            };
            let Ok(slot) = slots.clone().try_acquire_owned() else {
                (accepted.on_refusal)(remote, &Refusal::TooMany);
                continue;
            };
            spawn(accepted.clone().run(socket, remote, service.clone(), slot));
        }
        drop(listener);
        drop(accepted);
        let _ = stop.send(Stage::Draining);
        let all = u32::try_from(limits.connections_max).unwrap_or(u32::MAX);
        let _ = clock.timeout(limits.drain, slots.acquire_many(all)).await;
        let _ = stop.send(Stage::Closed);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Serving,
    Draining,
    Closed,
}

#[derive(Clone)]
struct Accepted {
    tls: TlsAcceptor,
    limits: Limits,
    clock: Clock,
    stopping: watch::Receiver<Stage>,
    on_refusal: OnRefusal,
}

impl Accepted {
    async fn run<S>(
        self,
        socket: TcpStream,
        remote: SocketAddr,
        service: S,
        slot: OwnedSemaphorePermit,
    ) where
        S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        // A socket that fails here fails in the handshake too.
        let _ = socket.set_nodelay(true);
        let handshake = self
            .clock
            .timeout(self.limits.handshake_timeout, self.tls.accept(socket));
        match handshake.await {
            Ok(Ok(stream)) => {
                let connection = connection(&stream, remote);
                self.converse(stream, connection, service).await;
            }
            Ok(Err(error)) => (self.on_refusal)(remote, &Refusal::Handshake(error)),
            Err(_) => (self.on_refusal)(remote, &Refusal::Slow),
        }
        drop(slot);
    }

    async fn converse<S>(mut self, stream: TlsStream<TcpStream>, connection: Connection, service: S)
    where
        S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
    {
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(connection);
            service.clone().call(request)
        });
        let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(self.limits.keepalive))
            .keep_alive_timeout(self.limits.keepalive_timeout)
            .max_concurrent_streams(self.limits.streams_max)
            .max_header_list_size(HEADER_BYTES_MAX)
            .max_pending_accept_reset_streams(RESETS_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut serving = std::pin::pin!(serving);
        let mut draining = false;
        loop {
            tokio::select! {
                // Ends with an error when the peer broke the protocol or went away; both are its own affair.
                _ = &mut serving => return,
                changed = self.stopping.changed() => {
                    let stage = *self.stopping.borrow();
                    if changed.is_err() || stage == Stage::Closed { return }
                    if stage == Stage::Draining && !draining {
                        draining = true;
                        serving.as_mut().graceful_shutdown();
                    }
                }
            }
        }
    }
}

fn connection(stream: &TlsStream<TcpStream>, remote: SocketAddr) -> Connection {
    let chain = stream.get_ref().1.peer_certificates();
    let leaf = chain.and_then(|chain| chain.first());
    Connection {
        peer: leaf.map_or(Peer::Unknown, |leaf| Peer::of_certificate(leaf)),
        certificate: leaf.and_then(|leaf| Validity::of_certificate(leaf)),
        remote,
    }
}
