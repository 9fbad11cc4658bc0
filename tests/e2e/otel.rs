//! Interoperation with OpenTelemetry, both directions, against its stock Python SDK: who calls us,
//! whom we call, and who receives what we export.
//!
//! ```text
//!  python (requests, W3C propagators) ─▶ our service ─▶ our client ─▶ python (extracts)
//!            └───────── OTLP ─────────┬───────┴───────── OTLP ────────────┘
//!                                     ▼
//!                            python (OTLP over HTTP and gRPC)
//! ```

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bridge_otel::{Otlp, OtlpExporter, Protocol};
use bridge_tower::client::Reqwest;
use bridge_tower::{Observed, Recorder};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Process, said};
use crate::python::prepared;

/// Longest wait for a line, the installation of the packages not included.
const PATIENCE: Duration = Duration::from_secs(60);
/// The trace and the operation that python's own caller told it of.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// A stock OpenTelemetry service, and one of ours that exports to it and calls it.
struct Pair {
    python: Process,
    ports: Value,
    /// Base url of ours.
    ours: String,
    exporters: [Otlp; 2],
    plain: reqwest::Client,
}

impl Pair {
    async fn start() -> Self {
        let (python, _) = tokio::task::spawn_blocking(prepared)
            .await
            .expect("python can be prepared");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/otel_peer.py");
        let python = Process::spawn_open("otel_peer", Command::new(python).arg(script));
        let listening = |line: &str| said(line, "listening");
        let ports = python.line(PATIENCE, "ports", listening).await;
        let recorder = Recorder::new();
        let exporters = [("otlp", Protocol::HttpProtobuf), ("grpc", Protocol::Grpc)];
        let exporters = exporters.map(|(port, protocol)| {
            let exporter = OtlpExporter::builder()
                .endpoint(format!("http://127.0.0.1:{}", ports[port]))
                .protocol(protocol)
                .service_name("shop");
            exporter.build(&recorder).expect("an exporter")
        });
        let ours = serve(
            &recorder,
            format!("http://127.0.0.1:{}/extract", ports["http"]),
        )
        .await;
        let plain = reqwest::Client::new();
        Self {
            python,
            ports,
            ours,
            exporters,
            plain,
        }
    }

    /// Has python call ours. Returns what python, called by ours, was told.
    async fn call(&self, sampled: u8) -> Value {
        let (port, ours) = (&self.ports["http"], &self.ours);
        let url = format!("http://127.0.0.1:{port}/call?sampled={sampled}&url={ours}/orders/7");
        let answer = self.plain.get(url).send().await.expect("python answers");
        let answer = answer.text().await.expect("a text");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["status"], 200);
        answer["body"].clone()
    }

    async fn flush(&self) {
        for exporter in &self.exporters {
            exporter.flush().await.expect("python takes what we export");
        }
    }

    /// The span that is all of this.
    async fn span(&self, what: &[(&str, &str)]) -> Value {
        let is_it = |line: &str| {
            let span = said(line, "span")?;
            what.iter()
                .all(|(key, value)| span[*key] == *value)
                .then_some(span)
        };
        self.python
            .line(PATIENCE, &format!("{what:?}"), is_it)
            .await
    }
}

/// A service that asks `other` before it answers. Returns its base url.
async fn serve(recorder: &Recorder, other: String) -> String {
    let client = Reqwest::new(recorder).expect("a client");
    let ask = async move || {
        let request = client.inner().get(&other).build().expect("a request");
        let answer = client
            .execute_as("/extract", request)
            .await
            .expect("python answers");
        answer.text().await.expect("a text")
    };
    let router = Router::new().route("/orders/{id}", get(ask));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let app = Observed::new(router, recorder);
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://127.0.0.1:{port}")
}

#[tokio::test]
async fn one_trace_runs_through_a_stock_service_and_ours_and_back() {
    let pair = Pair::start().await;
    let told = pair.call(1).await;
    pair.flush().await;

    let client = [
        ("service", "python"),
        ("kind", "CLIENT"),
        ("parent", CALLER),
    ];
    let asked = pair.span(&client).await;
    for transport in ["http", "grpc"] {
        let parent = asked["span"].as_str().expect("text");
        let served = [
            ("transport", transport),
            ("kind", "SERVER"),
            ("parent", parent),
        ];
        let served = pair.span(&served).await;
        assert_eq!(served["name"], "GET /orders/{id}");
        assert_eq!(
            (&served["service"], &served["scope"]),
            (&"shop".into(), &"bridge-tower".into())
        );
        assert_eq!(
            (&served["trace"], &served["status"]),
            (&TRACE.into(), &0.into())
        );
        assert_eq!(served["state"], "vendor=opaque,tenant@system=1;2");
        let attributes = json!({
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "http.route": "/orders/{id}",
            "network.protocol.version": "1.1",
            "url.path": "/orders/7",
            "url.scheme": "http",
        });
        assert_eq!(served["attributes"], attributes);

        let parent = served["span"].as_str().expect("text");
        let sent = [
            ("transport", transport),
            ("kind", "CLIENT"),
            ("parent", parent),
        ];
        let sent = pair.span(&sent).await;
        assert_eq!(
            (&sent["name"], &sent["trace"]),
            (&"GET /extract".into(), &TRACE.into())
        );
        let port = &pair.ports["http"];
        assert_eq!(sent["attributes"]["server.address"], "127.0.0.1");
        assert_eq!(&sent["attributes"]["server.port"], port);
        assert_eq!(
            sent["attributes"]["url.full"],
            format!("http://127.0.0.1:{port}/extract")
        );
        assert!(
            sent["nanos"].as_u64() <= served["nanos"].as_u64(),
            "it is a part of the other"
        );
        assert_eq!(
            sent["span"], told["parent"],
            "python hangs under our client's span"
        );
    }

    let extracted = told["parent"].as_str().expect("text");
    let extracted = pair
        .span(&[("service", "python"), ("parent", extracted)])
        .await;
    assert_eq!(
        (&extracted["name"], &extracted["trace"]),
        (&"extract".into(), &TRACE.into())
    );
    assert_eq!(extracted["span"], told["span"]);
}

#[tokio::test]
async fn what_travels_along_reaches_the_next_service_as_the_stock_propagators_read_it() {
    let pair = Pair::start().await;
    for sampled in [1, 0] {
        let told = pair.call(sampled).await;
        assert_eq!(
            (&told["trace"], &told["remote"]),
            (&TRACE.into(), &true.into())
        );
        assert_eq!(told["sampled"], sampled == 1);
        assert_eq!(
            told["state"],
            json!({"vendor": "opaque", "tenant@system": "1;2"})
        );
        assert_eq!(told["baggage"], json!({"user": "zoë, 7"}));
    }
    pair.flush().await;
    // One of the two calls was not to be recorded, and everything before the flush is there.
    let ours = |line: &str| said(line, "span").is_some_and(|it| it["service"] == "shop");
    assert_eq!(
        pair.python.count(ours),
        4,
        "two spans of one call, by two ways"
    );
}

#[tokio::test]
async fn a_stock_receiver_knows_every_field_that_is_sent() {
    let pair = Pair::start().await;
    pair.call(1).await;
    pair.flush().await;
    for (name, key, value) in [
        ("http.server.request.duration", "http.route", "/orders/{id}"),
        (
            "http.client.request.duration",
            "server.address",
            "127.0.0.1",
        ),
    ] {
        for transport in ["http", "grpc"] {
            let is_it = |line: &str| {
                let point = said(line, "point")?;
                let is_it = point["name"] == name && point["transport"] == transport;
                is_it.then_some(point)
            };
            let point = pair.python.line(PATIENCE, name, is_it).await;
            assert_eq!(
                (&point["kind"], &point["unit"]),
                (&"histogram".into(), &"s".into())
            );
            assert_eq!(
                (&point["value"], &point["attributes"][key]),
                (&1.into(), &value.into())
            );
        }
    }
    let strange = |line: &str| {
        let unknown = said(line, "request")?["unknown"].clone();
        (unknown != json!([])).then_some(unknown)
    };
    assert_eq!(pair.python.seen(strange), None);
    let requests = pair.python.count(|line| said(line, "request").is_some());
    // Self-test, spans and metrics by both ways, and python's own spans.
    assert!(requests >= 8, "{requests}");
}
