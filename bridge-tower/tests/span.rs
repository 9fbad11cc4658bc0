//! The span of a request, in a process of its own: whether anybody wants spans is decided once for
//! all threads.

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::routing::get;
use bridge_tower::{ObserveLayer, Recorder};
use http::Request;
use parking_lot::Mutex;
use tower::ServiceExt as _;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_span_with_the_names_of_the_conventions_is_made_for_a_subscriber_that_wants_it() {
    let lines = Lines::default();
    let written = lines.clone();
    tracing_subscriber::fmt()
        .with_writer(move || written.clone())
        .with_ansi(false)
        .init();
    let recorder = Recorder::new();
    let layer = ObserveLayer::new(&recorder)
        .route_of(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    let handler = || async {
        tracing::info!("inside");
    };
    let router = Router::new()
        .route("/orders/{id}", get(handler))
        .layer(layer);
    let request = Request::get("/orders/7").header("traceparent", TRACEPARENT);
    let request = request.body(Body::empty()).expect("a request");
    router.oneshot(request).await.expect("infallible");
    let text = String::from_utf8(lines.0.lock().clone()).expect("text");
    for part in [
        "request{",
        r#"otel.kind="server""#,
        r#"http.request.method="GET""#,
        r#"http.route="/orders/{id}""#,
        r#"url.path="/orders/7""#,
        "trace_id=0af7651916cd43dd8448eb211c80319c",
        "inside",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
