//! A port that speaks plain HTTP/1.1: who gets a connection, how long it may be slow, how it ends.
//!
//! Knows neither routes nor rights; whoever owns the port gives each connection a [`Seat`] or none.
//!
//! Invariant: a connection holds its seat's slot to its end, and every connection ends: by itself,
//! by its patience, or after its present answer once the port shuts down.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use contract::clock::Clock;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;

/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Time a peer may leave what was sent to it unread.
const UNREAD_PATIENCE: Duration = Duration::from_secs(30);
/// Pause after a failed accept: what failed (open files, mostly) needs a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers the requests of one connection.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    /// Answers one of them.
    fn answer(self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

/// The terms on which a connection is served.
#[derive(Debug)]
pub(crate) struct Seat<A> {
    pub(crate) answers: A,
    /// Held to the connection's end.
    pub(crate) slot: OwnedSemaphorePermit,
    /// Time the head of a request has to arrive, and an idle connection to be used again.
    pub(crate) head_patience: Duration,
    /// Whether another request may follow an answer.
    pub(crate) keep_alive: bool,
}

/// Accepts on `listener` until `shutdown` is ready, then lets running requests finish. A
/// connection that `seat` has no place for is closed; `name` is what warnings call the port.
pub(crate) async fn serve<A: Answer>(
    listener: TcpListener,
    name: &'static str,
    clock: &Clock,
    mut seat: impl FnMut(&TcpStream, SocketAddr) -> Option<Seat<A>>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let stop = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, remote)) => {
                if let Some(seat) = seat(&socket, remote) {
                    connections.spawn(converse(socket, seat, stop.subscribe()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, port = name, "a connection could not be accepted");
                clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// One connection until its end, or until the port shuts down and its present request is answered.
async fn converse<A: Answer>(socket: TcpStream, seat: Seat<A>, mut stop: watch::Receiver<bool>) {
    // A socket that fails here fails when it is read, too.
    let _ = socket.set_nodelay(true);
    let unread_ms = u32::try_from(UNREAD_PATIENCE.as_millis()).unwrap_or(u32::MAX);
    let _ = sockopt::set_tcp_user_timeout(&socket, unread_ms);
    let answers = seat.answers;
    let service = service_fn(move |request: Request<Incoming>| {
        let answers = answers.clone();
        async move { Ok::<_, Infallible>(answers.answer(request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(seat.head_patience)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(seat.keep_alive)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    let is_over = tokio::select! {
        // Ends with an error when the peer broke the protocol or went away; its own affair.
        _ = &mut connection => true,
        _ = stop.wait_for(|stop| *stop) => false,
    };
    if !is_over {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
    drop(seat.slot);
}
