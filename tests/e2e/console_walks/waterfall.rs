//! One trace: bars against known times, the path that took them, keys, failures, payloads.

use std::time::Duration;

use serde_json::{Value, json};

use super::known::{CHECKOUT, REFUSED, four_traces};
use super::{assert_usable, logged_in, open, texts};
use crate::console::{order, orders};
use crate::harness::Browser;

/// Services hear of a setting in this time.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

/// A call, and its other end below it.
const CALL: &str = "stock/Reserve";

/// The row of an operation.
fn row<'a>(trace: &'a Value, name: &str, depth: u64) -> &'a Value {
    let rows = trace["rows"].as_array().expect("rows");
    let found = rows
        .iter()
        .find(|it| it["name"] == name && it["depth"] == depth);
    found.unwrap_or_else(|| panic!("no {name}: {rows:#?}"))
}

/// Whether a piece of a bar lies from one part of the trace to another.
fn lies(piece: &Value, from: f64, to: f64) -> bool {
    let at = |it: usize| piece[it].as_f64().unwrap_or(f64::NAN);
    (at(0) - from).abs() < 0.012 && (at(1) - to).abs() < 0.012
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_waterfall_shows_known_times_and_the_path_that_took_them() {
    let (world, mut browser) = logged_in().await;
    four_traces(&world).await;
    open(&mut browser, "/traces/00000000-0000-0000-0000-000000000011").await;
    let trace = browser.step("waterfall", json!({ "ops": 5 })).await;
    for (name, depth, from, to, critical, own) in [
        (
            CHECKOUT,
            0,
            0.0,
            1.0,
            true,
            &[(0.0, 0.1), (0.4, 0.5), (0.9, 1.0)][..],
        ),
        (CALL, 1, 0.1, 0.4, true, &[(0.1, 0.15), (0.35, 0.4)]),
        (CALL, 2, 0.15, 0.35, true, &[(0.15, 0.35)]),
        ("render", 1, 0.12, 0.3, false, &[]),
        ("charge", 1, 0.5, 0.9, true, &[(0.5, 0.9)]),
    ] {
        let it = row(&trace, name, depth);
        assert!(
            lies(&it["bar"], from, to),
            "{name} from {from} to {to}: {it}"
        );
        assert_eq!(it["critical"], critical, "{it}");
        let drawn = it["own"].as_array().expect("pieces");
        assert_eq!(drawn.len(), own.len(), "{it}");
        for (piece, (from, to)) in drawn.iter().zip(own) {
            assert!(lies(piece, *from, *to), "its own of {name}: {it}");
        }
    }
    let shares = texts(&trace["shares"]).join(", ");
    assert_eq!(shares, "web 80%, stock 20%");
    // What was said stands on the bar of the operation it was said in, at its time.
    let charge = row(&trace, "charge", 1);
    let mark = &charge["logs"][0];
    assert!(
        mark["title"]
            .as_str()
            .is_some_and(|it| it.contains("the card is charged")),
        "{charge}"
    );
    assert!(
        mark["at"]
            .as_f64()
            .is_some_and(|it| (it - 0.7).abs() < 0.02),
        "{charge}"
    );
    let with =
        json!({ "op": "charge", "says": ["the card is charged", "+200 ms", "400 ms of its own"] });
    browser.step("open_op", with).await;
    with_keys(&mut browser).await;
    let help = browser
        .step("looks", json!({ "name": "dialog-keys" }))
        .await;
    assert_usable(&help, "the keys of a trace");
}

/// Every key of the waterfall; ends with its help open.
async fn with_keys(browser: &mut Browser) {
    let keys = [
        "Home",
        "ArrowDown",
        "j",
        "k",
        "ArrowRight",
        "ArrowLeft",
        "ArrowLeft",
        "ArrowLeft",
        "ArrowRight",
        "End",
        "Enter",
        "Escape",
        "c",
        "c",
        "f",
        "0",
    ];
    let walked = browser
        .step("waterfall_keys", json!({ "keys": keys }))
        .await;
    let steps = walked["steps"].as_array().expect("steps");
    let here: Vec<_> = steps
        .iter()
        .map(|it| it["here"].as_str().unwrap_or(""))
        .collect();
    let expected = [
        CHECKOUT, CALL, CALL, CALL, CALL, CALL, CALL, CHECKOUT, CALL, "charge", "charge", "charge",
        "charge", "charge", "charge", "charge",
    ];
    assert_eq!(here, expected, "{steps:#?}");
    let rows: Vec<_> = steps
        .iter()
        .map(|it| it["rows"].as_u64().unwrap_or(0))
        .collect();
    // The call is folded, and stays so.
    assert_eq!((rows[5], rows[6]), (5, 4), "{rows:?}");
    let open = |at: usize| steps[at]["open"].as_str().unwrap_or("");
    assert_eq!(
        (open(10), open(11)),
        ("charge", ""),
        "Enter opens, Escape closes"
    );
    let last = |at: usize| &steps[at]["last"];
    assert!(lies(last(13), 0.5, 0.9), "{}", last(13));
    let width = last(14)[1].as_f64().unwrap_or(0.0) - last(14)[0].as_f64().unwrap_or(0.0);
    assert!(width > 0.6, "f comes near: {}", last(14));
    assert!(lies(last(15), 0.5, 0.9), "0 shows the whole: {}", last(15));
    let search = json!({ "text": "rend", "found": "render" });
    browser.step("waterfall_search", search).await;
    browser.step("keys", json!({ "keys": ["?"] })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_named_first_and_its_payload_and_log_are_beside_it() {
    let (world, mut browser) = logged_in().await;
    four_traces(&world).await;
    open(&mut browser, "/traces/00000000-0000-0000-0000-000000000022").await;
    let trace = browser.step("waterfall", json!({ "ops": 3 })).await;
    let failure = trace["failure"].as_str().expect("a strip");
    assert!(
        failure.contains("out of tea") && failure.contains("in stock"),
        "{failure}"
    );
    assert!(failure.contains("and 2 more"), "{failure}");
    assert_eq!(
        row(&trace, CALL, 2)["here"],
        true,
        "the keys begin at the cause"
    );
    let shown = browser.step("show_failure", json!({})).await;
    let panel = shown["panel"].as_str().expect("a panel");
    assert!(
        panel.contains("out of tea") && panel.contains("no tea is left"),
        "{panel}"
    );
    let next = browser
        .step("waterfall_keys", json!({ "keys": ["E", "E"] }))
        .await;
    assert_eq!(next["steps"][1]["here"], REFUSED);

    // A trace of our own carries what was sent, decoded and raw.
    world.set("rpc.payload_capture", "all").await;
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    world.clock.sleep(HEARD_WITHIN).await;
    order(&address).await;
    let tree = world.trace("/v1/orders", 2).await;
    open(&mut browser, &format!("/traces/{}", tree.trace_id)).await;
    let with = json!({ "op": "Echo", "says": ["Request", "Response"] });
    browser.step("open_op", with).await;
    let forms = browser.step("payload_forms", json!({})).await;
    assert!(
        forms["decoded"]
            .as_str()
            .is_some_and(|it| it.contains("tea")),
        "{forms}"
    );
    assert!(
        forms["raw"].as_str().is_some_and(|it| it.contains("tea")),
        "{forms}"
    );
    shop.stop().await;
    drop(desk);
}
