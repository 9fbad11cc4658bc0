//! What the open doors promise about too much: of one request, of connections, of names.

use axum::http::{Method, StatusCode};
use prost::Message as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::door::{CONNECTIONS_MAX, router};
use super::tests::{ask, get, heard, listening, parts, post, request, token};
use crate::db::testing::on_sqlite;

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[tokio::test]
async fn a_small_body_of_very_many_items_is_refused_whatever_it_is_written_in() {
    on_sqlite(|t| async move {
        let doors = router(&parts(&t).await, None, true);
        // Two million empty spans in some 4 MiB.
        let field = |tag: u8, bytes: &[u8]| {
            let mut all = vec![tag << 3 | 2];
            prost::encoding::encode_varint(bytes.len() as u64, &mut all);
            all.extend(bytes);
            all
        };
        let spans = [0x12, 0].repeat(2_000_000);
        let body = field(1, &field(2, &spans));
        assert!(body.len() < 4 << 20);
        let headers = [("content-type", "application/x-protobuf")];
        let asked = request(Method::POST, "/v1/traces", &headers, body);
        let (answer, text) = ask(&doors, asked).await;
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(text.contains("export smaller batches"), "{text}");
        let records = vec![json!({}); 40_000];
        let body = json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]});
        let (status, answer) = post(&doors, "/v1/logs", &body).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
        let points = vec![json!({"asInt": 1}); 40_000];
        let metric = json!({"name": "a", "gauge": {"dataPoints": points}});
        let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]});
        let (status, answer) = post(&doors, "/v1/metrics", &body).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
    })
    .await;
}

#[tokio::test]
async fn who_speaks_protobuf_is_refused_in_protobuf() {
    on_sqlite(|t| async move {
        let doors = router(&parts(&t).await, Some(token()), false);
        let headers = [("content-type", "application/x-protobuf")];
        let asked = request(Method::POST, "/v1/logs", &headers, "");
        let (answer, text) = ask(&doors, asked).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
        assert!(answer.headers().contains_key("www-authenticate"));
        let status = Status::decode(text.as_bytes()).expect("protobuf");
        assert_eq!(status.code, 16, "{status:?}");
        assert!(status.message.contains("bring a token"), "{status:?}");
    })
    .await;
}

#[tokio::test]
async fn beyond_the_limit_of_connections_health_still_answers_and_nothing_else() {
    on_sqlite(|t| async move {
        let (address, stop) = listening(&t).await;
        let ask = async |path: &str| {
            let mut socket = TcpStream::connect(address).await.expect("connects");
            // Without `connection: close`: it is the door that closes.
            let asked = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
            socket.write_all(asked.as_bytes()).await.expect("writes");
            heard(socket).await
        };
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            idle.push(TcpStream::connect(address).await.expect("connects"));
        }
        for path in ["/healthz", "/readyz"] {
            let said = ask(path).await;
            assert!(said.starts_with("HTTP/1.1 200"), "{path}: {said}");
            assert!(said.contains("connection: close"), "{path}: {said}");
        }
        let said = ask("/metrics").await;
        assert!(said.starts_with("HTTP/1.1 503"), "{said}");
        assert!(said.contains("retry-after: 1"), "{said}");
        drop((idle, stop));
    })
    .await;
}

#[tokio::test]
async fn what_is_rejected_is_counted_in_spans_and_points() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        let doors = router(&parts, None, true);
        let named = |name: &str| {
            let name = json!({"key": "service.name", "value": {"stringValue": name}});
            json!({"attributes": [name]})
        };
        let span = |service: &str| {
            let span = json!({"traceId": "0af7651916cd43dd8448eb211c80319c",
                "spanId": "b7ad6b7169203331", "name": "a",
                "startTimeUnixNano": "1700000000000000000"});
            json!({"resourceSpans": [{"resource": named(service), "scopeSpans": [{"spans": [span]}]}]})
        };
        assert_eq!(post(&doors, "/v1/traces", &span("one")).await.1, json!({}));
        let (_, again) = post(&doors, "/v1/traces", &span("one")).await;
        assert_eq!(again, json!({}), "a repeat is no loss");
        let (status, answer) = post(&doors, "/v1/traces", &span("two")).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1", "{answer}");
        let why = answer["partialSuccess"]["errorMessage"].as_str();
        assert!(why.is_some_and(|it| it.contains("another service's")), "{answer}");
        let (_, text) = get(&doors, "/metrics").await;
        assert!(text.contains("\nbridge_otlp_rejected_items_total 1\n"), "{text}");

        let quantiles: Vec<_> = (0..17).map(|nth| json!({"quantile": nth, "value": 1})).collect();
        let metrics = json!([
            {"name": "a", "histogram": {"aggregationTemporality": 1, "dataPoints": [
                {"count": 0, "bucketCounts": [0]},
                {"count": 0, "bucketCounts": vec![0; 300], "explicitBounds": vec![0; 299]},
            ]}},
            {"name": "b", "summary": {"dataPoints": [
                {"count": 1, "sum": "NaN", "quantileValues": [{"value": "NaN"}]},
                {"count": 1, "sum": 1, "quantileValues": quantiles},
            ]}},
            {"name": "n".repeat(257), "gauge": {"dataPoints": [{"asInt": 1}, {"asInt": 2}]}},
        ]);
        let sent = json!({"resourceMetrics": [{"resource": named("one"),
            "scopeMetrics": [{"metrics": metrics}]}]});
        let (_, answer) = post(&doors, "/v1/metrics", &sent).await;
        let rejected = &answer["partialSuccess"]["rejectedDataPoints"];
        assert_eq!(rejected, "5", "all but the first: {answer}");
        let off = parts.settings.set("telemetry.enable", "false", "test").await;
        off.expect("sets");
        let (_, answer) = post(&doors, "/v1/metrics", &sent).await;
        assert_eq!(answer["partialSuccess"]["rejectedDataPoints"], "6", "{answer}");
    })
    .await;
}

#[tokio::test]
async fn beyond_the_names_that_are_known_points_are_rejected_one_by_one() {
    on_sqlite(|t| async move {
        let doors = router(&parts(&t).await, None, true);
        let of = |name: String, points: usize| {
            let name = json!({"key": "service.name", "value": {"stringValue": name}});
            let points = vec![json!({"asInt": 1}); points];
            let metric = json!({"name": "a", "gauge": {"dataPoints": points}});
            json!({"resource": {"attributes": [name]}, "scopeMetrics": [{"metrics": [metric]}]})
        };
        let many: Vec<_> = (0..1_000).map(|nth| of(format!("s{nth}"), 0)).collect();
        let (_, answer) = post(&doors, "/v1/metrics", &json!({"resourceMetrics": many})).await;
        assert_eq!(answer, json!({}));
        let more = json!({"resourceMetrics": [of("more".to_owned(), 3)]});
        let (_, answer) = post(&doors, "/v1/metrics", &more).await;
        assert_eq!(
            answer["partialSuccess"]["rejectedDataPoints"], "3",
            "{answer}"
        );
    })
    .await;
}
