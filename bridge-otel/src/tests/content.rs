//! What a collector reads: names, ids, kinds and attributes of the HTTP conventions.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bridge_tower::client::{ClientLayer, Template};
use http::{Request, StatusCode};
use tower::{Layer, ServiceExt};

use super::collector::{Collector, NOW_MS, Service, ask};
use super::wire::{Metric, Span, Status, shown};
use crate::Protocol;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const NANOS: u64 = 1_700_000_000_000_000_000;

fn error() -> Option<Status> {
    let (message, code) = (String::new(), 2);
    Some(Status { message, code })
}

fn metric<'m>(metrics: &'m [Metric], name: &str) -> &'m Metric {
    let found: Vec<_> = metrics.iter().filter(|it| it.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found[0]
}

#[tokio::test]
async fn a_served_request_is_a_server_span_of_its_callers_trace() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    let hand = service.hand.clone();
    let slow = async move || hand.advance(Duration::from_millis(7));
    let router = service.observed(Router::new().route("/orders/{id}", get(slow)));
    let headers = [
        ("traceparent", TRACEPARENT),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ];
    ask(&router, "GET", "/orders/7?secret=1", &headers).await;
    otlp.flush().await.expect("sent");

    let spans = collector.spans();
    assert_eq!(spans.len(), 1);
    let span = &spans[0];
    assert_eq!(
        span.trace_id,
        0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes()
    );
    assert_eq!(span.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    assert_eq!(
        (span.span_id.len(), span.trace_state.as_str()),
        (8, "a=1,b=2")
    );
    assert_eq!((span.name.as_str(), span.kind), ("GET /orders/{id}", 2));
    assert_eq!((span.start, span.end), (NANOS, NANOS + 7_000_000));
    assert_eq!(
        span.flags, 0x301,
        "sampled, and the parent is known to be remote"
    );
    assert_eq!(span.status, None);
    let expected = [
        "url.path=/orders/7",
        "url.scheme=http",
        "http.route=/orders/{id}",
        "http.request.method=GET",
        "http.response.status_code=200i",
        "network.protocol.version=1.1",
    ];
    assert_eq!(shown(&span.attributes), expected);
}

#[tokio::test]
async fn a_sent_request_is_a_client_span_under_the_one_it_was_sent_for() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    let users =
        service.observed(Router::new().route("/users/{id}", get(async || StatusCode::GONE)));
    let client = ClientLayer::new(&service.recorder).layer(users);
    let asks = async move || {
        let request = Request::get("http://users:8080/users/7?token=1");
        let request = request.extension(Template::new("/users/{id}"));
        let request = request.body(Body::empty()).expect("a request");
        client.oneshot(request).await.expect("answered").status()
    };
    ask(
        &service.observed(Router::new().route("/", post(asks))),
        "POST",
        "/",
        &[],
    )
    .await;
    otlp.flush().await.expect("sent");

    let spans = collector.spans();
    let of = |kind, name: &str| -> &Span {
        let found = spans.iter().find(|it| it.kind == kind && it.name == name);
        found.unwrap_or_else(|| panic!("{name} among {spans:?}"))
    };
    let (outer, sent) = (of(2, "POST /"), of(3, "GET /users/{id}"));
    let inner = of(2, "GET /users/{id}");
    assert_eq!(sent.parent_span_id, outer.span_id);
    assert_eq!(inner.parent_span_id, sent.span_id);
    assert!(spans.iter().all(|it| it.trace_id == outer.trace_id));
    assert_eq!(
        (outer.flags, outer.parent_span_id.len()),
        (0x101, 0),
        "a root"
    );
    assert_eq!(sent.flags, 0x101, "its parent is this process");
    let expected = [
        "url.full=http://users:8080/users/7",
        "server.address=users",
        "server.port=8080i",
        "url.template=/users/{id}",
        "http.request.method=GET",
        "http.response.status_code=410i",
        "network.protocol.version=1.1",
        "error.type=410",
    ];
    assert_eq!(shown(&sent.attributes), expected);
    assert_eq!(sent.status, error(), "what a client is told is its error");
    assert_eq!(inner.status, None, "and not the server's, below 500");
}

#[tokio::test]
async fn errors_are_the_ones_that_the_conventions_name() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    let router = Router::new()
        .route("/broken", get(async || StatusCode::BAD_GATEWAY))
        .route("/never", get(std::future::pending::<()>));
    let router = service.observed(router);
    ask(&router, "GET", "/broken", &[]).await;
    ask(&router, "BREW", "/nowhere", &[]).await;
    {
        let mut left = std::pin::pin!(ask(&router, "GET", "/never", &[]));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(left.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
    }
    otlp.flush().await.expect("sent");
    let spans = collector.spans();
    let seen: Vec<_> = spans
        .iter()
        .map(|it| {
            let attributes = shown(&it.attributes);
            let kind = attributes
                .into_iter()
                .find(|it| it.starts_with("error.type"));
            (it.name.as_str(), kind, it.status.clone())
        })
        .collect();
    let kind = |text: &str| Some(format!("error.type={text}"));
    let expected = [
        ("GET /broken", kind("502"), error()),
        ("HTTP", None, None),
        ("GET /never", kind("cancelled"), None),
    ];
    assert_eq!(seen, expected);
    assert!(shown(&spans[1].attributes).contains(&"http.request.method=_OTHER".to_owned()));
}

#[tokio::test]
async fn requests_say_who_sends_them() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let builder = service.builder(collector.port, Protocol::HttpProtobuf);
    let otlp = builder
        .service_name("shop")
        .attribute("deployment.environment.name", "test")
        .header("x-key", "secret")
        .build(&service.recorder)
        .expect("an exporter");
    otlp.check().await.expect("taken");
    let seen = collector.seen().remove(0);
    assert_eq!(seen.head.uri.path(), "/v1/traces");
    assert_eq!(seen.head.headers["x-key"], "secret");
    assert_eq!(seen.head.headers["content-type"], "application/x-protobuf");
    assert_eq!(
        seen.head.headers["host"],
        format!("127.0.0.1:{}", collector.port).as_str()
    );
    assert!(seen.spans().is_empty(), "the self-test has none");
    assert_eq!(seen.scope(), "bridge-tower");
    let resource = seen.resource();
    assert!(
        resource[1].starts_with("service.instance.id="),
        "{resource:?}"
    );
    let said = ["service.name=shop", "deployment.environment.name=test"];
    assert_eq!([&resource[0], &resource[5]], said);
}

#[tokio::test]
async fn counts_are_cumulative_histograms_by_route_and_by_peer() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    let hand = service.hand.clone();
    let slow = async move || hand.advance(Duration::from_millis(60));
    let router = service.observed(Router::new().route("/a", get(slow)));
    let client = ClientLayer::new(&service.recorder).layer(router.clone());
    ask(&router, "GET", "/a", &[]).await;
    ask(&router, "GET", "/nowhere", &[]).await;
    let asked = Request::get("http://[::1]:81/a")
        .body(Body::empty())
        .expect("a request");
    drop(client.oneshot(asked).await.expect("answered"));
    otlp.flush().await.expect("sent");

    let metrics = collector.metrics();
    let served = metric(&metrics, "http.server.request.duration");
    assert_eq!(served.unit, "s");
    let histogram = served.histogram.as_ref().expect("a histogram");
    assert_eq!((histogram.temporality, histogram.points.len()), (2, 2));
    let point = &histogram.points[0];
    assert_eq!((point.start, point.time), (NANOS, NANOS + 120_000_000));
    // The client's request was served here as well.
    assert_eq!((point.count, point.sum), (2, Some(0.12)));
    assert_eq!(
        (point.bounds.len(), point.bounds[4], point.buckets.len()),
        (14, 0.075, 15)
    );
    assert_eq!((point.buckets[4], point.buckets.iter().sum()), (2, 2));
    let expected = [
        "http.request.method=GET",
        "url.scheme=http",
        "http.route=/a",
        "http.response.status_code=200i",
    ];
    assert_eq!(shown(&point.attributes), expected);
    assert!(
        !shown(&histogram.points[1].attributes)
            .iter()
            .any(|it| it.contains("route"))
    );

    let sent = metric(&metrics, "http.client.request.duration");
    let point = &sent.histogram.as_ref().expect("a histogram").points[0];
    let expected = [
        "http.request.method=GET",
        "server.address=::1",
        "server.port=81i",
        "http.response.status_code=200i",
    ];
    assert_eq!(
        (point.count, shown(&point.attributes)),
        (1, expected.map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn metrics_come_in_their_rhythm_and_tell_what_became_of_spans() {
    let (service, collector) = (Service::new(), Collector::start().await);
    let otlp = service.exported(&collector);
    service.serve(3).await;
    otlp.flush().await.expect("sent");
    let first = collector.metrics().len();
    service.recorder.flush();
    otlp.check().await.expect("taken");
    assert_eq!(collector.metrics().len(), first, "not before their time");
    service.hand.advance(Duration::from_secs(60));
    service.recorder.flush();
    otlp.check().await.expect("taken");
    let metrics = collector.metrics().split_off(first);
    let fate = metric(&metrics, "otel.sdk.exporter.span.exported");
    let sum = fate.sum.as_ref().expect("a sum");
    assert!(sum.is_monotonic && sum.temporality == 2);
    let points: Vec<_> = sum
        .points
        .iter()
        .map(|it| (shown(&it.attributes), it.value))
        .collect();
    assert_eq!(points[0], (vec![], 3));
    assert_eq!(points[2], (vec!["error.type=dropped".to_owned()], 0));
    let active = metric(&metrics, "http.server.active_requests")
        .sum
        .as_ref()
        .expect("a sum");
    assert!(!active.is_monotonic);
    assert_eq!(active.points[0].value, 0);
    assert_eq!(active.points[0].time, NANOS + 60_000_000_000);
    assert_eq!(otlp.counts().metrics_sent, 2);
    assert_eq!(i64::try_from(NANOS / 1_000_000).expect("small"), NOW_MS);
}
