//! The layer around real axum routers: what is recorded, and that it is recorded once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as AxumBody;
use axum::extract::MatchedPath;
use axum::response::IntoResponse;
use axum::routing::get;
use contract::clock::{Clock, ManualClock, Timestamp};
use contract::headers::{TraceContext, X_SB_TRACE};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tower::ServiceExt;

use super::*;
use crate::record::{Ending, Record};
use crate::recorder::{Batch, Export, RING_RECORDS};
use crate::sample::Sampler;

const TRACE: &str = "0198c0de-0000-7000-8000-0000000000ab-0198c0de-0000-7000-8000-0000000000cd";
const NOT_SAMPLED: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

/// Keeps what it is handed.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<(Vec<Record>, u64)>>);

impl Export for Notes {
    fn export(&mut self, batch: &Batch<'_>) {
        let mut notes = self.0.lock();
        notes.0.extend_from_slice(batch.records);
        notes.1 += batch.dropped;
    }
}

impl Notes {
    /// What was recorded until now.
    fn taken(&self, recorder: &Recorder) -> Vec<Record> {
        recorder.flush();
        std::mem::take(&mut self.0.lock().0)
    }
}

fn template(extensions: &http::Extensions) -> Option<&str> {
    extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

fn recorder() -> (Recorder, Notes, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
    let recorder = Recorder::builder().clock(&clock).build();
    let notes = Notes::default();
    recorder.attach(notes.clone()).expect("a thread");
    (recorder, notes, hand)
}

fn observed(router: axum::Router) -> (axum::Router, Recorder, Notes) {
    let (recorder, notes, _) = recorder();
    let layer = ObserveLayer::new(&recorder).route_of(template);
    (router.layer(layer), recorder, notes)
}

fn request(method: &str, path: &str, header: (&str, &str)) -> Request<AxumBody> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header.0, header.1)
        .body(AxumBody::empty())
        .expect("a request")
}

async fn ask(router: &axum::Router, method: &str, path: &str) -> Response<AxumBody> {
    let request = request(method, path, (X_SB_TRACE, TRACE));
    router.clone().oneshot(request).await.expect("infallible")
}

#[tokio::test]
async fn a_request_ends_with_the_last_byte_and_carries_the_template() {
    let router = axum::Router::new().route("/orders/{id}", get(|| async { "four" }));
    let (router, recorder, notes) = observed(router);
    let response = ask(&router, "GET", "/orders/7").await;
    assert!(notes.taken(&recorder).is_empty());
    response.into_body().collect().await.expect("a body");
    let records = notes.taken(&recorder);
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!(record.ending, Ending::Answered);
    assert_eq!((record.status, record.response_bytes), (200, 4));
    assert_eq!(record.path.as_str(), "/orders/7");
    let name = recorder.route_name(record.route);
    assert_eq!(name.as_deref(), Some("/orders/{id}"));
    assert_eq!(record.started.as_millis(), 1_700_000_000_000);
}

#[tokio::test]
async fn a_layer_outside_learns_the_route_from_the_stamp_inside() {
    let (recorder, notes, _) = recorder();
    let router = axum::Router::new()
        .route("/orders/{id}", get(|| async { "x" }))
        .layer(StampLayer::new(&recorder, template));
    let service = tower_layer::Layer::layer(&ObserveLayer::new(&recorder), router);
    for path in ["/orders/7", "/nowhere"] {
        let asked = request("GET", path, (X_SB_TRACE, TRACE));
        let response = service.clone().oneshot(asked).await.expect("infallible");
        response.into_body().collect().await.expect("a body");
    }
    let records = notes.taken(&recorder);
    let routes: Vec<_> = records
        .iter()
        .map(|it| recorder.route_name(it.route))
        .collect();
    assert_eq!(routes, [Some("/orders/{id}".into()), None]);
    assert_eq!(records[1].status, 404);
}

#[tokio::test]
async fn a_body_that_only_the_head_knows_the_length_of_ends_there() {
    let file = || async {
        let pieces = ["four", "five5"].map(Ok::<_, std::io::Error>);
        let body = AxumBody::from_stream(tokio_stream::iter(pieces));
        ([("content-length", "9")], body)
    };
    let (router, recorder, notes) = observed(axum::Router::new().route("/", get(file)));
    let mut body = ask(&router, "GET", "/").await.into_body();
    for _ in 0..2 {
        body.frame().await.expect("a frame").expect("data");
    }
    // As a server does: nobody asks whether there is more.
    drop(body);
    let records = notes.taken(&recorder);
    assert_eq!(records[0].ending, Ending::Answered);
    assert_eq!(records[0].response_bytes, 9);
}

#[tokio::test]
async fn a_body_nobody_reads_to_its_end_is_an_abort() {
    let (router, recorder, notes) = observed(axum::Router::new().route("/", get(|| async { "x" })));
    drop(ask(&router, "GET", "/").await);
    let records = notes.taken(&recorder);
    assert_eq!(records[0].ending, Ending::Aborted);
    let totals = recorder.totals();
    assert!(totals[0].key.broken);
    assert_eq!(totals[0].total.count, 1);
}

#[tokio::test]
async fn an_answer_without_body_ends_at_once() {
    let (router, recorder, notes) = observed(axum::Router::new().route(
        "/",
        get(|| async { http::StatusCode::NO_CONTENT.into_response() }),
    ));
    drop(ask(&router, "GET", "/").await);
    drop(ask(&router, "HEAD", "/").await);
    let records = notes.taken(&recorder);
    let seen: Vec<_> = records
        .iter()
        .map(|it| (it.verb.as_str(), it.ending, it.status))
        .collect();
    assert_eq!(
        seen,
        [
            ("GET", Ending::Answered, 204),
            ("HEAD", Ending::Answered, 204)
        ]
    );
}

#[tokio::test]
async fn the_handler_runs_in_the_context_of_its_request() {
    let (router, recorder, notes) = observed(axum::Router::new().route(
        "/",
        get(|| async { context::current().map_or_else(String::new, |it| it.trace.to_string()) }),
    ));
    let body = ask(&router, "GET", "/").await.into_body();
    let body = body.collect().await.expect("a body").to_bytes();
    let seen = TraceContext::parse(std::str::from_utf8(&body).expect("text")).expect("a trace");
    let sent = TraceContext::parse(TRACE).expect("a trace");
    assert_eq!(seen.trace, sent.trace);
    assert_ne!(seen.parent, sent.parent);
    let records = notes.taken(&recorder);
    assert_eq!(records[0].context, seen);
    assert_eq!(records[0].parent, Some(sent.parent));
}

#[tokio::test]
async fn what_the_caller_does_not_record_is_counted_and_passed_on() {
    let (router, recorder, notes) = observed(axum::Router::new().route(
        "/",
        get(|| async {
            let mut headers = http::HeaderMap::new();
            crate::trace::inject(&mut headers);
            [("x-out", headers["traceparent"].clone())]
        }),
    ));
    let asked = request("GET", "/", ("traceparent", NOT_SAMPLED));
    let response = router.oneshot(asked).await.expect("infallible");
    assert_eq!(response.headers()["x-out"], NOT_SAMPLED);
    response.into_body().collect().await.expect("a body");
    assert!(notes.taken(&recorder).is_empty());
    assert_eq!(recorder.totals()[0].total.count, 1);
}

#[tokio::test]
async fn without_an_exporter_nothing_is_kept() {
    let recorder = Recorder::builder().sampler(Sampler::Always).build();
    let layer = ObserveLayer::new(&recorder).route_of(template);
    let router = axum::Router::new()
        .route("/", get(|| async { "x" }))
        .layer(layer);
    for _ in 0..3 {
        let body = ask(&router, "GET", "/").await.into_body();
        body.collect().await.expect("a body");
    }
    let notes = Notes::default();
    recorder.attach(notes.clone()).expect("a thread");
    assert!(notes.taken(&recorder).is_empty());
    assert_eq!(recorder.dropped(), 0);
    assert_eq!(recorder.totals()[0].total.count, 3);
}

/// Takes nothing from the moment it is first asked until it is released.
struct Gate {
    entered: std::sync::mpsc::Sender<()>,
    released: std::sync::mpsc::Receiver<()>,
}

impl Export for Gate {
    fn export(&mut self, _: &Batch<'_>) {
        // Later on both ends are gone, and it lets everything pass.
        let _ = self.entered.send(());
        let _ = self.released.recv();
    }
}

#[tokio::test]
async fn a_full_ring_drops_the_oldest_and_counts_them() {
    let recorder = Recorder::builder().ring_records(4).build();
    let ((entered, has_entered), (release, released)) =
        (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    recorder
        .attach(Gate { entered, released })
        .expect("a thread");
    has_entered.recv().expect("the thread exports");
    let layer = ObserveLayer::new(&recorder).route_of(template);
    let router = axum::Router::new()
        .route("/{at}", get(|| async { http::StatusCode::NO_CONTENT }))
        .layer(layer);
    for at in 0..RING_RECORDS {
        drop(ask(&router, "GET", &format!("/{at}")).await);
    }
    drop((release, has_entered));
    let notes = Notes::default();
    recorder.attach(notes.clone()).expect("a thread");
    let records = notes.taken(&recorder);
    let paths: Vec<_> = records.iter().map(|it| it.path.as_str()).collect();
    let last: Vec<_> = (RING_RECORDS - 4..RING_RECORDS)
        .map(|at| format!("/{at}"))
        .collect();
    // The exporting thread may have been first, and then it told the other exporter alone.
    assert!(paths.is_empty() || paths == last, "{paths:?}");
    assert_eq!(recorder.dropped(), RING_RECORDS as u64 - 4);
}

#[tokio::test]
async fn a_request_that_runs_long_is_announced_once_and_then_ended() {
    let (recorder, notes, hand) = recorder();
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let released = Arc::new(Mutex::new(Some(released)));
    let layer = ObserveLayer::new(&recorder).route_of(template);
    let router = axum::Router::new()
        .route(
            "/slow",
            get(move || async move {
                let wait = released.lock().take();
                if let Some(wait) = wait {
                    wait.await.expect("released");
                }
                "x"
            }),
        )
        .layer(layer);
    let running = tokio::spawn(async move { ask(&router, "GET", "/slow").await });
    while recorder.active() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(notes.taken(&recorder).is_empty(), "too young");
    hand.advance(Duration::from_millis(250));
    let announced = notes.taken(&recorder);
    assert_eq!(announced.len(), 1);
    assert_eq!(announced[0].ending, Ending::Running);
    assert!(notes.taken(&recorder).is_empty(), "once");
    release.send(()).expect("it waits");
    let response = running.await.expect("it ends");
    response.into_body().collect().await.expect("a body");
    let ended = notes.taken(&recorder);
    assert_eq!(ended.len(), 1);
    assert!(ended[0].announced);
    assert_eq!(ended[0].context, announced[0].context);
    assert_eq!(ended[0].duration, Duration::from_millis(250));
    assert_eq!(recorder.active(), 0);
}
