//! Clients around real services: what the other side is told, and what is recorded here.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body as AxumBody, Bytes};
use axum::routing::{any, get};
use contract::clock::{Clock, ManualClock, Timestamp};
use contract::headers::{GRPC_TIMEOUT, TraceContext, X_SB_TRACE};
use contract::w3c::TraceFlags;
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use tower::ServiceExt;

use super::*;
use crate::context::{self, CallContext, Deadline};
use crate::record::{Ending, Kind, Record, Route, Verb};
use crate::recorder::{Batch, Export, PEERS_MAX};
use crate::w3c::{Baggage, Carried};

const PARENT: &str = "0198c0de-0000-7000-8000-0000000000ab-0198c0de-0000-7000-8000-0000000000cd";
const PEER: &str = "users:8080";
const URL: &str = "http://me:secret@users:8080/users/42?token=secret";

/// Keeps what it is handed.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Record>>>);

impl Export for Notes {
    fn export(&mut self, batch: &Batch<'_>) {
        self.0.lock().extend_from_slice(batch.records);
    }
}

/// A recorder on a clock of its own, and what it exports.
struct Bench {
    clock: Clock,
    hand: ManualClock,
    recorder: Recorder,
    notes: Notes,
}

impl Bench {
    fn new() -> Self {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let recorder = Recorder::builder().clock(&clock).build();
        let notes = Notes::default();
        recorder.attach(notes.clone()).expect("a thread");
        Self {
            clock,
            hand,
            recorder,
            notes,
        }
    }

    fn client(&self, router: Router) -> Client<Router> {
        ClientLayer::new(&self.recorder).layer(router)
    }

    /// A call that has `left` of its time.
    fn context(&self, left: Duration) -> CallContext {
        let trace = TraceContext::parse(PARENT).expect("valid");
        let deadline = Deadline::after(&self.clock, left);
        CallContext::new(trace).deadline(Some(deadline))
    }

    fn records(&self) -> Vec<Record> {
        self.recorder.flush();
        std::mem::take(&mut self.notes.0.lock())
    }

    /// The only record.
    fn record(&self) -> Record {
        let mut records = self.records();
        assert_eq!(records.len(), 1, "{records:?}");
        records.remove(0)
    }
}

fn request(url: &str) -> Request<AxumBody> {
    Request::get(url)
        .body(AxumBody::empty())
        .expect("a request")
}

/// Answers with the headers it was sent, as the headers of its answer.
fn mirror() -> Router {
    Router::new().fallback(any(async |headers: HeaderMap| headers))
}

async fn read(response: Response<MeasuredBody<AxumBody>>) -> Bytes {
    response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes()
}

#[tokio::test]
async fn the_other_side_is_told_the_trace_what_travels_along_and_the_time_left() {
    let bench = Bench::new();
    let mut context = bench.context(Duration::from_millis(1_500));
    let mut carried = Carried::default();
    carried.set_baggage(&Baggage::read(&HeaderValue::from_static("user=7")));
    context.carried = Some(Arc::new(carried));
    let asked = bench.client(mirror()).oneshot(request(URL));
    let told = context::scope(context, asked).await.expect("answered");
    let headers = told.headers().clone();
    read(told).await;

    let record = bench.record();
    let own = record.context;
    assert_eq!(headers[X_SB_TRACE], own.to_string().as_str());
    assert_eq!(headers["traceparent"], own.to_traceparent(true).as_str());
    assert_eq!(headers["baggage"], "user=7");
    assert_eq!(headers[GRPC_TIMEOUT], "1500m");

    let parent = TraceContext::parse(PARENT).expect("valid");
    assert_eq!(record.kind, Kind::Client);
    assert_eq!(
        (own.trace, record.parent),
        (parent.trace, Some(parent.parent))
    );
    assert_ne!(
        own.parent, parent.parent,
        "the request is a step of its own"
    );
    assert_eq!(record.peer.as_deref(), Some(PEER));
    assert_eq!(
        record.path.as_str(),
        "http://users:8080/users/42",
        "no secrets"
    );
}

#[tokio::test]
async fn a_request_outside_of_any_call_begins_a_trace() {
    let bench = Bench::new();
    let told = bench.client(mirror()).oneshot(request(URL)).await;
    let told = told.expect("answered").headers()[X_SB_TRACE].clone();
    let record = bench.record();
    assert_eq!(told, record.context.to_string().as_str());
    assert_eq!(record.parent, None);
}

#[tokio::test]
async fn what_is_not_recorded_is_no_step_of_the_trace() {
    let bench = Bench::new();
    let mut context = bench.context(Duration::from_secs(1));
    context.flags = TraceFlags::NONE;
    let asked = bench.client(mirror()).oneshot(request(URL));
    let told = context::scope(context, asked).await.expect("answered");
    assert_eq!(told.headers()[X_SB_TRACE], PARENT);
    let traceparent = told.headers()["traceparent"].to_str().expect("text");
    assert!(traceparent.ends_with("-00"), "{traceparent}");
    drop(told);
    assert!(bench.records().is_empty());
    assert_eq!(
        bench.recorder.totals()[0].total.count,
        1,
        "counted all the same"
    );
}

#[tokio::test]
async fn a_peer_outside_is_told_nothing() {
    let bench = Bench::new();
    let client = ClientLayer::new(&bench.recorder)
        .without_headers()
        .layer(mirror());
    let told = client.oneshot(request(URL)).await.expect("answered");
    for name in [X_SB_TRACE, "traceparent", GRPC_TIMEOUT] {
        assert!(!told.headers().contains_key(name), "{name}");
    }
    drop(told);
    assert_eq!(bench.records().len(), 1);
}

#[tokio::test]
async fn a_call_whose_deadline_has_passed_is_refused_before_it_is_sent() {
    let bench = Bench::new();
    let context = bench.context(Duration::from_secs(1));
    bench.hand.advance(Duration::from_secs(1));
    let reached = Arc::new(Mutex::new(false));
    let seen = reached.clone();
    let router = Router::new().fallback(any(async move || *seen.lock() = true));
    let asked = bench.client(router).oneshot(request(URL));
    let refused = context::scope(context, asked).await.expect_err("refused");
    assert_eq!(refused, ClientError::DeadlinePassed { peer: PEER.into() });
    assert!(refused.to_string().contains("before users:8080 was called"));
    assert!(!*reached.lock());
    let record = bench.record();
    assert_eq!((record.ending, record.status), (Ending::Aborted, 0));
}

#[tokio::test]
async fn an_answer_that_is_not_there_in_time_is_given_up() {
    let bench = Bench::new();
    let context = bench.context(Duration::from_secs(1));
    let router = Router::new().fallback(any(std::future::pending::<()>));
    let asked = bench.client(router).oneshot(request(URL));
    let mut asked = std::pin::pin!(context::scope(context, asked));
    let early = std::future::poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx))).await;
    assert!(early.is_pending());
    bench.hand.advance(Duration::from_secs(1));
    let late = asked.await.expect_err("late");
    assert_eq!(late, ClientError::DeadlineExceeded { peer: PEER.into() });
    let record = bench.record();
    assert_eq!(
        (record.ending, record.duration),
        (Ending::Aborted, Duration::from_secs(1))
    );
}

#[tokio::test]
async fn a_request_is_measured_to_the_last_byte_of_its_answer() {
    let bench = Bench::new();
    let router = Router::new().route("/users/{id}", get(async || "four"));
    let mut asked = request(URL);
    asked.extensions_mut().insert(Template::new("/users/{id}"));
    let response = bench.client(router).oneshot(asked).await.expect("answered");
    bench.hand.advance(Duration::from_millis(20));
    assert!(bench.records().is_empty());
    assert_eq!(read(response).await, "four");
    let record = bench.record();
    assert_eq!((record.status, record.response_bytes), (200, 4));
    assert_eq!((record.ending, record.version), (Ending::Answered, 11));
    assert_eq!(record.duration, Duration::from_millis(20));
    let template = bench.recorder.route_name(record.route);
    assert_eq!(template.as_deref(), Some("/users/{id}"));
}

#[tokio::test]
async fn a_reader_who_has_seen_enough_is_no_failure_and_one_who_left_early_is() {
    let bench = Bench::new();
    let router = Router::new()
        .route("/text", get(async || "four"))
        .route("/never", get(std::future::pending::<()>));
    let client = bench.client(router);
    drop(client.clone().oneshot(request("http://a:1/text")).await);
    assert_eq!(bench.record().ending, Ending::Answered);
    {
        let mut waiting = std::pin::pin!(client.oneshot(request("http://a:1/never")));
        let polled = std::future::poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
    }
    assert_eq!(bench.record().ending, Ending::Aborted);
}

#[tokio::test]
async fn a_client_that_fails_is_recorded_and_its_error_handed_on() {
    let bench = Bench::new();
    let refuses = tower::service_fn(async |_: Request<AxumBody>| {
        Err::<Response<AxumBody>, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
    });
    let client = ClientLayer::new(&bench.recorder).layer(refuses);
    let error = client.oneshot(request(URL)).await.expect_err("refused");
    let ClientError::Call(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(bench.record().ending, Ending::Failed);
}

#[tokio::test]
async fn requests_are_counted_by_peer_method_and_status() {
    let bench = Bench::new();
    let router = Router::new().route("/here", get(async || ()));
    for url in [
        "http://a:1/here",
        "http://a:1/here",
        "http://a:1/gone",
        "http://b:1/here",
    ] {
        let answered = bench.client(router.clone()).oneshot(request(url)).await;
        read(answered.expect("answered")).await;
    }
    let totals = bench.recorder.totals();
    let seen: Vec<_> = totals
        .iter()
        .map(|it| {
            (
                it.route.as_deref(),
                it.key.verb,
                it.key.status,
                it.total.count,
            )
        })
        .collect();
    let expected = [
        (Some("a:1"), Verb::Get, 200, 2),
        (Some("a:1"), Verb::Get, 404, 1),
        (Some("b:1"), Verb::Get, 200, 1),
    ];
    assert_eq!(seen, expected);
    assert!(totals.iter().all(|it| it.key.route.kind() == Kind::Client));
}

#[test]
fn peers_beyond_the_limit_are_counted_together_and_leave_routes_alone() {
    let recorder = Recorder::new();
    let route = recorder.route("/a");
    for peer in 0..PEERS_MAX {
        assert_ne!(recorder.peer(&peer.to_string()), Route::OTHER_PEER);
    }
    let other = recorder.peer("one-more");
    assert_eq!((other, other.kind()), (Route::OTHER_PEER, Kind::Client));
    assert_eq!(recorder.route_name(other), None);
    assert_eq!(
        recorder.route_name(recorder.peer("7")).as_deref(),
        Some("7")
    );
    assert_eq!((recorder.route("/a"), route.kind()), (route, Kind::Server));
    assert_eq!(Route::UNMATCHED.kind(), Kind::Server);
}

#[tokio::test]
async fn the_hook_hears_of_every_request_with_its_template() {
    let bench = Bench::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = heard.clone();
    let layer = ClientLayer::new(&bench.recorder).on_call(move |out| {
        let template = out.template.map(str::to_owned);
        notes
            .lock()
            .push((out.peer.to_owned(), out.method.to_string(), template));
    });
    let mut named = request(URL);
    named.extensions_mut().insert(Template::new("/users/{id}"));
    for asked in [named, request("http://a/x")] {
        drop(layer.layer(mirror()).oneshot(asked).await);
    }
    let expected = [
        (
            PEER.to_owned(),
            "GET".to_owned(),
            Some("/users/{id}".to_owned()),
        ),
        ("a:80".to_owned(), "GET".to_owned(), None),
    ];
    assert_eq!(*heard.lock(), expected);
}

#[cfg(feature = "reqwest")]
mod through_reqwest {
    use super::*;

    async fn served(router: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("127.0.0.1:{}", address.port())
    }

    #[tokio::test]
    async fn its_requests_join_the_trace_and_keep_their_url() {
        let bench = Bench::new();
        let peer = served(mirror()).await;
        let client = Reqwest::new(&bench.recorder).expect("a client");
        let url = format!("http://{peer}/users/42?token=secret");
        let asked = client.inner().get(&url).build().expect("a request");
        let context = bench.context(Duration::from_secs(60));
        let answer = context::scope(context, client.execute_as("/users/{id}", asked)).await;
        let answer = answer.expect("answered");
        assert_eq!(answer.url().as_str(), url);
        let told = answer.headers()[X_SB_TRACE].clone();
        assert_eq!(answer.headers()[GRPC_TIMEOUT], "60000m");
        assert_eq!(answer.content_length(), Some(0));
        drop(answer);
        let record = bench.record();
        assert_eq!(told, record.context.to_string().as_str());
        assert_eq!(record.peer.as_deref(), Some(peer.as_str()));
        assert_eq!(record.path.as_str(), format!("http://{peer}/users/42"));
        let template = bench.recorder.route_name(record.route);
        assert_eq!(template.as_deref(), Some("/users/{id}"));
    }

    #[tokio::test]
    async fn its_answers_are_measured_to_the_last_byte() {
        let bench = Bench::new();
        let peer = served(Router::new().route("/", get(async || "four"))).await;
        let client = Reqwest::new(&bench.recorder).expect("a client");
        let asked = client.inner().get(format!("http://{peer}/")).build();
        let answer = client
            .execute(asked.expect("a request"))
            .await
            .expect("answered");
        assert!(bench.records().is_empty());
        assert_eq!(answer.text().await.expect("a text"), "four");
        let record = bench.record();
        assert_eq!((record.status, record.response_bytes), (200, 4));
    }

    #[tokio::test]
    async fn nobody_there_and_too_late_are_told_apart() {
        let bench = Bench::new();
        let client = Reqwest::new(&bench.recorder).expect("a client");
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", closed.local_addr().expect("an address"));
        drop(closed);
        let ask = || client.inner().get(&url).build().expect("a request");
        let nobody = client.execute(ask()).await.expect_err("nobody there");
        assert!(matches!(&nobody, ClientError::Call(error) if error.is_connect()));
        assert_eq!(bench.record().ending, Ending::Failed);
        let context = bench.context(Duration::ZERO);
        let late = context::scope(context, client.execute(ask())).await;
        assert!(matches!(late, Err(ClientError::DeadlinePassed { .. })));
    }
}
