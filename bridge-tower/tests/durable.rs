//! Keys that are kept in memory where they could be durable: said once in a process, so a process of its own.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::routing::post;
use bridge_tower::app::{RoutePolicy, outcomes_can_be_durable};
use bridge_tower::idempotency::{IdempotencyLayer, KeyHeader, Memory};
use bridge_tower::{Observed, observe};
use http::{Method, Request, StatusCode};
use tower::ServiceExt as _;

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn pay(app: &Observed, key: &str) {
    let request = Request::post("/payments").header("Idempotency-Key", key);
    let request = request.body(Body::empty()).expect("a request");
    let answer = app.clone().oneshot(request).await;
    let status = answer.unwrap_or_else(|never| match never {}).status();
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn who_keeps_in_memory_what_could_be_durable_is_told_once() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _said = tracing::subscriber::set_default(subscriber.finish());
    let told = || {
        let text = String::from_utf8(lines.0.lock().expect("no panic").clone());
        text.expect("text").matches("kept in the memory").count()
    };
    let router = axum::Router::new().route("/payments", post(|| async { "paid" }));
    let app = observe(router).operations([RoutePolicy {
        method: Method::POST,
        path: "/payments".into(),
        deadline: None,
        idempotency: Some(KeyHeader::standard()),
    }]);
    pay(&app, "k-1").await;
    assert_eq!(told(), 0, "nothing else is there");
    outcomes_can_be_durable();
    pay(
        &app.clone().once(IdempotencyLayer::new(Memory::new())),
        "k-2",
    )
    .await;
    assert_eq!(told(), 0, "somebody asked for that");
    pay(&app, "k-3").await;
    pay(&app, "k-4").await;
    assert_eq!(told(), 1);
}
