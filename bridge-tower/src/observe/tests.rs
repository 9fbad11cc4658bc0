//! The layer around real axum routers: what is recorded, and that it is recorded once.

use std::sync::{Arc, Mutex};

use axum::body::Body as AxumBody;
use axum::extract::MatchedPath;
use axum::response::IntoResponse;
use axum::routing::get;
use contract::clock::Clock;
use contract::headers::{TraceContext, X_SB_TRACE};
use contract::ids::{IdMint, OpId, TraceId};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

const TRACE: &str = "0198c0de-0000-7000-8000-0000000000ab-0198c0de-0000-7000-8000-0000000000cd";

#[derive(Clone)]
struct Notes {
    lines: Arc<Mutex<Vec<String>>>,
    mint: IdMint,
}

struct Note {
    notes: Notes,
    context: TraceContext,
}

impl Recorder for Notes {
    type Op = Note;

    fn start(&self, request: HttpRequest<'_>) -> Note {
        let line = format!("start {} {}", request.method, request.path);
        self.lines.lock().unwrap().push(line);
        let trace = request
            .trace
            .map_or_else(|| TraceId::mint(&self.mint), |it| it.trace);
        let context = TraceContext {
            trace,
            parent: OpId::mint(&self.mint),
        };
        Note {
            notes: self.clone(),
            context,
        }
    }
}

impl RecordedOp for Note {
    fn context(&self) -> TraceContext {
        self.context
    }

    fn end(self, outcome: Outcome) {
        self.notes
            .lines
            .lock()
            .unwrap()
            .push(format!("end {outcome:?}"));
    }
}

fn observed(router: axum::Router) -> (axum::Router, Notes) {
    let mint = IdMint::seeded(1, &Clock::system());
    let notes = Notes {
        lines: Arc::default(),
        mint,
    };
    let layer = ObserveLayer::new(notes.clone())
        .route_of(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));
    (router.layer(layer), notes)
}

async fn ask(router: &axum::Router, method: &str, path: &str) -> http::Response<AxumBody> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(X_SB_TRACE, TRACE);
    router
        .clone()
        .oneshot(request.body(AxumBody::empty()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn an_operation_ends_with_the_last_byte_and_carries_the_template() {
    let (router, notes) =
        observed(axum::Router::new().route("/orders/{id}", get(|| async { "x" })));
    let response = ask(&router, "GET", "/orders/7").await;
    assert_eq!(*notes.lines.lock().unwrap(), ["start GET /orders/{id}"]);
    response.into_body().collect().await.unwrap();
    assert_eq!(
        *notes.lines.lock().unwrap(),
        ["start GET /orders/{id}", "end Answered(200)"]
    );
}

#[tokio::test]
async fn a_body_nobody_reads_to_its_end_is_an_abort() {
    let (router, notes) = observed(axum::Router::new().route("/", get(|| async { "x" })));
    drop(ask(&router, "GET", "/").await);
    assert_eq!(notes.lines.lock().unwrap().last().unwrap(), "end Aborted");
}

#[tokio::test]
async fn an_answer_without_body_ends_at_once() {
    let (router, notes) = observed(axum::Router::new().route(
        "/",
        get(|| async { http::StatusCode::NO_CONTENT.into_response() }),
    ));
    drop(ask(&router, "GET", "/").await);
    drop(ask(&router, "HEAD", "/").await);
    let lines = notes.lines.lock().unwrap();
    assert_eq!(
        *lines,
        [
            "start GET /",
            "end Answered(204)",
            "start HEAD /",
            "end Answered(204)"
        ]
    );
}

#[tokio::test]
async fn the_handler_runs_in_the_context_of_its_operation() {
    let (router, _notes) = observed(axum::Router::new().route(
        "/",
        get(|| async { context::current().unwrap().trace.to_string() }),
    ));
    let body = ask(&router, "GET", "/")
        .await
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    let seen = TraceContext::parse(std::str::from_utf8(&body).unwrap()).unwrap();
    let sent = TraceContext::parse(TRACE).unwrap();
    assert_eq!(seen.trace, sent.trace);
    assert_ne!(seen.parent, sent.parent);
}
