//! The console over a world in which one service's names, lines and payloads attack whoever shows
//! them, and over a stranger who does the same from outside.
//!
//! Nothing of it may run, and all of it is there to be read, letter by letter.

use std::time::Duration;

use serde_json::{Value, json};

use crate::console::set_up;
use crate::console_world::{Size, populate};
use crate::harness::{Browser, Database, World, said};

/// Pages that show what somebody else wrote.
const SHOWING: [(&str, &str); 7] = [
    ("hostile-map", "/"),
    ("hostile-traces", "/traces"),
    ("hostile-services", "/services"),
    ("hostile-service", "/services/web-gateway"),
    ("hostile-metrics", "/metrics"),
    ("hostile-logs", "/logs"),
    ("hostile-settings", "/settings"),
];

/// A service that is not ours: whoever exports over OTLP chooses its name, and what it is as a
/// piece of a path.
const STRANGER: (&str, &str) = (
    "<img src=x onerror=window.__xss=9>",
    "%3Cimg%20src%3Dx%20onerror%3Dwindow.__xss%3D9%3E",
);
const ITS_ROUTE: &str = "/<script>window.__xss=10</script>/{id}";
const ITS_LINE: &str = "<svg onload=window.__xss=11>";

/// The stranger answers a request and logs a line.
async fn stranger_reports(world: &World) {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let from = json!({ "attributes": [text("service.name", STRANGER.0)] });
    let now = format!("{}000000", world.clock.now().as_millis());
    let span = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "kind": 2,
        "name": ITS_ROUTE, "startTimeUnixNano": now, "endTimeUnixNano": now,
        "attributes": [text("http.request.method", "GET"), text("http.route", ITS_ROUTE)],
    });
    let line = json!({ "timeUnixNano": now, "body": { "stringValue": ITS_LINE } });
    for (path, body) in [
        (
            "traces",
            json!({ "resourceSpans": [{ "resource": from, "scopeSpans": [{ "spans": [span] }] }] }),
        ),
        (
            "logs",
            json!({ "resourceLogs": [{ "resource": from, "scopeLogs": [{ "logRecords": [line] }] }] }),
        ),
    ] {
        let url = format!("http://{}/v1/{path}", world.health());
        let sent = reqwest::Client::new().post(url).body(body.to_string());
        let sent = sent.header("content-type", "application/json").send().await;
        let answer = sent.expect("the door answers").text().await;
        assert_eq!(answer.expect("text"), "{}", "all of it is stored");
    }
}

/// Pages, and what somebody else wrote that stands on them letter by letter.
fn read_by_people() -> Vec<(String, &'static str)> {
    let (name, piece) = STRANGER;
    let methods = "/services/web-gateway?tab=methods";
    vec![
        (methods.to_owned(), "/<script>window.__xss=1</script>/{id}"),
        ("/logs".to_owned(), "<img src=x onerror=window.__xss=2>"),
        ("/services".to_owned(), name),
        ("/metrics".to_owned(), name),
        (format!("/services/{piece}"), name),
        (format!("/services/{piece}?tab=methods"), ITS_ROUTE),
        (format!("/traces?service={piece}"), ITS_ROUTE),
        (format!("/logs?service={piece}"), ITS_LINE),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_lines_and_payloads_that_attack_stay_text() {
    let mut world = World::start(Database::sqlite()).await;
    let size = Size {
        services: 16,
        routes: 60,
        edges: 80,
        rate: 60,
        hostile: true,
    };
    let life = populate(&world, size).await;
    let mut browser = Browser::start(&world.console()).await;
    set_up(&mut world, &mut browser).await;
    // One beat of the world, so that everything hostile has been reported.
    let loaded = |line: &str| said(line, "load").filter(|it| it["ops"].as_u64() > Some(100));
    life.line(Duration::from_secs(60), "load", loaded).await;
    stranger_reports(&world).await;
    for (name, path) in SHOWING {
        let with = json!({ "name": name, "path": path, "settle_ms": 1_500, "axe": false });
        browser.step("looks", with).await;
    }
    for (path, text) in read_by_people() {
        let with = json!({ "path": path, "text": text });
        browser.step("letters", with).await;
    }
    // A method's name, which a number ends.
    let with = json!({ "path": "/services/web-gateway?tab=methods" });
    browser.step("open", with).await;
    let with = json!({ "pattern": "^<script>window.__xss=1</script>[0-9]+$" });
    browser.step("shows", with).await;
    // Every trace that failed says why in somebody else's words, and so do its payloads.
    let opened = browser
        .step("open_failed_traces", json!({ "count": 6 }))
        .await;
    println!("opened {}", opened["opened"]);
    let payloads = opened["payloads"].as_array().expect("a list");
    let attacks = |it: &&Value| {
        let text = it.as_str().unwrap_or_default();
        text.contains("window.__xss") || text.contains("txt.exe")
    };
    let shown = payloads.iter().filter(attacks).count();
    assert!(shown > 0, "no attack in {} payloads", payloads.len());
    for service in ["web-gateway", STRANGER.0] {
        browser
            .step("map_select", json!({ "service": service }))
            .await;
        browser
            .step("looks", json!({ "name": "hostile-panel", "axe": false }))
            .await;
    }
}
