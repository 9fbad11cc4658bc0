//! What breaks under the console, and what a person sees of it: a defect of a page, a line that
//! freezes or breaks, a session that ends, a runtime that is killed.
//!
//! In each case the page says so, shows no old number without a mark, and comes back by itself:
//! the document is never loaded again.

use std::time::Duration;

use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::{Value, json};

use crate::console::{PASSWORD, USERNAME, set_up};
use crate::harness::{Browser, Database, Peer, World};

/// What the header says while events arrive, and while they do not.
const LIVE: &str = "^Live$";
const STALE: &str = "stale since";
/// A stream without a heartbeat counts as gone after two and a half of five seconds each.
const STALE_WITHIN_MS: u64 = 25_000;
/// The longest pause before the stream is opened anew is 15 seconds.
const LIVE_WITHIN_MS: u64 = 40_000;

/// A runtime with a service, and its map in a browser, live.
async fn on_the_map() -> (World, Browser, Peer) {
    let mut world = World::start(Database::sqlite()).await;
    let desk = world.desk("desk").await;
    let mut browser = Browser::start(&world.console()).await;
    set_up(&mut world, &mut browser).await;
    browser.step("open", json!({ "path": "/" })).await;
    let within = json!({ "service": "desk", "within_ms": 10_000 });
    browser.step("map_has", within).await;
    shows(&mut browser, LIVE, 15_000).await;
    browser.step("mark", json!({})).await;
    (world, browser, desk)
}

async fn shows(browser: &mut Browser, pattern: &str, within_ms: u64) {
    let with = json!({ "pattern": pattern, "within_ms": within_ms });
    browser.step("shows", with).await;
}

async fn assert_same_document(browser: &mut Browser) {
    let marked = browser.step("is_marked", json!({})).await;
    assert_eq!(marked["marked"], true, "the page was loaded again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_defect_in_a_page_is_said_and_the_rest_goes_on() {
    let (world, mut browser, _desk) = on_the_map().await;
    browser.step("throw_in_page", json!({})).await;
    shows(&mut browser, "something broke in this page", 5_000).await;
    browser.step("looks", json!({ "name": "broken" })).await;
    // What comes is still shown, other pages still open, and the bar goes when it is told to.
    let _late = world.desk("late").await;
    let within = json!({ "service": "late", "within_ms": 10_000 });
    browser.step("map_has", within).await;
    let dismiss = json!({ "role": "button", "name": "Dismiss" });
    browser.step("click", dismiss).await;
    let gone = json!({ "pattern": "something broke in this page", "gone": true });
    browser.step("shows", gone).await;
    let services = json!({ "role": "link", "name": "Services" });
    browser.step("click", services).await;
    browser
        .step("arrives", json!({ "pattern": "^/services" }))
        .await;
    shows(&mut browser, "late", 10_000).await;
    assert_same_document(&mut browser).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_freezes_or_breaks_marks_numbers_as_stale_and_comes_back() {
    let (world, mut browser, _desk) = on_the_map().await;
    for (break_it, name) in [("freeze", "frozen"), ("cut", "cut")] {
        browser.step(break_it, json!({})).await;
        shows(&mut browser, STALE, STALE_WITHIN_MS).await;
        let looks = json!({ "name": format!("map-{name}") });
        browser.step("looks", looks).await;
        let _missed = world.desk(name).await;
        browser.step("heal", json!({})).await;
        shows(&mut browser, LIVE, LIVE_WITHIN_MS).await;
        let gone = json!({ "pattern": STALE, "gone": true });
        browser.step("shows", gone).await;
        // What happened in between is there.
        let within = json!({ "service": name, "within_ms": 5_000 });
        browser.step("map_has", within).await;
    }
    browser.step("expect_nothing", json!({})).await;
    assert_same_document(&mut browser).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_leads_to_the_login_and_back() {
    let (world, mut browser, _desk) = on_the_map().await;
    let path = "/services/desk";
    browser.step("go", json!({ "path": path })).await;
    shows(&mut browser, LIVE, 15_000).await;
    let password = "another walk by the sea";
    browser.step("expect_nobody", json!({})).await;
    change_password(&world, password).await;
    browser
        .step("arrives", json!({ "pattern": "^/login\\?.*next=" }))
        .await;
    browser.step("looks", json!({ "name": "login" })).await;
    let with = json!({ "username": USERNAME, "password": password });
    browser.step("log_in", with).await;
    browser.step("expect_nothing", json!({})).await;
    browser
        .step("arrives", json!({ "pattern": format!("^{path}$") }))
        .await;
    shows(&mut browser, LIVE, 15_000).await;
    assert_same_document(&mut browser).await;
}

/// By somebody else who is logged in to the same account: that ends all its other sessions.
async fn change_password(world: &World, password: &str) {
    let api = format!("{}/api/v1", world.console());
    let client = reqwest::Client::new();
    let body = json!({ "username": USERNAME, "password": PASSWORD }).to_string();
    let login = client.post(format!("{api}/session")).body(body);
    let login = login.header(CONTENT_TYPE, "application/json").send().await;
    let login = login.expect("answered");
    assert_eq!(login.status(), 201);
    let cookie = login.headers()[SET_COOKIE].to_str().expect("text");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let session: Value = serde_json::from_slice(&login.bytes().await.expect("read")).expect("JSON");
    let csrf = session["csrf_token"].as_str().expect("a token");
    let body = json!({ "current": PASSWORD, "new": password }).to_string();
    let changed = client.put(format!("{api}/session/password")).body(body);
    let changed = changed
        .header(CONTENT_TYPE, "application/json")
        .header(COOKIE, cookie)
        .header("x-csrf-token", csrf);
    assert_eq!(changed.send().await.expect("answered").status(), 204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_is_killed_and_started_again_is_found_again() {
    let (mut world, mut browser, _desk) = on_the_map().await;
    browser.step("expect_broken_line", json!({})).await;
    world.runtime().kill();
    shows(&mut browser, STALE, STALE_WITHIN_MS).await;
    world.clock.sleep(Duration::from_secs(2)).await;
    world.restart().await;
    shows(&mut browser, LIVE, LIVE_WITHIN_MS).await;
    browser.step("expect_nothing", json!({})).await;
    let within = json!({ "service": "desk", "within_ms": 10_000 });
    browser.step("map_has", within).await;
    assert_same_document(&mut browser).await;
}
