//! The map: news within a second, cards that stand still, search, groups, focus, the way to the
//! traces of a call.

use std::time::Duration;

use bridge::{Bridge, Builder, Transport};
use serde_json::json;

use super::{logged_in, open, texts};
use crate::console::{PATIENCE, order, orders};
use crate::contracts::v1::Desk;
use crate::harness::{Browser, Load, World, eventually, soak};

/// From the acknowledged registration to the card on the page, in a soak.
const NEWS_MS_MAX: i64 = 1_000;
/// How often it is measured, and the pause in between: by then the one before has left the map.
const NEWS_ROUNDS: usize = 3;
const NEWS_APART: Duration = Duration::from_secs(4);

/// A service that does nothing but be there.
async fn joined(world: &World, name: &str) -> Bridge {
    let builder = world.caller(name).await;
    builder.start().await.expect("starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_on_the_map_soon_after_its_registration() {
    let (world, mut browser) = logged_in().await;
    let _desk = world.desk("desk").await;
    open(&mut browser, "/").await;
    let within = json!({ "service": "desk", "within_ms": 10_000 });
    browser.step("map_has", within).await;
    // Between two maps there is a pause: what comes right after something else waits for that.
    let (mut alone, mut after) = (Vec::new(), Vec::new());
    // Created before: that changes the map as well.
    let mut builders = Vec::new();
    for at in 0..NEWS_ROUNDS * 2 {
        let name = format!("late-{at}");
        let builder = world.caller(&name).await;
        builders.push((name, builder));
    }
    for (at, (name, builder)) in builders.into_iter().enumerate() {
        let is_alone = at % 2 == 0;
        if is_alone {
            world.clock.sleep(NEWS_APART).await;
        }
        let took = news(&world, &mut browser, &name, builder).await;
        if is_alone { &mut alone } else { &mut after }.push(took);
    }
    println!("from the acknowledged registration to the card: {alone:?} ms alone");
    println!("right after another: {after:?} ms");
    if soak() {
        assert!(alone.iter().all(|it| *it <= NEWS_MS_MAX), "{alone:?}");
        assert!(after.iter().all(|it| *it <= NEWS_MS_MAX), "{after:?}");
    }
}

/// Brings a service in; says how long after its registration was acknowledged its card came.
async fn news(world: &World, browser: &mut Browser, name: &str, builder: Builder) -> i64 {
    let service = json!({ "service": name });
    browser.step("await_card", service.clone()).await;
    let bridge = builder.start().await.expect("starts");
    let acknowledged = world.clock.now().as_millis();
    let came = browser.step("card_came", service).await;
    let came = came["at_unix_ms"].as_i64().expect("a time");
    bridge.stop().await;
    // The page may hear of it before the service does.
    (came - acknowledged).max(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_stand_still_while_their_numbers_move() {
    let (world, mut browser) = logged_in().await;
    let _desk = world.desk("desk").await;
    let _other = world.desk("ledger").await;
    let (shop, address) = orders(&world).await;
    let mut builder = world.caller("batch").await;
    let client = builder.client_of::<Desk>("ledger");
    let batch = builder.start().await.expect("starts");
    order(&address).await;
    open(&mut browser, "/").await;
    let load = Load::start(&world.clock, &client, 40, Transport::Direct);
    let ordering = tokio::spawn(async move {
        for _ in 0..400 {
            order(&address).await;
        }
    });
    let says = json!({ "service": "ledger", "pattern": "/s" });
    browser.step("card_says", says).await;
    let seen = browser
        .step("cards_over_time", json!({ "seconds": 10 }))
        .await;
    assert!(seen["cards"].as_u64().is_some_and(|it| it >= 4), "{seen}");
    assert_eq!(seen["moved"], json!([]), "cards moved");
    let said = texts(&seen["said"]);
    assert!(
        said.contains(&"s:ledger"),
        "the numbers did not move: {said:?}"
    );
    ordering.abort();
    load.finish().await;
    shop.stop().await;
    batch.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_groups_and_focus_leave_what_they_say() {
    let (world, mut browser) = logged_in().await;
    let _desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    order(&address).await;
    let mut others = Vec::new();
    for name in ["pay-cards", "pay-banks", "pay-fraud"] {
        others.push(joined(&world, name).await);
    }
    eventually(PATIENCE, "everybody on the map", async || {
        let map = world.map().await;
        let here = map.services.iter().filter(|it| !it.instances.is_empty());
        (here.count() == 5).then_some(())
    })
    .await;
    open(&mut browser, "/?group=off").await;
    let found = browser
        .step("map_search", json!({ "text": "pay", "count": 3 }))
        .await;
    assert_eq!(found["told"], "3");
    let dim = texts(&found["dim"]);
    assert!(
        dim.contains(&"s:desk") && dim.contains(&"s:orders"),
        "{found}"
    );

    let focus = browser
        .step("map_focus", json!({ "service": "desk" }))
        .await;
    let near = texts(&focus["near"]);
    assert_eq!(
        near,
        ["s:desk", "s:orders"],
        "whoever calls it, and nobody else"
    );
    let further = texts(&focus["further"]);
    assert!(
        further.contains(&"outside") && !further.contains(&"s:pay-cards"),
        "{focus}"
    );

    let grouped = browser.step("map_group", json!({ "on": true })).await;
    let cards = texts(&grouped["cards"]);
    assert!(
        cards.contains(&"g:pay") && !cards.contains(&"s:pay-cards"),
        "{cards:?}"
    );
    let opened = browser
        .step("map_open_group", json!({ "group": "pay" }))
        .await;
    let cards = texts(&opened["cards"]);
    assert!(
        cards.contains(&"s:pay-cards") && cards.contains(&"s:pay-fraud"),
        "{cards:?}"
    );
    for it in others {
        it.stop().await;
    }
    shop.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_on_the_map_leads_to_its_traces() {
    let (world, mut browser) = logged_in().await;
    let _desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    for _ in 0..5 {
        order(&address).await;
    }
    world.trace("/v1/orders", 2).await;
    open(&mut browser, "/?group=off").await;
    let says = json!({ "service": "desk", "pattern": "/s" });
    browser.step("card_says", says).await;
    let edge = json!({ "from": "orders", "to": "desk", "method": "Echo" });
    let led = browser.step("traces_of_edge", edge).await;
    assert!(
        led["told"].as_str().is_some_and(|it| it.contains("/s")),
        "{led}"
    );
    assert_eq!(led["query"]["service"], "desk");
    assert!(led["traces"].as_u64().is_some_and(|it| it == 5), "{led}");
    shop.stop().await;
}
