//! All layers as one stack around an axum application, behind a real server: that they compose in
//! the order they are meant for, and that each still does its part.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::extract::Path;
use axum::routing::{get, post};
use axum::{Json, Router};
use bridge_tower::capture::{Capture, CaptureLayer, Direction, Mode, PayloadSink};
use bridge_tower::catch_panic::CatchPanicLayer;
use bridge_tower::deadline::{Covers, DeadlineLayer};
use bridge_tower::limit::LimitLayer;
use bridge_tower::problem::ProblemLayer;
use bridge_tower::{Batch, Export, ObserveLayer, Recorder};
use bytes::Bytes;
use contract::headers::TraceContext;
use serde_json::Value;

const W3C: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Bodies that were captured, as text, with their trace.
type Kept = Arc<Mutex<Vec<(String, Direction, String)>>>;

struct Sink(Kept);

impl PayloadSink for Sink {
    fn payload(&self, op: TraceContext, direction: Direction, bytes: Bytes, _: u64) {
        let trace = op.trace.as_uuid().simple().to_string();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.0.lock().expect("whole").push((trace, direction, text));
    }
}

/// Makes the recorder record.
struct Nowhere;

impl Export for Nowhere {
    fn export(&mut self, _: &Batch<'_>) {}
}

struct Service {
    address: SocketAddr,
    kept: Kept,
}

fn service() -> &'static Service {
    static SERVICE: LazyLock<Service> = LazyLock::new(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a socket for tokio");
        let kept = Kept::default();
        let sink = kept.clone();
        std::thread::spawn(move || serve(listener, sink));
        Service { address, kept }
    });
    &SERVICE
}

#[tokio::main(flavor = "current_thread")]
async fn serve(listener: TcpListener, kept: Kept) {
    let recorder = Recorder::new();
    recorder.attach(Nowhere).expect("a thread");
    let app = Router::new()
        .route(
            "/numbers/{n}",
            get(async |Path(n): Path<u32>| (n * 2).to_string()),
        )
        .route("/login", post(async |Json(login): Json<Value>| Json(login)))
        .route("/panic", get(async || -> String { panic!("on purpose") }))
        .route("/never", get(std::future::pending::<String>));
    let layers = tower::ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(ObserveLayer::new(&recorder))
        .layer(DeadlineLayer::new().covers(Covers::Body))
        .layer(LimitLayer::new(8).queue(8).wait(Duration::from_secs(60)))
        .layer(ProblemLayer::new())
        .layer(CaptureLayer::new(
            &Capture::new(Mode::All),
            Arc::new(Sink(kept)),
        ));
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    axum::serve(listener, app.layer(layers))
        .await
        .expect("it never ends");
}

/// Sends requests as they stand over one connection; the last one closes it.
fn send(request: &str) -> String {
    let mut client = TcpStream::connect(service().address).expect("a connection");
    client.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    answer
}

fn get_request(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n")
}

/// Status and problem of an answer.
fn problem(answer: &str) -> (u16, Value) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("content-type: application/problem+json"),
        "{answer}"
    );
    let status = head["http/1.1 ".len()..][..3].parse().expect("a status");
    (status, serde_json::from_str(body).expect("JSON"))
}

#[test]
fn an_ordinary_request_passes_all_layers() {
    let answer = send(&get_request("/numbers/21", W3C));
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n42"),
        "{answer}"
    );
}

#[test]
fn mistakes_of_clients_are_problems_of_their_trace() {
    for (path, expected) in [("/numbers/x", 400), ("/numbers/-1", 400)] {
        let (status, problem) = problem(&send(&get_request(path, W3C)));
        assert_eq!((status, &problem["trace"]), (expected, &Value::from(TRACE)));
    }
}

#[test]
fn a_handler_that_panics_leaves_its_connection_to_the_next_request() {
    let two = format!(
        "GET /panic HTTP/1.1\r\nhost: x\r\n{W3C}\r\n{}",
        get_request("/numbers/1", "")
    );
    let both = send(&two);
    let second = both.rfind("HTTP/1.1 200 OK").expect("a second answer");
    let (status, problem) = problem(&both[..second]);
    assert_eq!((status, &problem["trace"]), (500, &Value::from(TRACE)));
    assert!(!both.contains("on purpose"), "{both}");
}

#[test]
fn a_handler_that_takes_too_long_is_given_up_and_its_slot_is_free() {
    for _ in 0..5 {
        let late = format!("{W3C}grpc-timeout: 20m\r\n");
        let (status, problem) = problem(&send(&get_request("/never", &late)));
        assert_eq!((status, &problem["code"]), (504, &Value::from("TIMEOUT")));
        assert_eq!(problem["trace"], TRACE);
    }
    let answer = send(&get_request("/numbers/1", ""));
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[test]
fn both_bodies_are_captured_under_their_trace_and_without_secrets() {
    let body = r#"{"user":"u-7","password":"p-1"}"#;
    let answer = send(&format!(
        "POST /login HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{W3C}\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert!(
        answer.contains("p-1"),
        "the client gets what was said: {answer}"
    );
    let kept = service().kept.lock().expect("whole");
    let of_login: Vec<_> = kept.iter().filter(|it| it.2.contains("u-7")).collect();
    assert_eq!(of_login.len(), 2);
    for (trace, _, text) in of_login {
        assert_eq!(trace, TRACE);
        assert!(
            text.contains("[redacted]") && !text.contains("p-1"),
            "{text}"
        );
    }
}
