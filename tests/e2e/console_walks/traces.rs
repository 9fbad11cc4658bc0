//! The list of traces: every filter, the scatter, the way into a trace and back.

use bridge_runtime::operator::model::TracesPage;
use serde_json::{Value, json};

use super::known::{ALL, BEFORE_MS, CHECKOUT, NIGHTLY, PLACED, REFUSED, alone, four_traces};
use super::spans::{Did, send};
use super::{assert_usable, logged_in, open};
use crate::console::{PATIENCE, order, orders};
use crate::contracts::v1::{Desk, WaitRequest};
use crate::harness::eventually;

/// Traces that fill more than one page of the list.
const MANY: u64 = 700;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_of_traces_finds_what_it_says_and_back_undoes_a_brush() {
    let (world, mut browser) = logged_in().await;
    let at_ms = four_traces(&world).await;
    open(&mut browser, "/traces").await;
    let filters: [(Value, &[&str], Value); 14] = [
        (
            json!({ "text": "Reserve" }),
            &[CHECKOUT, REFUSED],
            json!({ "text": "Reserve" }),
        ),
        (
            json!({ "text": "nothing of the kind" }),
            &[],
            json!({ "text": "nothing of the kind" }),
        ),
        (
            json!({ "service": "stock" }),
            &[CHECKOUT, REFUSED],
            json!({ "service": "stock" }),
        ),
        (
            json!({ "service": "stock", "root_only": "" }),
            &[],
            json!({ "service": "stock", "root_only": "true" }),
        ),
        (
            json!({ "service": "web", "root_only": "" }),
            &[CHECKOUT, REFUSED],
            json!({ "service": "web", "root_only": "true" }),
        ),
        (
            json!({ "channel": "rpc" }),
            &[CHECKOUT, REFUSED],
            json!({ "channel": "rpc" }),
        ),
        (
            json!({ "channel": ["rpc", "event"], "root_only": "" }),
            &[PLACED],
            json!({ "channel": "rpc,event", "root_only": "true" }),
        ),
        (
            json!({ "channel": "user" }),
            &[CHECKOUT, NIGHTLY],
            json!({ "channel": "user" }),
        ),
        (
            json!({ "status": "failed" }),
            &[REFUSED, NIGHTLY],
            json!({ "failed": "true" }),
        ),
        (
            json!({ "status": "timeout" }),
            &[NIGHTLY],
            json!({ "status": "timeout" }),
        ),
        (
            json!({ "status": "success" }),
            &[CHECKOUT, PLACED],
            json!({ "status": "success" }),
        ),
        (
            json!({ "min": "2 s" }),
            &[REFUSED, NIGHTLY],
            json!({ "min_duration": "2000" }),
        ),
        (
            json!({ "min": "500ms", "max": "3s" }),
            &[CHECKOUT, REFUSED],
            json!({ "min_duration": "500", "max_duration": "3000" }),
        ),
        (json!({ "range": "5m" }), &ALL, json!({ "range": "5m" })),
    ];
    for (set, names, query) in filters {
        let with = json!({ "set": set, "names": names });
        let found = browser.step("filter_traces", with).await;
        assert_eq!(found["query"], query, "the address for {set}");
    }
    let refused = browser.step("refuse_duration", json!({ "text": "a while" }));
    let refused = refused.await;
    assert!(
        refused["why"]
            .as_str()
            .is_some_and(|it| it.contains("250 ms")),
        "{refused}"
    );
    // What is filtered by is in the address: it survives a reload.
    open(&mut browser, "/traces?service=stock&failed=true").await;
    browser
        .step("traces_are", json!({ "names": [REFUSED] }))
        .await;
    open(&mut browser, "/traces").await;
    browser.step("traces_are", json!({ "names": ALL })).await;

    // Two ends by hand, to the second.
    let ends = json!({ "from_ms": at_ms + 5_000, "to_ms": at_ms + 25_000 });
    let chosen = browser.step("choose_range", ends).await;
    assert_usable(&chosen, "the dialog of a range");
    assert_eq!(chosen["why"], "The end is before the beginning.");
    let between = json!({ "names": [REFUSED, NIGHTLY] });
    browser.step("traces_are", between).await;
    open(&mut browser, "/traces").await;
    browser.step("traces_are", json!({ "names": ALL })).await;

    // The four began 0, 10, 20 and 30 seconds after the first: thirds of the scatter.
    let frame = json!({ "from": [0.2, 0.02], "to": [0.8, 0.98] });
    let brushed = browser.step("brush", frame).await;
    browser
        .step("traces_are", json!({ "names": [REFUSED, NIGHTLY] }))
        .await;
    let query = &brushed["query"];
    let time = |name: &str| -> i64 { query[name].as_str().expect("set").parse().expect("a time") };
    let near = |is: i64, wanted: i64| (is - wanted).abs() < 1_000;
    assert!(
        near(time("since"), at_ms + 6_000) && near(time("until"), at_ms + 24_000),
        "{query}"
    );
    assert!(
        query.get("min_duration").is_none(),
        "a span of time, not a frame: {query}"
    );
    let back = browser.step("back", json!({})).await;
    assert_eq!(back["query"], json!({}));
    browser.step("traces_are", json!({ "names": ALL })).await;
    // A frame selects durations too: the upper part is where the slow ones are.
    let frame = json!({ "from": [-0.01, 0.0], "to": [0.99, 0.35] });
    let brushed = browser.step("brush", frame).await;
    assert!(brushed["query"].get("min_duration").is_some(), "{brushed}");
    browser
        .step(
            "traces_are",
            json!({ "names": [REFUSED, NIGHTLY, CHECKOUT] }),
        )
        .await;
    browser.step("back", json!({})).await;
    // A click on a point is the way to its trace.
    let point = json!({ "part": 1.0 / 3.0, "name": REFUSED });
    let clicked = browser.step("click_point", point).await;
    assert!(
        clicked["url"]
            .as_str()
            .is_some_and(|it| it.contains("000000000022")),
        "{clicked}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_still_runs_is_found_by_its_status() {
    let (world, mut browser) = logged_in().await;
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    order(&address).await;
    let mut builder = world.caller("waiter").await;
    let waiting = builder.client::<Desk>();
    let waiter = builder.start().await.expect("starts");
    let wait = WaitRequest { ms: 20_000 };
    let call = tokio::spawn(async move { waiting.wait(wait).await });
    open(&mut browser, "/traces").await;
    let running = json!({ "set": { "status": "pending" }, "names": ["desk/Wait"] });
    browser.step("filter_traces", running).await;
    call.abort();
    waiter.stop().await;
    shop.stop().await;
    drop(desk);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_from_a_trace_finds_the_list_as_it_was() {
    let (world, mut browser) = logged_in().await;
    let at_ms = world.clock.now().as_millis() - BEFORE_MS;
    let ping = Did::Served("GET", "/ping");
    let pings = (0..MANY).map(|at| {
        let after = i64::try_from(at).expect("few");
        alone(
            0x1000 + u128::from(at),
            "web",
            ping,
            at_ms + after,
            5 + after % 40,
        )
    });
    let pings: Vec<_> = pings.collect();
    send(&world, &pings).await;
    eventually(PATIENCE, "the traces", async || {
        let page: TracesPage = world.get("/api/v1/traces?limit=500").await;
        (page.traces.len() == 500).then_some(())
    })
    .await;
    // Beyond the first page, with a filter, by mouse and by keys.
    for (row, by) in [(30, "mouse"), (590, "mouse"), (120, "keys")] {
        open(&mut browser, "/traces?service=web&range=1h").await;
        let with = json!({ "row": row, "by": by });
        let found = browser.step("open_and_come_back", with).await;
        let is_far = found["left"]["scroll"].as_i64().is_some_and(|it| it > 600);
        assert!(is_far, "it was scrolled: {found}");
        if by == "keys" {
            let row = found["left"]["at"].to_string();
            assert_eq!(
                found["focused"],
                json!(row),
                "the keys go on where they were"
            );
        }
    }
}
