//! The console over a generated world of two hundred services under load: readable, and no page
//! costs more than it should.
//!
//! A task is judged by the processor's time of the page's main thread, not by the wall's: the
//! world, the runtime and the browser share two processors here, and a thread that waits for one
//! of them did nothing that a page could do better. Both are printed.
//!
//! Costs are printed here; `cargo xtask soak console_world` demands them over ten minutes, with
//! everything built for release. `BRIDGE_SOAK_SECONDS` shortens the ten minutes.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::console::set_up;
use crate::harness::{Browser, Database, Process, World, said, soak};

/// Longest time for a world to join, on a busy machine without optimisation.
const JOINS_WITHIN: Duration = Duration::from_secs(240);
/// Growth of what a page holds that counts as flat: what a collection leaves differs by that much.
const GROWTH_MAX: f64 = 1.15;
/// Longest time until something is painted, without anything cached.
const FIRST_PAINT_MS_MAX: u64 = 1_000;
/// How long a page is watched while nobody does anything, in seconds: a recording is large.
const WATCHED_S: u64 = 20;
/// Length of the tour through all pages, in seconds.
const TOUR_S: u64 = 600;

/// Every page that shows what goes on; the page of a trace comes to them.
const PAGES: [&str; 12] = [
    "/",
    "/traces",
    "/logs",
    "/services",
    "/services/orders-api",
    "/services/orders-api?tab=methods",
    "/metrics",
    "/metrics?by=routes",
    "/metrics?service=orders-api",
    "/metrics/explore?name=http.server.request.duration",
    "/settings",
    "/settings/about",
];

/// How large, how busy, how long.
pub(crate) struct Size {
    pub(crate) services: u32,
    pub(crate) routes: u32,
    pub(crate) edges: u32,
    pub(crate) rate: u32,
    pub(crate) hostile: bool,
}

/// Joins a world that lives until the value goes.
pub(crate) async fn populate(world: &World, size: Size) -> Process {
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
    let mut costs = Costs::default();
    map_is_readable(&mut browser, &mut costs).await;
    let newest = browser.step("newest_trace", json!({})).await;
    let trace = newest["path"].as_str().expect("a path").to_owned();
    let mut paths = PAGES.map(str::to_owned).to_vec();
    paths.push(trace);
    for path in &paths {
        open_and_watch(&mut browser, path, &mut costs).await;
    }
    go_round(&mut browser, &paths, &mut costs).await;
    if soak() {
        assert_eq!(costs.0, [""; 0], "{:#?}", costs.0);
    }
}

/// What costs more than it should.
#[derive(Debug, Default)]
struct Costs(Vec<String>);

impl Costs {
    /// Tasks of a recording that kept the main thread.
    fn tasks(&mut self, doing: &str, recorded: &Value) {
        let (long, wall) = (&recorded["long"], &recorded["wall"]);
        println!("{doing}: tasks over 50 ms of processor time {long}; by the wall's {wall}");
        self.expect(*long == json!([]), || format!("{doing}: {long}"));
    }

    /// Readings that were to stay where they were.
    fn flat(&mut self, what: &str, readings: &[f64]) {
        let growth = growth(readings);
        println!("{what}: {readings:.1?}; grew by {growth:.3}");
        self.expect(growth <= GROWTH_MAX, || {
            format!("{what} grew by {growth:.3}")
        });
    }

    fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.0.push(otherwise());
        }
    }
}

/// Cards do not lie on each other, everybody can use it, and walking over it keeps nobody waiting.
/// How it looks is in `target/screens`.
async fn map_is_readable(browser: &mut Browser, costs: &mut Costs) {
    browser.step("open", json!({ "path": "/" })).await;
    let found = browser
        .step("map_overview", json!({ "services": 200 }))
        .await;
    println!("map of 200 services: {found}");
    assert_eq!(found["overlapping"], 0, "cards lie on each other");
    let looks = browser.step("looks", json!({ "name": "map-200" })).await;
    assert_eq!(looks["grave"], json!([]), "axe-core");
    browser.step("record", json!({})).await;
    let with = json!({ "search": "orders", "service": "orders-api", "name": "map-200" });
    browser.step("map_walk", with).await;
    let walked = browser.step("recorded", json!({})).await;
    costs.tasks("walking over the map", &walked);
}

/// Opens a page by its address without anything cached, then again under watch.
async fn open_and_watch(browser: &mut Browser, path: &str, costs: &mut Costs) {
    let first = browser.step("first_paint", json!({ "path": path })).await;
    let paint = first["first_paint_ms"].as_u64();
    println!("{path}: first paint after {paint:?} ms");
    costs.expect(paint.is_some_and(|it| it <= FIRST_PAINT_MS_MAX), || {
        format!("{path}: first paint after {paint:?} ms")
    });
    browser.step("record", json!({})).await;
    browser.step("open", json!({ "path": path })).await;
    let watched = if soak() { WATCHED_S } else { 2 };
    browser.step("pass", json!({ "seconds": watched })).await;
    let recorded = browser.step("recorded", json!({})).await;
    costs.tasks(path, &recorded);
}

/// Visits all pages in turns: once under watch, then for long. What a page left behind when one
/// goes on would add up.
async fn go_round(browser: &mut Browser, paths: &[String], costs: &mut Costs) {
    let stay_ms = if soak() { 4_000 } else { 500 };
    browser.step("open", json!({ "path": "/" })).await;
    browser.step("record", json!({})).await;
    let round = json!({ "paths": paths, "stay_ms": stay_ms });
    browser.step("round", round).await;
    let recorded = browser.step("recorded", json!({})).await;
    costs.tasks("going on to the next page", &recorded);
    let seconds = std::env::var("BRIDGE_SOAK_SECONDS");
    let seconds = seconds.ok().and_then(|it| it.parse().ok());
    let seconds = seconds.unwrap_or(if soak() { TOUR_S } else { 10 });
    let tour = json!({ "paths": paths, "stay_ms": stay_ms, "seconds": seconds });
    let told = browser.step("tour", tour).await;
    println!(
        "tour of {seconds} s: {} tasks over 50 ms by the wall's clock, the longest {}",
        told["tasks"], told["longest"]
    );
    let heaps = numbers(&told["samples"], "heap");
    let mib: Vec<f64> = heaps.iter().map(|it| it / f64::from(1 << 20)).collect();
    costs.flat("memory of the page, MiB", &mib);
    for what in ["nodes", "listeners"] {
        costs.flat(what, &numbers(&told["samples"], what));
    }
}

fn numbers(samples: &Value, name: &str) -> Vec<f64> {
    let samples = samples.as_array().expect("a list").iter();
    samples.filter_map(|it| it[name].as_f64()).collect()
}

/// The last third against the second one: the first is warming up. 1 for less than three readings,
/// which say nothing.
fn growth(samples: &[f64]) -> f64 {
    let third = samples.len() / 3;
    if third == 0 {
        return 1.0;
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let last = &samples[samples.len() - third..];
    let middle = &samples[samples.len() - 2 * third..samples.len() - third];
    mean(last) / mean(middle)
}
