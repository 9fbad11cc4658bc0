//! The whole application as it is served: routes, problems, panics, deadlines, bodies.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::routing::{get, post};
use bytes::Bytes;
use contract::clock::Clock;
use contract::headers::{GRPC_TIMEOUT, TRACEPARENT, TraceContext};
use http::StatusCode;
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use tower::ServiceExt as _;

use super::*;
use crate::capture::Direction;
use crate::record::{Ending, Record};
use crate::recorder::{Batch, Export};
use crate::sample::Sampler;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Record>>>);

impl Export for Notes {
    fn export(&mut self, batch: &Batch<'_>) {
        self.0.lock().extend_from_slice(batch.records);
    }
}

fn router() -> Router {
    let orders = Router::new()
        .route(
            "/{id}",
            get(|Path(id): Path<u64>| async move { id.to_string() }),
        )
        .route(
            "/",
            post(|Json(order): Json<u64>| async move { order.to_string() }),
        );
    Router::new()
        .nest("/orders", orders)
        .route("/panic", get(panicking))
        .route("/slow", get(std::future::pending::<()>))
        .route(
            "/own",
            get(|| async { (StatusCode::CONFLICT, Json("mine")) }),
        )
}

async fn panicking() -> String {
    panic!("a secret in the message")
}

fn app() -> (Observed, Recorder, Notes) {
    let recorder = Recorder::new();
    let notes = Notes::default();
    recorder.attach(notes.clone()).expect("a thread");
    (observe(router()).record_to(&recorder), recorder, notes)
}

struct Answer {
    status: StatusCode,
    media: String,
    text: String,
}

async fn ask(app: &Observed, request: http::request::Builder, body: &'static str) -> Answer {
    let request = request.body(Body::from(body)).expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    let media = response.headers().get("content-type");
    let media = media.map_or("", |it| it.to_str().expect("text")).to_owned();
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body");
    let text = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    Answer {
        status,
        media,
        text,
    }
}

fn records(recorder: &Recorder, notes: &Notes) -> Vec<(String, Option<Arc<str>>, u16, Ending)> {
    recorder.flush();
    let all = std::mem::take(&mut *notes.0.lock());
    let told = |it: Record| {
        let route = recorder.route_name(it.route);
        (it.path.as_str().to_owned(), route, it.status, it.ending)
    };
    all.into_iter().map(told).collect()
}

#[tokio::test]
async fn requests_are_named_by_the_route_of_the_nested_router() {
    let (app, recorder, notes) = app();
    let answer = ask(&app, Request::get("/orders/7"), "").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "7"));
    ask(&app, Request::get("/nowhere"), "").await;
    let seen = records(&recorder, &notes);
    let route = Some(Arc::from("/orders/{id}"));
    assert_eq!(seen[0], ("/orders/7".into(), route, 200, Ending::Answered));
    assert_eq!(seen[1], ("/nowhere".into(), None, 404, Ending::Answered));
}

#[tokio::test]
async fn errors_without_a_shape_become_problems_of_the_trace() {
    let (app, _, _) = app();
    let request = Request::post("/orders").header(TRACEPARENT, PARENT);
    let request = request.header("content-type", "application/json");
    let answer = ask(&app, request, "\"one\"").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.media, "application/problem+json");
    assert!(
        answer.text.contains("Failed to deserialize"),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("0af7651916cd43dd8448eb211c80319c"),
        "{}",
        answer.text
    );
    let own = ask(&app, Request::get("/own"), "").await;
    assert_eq!(
        (own.media.as_str(), own.text.as_str()),
        ("application/json", "\"mine\"")
    );
    let text = Request::get("/nowhere").header("accept", "text/html");
    assert_eq!(ask(&app, text, "").await.media, "");
    let (plain, _, _) = self::app();
    let plain = plain.problems(None);
    assert_eq!(ask(&plain, Request::get("/nowhere"), "").await.media, "");
}

#[tokio::test]
async fn a_panic_is_answered_recorded_and_not_told() {
    let (app, recorder, notes) = app();
    let answer = ask(&app, Request::get("/panic"), "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.media, "application/problem+json");
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    let seen = records(&recorder, &notes);
    assert_eq!((seen[0].2, seen[0].3), (500, Ending::Panicked));
    assert_eq!(ask(&app, Request::get("/orders/1"), "").await.text, "1");
}

#[tokio::test]
async fn a_caller_that_says_how_long_it_waits_is_answered_by_then() {
    let (app, recorder, notes) = app();
    let request = Request::get("/slow").header(GRPC_TIMEOUT, "20m");
    let answer = ask(&app, request, "").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.media, "application/problem+json");
    assert_eq!(records(&recorder, &notes)[0].2, 504);
}

#[tokio::test]
async fn a_default_deadline_holds_for_callers_that_do_not_ask() {
    let (app, _, _) = app();
    let app = app.deadline(DeadlineLayer::new().default_to(Duration::from_millis(20)));
    let answer = ask(&app, Request::get("/slow"), "").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
}

#[tokio::test]
async fn a_full_application_sheds_the_next_request() {
    let (app, _, _) = app();
    let app = app.limit(LimitLayer::new(1).queue(0));
    let waiting = Request::get("/slow")
        .body(Body::empty())
        .expect("a request");
    let mut waiting = std::pin::pin!(app.clone().oneshot(waiting));
    assert!(futures_pending(waiting.as_mut()).await);
    let answer = ask(&app, Request::get("/orders/1"), "").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.media, "application/problem+json");
}

async fn futures_pending(mut future: std::pin::Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

#[derive(Default)]
struct Kept(Mutex<Vec<(TraceContext, Direction, Bytes)>>);

impl PayloadSink for Kept {
    fn payload(&self, op: TraceContext, direction: Direction, bytes: Bytes, _: u64) {
        self.0.lock().push((op, direction, bytes));
    }
}

#[tokio::test]
async fn bodies_are_kept_while_the_switch_is_on() {
    let (app, recorder, notes) = app();
    let (capture, sink) = (Capture::default(), Arc::new(Kept::default()));
    let app = app.capture(&capture, sink.clone());
    let order = || Request::post("/orders").header("content-type", "application/json");
    ask(&app, order(), "12").await;
    assert!(sink.0.lock().is_empty());
    capture.set(Mode::All);
    ask(&app, order(), "34").await;
    let kept = sink.0.lock();
    let bodies: Vec<_> = kept.iter().map(|(_, _, bytes)| &bytes[..]).collect();
    assert_eq!(bodies, [b"34", b"34"]);
    recorder.flush();
    let context = notes.0.lock()[1].context;
    assert!(kept.iter().all(|(op, _, _)| *op == context));
}

#[tokio::test]
async fn what_is_counted_only_is_counted_with_its_bytes() {
    let recorder = Recorder::builder().sampler(Sampler::Never).build();
    let app = observe(router()).record_to(&recorder);
    ask(&app, Request::get("/orders/1234"), "").await;
    let totals = recorder.totals();
    assert_eq!(totals.len(), 1);
    assert_eq!(totals[0].route.as_deref(), Some("/orders/{id}"));
    assert_eq!(
        (totals[0].total.count, totals[0].total.response_bytes),
        (1, 4)
    );
}

#[tokio::test]
async fn with_nothing_to_do_the_context_is_handed_on() {
    let clock = Clock::system();
    let recorder = Recorder::builder().clock(&clock).sampler(Sampler::Never);
    let recorder = recorder.counts(false).build();
    let handler = || async {
        let mut headers = http::HeaderMap::new();
        crate::trace::inject(&mut headers);
        headers[TRACEPARENT].to_str().expect("text").to_owned()
    };
    let app = observe(Router::new().route("/", get(handler))).record_to(&recorder);
    let asked = Request::get("/").header(TRACEPARENT, PARENT);
    assert_eq!(ask(&app, asked, "").await.text, PARENT);
    assert!(recorder.totals().is_empty());
}

#[tokio::test]
async fn it_is_served_as_it_is() {
    let (app, recorder, notes) = app();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("it listens");
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let asked = b"GET /orders/7 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(asked).await.expect("it reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it answers");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("7"),
        "{answer}"
    );
    serving.abort();
    assert_eq!(records(&recorder, &notes).len(), 1);
}

mod declared;
