//! No old number without a mark, on any page: when the line breaks, and when the API alone is gone.

use serde_json::json;

use super::{logged_in, open};
use crate::console::{order, orders};

/// Pages with numbers that others change, and a text of each.
const PAGES: [(&str, &str); 13] = [
    ("/traces", "/v1/orders"),
    ("/logs", "order placed"),
    ("/services", "desk"),
    ("/services/desk", "Instances"),
    ("/services/desk?tab=methods", "Echo"),
    ("/metrics", "orders"),
    ("/metrics?service=orders", "/v1/orders"),
    ("/metrics/explore", "process.rss_bytes"),
    ("/settings", "telemetry.enable"),
    ("/settings/accounts", "ada"),
    ("/settings/changes", "ada"),
    ("/settings/doctor", "data folder"),
    ("/settings/about", "Waiting to be stored"),
];
/// Those that ask by themselves, and how soon they must have noticed, milliseconds.
const ASKING: [(&str, &str, u64); 7] = [
    ("/traces", "/v1/orders", 20_000),
    ("/services", "desk", 30_000),
    ("/services/desk", "Instances", 25_000),
    ("/metrics", "orders", 20_000),
    ("/settings", "telemetry.enable", 20_000),
    ("/settings/changes", "ada", 25_000),
    ("/settings/about", "Waiting to be stored", 20_000),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_says_when_its_numbers_are_old() {
    let (world, mut browser) = logged_in().await;
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    order(&address).await;
    let tree = world.trace("/v1/orders", 2).await;
    let trace = format!("/traces/{}", tree.trace_id);
    for (path, text) in PAGES.into_iter().chain([(&*trace, "Echo")]) {
        open(&mut browser, path).await;
        browser.step("shows", json!({ "pattern": text })).await;
        browser.step("page_is_fresh", json!({})).await;
        browser.step("cut", json!({})).await;
        let seen = browser.step("page_is_stale", json!({})).await;
        assert_eq!(seen["marks"], 1, "{path}: said once, in one place: {seen}");
        browser.step("heal", json!({})).await;
        browser.step("page_is_fresh", json!({})).await;
        browser.step("expect_nothing", json!({})).await;
    }
    shop.stop().await;
    drop(desk);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_questions_are_not_answered_says_so_while_events_still_come() {
    let (world, mut browser) = logged_in().await;
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    order(&address).await;
    world.trace("/v1/orders", 2).await;
    for (path, text, within_ms) in ASKING {
        open(&mut browser, path).await;
        browser.step("shows", json!({ "pattern": text })).await;
        browser.step("page_is_fresh", json!({})).await;
        browser.step("silence_api", json!({})).await;
        browser
            .step("page_is_stale", json!({ "within_ms": within_ms }))
            .await;
        browser.step("stream_is_live", json!({})).await;
        browser.step("unsilence_api", json!({})).await;
        browser.step("page_is_fresh", json!({})).await;
        browser.step("expect_nothing", json!({})).await;
    }
    shop.stop().await;
    drop(desk);
}
