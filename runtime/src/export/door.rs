//! The port: connections, their limits, and their end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware;
use contract::clock::Clock;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::net::sockopt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::guard::{Guard, ScrapeToken, guard, refusal};
use super::otlp::{self, Otlp};
use super::parts::Parts;
use super::{health, loki, prometheus};

/// Connections at the same time; one more is closed at once.
const CONNECTIONS_MAX: usize = 256;
/// Time the head of a request has to arrive, and an idle connection to be used again.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// Largest head of a request, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Time an answer may take to be made.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// Time a peer may leave what was sent to it unread.
const UNREAD_PATIENCE: Duration = Duration::from_secs(30);
/// Pause after a failed accept: what failed (open files, mostly) needs a moment.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Every route, behind the guard but for health.
pub(super) fn router(parts: &Parts, token: Option<ScrapeToken>, loopback: bool) -> Router {
    let otlp = Otlp::new(
        &parts.telemetry,
        &parts.reports,
        &parts.registry,
        &parts.settings,
        &parts.clock,
    );
    let guarded = prometheus::routes(parts, &otlp)
        .merge(otlp::routes(&otlp, &parts.clock))
        .merge(loki::routes(parts))
        .layer(middleware::from_fn_with_state(
            Guard::new(&parts.accounts, token, loopback),
            guard,
        ));
    let unknown = async || {
        let text =
            "here are /metrics, /v1/{traces,metrics,logs}, /loki/api/v1/…, /healthz and /readyz";
        refusal(StatusCode::NOT_FOUND, text)
    };
    health::routes(&parts.db, &parts.clock)
        .merge(guarded)
        .fallback(unknown)
}

/// Serves on `listener` until `shutdown` is ready, then lets running requests finish. Without a
/// `token` everybody on this machine may pass when the listener is on loopback.
pub async fn serve(
    listener: TcpListener,
    parts: Parts,
    token: Option<ScrapeToken>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let loopback = listener.local_addr().is_ok_and(|it| it.ip().is_loopback());
    let router = router(&parts, token, loopback);
    let clock = parts.clock;
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
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
            Ok((socket, _)) => {
                if let Ok(slot) = slots.clone().try_acquire_owned() {
                    let served = (router.clone(), clock.clone());
                    connections.spawn(converse(socket, served, slot, stop.subscribe()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the open doors could not be accepted");
                clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// One connection until its end, or until the runtime stops and its present request is answered.
async fn converse(
    socket: TcpStream,
    (router, clock): (Router, Clock),
    slot: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    // A socket that fails here fails when it is read, too.
    let _ = socket.set_nodelay(true);
    let unread_ms = u32::try_from(UNREAD_PATIENCE.as_millis()).unwrap_or(u32::MAX);
    let _ = sockopt::set_tcp_user_timeout(&socket, unread_ms);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, clock) = (router.clone(), clock.clone());
        async move {
            let answer = router.oneshot(request.map(Body::new));
            let text = "the answer took too long; ask for less";
            let response = match clock.timeout(ANSWER_PATIENCE, answer).await {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE, text),
            };
            Ok::<_, Infallible>(response)
        }
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
