//! The console over a generated world: two hundred services under load, and one whose names, lines
//! and payloads attack whoever shows them.
//!
//! What it costs a page is printed here; `cargo xtask soak console` demands it over ten minutes,
//! with everything built for release.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::console::set_up;
use crate::harness::{Browser, Database, Process, World, said, soak};

/// Longest time for a world to join, on a busy machine without optimisation.
const JOINS_WITHIN: Duration = Duration::from_secs(240);
/// Growth of a page's memory that counts as flat: what a collection leaves differs by that much.
const GROWTH_MAX: f64 = 1.15;

/// How long tasks are recorded while nobody does anything: a recording is large.
const WATCHED_S: u32 = 20;

/// How large, how busy, how long.
struct Size {
    services: u32,
    routes: u32,
    edges: u32,
    rate: u32,
    hostile: bool,
}

/// Joins a world that lives until the value goes.
async fn populate(world: &World, size: Size) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_world"));
    command.arg("--data").arg(world.data()).args([
        "--runtime",
        &world.address(),
        "--seconds",
        "3600",
    ]);
    for (flag, value) in [
        ("--services", size.services),
        ("--routes", size.routes),
        ("--edges", size.edges),
        ("--rate", size.rate),
    ] {
        command.args([flag, &value.to_string()]);
    }
    if size.hostile {
        command.arg("--hostile");
    }
    let process = Process::spawn("world", &mut command);
    let joined = process.line(JOINS_WITHIN, "world", |line| {
        said(line, "joined").or_else(|| said(line, "failed"))
    });
    let joined = joined.await;
    assert_eq!(joined["event"], "joined", "{joined}");
    process
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_services_stay_readable_and_cost_no_more_than_they_should() {
    let mut world = World::start(Database::sqlite()).await;
    let size = Size {
        services: 200,
        routes: 1_000,
        edges: 3_000,
        rate: if soak() { 2_000 } else { 200 },
        hostile: false,
    };
    let _life = populate(&world, size).await;
    let mut browser = Browser::start(&world.console()).await;
    set_up(&mut world, &mut browser).await;
    browser.step("open", json!({ "path": "/" })).await;
    browser.step("record", json!({})).await;
    let with = json!({ "services": 200 });
    let found = browser.step("map_overview", with).await;
    let opened = browser.step("recorded", json!({})).await;
    println!("map of 200 services: {found}");
    assert_eq!(found["overlapping"], 0, "cards lie on each other");
    let looks = browser.step("looks", json!({ "name": "map-200" })).await;
    assert_eq!(looks["grave"], json!([]), "axe-core");

    browser.step("record", json!({})).await;
    let with = json!({ "search": "orders", "service": "orders-api", "name": "map-200" });
    browser.step("map_walk", with).await;
    let walked = browser.step("recorded", json!({})).await;
    browser.step("record", json!({})).await;
    let still = json!({ "seconds": WATCHED_S });
    browser.step("pass", still).await;
    let watched = browser.step("recorded", json!({})).await;
    let span = if soak() { 600 } else { 20 };
    let memory = browser.step("watch", json!({ "seconds": span })).await;
    let heaps = numbers(&memory["samples"], "heap");
    let growth = growth(&heaps);
    let tasks = [&opened["long"], &walked["long"], &watched["long"]];
    println!("tasks over 50 ms of processor time, opening: {}", tasks[0]);
    println!("walking: {}", tasks[1]);
    println!("watching for {WATCHED_S} s: {}", tasks[2]);
    println!(
        "memory over {span} s, MiB: {:.1?}; grew by {growth:.3}",
        mib(&heaps)
    );
    if soak() {
        assert_eq!(tasks, [&json!([]); 3], "the main thread was kept");
        assert!(
            growth <= GROWTH_MAX,
            "memory grew by {growth:.2}: {heaps:?}"
        );
    }
}

fn numbers(samples: &Value, name: &str) -> Vec<f64> {
    let samples = samples.as_array().expect("a list").iter();
    samples.filter_map(|it| it[name].as_f64()).collect()
}

fn mib(bytes: &[f64]) -> Vec<f64> {
    bytes.iter().map(|it| it / f64::from(1 << 20)).collect()
}

/// The last third against the second one: the first is warming up.
fn growth(samples: &[f64]) -> f64 {
    let third = (samples.len() / 3).max(1);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let last = &samples[samples.len() - third..];
    let middle = &samples[samples.len() - 2 * third..samples.len() - third];
    mean(last) / mean(middle)
}

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
