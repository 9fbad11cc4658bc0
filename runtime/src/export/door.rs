//! The port: its routes, who is let in, and what there is for a connection too many.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::middleware;
use axum::response::Response;
use contract::clock::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use super::guard::{Guard, Refuse, ScrapeToken, guard};
use super::otlp::{self, Otlp};
use super::parts::Parts;
use super::{health, loki, prometheus};
use crate::port::{self, Answer, Seat};

/// Connections at the same time.
pub(super) const CONNECTIONS_MAX: usize = 256;
/// Connections beyond those, which ask for health once and are closed; one more is closed at once.
const SPARE_MAX: usize = 32;
/// Time the head of a request has to arrive, and an idle connection to be used again.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// The same on a spare connection.
const SPARE_PATIENCE: Duration = Duration::from_secs(2);
/// Time an answer may take to be made.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

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
    let clock = parts.clock;
    let seat = |_: &TcpStream, _: SocketAddr| {
        [&usual, &spare].into_iter().find_map(|kind| {
            let slot = kind.slots.clone().try_acquire_owned().ok()?;
            Some(Seat {
                answers: kind.clone(),
                slot,
                head_patience: kind.head_patience,
                keep_alive: !kind.once,
            })
        })
    };
    port::serve(listener, "open doors", &clock, seat, shutdown).await;
}

impl Answer for Served {
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
