//! A collector that keeps what it is sent and answers as it is told, and a service in front of it.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use bridge_tower::{ObserveLayer, Recorder};
use contract::clock::{Clock, ManualClock, Timestamp};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::wire::{ExportRequest, Metric, Span};
use crate::{Builder, Otlp, OtlpExporter, Protocol};

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) head: Parts,
    pub(super) body: Bytes,
}

impl Seen {
    fn message(&self) -> ExportRequest {
        let is_grpc = self.head.headers["content-type"] == "application/grpc";
        let message = self.body.slice(if is_grpc { 5 } else { 0 }..);
        ExportRequest::decode(message).expect("an OTLP request")
    }

    fn content(&self) -> Vec<Vec<u8>> {
        let scopes = self
            .message()
            .resources
            .into_iter()
            .flat_map(|it| it.scopes);
        scopes.flat_map(|it| it.content).collect()
    }

    pub(super) fn resource(&self) -> Vec<String> {
        let resource = self.message().resources.remove(0).resource;
        super::wire::shown(&resource.expect("a resource").attributes)
    }

    pub(super) fn scope(&self) -> String {
        let scope = self.message().resources.remove(0).scopes.remove(0).scope;
        scope.expect("a scope").name
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        let decode = |it: Vec<u8>| Span::decode(&*it).expect("a span");
        self.content().into_iter().map(decode).collect()
    }
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    /// Answers to the next requests; a success when there is none.
    answers: Mutex<VecDeque<Response>>,
    came: Notify,
}

/// A server that takes whatever is sent to it.
#[derive(Clone)]
pub(super) struct Collector {
    pub(super) port: u16,
    state: Arc<State>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    /// On a port that is bound already.
    pub(super) fn on(listener: TcpListener) -> Self {
        let port = listener.local_addr().expect("an address").port();
        let collector = Self::behind(port);
        let router = collector.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        collector
    }

    /// One that something else carries requests to.
    pub(super) fn behind(port: u16) -> Self {
        let state = Arc::default();
        Self { port, state }
    }

    pub(super) fn router(&self) -> Router {
        let state = self.state.clone();
        Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX)
                .await
                .expect("a body");
            let is_grpc = head.headers["content-type"] == "application/grpc";
            state.seen.lock().push(Seen { head, body });
            state.came.notify_one();
            let answer = state.answers.lock().pop_front();
            answer.unwrap_or_else(|| {
                if is_grpc {
                    grpc(0, "")
                } else {
                    ().into_response()
                }
            })
        })
    }

    pub(super) fn answer_next(&self, answer: impl IntoResponse) {
        self.state.answers.lock().push_back(answer.into_response());
    }

    /// Everything that was sent until now.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().clone()
    }

    /// Waits until this many requests have come.
    pub(super) async fn have(&self, count: usize) -> Vec<Seen> {
        loop {
            let seen = self.seen();
            if seen.len() >= count {
                return seen;
            }
            self.state.came.notified().await;
        }
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        let traces = self.seen();
        let traces = traces.iter().filter(|it| !is_metrics(it));
        traces.flat_map(Seen::spans).collect()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let seen = self.seen();
        let contents = seen
            .iter()
            .filter(|it| is_metrics(it))
            .flat_map(Seen::content);
        let decode = |it: Vec<u8>| Metric::decode(&*it).expect("a metric");
        contents.map(decode).collect()
    }
}

fn is_metrics(seen: &Seen) -> bool {
    seen.head.uri.path().to_lowercase().contains("metrics")
}

/// An answer of gRPC without a message.
pub(super) fn grpc(code: u16, message: &str) -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.to_string().parse().expect("a value"));
    trailers.insert("grpc-message", message.parse().expect("a value"));
    if code != 0 {
        // An answer without a message carries its status among the headers.
        let mut answer = StatusCode::OK.into_response();
        answer.headers_mut().extend(trailers);
        answer
            .headers_mut()
            .insert("content-type", "application/grpc".parse().expect("a value"));
        return answer;
    }
    let body = http_body_util::Full::new(Bytes::from_static(&[0; 5]));
    let body = http_body_util::BodyExt::with_trailers(body, std::future::ready(Some(Ok(trailers))));
    let mut answer = Response::new(Body::new(body));
    answer
        .headers_mut()
        .insert("content-type", "application/grpc".parse().expect("a value"));
    answer
}

/// A recorder and its clocks, ready to be exported.
pub(super) struct Service {
    pub(super) clock: Clock,
    pub(super) hand: ManualClock,
    pub(super) recorder: Recorder,
}

/// When the services of these tests live, in milliseconds since the epoch.
pub(super) const NOW_MS: i64 = 1_700_000_000_000;

impl Service {
    pub(super) fn new() -> Self {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(NOW_MS));
        let recorder = Recorder::builder().clock(&clock).build();
        Self {
            clock,
            hand,
            recorder,
        }
    }

    pub(super) fn builder(&self, port: u16, protocol: Protocol) -> Builder {
        OtlpExporter::builder()
            .endpoint(format!("http://127.0.0.1:{port}"))
            .protocol(protocol)
            .clock(&self.clock)
    }

    /// Exported to `collector` over OTLP/HTTP.
    pub(super) fn exported(&self, collector: &Collector) -> Otlp {
        let builder = self.builder(collector.port, Protocol::HttpProtobuf);
        builder.build(&self.recorder).expect("an exporter")
    }

    pub(super) fn observed(&self, router: Router) -> Router {
        let layer = ObserveLayer::new(&self.recorder)
            .route_of(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));
        router.layer(layer)
    }

    /// Serves `count` requests that are answered at once.
    pub(super) async fn serve(&self, count: usize) {
        let router = self.observed(Router::new().route("/", axum::routing::get(async || "x")));
        for _ in 0..count {
            ask(&router, "GET", "/", &[]).await;
        }
    }
}

/// Asks a router and reads the answer to its end. Returns its status.
pub(super) async fn ask(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> StatusCode {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let answer = tower::ServiceExt::oneshot(router.clone(), request).await;
    let answer = answer.expect("infallible");
    let status = answer.status();
    axum::body::to_bytes(answer.into_body(), usize::MAX)
        .await
        .expect("a body");
    status
}
