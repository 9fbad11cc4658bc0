//! What the open doors promise about running totals and labels: every total is counted once, with
//! what it grew by, and no secret is in a label.

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::door::router;
use super::tests::{get, parts, post};
use crate::db::testing::{TestDb, on_sqlite};

/// One point of a counter, after this many seconds of its life.
struct Told {
    scope: &'static str,
    token: &'static str,
    start: u64,
    seconds: u64,
    total: u64,
}

impl Told {
    fn json(&self) -> Value {
        let attributes = json!([
            {"key": "token", "value": {"stringValue": self.token}},
            {"key": "kind", "value": {"stringValue": "x"}},
        ]);
        let at = self.start + self.seconds * 1_000_000_000;
        let point = json!({
            "startTimeUnixNano": self.start.to_string(), "timeUnixNano": at.to_string(),
            "asInt": self.total, "attributes": attributes,
        });
        let sum = json!({"isMonotonic": true, "aggregationTemporality": 2, "dataPoints": [point]});
        json!({"scope": {"name": self.scope}, "metrics": [{"name": "done", "sum": sum}]})
    }
}

fn begun(t: &TestDb) -> u64 {
    // After the doors opened, so that totals count from their first point on.
    u64::try_from(t.clock.now().as_micros()).expect("after 1970") * 1_000 + 1_000_000_000
}

async fn send(doors: &Router, told: &[Told]) {
    let name = json!({"key": "service.name", "value": {"stringValue": "twins"}});
    let scopes: Vec<Value> = told.iter().map(Told::json).collect();
    let sent = json!({"resourceMetrics": [{
        "resource": {"attributes": [name]}, "scopeMetrics": scopes}]});
    let (status, answer) = post(doors, "/v1/metrics", &sent).await;
    assert_eq!((status, answer), (StatusCode::OK, json!({})));
}

/// The sum of every line of the counter.
async fn counted(doors: &Router) -> f64 {
    let (_, text) = get(doors, "/metrics").await;
    let lines = text.lines().filter(|it| it.starts_with("done_total{"));
    let values = lines.filter_map(|it| it.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum()
}

#[tokio::test]
async fn totals_of_replicas_without_an_id_are_added_up_and_not_taken_for_one_that_jumps() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        let doors = router(&parts, None, true);
        let start = begun(&t);
        let told = |start, seconds, total| Told {
            scope: "",
            token: "",
            start,
            seconds,
            total,
        };
        for (seconds, one, other) in [(1, 100, 1_000), (2, 110, 1_003), (3, 120, 1_006)] {
            send(&doors, &[told(start, seconds, one)]).await;
            send(&doors, &[told(start + 5, seconds, other)]).await;
        }
        assert_eq!(counted(&doors).await, 1_126.0);
        // One of them starts again.
        send(&doors, &[told(start + 4_000_000_000, 1, 7)]).await;
        send(&doors, &[told(start + 5, 6, 1_007)]).await;
        assert_eq!(counted(&doors).await, 1_134.0);
    })
    .await;
}

#[tokio::test]
async fn totals_that_look_alike_once_masked_or_without_their_scope_are_told_apart() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        let doors = router(&parts, None, true);
        let start = begun(&t);
        let told = |scope, token, seconds, total| Told {
            scope,
            token,
            start,
            seconds,
            total,
        };
        let both = |seconds, one, other| {
            [
                told("a", "s3cret", seconds, one),
                told("b", "s3cret", seconds, other),
                told("b", "other s3cret", seconds, one + other),
            ]
        };
        send(&doors, &both(1, 100, 50)).await;
        send(&doors, &both(2, 110, 57)).await;
        assert_eq!(counted(&doors).await, 334.0);
        let (_, text) = get(&doors, "/metrics").await;
        assert!(!text.contains("s3cret"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn labels_hold_no_secret_of_an_address_either() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        let doors = router(&parts, None, true);
        let attribute = |key: &str, text: &str| json!({"key": key, "value": {"stringValue": text}});
        let attributes = [
            attribute("url.full", "http://ada:s3cret@shop/x?token=s3cret&n=1"),
            attribute("http.url", "http://shop/x?token=s3cret"),
            attribute("http.target", "/x?n=2&token=s3cret"),
            attribute("url.query", "n=3&token=s3cret"),
            attribute("body", r#"{"token":"s3cret"}"#),
            attribute("token", "s3cret"),
        ];
        let point = json!({"asInt": 1, "attributes": attributes});
        let metric = json!({"name": "open", "gauge": {"dataPoints": [point]}});
        let sent = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]});
        let (_, answer) = post(&doors, "/v1/metrics", &sent).await;
        assert_eq!(answer, json!({}));
        let (_, text) = get(&doors, "/metrics").await;
        assert!(text.contains("n=2&token=***"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    })
    .await;
}
