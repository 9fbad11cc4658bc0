//! What the three services do alike: serve HTTP on a free port, tell how they are, and stop.
//!
//! Invariant: a service never outlives the process that started it by more than [`ORPHAN_MAX`],
//! whatever that one died of: it holds the other end of our standard input.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use bridge::Bridge;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Longest life after the parent has gone.
const ORPHAN_MAX: Duration = Duration::from_secs(10);

/// The tie to the process that started this one.
#[derive(Debug)]
pub(super) struct Lifeline(oneshot::Receiver<()>);

impl Lifeline {
    /// Watches standard input from now on. On a thread of its own, because a blocking read inside
    /// the async runtime would keep that from shutting down after a signal.
    pub(super) fn hold() -> Self {
        let (cut, is_cut) = oneshot::channel();
        std::thread::spawn(move || {
            // An input that cannot be read has ended, too.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            let _ = cut.send(());
            std::thread::sleep(ORPHAN_MAX);
            std::process::exit(1);
        });
        Self(is_cut)
    }

    /// Serves `app` and `GET /health` until a signal, or until the parent is gone.
    pub(super) async fn serve(self, bridge: Bridge, app: Router) -> Result<(), bridge::Error> {
        bridge.stop_on_signals()?;
        let stopping = bridge.clone();
        tokio::spawn(async move {
            // Both a message and a thread that is no more mean that nobody is there.
            let _ = self.0.await;
            stopping.stop().await;
        });
        let app = app.merge(health(bridge.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("the system has a free loopback port");
        bridge.serve_http(listener, app).await?;
        // HTTP is over; this waits for calls under way and until the last trace is reported.
        bridge.stop().await;
        Ok(())
    }
}

fn health(bridge: Bridge) -> Router {
    Router::new().route("/health", get(how)).with_state(bridge)
}

async fn how(State(bridge): State<Bridge>) -> (StatusCode, Json<Value>) {
    let status = bridge.status();
    let code = if status.is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let name = status.identity.map(|identity| identity.service_name);
    let body = json!({ "service": name, "ready": status.is_ready });
    (code, Json(body))
}
