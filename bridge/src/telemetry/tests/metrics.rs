//! Metrics as they are added up and sent.

use std::time::Duration;

use bridge_tower::{ObserveLayer, Recorder};
use contract::grpc::v1::MetricKind;
use tower::{Layer as _, ServiceExt as _, service_fn};

use super::*;

const WINDOW: Duration = Duration::from_secs(5);

#[test]
fn a_counter_sends_what_came_since_the_last_point_and_nothing_twice() {
    let (telemetry, hand) = telemetry();
    let orders = telemetry.counter("orders");
    orders.add(1.0, &[("kind", "web"), ("at", "x")]);
    orders.add(2.0, &[("at", "x"), ("kind", "web")]);
    orders.add(4.0, &[]);
    let sent = points(&telemetry);
    let values: Vec<_> = sent.iter().map(|it| (it.labels.len(), it.value)).collect();
    assert_eq!(values, [(0, 4.0), (2, 3.0)]);
    let point = &sent[1];
    assert_eq!(
        (point.kind, &*point.unit),
        (MetricKind::Counter as i32, "1")
    );
    assert_eq!((point.at_unix_ms, &*point.instance_id), (5_000, INSTANCE));
    assert_eq!(point.labels["kind"], "web");
    orders.add(1.0, &[]);
    assert!(points(&telemetry).is_empty(), "the window is open");
    hand.advance(WINDOW);
    assert_eq!(points(&telemetry)[0].value, 1.0);
    hand.advance(WINDOW);
    assert!(points(&telemetry).is_empty(), "nothing changed");
}

#[test]
fn a_new_series_is_sent_at_once() {
    let (telemetry, _hand) = telemetry();
    assert!(points(&telemetry).is_empty());
    let counter = telemetry.counter("c");
    counter.add(1.0, &[]);
    assert_eq!(points(&telemetry).len(), 1);
    counter.add(1.0, &[]);
    assert!(points(&telemetry).is_empty(), "it is not new any more");
}

#[test]
fn a_gauge_is_sent_when_it_changed() {
    let (telemetry, hand) = telemetry();
    let depth = telemetry.gauge("depth").unit("{item}").bind(&[]);
    depth.set(0.0);
    let point = points(&telemetry).remove(0);
    assert_eq!((point.kind, point.value), (MetricKind::Gauge as i32, 0.0));
    assert_eq!(point.unit, "{item}");
    for (value, expected) in [(0.0, None), (-3.0, Some(-3.0)), (-3.0, None)] {
        hand.advance(WINDOW);
        depth.set(value);
        assert_eq!(points(&telemetry).first().map(|it| it.value), expected);
    }
}

#[test]
fn a_histogram_counts_cumulatively_and_starts_afresh() {
    let (telemetry, hand) = telemetry();
    let took = telemetry.histogram("took").bounds(&[1.0, 2.5]);
    for value in [0.5, 1.0, 2.0, 9.0] {
        took.record(value, &[]);
    }
    let point = points(&telemetry).remove(0);
    assert_eq!(
        (point.kind, &*point.unit),
        (MetricKind::Histogram as i32, "s")
    );
    assert_eq!(point.value, 12.5);
    let buckets = r#"[{"le":1,"count":2},{"le":2.5,"count":3},{"le":"+Inf","count":4}]"#;
    assert_eq!(point.buckets_json, buckets.as_bytes());
    hand.advance(WINDOW);
    took.record(2.0, &[]);
    let point = points(&telemetry).remove(0);
    let buckets = r#"[{"le":1,"count":0},{"le":2.5,"count":1},{"le":"+Inf","count":1}]"#;
    assert_eq!(point.buckets_json, buckets.as_bytes());
}

#[test]
fn a_histogram_without_bounds_has_twelve_buckets_of_seconds() {
    let (telemetry, _hand) = telemetry();
    telemetry.histogram("took").record(0.3, &[]);
    let buckets = json(&points(&telemetry)[0].buckets_json);
    let buckets = buckets.as_array().unwrap();
    assert_eq!(buckets.len(), 12);
    assert_eq!(buckets[0]["le"], 0.005);
    assert_eq!(
        (&buckets[5]["count"], &buckets[6]["count"]),
        (&0.into(), &1.into())
    );
    assert_eq!(buckets[11], serde_json::json!({"le": "+Inf", "count": 1}));
}

#[test]
fn numbers_and_labels_beyond_the_limits_are_dropped_and_counted() {
    let (telemetry, _hand) = telemetry();
    let counter = telemetry.counter("c");
    counter.add(f64::NAN, &[]);
    counter.add(-1.0, &[]);
    telemetry.gauge("g").set(f64::INFINITY, &[]);
    let name = |chars| "é".repeat(chars);
    counter.add(1.0, &[(&name(257), "v")]);
    counter.add(1.0, &[("k", &name(1_025))]);
    counter.add(1.0, &[("", "v")]);
    telemetry.counter(&name(257)).add(1.0, &[]);
    let many: Vec<_> = (0..33).map(|it| it.to_string()).collect();
    let many: Vec<_> = many.iter().map(|it| (&**it, "v")).collect();
    counter.add(1.0, &many);
    let histogram = telemetry.histogram("h");
    histogram.clone().bounds(&[2.0, 1.0]).record(1.0, &[]);
    histogram.bounds(&[0.0; 257]).record(1.0, &[]);
    assert_eq!(telemetry.dropped().metrics, 10);
    counter.add(1.0, &many[..32]);
    counter.add(1.0, &[(&name(256), &name(1_024))]);
    assert_eq!(telemetry.dropped().metrics, 10);
}

#[test]
fn series_beyond_the_limit_are_dropped_and_counted_and_known_ones_go_on() {
    let (telemetry, _hand) = telemetry();
    let counter = telemetry.counter("c");
    for number in 0..series::SERIES_MAX {
        counter.add(1.0, &[("n", &number.to_string())]);
    }
    assert_eq!(telemetry.dropped().metrics, 0);
    counter.add(1.0, &[("n", "another")]);
    counter.add(1.0, &[("n", "7")]);
    assert_eq!(telemetry.dropped().metrics, 1);
}

#[test]
fn without_a_runtime_points_wait_in_their_cells_and_nothing_is_lost() {
    let (telemetry, hand) = telemetry();
    let labels: Vec<_> = (0..500).map(|it| it.to_string()).collect();
    for _ in 0..20 {
        for label in &labels {
            telemetry.counter("c").add(1.0, &[("n", label)]);
        }
        hand.advance(WINDOW);
        telemetry.pump();
    }
    let kept = telemetry.0.outbox.metrics.lock().take(usize::MAX).0;
    assert!(kept.len() < 100, "the ring is small: {}", kept.len());
    telemetry.0.outbox.metrics.lock().rewind();
    telemetry.close();
    let mut total = 0.0;
    loop {
        let some = points(&telemetry);
        if some.is_empty() {
            break;
        }
        total += some.iter().map(|it| it.value).sum::<f64>();
    }
    assert_eq!(total, 20.0 * 500.0);
    assert_eq!(telemetry.dropped(), Dropped::default());
}

#[test]
fn drops_are_a_metric_by_source() {
    let (telemetry, hand) = telemetry();
    telemetry.gauge("g").set(f64::NAN, &[]);
    for _ in 0..2_000 {
        telemetry.op("a").start().ok();
    }
    let expected = telemetry.dropped().operations;
    let sent: Vec<_> = points(&telemetry)
        .into_iter()
        .map(|it| (it.name, it.labels["source"].clone(), it.value))
        .collect();
    let name = || "sb_sdk_telemetry_dropped_total".to_owned();
    let expected = [
        (name(), "metrics".to_owned(), 1.0),
        (name(), "ops".to_owned(), expected as f64),
    ];
    assert_eq!(sent, expected);
    hand.advance(WINDOW);
    assert!(points(&telemetry).is_empty(), "each drop is told once");
}

#[tokio::test]
async fn requests_are_a_histogram_of_their_route_and_status() {
    let (telemetry, hand) = telemetry();
    let recorder = Recorder::builder().clock(&telemetry.0.clock).build();
    telemetry.follow(&recorder);
    let clock = hand.clone();
    let answer = service_fn(move |request: ::http::Request<()>| {
        clock.advance(Duration::from_millis(20));
        let status = request
            .uri()
            .path()
            .trim_start_matches('/')
            .parse()
            .unwrap();
        let response = ::http::Response::builder().status::<u16>(status);
        let body = http_body_util::Empty::<bytes::Bytes>::new();
        std::future::ready(Ok::<_, std::convert::Infallible>(
            response.body(body).unwrap(),
        ))
    });
    let service = ObserveLayer::new(&recorder)
        .route_of(|_| Some("/{status}"))
        .layer(answer);
    for path in ["/200", "/200", "/503"] {
        let request = ::http::Request::get(path).body(()).unwrap();
        service.clone().oneshot(request).await.unwrap();
    }
    telemetry.close();
    recorder.flush();
    let sent = points(&telemetry);
    let sent: Vec<_> = sent
        .iter()
        .filter(|it| it.name == "http.server.request.duration")
        .collect();
    assert_eq!(sent.len(), 2);
    let ok = sent
        .iter()
        .find(|it| it.labels["http.response.status_code"] == "200")
        .unwrap();
    assert_eq!(ok.labels["http.route"], "/{status}");
    assert_eq!(ok.labels["http.request.method"], "GET");
    assert_eq!(ok.labels.len(), 3);
    assert_eq!((ok.value * 1_000.0).round(), 40.0);
    let buckets = json(&ok.buckets_json);
    assert_eq!(buckets[1], serde_json::json!({"le": 0.01, "count": 0}));
    assert_eq!(buckets[2], serde_json::json!({"le": 0.025, "count": 2}));
    assert_eq!(buckets[14], serde_json::json!({"le": "+Inf", "count": 2}));
    recorder.flush();
    assert!(points(&telemetry).is_empty(), "nothing is counted twice");
    assert_eq!(ops(&telemetry).len(), 3);
}
