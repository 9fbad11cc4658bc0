//! `/healthz`: the process answers. `/readyz`: the store answers too. Neither needs a token.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use contract::clock::Clock;

use crate::db::{Db, Store};

/// Longest wait for the store before it counts as away.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn routes(db: &Db, clock: &Clock) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .with_state((db.clone(), clock.clone()))
}

async fn ready(State((db, clock)): State<(Db, Clock)>) -> (StatusCode, String) {
    match clock
        .timeout(STORE_PATIENCE, db.read(Store::Ledger, "check the store"))
        .await
    {
        Ok(Ok(_)) => (StatusCode::OK, "ready\n".to_owned()),
        Ok(Err(error)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {error}\n"),
        ),
        Err(_) => {
            let text = "not ready: the store does not answer\n".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}
