//! Logs that come by themselves, and metrics that count what was done.

use bridge::telemetry::Level;
use serde_json::json;

use super::{assert_usable, logged_in, open, texts};
use crate::console::{PATIENCE, order, orders};
use crate::harness::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_line_comes_by_itself_and_waits_while_the_log_is_paused() {
    let (world, mut browser) = logged_in().await;
    let builder = world.caller("teller").await;
    let teller = builder.start().await.expect("starts");
    let log = teller.telemetry();
    for round in 0..3 {
        log.log(Level::Info, format!("round {round} begins")).send();
    }
    log.log(Level::Warn, "the tea runs low")
        .field("sku", "assam")
        .send();
    log.log(Level::Error, "no tea is left").send();
    open(&mut browser, "/logs").await;
    browser
        .step("log_shows", json!({ "text": "no tea is left" }))
        .await;

    log.log(Level::Info, "fresh tea arrives").send();
    browser
        .step("log_shows", json!({ "text": "fresh tea arrives" }))
        .await;
    browser.step("log_pause", json!({ "on": true })).await;
    log.log(Level::Info, "said while paused").send();
    let stored = async || {
        let page: serde_json::Value = world.get("/api/v1/logs?text=paused").await;
        page["logs"]
            .as_array()
            .is_some_and(|it| it.len() == 1)
            .then_some(())
    };
    eventually(PATIENCE, "the line stored", stored).await;
    let out = json!({ "text": "said while paused", "seconds": 3 });
    browser.step("log_keeps_out", out).await;
    browser.step("log_pause", json!({ "on": false })).await;
    browser
        .step("log_shows", json!({ "text": "said while paused" }))
        .await;

    let tea = json!({ "text": "tea", "count": 3 });
    let found = browser.step("log_search", tea).await;
    assert!(
        texts(&found["marked"])
            .iter()
            .all(|it| it.eq_ignore_ascii_case("tea")),
        "{found}"
    );
    let warned = json!({ "level": "Warn +", "count": 2 });
    let found = browser.step("log_search", warned).await;
    assert_eq!(found["query"]["level"], "warn");
    let both = json!({ "text": "tea", "level": "Error", "service": "teller", "count": 1 });
    browser.step("log_search", both).await;

    let opened = browser
        .step("open_line", json!({ "text": "the tea runs low" }))
        .await;
    assert_usable(&opened, "the lines around one");
    assert!(
        opened["more"]
            .as_str()
            .is_some_and(|it| it.contains("assam")),
        "{opened}"
    );
    assert!(
        opened["here"]
            .as_str()
            .is_some_and(|it| it.contains("runs low")),
        "{opened}"
    );
    assert!(
        opened["lines"].as_u64().is_some_and(|it| it >= 5),
        "{opened}"
    );
    teller.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_leads_to_its_trace_and_metrics_count_what_was_asked() {
    let (world, mut browser) = logged_in().await;
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    let refunds = address.replace("/v1/orders", "/v1/refunds");
    for _ in 0..20 {
        order(&address).await;
    }
    for _ in 0..5 {
        let refund = reqwest::Client::new().post(&refunds).send().await;
        assert_eq!(refund.expect("answered").status(), 500);
    }
    open(&mut browser, "/logs").await;
    browser
        .step("log_shows", json!({ "text": "order placed" }))
        .await;
    let led = browser
        .step("trace_of_line", json!({ "text": "order placed" }))
        .await;
    assert!(
        led["url"].as_str().is_some_and(|it| it.contains("op=")),
        "{led}"
    );

    let card = json!({ "path": "/metrics", "name": "orders", "count_min": 25 });
    let service = browser.step("red_card", card).await;
    assert_eq!(service["counted"], 25, "{service}");
    assert_eq!(service["figures"]["errors"]["value"], "20%", "{service}");
    for (name, count, errors) in [
        ("POST /v1/orders", 20, "0%"),
        ("POST /v1/refunds", 5, "100%"),
    ] {
        let card = json!({ "path": "/metrics?service=orders", "name": name, "count_min": count });
        let route = browser.step("red_card", card).await;
        assert_eq!(route["counted"], count, "{route}");
        assert_eq!(route["figures"]["errors"]["value"], errors, "{route}");
    }
    let large = json!({ "service": "orders", "route": "POST /v1/orders" });
    let large = browser.step("red_close", large).await;
    let facts = large["facts"].as_str().unwrap_or("");
    assert!(facts.contains("· 20") && facts.contains("p99"), "{facts}");
    let counted: u64 = texts(&large["bars"])
        .iter()
        .filter_map(|it| {
            it.split(": ")
                .nth(1)?
                .split(';')
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    assert_eq!(counted, 20, "the histogram counts every one: {large}");
    let brushed = browser.step("red_brush", json!({})).await;
    assert_eq!(brushed["query"]["service"], "orders", "{brushed}");
    assert!(brushed["query"]["since"].is_string(), "{brushed}");
    shop.stop().await;
    drop(desk);
}
