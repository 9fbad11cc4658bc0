//! What the open doors have no room for, or cannot take: it is counted, and comes again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode};
use serde_json::json;
use tokio::sync::Semaphore;

use super::door::router;
use super::tests::{ask, get, log, parts, post, request};
use crate::db::testing::{TestDb, on_sqlite};
use crate::db::{DbError, History};
use crate::telemetry::LogFilter;

#[tokio::test]
async fn what_is_rejected_is_counted_and_what_finds_no_room_is_to_be_sent_again() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        let doors = router(&parts, None, true);
        let spans = json!({"resourceSpans": [{"scopeSpans": [{"spans": [
            {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "a", "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000000000000"},
            {"traceId": "", "spanId": "b7ad6b7169203331", "name": "b", "startTimeUnixNano": "1"},
        ]}]}]});
        let (status, answer) = post(&doors, "/v1/traces", &spans).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1");
        let why = answer["partialSuccess"]["errorMessage"].as_str().expect("text");
        assert!(why.contains("16 bytes"), "{why}");

        let points = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
            {"name": "a", "sum": {"isMonotonic": true, "aggregationTemporality": 1, "dataPoints": [{"asInt": "2"}, {"asInt": "-1"}]}},
            {"name": "b", "sum": {"isMonotonic": true, "dataPoints": [{"asInt": "2"}]}},
            {"name": "c"},
        ]}]}]});
        let (_, answer) = post(&doors, "/v1/metrics", &points).await;
        assert_eq!(answer["partialSuccess"]["rejectedDataPoints"], "3");
        let (_, text) = get(&doors, "/metrics").await;
        assert!(text.contains("\na_total{service=\"unknown_service\""), "{text}");
        assert!(text.contains("\nbridge_otlp_rejected_items_total 4\n"), "{text}");

        parts.settings.set("telemetry.enable", "false", "test").await.expect("sets");
        let (status, answer) = post(&doors, "/v1/logs", &log("snake", "unheard")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["partialSuccess"]["rejectedLogRecords"], "1");
        parts.settings.set("telemetry.enable", "true", "test").await.expect("sets");

        parts.db.close().await;
        let headers = [("content-type", "application/json")];
        let body = log("snake", "late").to_string();
        let (answer, _) = ask(&doors, request(Method::POST, "/v1/logs", &headers, body)).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
        let (_, text) = get(&doors, "/metrics").await;
        assert!(text.contains("\nbridge_database_up 0\n"), "{text}");
    })
    .await;
}

/// Holds up whoever stores log lines, until it is closed.
async fn held_up(t: &TestDb) -> Arc<Semaphore> {
    let (gate, inside) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (closed, entered, db) = (gate.clone(), inside.clone(), t.db.clone());
    let newest = db.slices(History::Logs).last().expect("a slice").id;
    tokio::spawn(async move {
        // Every slice has one writer.
        db.write_slice::<(), DbError, _>(History::Logs, newest, "hold up", move |_| {
            let (closed, entered) = (closed.clone(), entered.clone());
            Box::pin(async move {
                entered.add_permits(1);
                let _ = closed.acquire().await;
                Ok(())
            })
        })
        .await
    });
    let _ = inside.acquire().await.expect("never closed");
    gate
}

#[tokio::test]
async fn a_full_queue_is_answered_429_with_a_time_and_what_waited_is_stored() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        let doors = router(&parts, None, true);
        let send = async |doors: &Router, message: &str, bytes: usize| {
            let mut body = log("snake", message).to_string();
            body.push_str(&" ".repeat(bytes.saturating_sub(body.len())));
            let headers = [("content-type", "application/json")];
            ask(doors, request(Method::POST, "/v1/logs", &headers, body)).await
        };
        // From now on its name is known, and only lines have to be stored.
        let (answer, _) = send(&doors, "first", 0).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let gate = held_up(&t).await;
        let waiting: Vec<_> = (0..4)
            .map(|nth| {
                let doors = doors.clone();
                tokio::spawn(async move { send(&doors, &format!("waits {nth}"), 4 << 20).await })
            })
            .collect();
        let queued = || parts.telemetry.counters().queue_bytes;
        for look in 0.. {
            assert!(look < 3_000, "{} bytes are queued", queued());
            if queued() == 16 << 20 {
                break;
            }
            t.clock.sleep(Duration::from_millis(10)).await;
        }

        let (answer, text) = send(&doors, "too much", 0).await;
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{text}");
        assert_eq!(answer.headers()["retry-after"], "2");
        assert!(
            text.contains("16 MiB") && text.contains("\"code\":8"),
            "{text}"
        );
        gate.close();
        for answer in waiting {
            let (answer, text) = answer.await.expect("no panic");
            assert_eq!(answer.status(), StatusCode::OK, "{text}");
        }
        let (answer, text) = send(&doors, "again", 0).await;
        assert_eq!(answer.status(), StatusCode::OK, "{text}");
        let page = parts
            .telemetry
            .logs()
            .query(&LogFilter::default(), 10, None)
            .await;
        let mut lines: Vec<_> = page.expect("reads").lines;
        lines.sort_by(|a, b| a.entry.message.cmp(&b.entry.message));
        let told: Vec<_> = lines.iter().map(|it| &*it.entry.message).collect();
        assert_eq!(
            told,
            ["again", "first", "waits 0", "waits 1", "waits 2", "waits 3"]
        );
    })
    .await;
}
