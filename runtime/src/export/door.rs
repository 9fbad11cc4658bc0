//! The port: connections, their limits, and their end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware;
use axum::response::Response;
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

use super::guard::{Guard, Refuse, ScrapeToken, guard};
use super::otlp::{self, Otlp};
use super::parts::Parts;
use super::{health, loki, prometheus};

/// Connections at the same time.
pub(super) const CONNECTIONS_MAX: usize = 256;
/// Connections beyond those, which ask for health once and are closed; one more is closed at once.
const SPARE_MAX: usize = 32;
/// Time the head of a request has to arrive, and an idle connection to be used again.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// The same on a spare connection.
const SPARE_PATIENCE: Duration = Duration::from_secs(2);
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
    let unknown = async |request: Request<Body>| {
        let text =
            "here are /metrics, /v1/{traces,metrics,logs}, /loki/api/v1/…, /healthz and /readyz";
        Refuse::of(&request).with(StatusCode::NOT_FOUND, text)
    };
    health::routes(&parts.db, &parts.clock)
        .merge(guarded)
        .fallback(unknown)
}

/// Health, for a connection beyond the limit.
fn spare_router(parts: &Parts) -> Router {
    let busy = async |request: Request<Body>| {
        let text = format!("{CONNECTIONS_MAX} connections are open already; ask again");
        Refuse::of(&request).for_now(&text)
    };
    health::routes(&parts.db, &parts.clock).fallback(busy)
}

/// How a connection is served.
#[derive(Clone, Debug)]
struct Served {
    router: Router,
    clock: Clock,
    head_patience: Duration,
    /// Whether it is closed after its first answer.
    once: bool,
    slots: Arc<Semaphore>,
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
    let usual = Served {
        router: router(&parts, token, loopback),
        clock: parts.clock.clone(),
        head_patience: HEAD_PATIENCE,
        once: false,
        slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
    };
    let spare = Served {
        router: spare_router(&parts),
        clock: parts.clock.clone(),
        head_patience: SPARE_PATIENCE,
        once: true,
        slots: Arc::new(Semaphore::new(SPARE_MAX)),
    };
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
                let kinds = [&usual, &spare];
                let free = kinds.into_iter().find_map(|it| {
                    let slot = it.slots.clone().try_acquire_owned().ok()?;
                    Some((it.clone(), slot))
                });
                if let Some((served, slot)) = free {
                    connections.spawn(converse(socket, served, slot, stop.subscribe()));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the open doors could not be accepted");
                parts.clock.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    while connections.join_next().await.is_some() {}
}

impl Served {
    async fn answer(self, request: Request<Body>) -> Response {
        let refuse = Refuse::of(&request);
        let answer = self.router.oneshot(request);
        match self.clock.timeout(ANSWER_PATIENCE, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => refuse.for_now("the answer took too long; ask for less, or again"),
        }
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
    let (head_patience, once) = (served.head_patience, served.once);
    let service = service_fn(move |request: Request<Incoming>| {
        let served = served.clone();
        async move { Ok::<_, Infallible>(served.answer(request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_patience)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(!once)
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

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use contract::clock::Timestamp;

    use super::*;

    #[tokio::test]
    async fn an_answer_that_takes_too_long_is_to_be_asked_for_again() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1));
        let served = Served {
            router: Router::new().route(
                "/v1/logs",
                post(async || std::future::pending::<()>().await),
            ),
            clock,
            head_patience: HEAD_PATIENCE,
            once: false,
            slots: Arc::new(Semaphore::new(1)),
        };
        for kind in ["application/x-protobuf", "application/json"] {
            let asked = Request::post("/v1/logs").header("content-type", kind);
            let asked = asked.body(Body::empty()).expect("a request");
            let answer = tokio::spawn(served.clone().answer(asked));
            while !answer.is_finished() {
                hand.advance(ANSWER_PATIENCE);
                tokio::task::yield_now().await;
            }
            let answer = answer.await.expect("no panic");
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key("retry-after"));
            assert_eq!(answer.headers()["content-type"], kind);
        }
    }
}
