//! What the open doors promise: who passes, what is too much, and that nothing breaks them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use contract::ids::{IdMint, InstanceId, ServiceId};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use super::door::{router, serve};
use super::guard::{REQUESTS_MAX, ScrapeToken};
use super::parts::Parts;
use crate::accounts::{self, Accounts};
use crate::db::testing::{TestDb, on_both_databases, on_sqlite};
use crate::identity::Presence;
use crate::outcomes::{self, Outcomes};
use crate::registry::Registry;
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::telemetry::{Level, LogEntry, LogFilter, Reports, Telemetry};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub(super) async fn parts(t: &TestDb) -> Parts {
    let settings = Settings::open(&t.db, &t.clock, &t.mint)
        .await
        .expect("settings");
    let presence = Presence::new(&t.clock);
    let registry = Registry::open(&t.db, &t.clock, &settings, &presence, []).await;
    let telemetry = Telemetry::new(&t.db);
    let accounts = Accounts::open(accounts::Parts {
        db: t.db.clone(),
        clock: t.clock.clone(),
        mint: t.mint.clone(),
        settings: settings.clone(),
    });
    let (accounts, _) = accounts.await.expect("accounts");
    let outcomes = Outcomes::open(outcomes::Parts {
        db: t.db.clone(),
        clock: t.clock.clone(),
        settings: settings.clone(),
    });
    Parts {
        db: t.db.clone(),
        clock: t.clock.clone(),
        started: (t.clock.now(), t.clock.monotonic()),
        settings,
        presence,
        registry: registry.expect("registry"),
        outcomes: outcomes.await.expect("outcomes"),
        reports: Reports::new(&telemetry),
        telemetry,
        tasks: Tasks::new(&t.clock),
        accounts,
    }
}

pub(super) fn token() -> ScrapeToken {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("token");
    std::fs::write(&path, TOKEN).expect("written");
    ScrapeToken::from_file(&path).expect("a token")
}

pub(super) fn request(
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in [("host", "localhost")].iter().chain(headers) {
        request = request.header(*name, *value);
    }
    request.body(body.into()).expect("a request")
}

pub(super) async fn ask(router: &Router, request: Request<Body>) -> (Response<()>, String) {
    let Ok(answer) = router.clone().oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    (
        Response::from_parts(parts, ()),
        String::from_utf8_lossy(&body).into_owned(),
    )
}

pub(super) async fn get(router: &Router, path: &str) -> (StatusCode, String) {
    let (answer, body) = ask(router, request(Method::GET, path, &[], "")).await;
    (answer.status(), body)
}

pub(super) async fn post(router: &Router, path: &str, body: &Value) -> (StatusCode, Value) {
    let headers = [("content-type", "application/json")];
    let body = body.to_string();
    let (answer, body) = ask(router, request(Method::POST, path, &headers, body)).await;
    (answer.status(), serde_json::from_str(&body).expect("JSON"))
}

pub(super) fn log(service: &str, message: &str) -> Value {
    let name = json!({"key": "service.name", "value": {"stringValue": service}});
    json!({"resourceLogs": [{"resource": {"attributes": [name]}, "scopeLogs": [{"logRecords": [
        {"body": {"stringValue": message}, "severityNumber": 13},
    ]}]}]})
}

#[tokio::test]
async fn beyond_loopback_nobody_passes_without_a_token_but_to_health() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        for (token, loopback, open) in [
            (None, true, true),
            (Some(token()), true, false),
            (None, false, false),
            (Some(token()), false, false),
        ] {
            let has_token = token.is_some();
            let doors = router(&parts, token, loopback);
            for path in ["/healthz", "/readyz"] {
                assert_eq!(get(&doors, path).await.0, StatusCode::OK, "{path}");
            }
            let paths = [
                "/metrics",
                "/ready",
                "/loki/api/v1/labels",
                "/loki/api/v1/status/buildinfo",
                "/loki/api/v1/label/service/values",
                "/loki/api/v1/query?query=vector(1)",
                "/loki/api/v1/query_range?query=%7B%7D",
                "/loki/api/v1/series?match[]=%7B%7D",
            ];
            for path in paths {
                let (status, _) = get(&doors, path).await;
                let expected = if open {
                    StatusCode::OK
                } else {
                    StatusCode::UNAUTHORIZED
                };
                assert_eq!(status, expected, "{path}");
            }
            for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
                let (status, _) = post(&doors, path, &json!({})).await;
                let expected = if open {
                    StatusCode::OK
                } else {
                    StatusCode::UNAUTHORIZED
                };
                assert_eq!(status, expected, "{path}");
            }
            let with = async |value: String| {
                let asked = request(Method::GET, "/metrics", &[("authorization", &value)], "");
                ask(&doors, asked).await.0.status()
            };
            let expected = if open || has_token {
                StatusCode::OK
            } else {
                StatusCode::UNAUTHORIZED
            };
            assert_eq!(with(format!("Bearer {TOKEN}")).await, expected);
            if !open {
                assert_eq!(
                    with(format!("Bearer {TOKEN}x")).await,
                    StatusCode::UNAUTHORIZED
                );
                assert_eq!(with("Bearer ".to_owned()).await, StatusCode::UNAUTHORIZED);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_host_cannot_read_through_a_browser_here() {
    on_sqlite(|t| async move {
        let doors = router(&parts(&t).await, None, true);
        let asked = Request::builder()
            .uri("/metrics")
            .header("host", "evil.example");
        let (answer, text) = ask(&doors, asked.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(text.contains("--export-token-file"), "{text}");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let asked = request(Method::POST, "/v1/logs", &[(name, value)], "{}");
            let (answer, text) = ask(&doors, asked).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name}: {text}");
        }
    })
    .await;
}

on_both_databases! {
    async fn what_comes_over_otlp_is_stored_and_read_by_lokis_api(t: TestDb) {
        let parts = parts(&t).await;
        let doors = router(&parts, None, true);
        let (status, answer) = post(&doors, "/v1/logs", &log("snake", "hello there")).await;
        assert_eq!((status, answer), (StatusCode::OK, json!({})));
        let page = parts.telemetry.logs().query(&LogFilter::default(), 10, None).await.expect("reads");
        assert_eq!(page.lines[0].entry.level, Level::Warn);
        let service = page.lines[0].entry.service;
        assert!(parts.registry.is_foreign(service));
        assert_eq!(parts.registry.service_name(service).as_deref(), Some("snake"));

        let (status, text) = get(&doors, "/loki/api/v1/query_range?query=%7Bservice=%22snake%22,level=~%22warn%7Cerror%22%7D%7C=%22hello%22").await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(answer["data"]["result"][0]["values"][0][1], "hello there");
        assert_eq!(answer["data"]["result"][0]["stream"]["service"], "snake");
        let (_, text) = get(&doors, "/loki/api/v1/label/service/values").await;
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(answer["data"], json!(["snake"]));

        // The name is there after a restart as well.
        let again = Registry::open(&t.db, &t.clock, &parts.settings, &parts.presence, []).await;
        let again = again.expect("opens");
        assert_eq!(again.service_named("snake"), Some(service));
    }
}

#[tokio::test]
async fn counting_over_time_counts_what_lies_in_each_window() {
    on_sqlite(|t| async move {
        let parts = parts(&t).await;
        let mint = IdMint::seeded(2, &t.clock);
        let actor = crate::telemetry::Actor {
            service: ServiceId::mint(&mint),
            instance: InstanceId::mint(&mint),
        };
        let base = t.clock.now().as_millis() / 10_000 * 10_000 - 60_000;
        let line = |at: i64, level| LogEntry::new(actor, base + at, 1, level, "some words");
        let lines = [
            (1_000, Level::Info),
            (9_000, Level::Error),
            (11_000, Level::Info),
            (29_000, Level::Info),
        ];
        let lines = lines.map(|(at, level)| line(at, level)).to_vec();
        parts.telemetry.logs().write(lines).await.expect("stores");
        let doors = router(&parts, None, true);
        let (start, end) = (base / 1_000 + 10, base / 1_000 + 30);
        let ask = async |query: &str| {
            let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            let path =
                format!("/loki/api/v1/query_range?start={start}&end={end}&step=10&query={query}");
            let (status, text) = get(&doors, &path).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            serde_json::from_str::<Value>(&text).expect("JSON")["data"]["result"].clone()
        };
        let counted = ask("sum by (level) (count_over_time({}[10s]))").await;
        let at = |nth: i64, value: &str| json!([start + nth * 10, value]);
        assert_eq!(
            counted,
            json!([
                {"metric": {"level": "error"}, "values": [at(0, "1")]},
                {"metric": {"level": "info"}, "values": [at(0, "1"), at(1, "1"), at(2, "1")]},
            ])
        );
        let rate = ask("sum(rate({level=\"info\"}[20s]))").await;
        assert_eq!(
            rate[0]["values"],
            json!([at(0, "0.05"), at(1, "0.1"), at(2, "0.1")])
        );
        let bytes = ask("sum(bytes_over_time({} != \"nothing\" [1m]))").await;
        assert_eq!(bytes[0]["values"][2], at(2, "40"));
    })
    .await;
}

#[tokio::test]
async fn wrong_questions_are_answered_with_what_is_wrong() {
    on_sqlite(|t| async move {
        let doors = router(&parts(&t).await, None, true);
        for (path, expected, word) in [
            ("/loki/api/v1/query_range", 400, "`query` is missing"),
            (
                "/loki/api/v1/query_range?query=%7Ba=%22b%22%7D%7Cjson",
                400,
                "`| json` is not supported",
            ),
            (
                "/loki/api/v1/query_range?query=%7B%7D&limit=9999",
                400,
                "max entries limit",
            ),
            (
                "/loki/api/v1/query_range?query=%7B%7D&start=x",
                400,
                "`start`",
            ),
            (
                "/loki/api/v1/query_range?query=rate(%7B%7D%5B1m%5D)&step=1ms",
                400,
                "11000 points",
            ),
            (
                "/loki/api/v1/query?query=rate(%7B%7D%5B1m%5D)&time=9223372036854775807",
                400,
                "`time`",
            ),
            (
                "/loki/api/v1/query_range?query=vector(1)&start=9223372036854775806&end=9223372036854775807&step=1",
                400,
                "`end`",
            ),
            ("/loki/api/v1/query?query=%7B%7D", 400, "instant query"),
            ("/loki/api/v1/series", 400, "match[]"),
            ("/loki/api/v1/push", 404, "/loki/api/v1/"),
            ("/", 404, "/metrics"),
        ] {
            let (status, text) = get(&doors, path).await;
            assert_eq!(
                (status.as_u16(), text.contains(word)),
                (expected, true),
                "{path}: {text}"
            );
        }
        let typed = async |kind: &str, encoding: &str, body: Vec<u8>| {
            let headers = [("content-type", kind), ("content-encoding", encoding)];
            let asked = request(Method::POST, "/v1/traces", &headers, body);
            ask(&doors, asked).await
        };
        let json = "application/json";
        for (kind, encoding, body, expected) in [
            ("text/plain", "", b"{}".to_vec(), 415),
            (json, "zstd", b"{}".to_vec(), 415),
            (json, "gzip", b"{}".to_vec(), 400),
            (json, "", b"{".to_vec(), 400),
            ("application/x-protobuf", "", vec![0xff; 9], 400),
            (json, "", vec![b' '; (4 << 20) + 1], 413),
            (json, "gzip", bomb(), 413),
        ] {
            let (answer, text) = typed(kind, encoding, body).await;
            assert_eq!(
                answer.status().as_u16(),
                expected,
                "{kind} {encoding}: {text}"
            );
            let said = answer.headers()["content-type"].to_str().expect("text");
            assert_eq!(
                said,
                if kind.ends_with("protobuf") {
                    kind
                } else {
                    json
                }
            );
        }
    })
    .await;
}

/// Some KiB that are 64 MiB unpacked.
fn bomb() -> Vec<u8> {
    let level = flate2::Compression::best();
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
    writer.write_all(&vec![b' '; 64 << 20]).expect("memory");
    writer.finish().expect("memory")
}

/// The doors on a port of their own.
pub(super) async fn listening(t: &TestDb) -> (SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let parts = parts(t).await;
    tokio::spawn(serve(listener, parts, None, async {
        let _ = stopped.await;
    }));
    (address, stop)
}

pub(super) async fn heard(mut socket: TcpStream) -> String {
    let mut said = Vec::new();
    // A reset after the answer is an answer too.
    let _ = socket.read_to_end(&mut said).await;
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn garbage_on_the_port_is_turned_away_and_others_are_served() {
    on_sqlite(|t| async move {
        let (address, stop) = listening(&t).await;
        let huge = format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
        for garbage in [
            &b"\x16\x03\x01\x02\x00\x01\x00"[..],
            b"hello\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            huge.as_bytes(),
        ] {
            let mut socket = TcpStream::connect(address).await.expect("connects");
            let _ = socket.write_all(garbage).await;
            let _ = socket.shutdown().await;
            let said = heard(socket).await;
            assert!(
                said.is_empty() || said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.1 5"),
                "{said}"
            );
        }
        let mut socket = TcpStream::connect(address).await.expect("connects");
        let asked = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        socket.write_all(asked).await.expect("writes");
        assert!(heard(socket).await.starts_with("HTTP/1.1 200"));
        drop(stop);
    })
    .await;
}

#[tokio::test]
async fn slow_bodies_take_no_more_than_their_places_and_leave_health_alone() {
    on_sqlite(|t| async move {
        let (address, stop) = listening(&t).await;
        let mut slow = Vec::new();
        for _ in 0..REQUESTS_MAX {
            let mut socket = TcpStream::connect(address).await.expect("connects");
            let head = b"POST /v1/logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
            socket.write_all(head).await.expect("writes");
            slow.push(socket);
        }
        let ask = async |path: &str| {
            let mut socket = TcpStream::connect(address).await.expect("connects");
            let asked = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            socket.write_all(asked.as_bytes()).await.expect("writes");
            heard(socket).await
        };
        let mut turned_away = String::new();
        for _ in 0..500 {
            turned_away = ask("/metrics").await;
            if turned_away.starts_with("HTTP/1.1 503") {
                break;
            }
            t.clock.sleep(Duration::from_millis(10)).await;
        }
        assert!(turned_away.starts_with("HTTP/1.1 503") && turned_away.contains("retry-after: 1"), "{turned_away}");
        assert!(ask("/readyz").await.starts_with("HTTP/1.1 200"));
        drop(slow);
        for _ in 0..500 {
            if ask("/metrics").await.starts_with("HTTP/1.1 200") {
                drop(stop);
                return;
            }
            t.clock.sleep(Duration::from_millis(10)).await;
        }
        panic!("the places were not given back");
    })
    .await;
}
