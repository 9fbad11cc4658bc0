//! The console in a real browser, over one runtime: from the first start to an order's trace.
//!
//! SQLite alone: nothing here depends on the database. Screenshots are in `target/screens`.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use bridge::telemetry::Level;
use bridge::{Bridge, Client, Telemetry};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::contracts::v1::{Desk, EchoRequest, JudgeRequest};
use crate::harness::{Browser, Database, World, setup_token};

/// Longest wait for what the runtime does with what it was sent.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// Rows that a person sees change have to do so in this time.
const SEEN_MS: u64 = 5_000;
/// Every page of the console, and a text that is there when it has loaded.
const PAGES: [(&str, &str, &str); 19] = [
    ("map", "/", "desk"),
    ("map-list", "/?view=list", "desk"),
    ("map-chosen", "/?select=s:desk", "Called by"),
    ("traces", "/traces", "/v1/orders"),
    ("services", "/services", "desk"),
    ("service", "/services/desk", "Instances"),
    ("service-methods", "/services/desk?tab=methods", "Echo"),
    ("service-calls", "/services/orders?tab=calls", "desk"),
    ("service-keys", "/services/desk?tab=keys", "Revoke"),
    ("metrics", "/metrics", "orders"),
    ("metrics-explore", "/metrics/explore", "process.rss_bytes"),
    ("logs", "/logs", "order placed"),
    ("settings", "/settings", "telemetry.enable"),
    ("accounts", "/settings/accounts", USERNAME),
    ("tokens", "/settings/tokens", "token"),
    ("changes", "/settings/changes", "billing"),
    ("doctor", "/settings/doctor", "data folder"),
    ("about", "/settings/about", "Waiting to be stored"),
    ("account", "/account", "Change the password"),
];

pub(crate) const USERNAME: &str = "ada";
pub(crate) const PASSWORD: &str = "a long walk by the sea";

#[derive(Clone)]
struct Shop {
    desk: Client<Desk>,
    telemetry: Telemetry,
}

/// `POST /v1/refunds`: asks the desk to judge, which refuses.
async fn refund(State(shop): State<Shop>) -> StatusCode {
    let verdict = "refuse".to_owned();
    let asked = shop.desk.judge(JudgeRequest { verdict }).await;
    asked.expect_err("the desk refuses");
    StatusCode::INTERNAL_SERVER_ERROR
}

/// `POST /v1/orders`: asks the desk and says so in the log.
async fn place(State(shop): State<Shop>, Json(order): Json<Value>) -> Json<Value> {
    let request = EchoRequest {
        text: order.to_string(),
    };
    let reply = shop.desk.echo(request).await.expect("the desk answers");
    let said = shop.telemetry.log(Level::Info, "order placed");
    said.field("asked", reply.text.clone()).send();
    Json(json!({ "accepted": true }))
}

/// A service with a route, in this process; says where it listens.
pub(crate) async fn orders(world: &World) -> (Bridge, String) {
    let key = world.key("orders").await;
    let mut builder = Bridge::builder("orders").runtime(world.address(), key);
    let shop = Shop {
        desk: builder.client::<Desk>(),
        telemetry: builder.telemetry(),
    };
    let bridge = builder.caller_only().start().await.expect("starts");
    let app = Router::new()
        .route("/v1/orders", post(place))
        .route("/v1/refunds", post(refund))
        .with_state(shop);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let serving = bridge.clone();
    tokio::spawn(async move { serving.serve_http(listener, app).await });
    (bridge, format!("http://{address}/v1/orders"))
}

pub(crate) async fn order(address: &str) {
    let client = reqwest::Client::new();
    let order = json!({ "sku": "tea", "card_token": "tok_4242" });
    let request = client
        .post(address)
        .header("content-type", "application/json");
    let answer = request.body(order.to_string()).send().await;
    assert_eq!(answer.expect("answered").status(), 200);
}

/// The first admin, made in the browser, who is then logged in.
pub(crate) async fn set_up(world: &mut World, browser: &mut Browser) {
    let token = setup_token(world).await;
    let with = json!({ "token": token, "username": USERNAME, "password": PASSWORD });
    browser.step("set_up", with).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_sets_it_up_sees_what_lives_makes_a_key_and_finds_an_order() {
    let mut world = World::start(Database::sqlite()).await;
    world.set("rpc.payload_capture", "all").await;
    world.set("http.payload_capture", "all").await;
    let mut browser = Browser::start(&world.console()).await;
    let paint = browser.step("first_paint", json!({ "path": "/" })).await;
    println!("first paint on loopback: {} ms", paint["first_paint_ms"]);
    can_be_used_by_everybody(&mut browser, "setup").await;
    set_up(&mut world, &mut browser).await;
    can_be_used_by_everybody(&mut browser, "map-empty").await;

    // What starts is on the map, what is killed leaves it, and the page is still the same.
    browser.step("open", json!({ "path": "/" })).await;
    browser.step("mark", json!({})).await;
    let mut desk = world.desk("desk").await;
    let within = json!({ "service": "desk", "within_ms": SEEN_MS });
    browser.step("map_has", within).await;
    desk.process.kill();
    let gone = json!({ "service": "desk", "within_ms": SEEN_MS + 5_000 });
    browser.step("map_drops", gone).await;
    let marked = browser.step("is_marked", json!({})).await;
    assert_eq!(marked["marked"], true, "the page was loaded again");

    // A key is shown once, and a service joins with it.
    let made = browser
        .step("create_service", json!({ "name": "billing" }))
        .await;
    let key = made["key"].as_str().expect("a key is shown");
    let billing = world.spawn(&["desk", "billing"], key);
    let joined = |line: &str| crate::harness::said(line, "started");
    billing.line(Duration::from_secs(30), "start", joined).await;
    let within = json!({ "service": "billing", "within_ms": SEEN_MS });
    browser.step("map_has", within).await;

    // From the map to an order, what it carried, and what was said in it.
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    for _ in 0..5 {
        order(&address).await;
    }
    world.trace("/v1/orders", 2).await;
    let with = json!({ "service": "orders", "subject": "/v1/orders" });
    browser.step("trace_from_map", with).await;
    let with = json!({ "op": "Echo", "payload": "tok_", "log": "order placed" });
    let seen = browser.step("trace_shows", with).await;
    println!("trace: {seen}");
    can_be_used_by_everybody(&mut browser, "trace").await;

    every_page_can_be_used_by_everybody(&mut browser).await;
    shop.stop().await;
    drop((desk, billing));
}

/// The page that is open.
async fn can_be_used_by_everybody(browser: &mut Browser, name: &str) {
    let found = browser.step("looks", json!({ "name": name })).await;
    assert_eq!(found["grave"], json!([]), "axe-core on {name}");
}

async fn every_page_can_be_used_by_everybody(browser: &mut Browser) {
    let mut grave = Vec::new();
    for (name, path, text) in PAGES {
        let with = json!({ "name": name, "path": path, "wait_for": text });
        let found = browser.step("looks", with).await;
        let faults = found["grave"].as_array().expect("a list").iter();
        grave.extend(faults.map(|it| format!("{name}: {it:#}")));
    }
    assert!(grave.is_empty(), "axe-core: {}", grave.join("\n"));
}
