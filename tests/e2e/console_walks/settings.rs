//! Settings: changed live and felt, refused in place, told in the trail; and what a viewer is not
//! offered.

use std::time::Duration;

use bridge_runtime::operator::model::SettingSummary;
use serde_json::{Value, json};

use super::{logged_in, open};
use crate::console::{PASSWORD, USERNAME, order, orders};
use crate::harness::World;

/// Services hear of a setting in this time.
const HEARD_WITHIN: Duration = Duration::from_secs(2);

async fn value(world: &World, key: &str) -> String {
    let all: Vec<SettingSummary> = world.get("/api/v1/settings").await;
    let found = all.into_iter().find(|it| it.key == key);
    found.expect("a setting").value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_takes_effect_at_once_and_the_trail_tells_who_changed_it() {
    let (world, mut browser) = logged_in().await;
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    order(&address).await;
    let tree = world.trace("/v1/orders", 2).await;
    open(&mut browser, &format!("/traces/{}", tree.trace_id)).await;
    let none = json!({ "op": "Echo", "says": ["None was kept"] });
    browser.step("open_op", none).await;
    // The remark leads to the setting.
    let link = json!({ "role": "link", "name": "rpc.payload_capture" });
    browser.step("click", link).await;
    let arrived = json!({ "pattern": "^/settings\\?q=rpc" });
    browser.step("arrives", arrived).await;
    let all = json!({ "key": "rpc.payload_capture", "value": "all" });
    browser.step("pick_setting", all).await;
    assert_eq!(value(&world, "rpc.payload_capture").await, "all");
    world.clock.sleep(HEARD_WITHIN).await;
    order(&address).await;
    let before = tree.trace_id.clone();
    let found = crate::harness::eventually(crate::console::PATIENCE, "a new trace", async || {
        let tree = world.trace("/v1/orders", 2).await;
        (tree.trace_id != before).then_some(tree)
    });
    let (tree, _) = found.await;
    open(&mut browser, &format!("/traces/{}", tree.trace_id)).await;
    let kept = json!({ "op": "Echo", "says": ["Request", "Response"] });
    browser.step("open_op", kept).await;

    // What is out of bounds is refused in its place, with the reason, and nothing is changed.
    let key = "telemetry.ops_retention_ms";
    let before = value(&world, key).await;
    for (typed, why) in [("1", "Enter "), ("soon", "90s")] {
        let with = json!({ "key": key, "value": typed });
        let refused = browser.step("refuse_setting", with).await;
        let said = refused["why"].as_str().unwrap_or("");
        assert!(said.contains(why), "{typed}: {said}");
    }
    assert_eq!(value(&world, key).await, before);
    let typed = json!({ "key": key, "value": "2d" });
    let typed = browser.step("type_setting", typed).await;
    assert_eq!(typed["shown"], "172800000", "{typed}");
    assert_eq!(value(&world, key).await, "172800000");
    browser.step("reset_setting", json!({ "key": key })).await;
    assert_eq!(value(&world, key).await, before);

    for texts in [
        [USERNAME, "changed", "rpc.payload_capture"],
        [USERNAME, "changed", key],
        [USERNAME, "reset", key],
    ] {
        browser.step("trail_has", json!({ "texts": texts })).await;
    }
    shop.stop().await;
    drop(desk);
}

/// Pages, a text of each, and what an admin has on them to change something.
fn admins_pages() -> Value {
    json!([
        ["/services", "desk", [["button", "New service"]]],
        [
            "/services/desk",
            "Instances",
            [["button", "Add a key"], ["button", "Revoke"]]
        ],
        [
            "/services/desk?tab=keys",
            "works",
            [["button", "Add a key"], ["button", "Revoke"]]
        ],
        [
            "/settings",
            "telemetry.enable",
            [
                ["button", "Save"],
                ["button", "Reset"],
                ["switch", ""],
                ["combobox", ""]
            ]
        ],
    ])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_sees_everything_and_can_change_nothing() {
    let (world, mut browser) = logged_in().await;
    let _desk = world.desk("desk").await;
    world.set("rpc.payload_capture", "all").await;
    let pages = admins_pages();
    // An admin has all of it, so that what a viewer lacks is known to be looked for rightly.
    for page in pages.as_array().expect("pages") {
        let with = json!({ "path": page[0], "wait_for": page[1], "controls": page[2] });
        let found = browser.step("can_use", with).await;
        let usable = found["usable"].as_array().map_or(0, Vec::len);
        assert!(usable > 0, "an admin at {}: {found}", page[0]);
        assert_eq!(found["says"], false, "{}", page[0]);
    }
    let viewer = json!({ "username": "eve", "password": PASSWORD, "role": "viewer" });
    browser.step("make_account", viewer).await;
    browser.step("log_out", json!({})).await;
    let eve = json!({ "username": "eve", "password": PASSWORD });
    browser.step("log_in", eve).await;
    for page in pages.as_array().expect("pages") {
        let with = json!({ "path": page[0], "wait_for": page[1], "controls": page[2] });
        let found = browser.step("can_use", with).await;
        assert_eq!(found["usable"], json!([]), "a viewer at {}", page[0]);
        assert_eq!(found["editors"], 0, "a viewer at {}", page[0]);
        assert_eq!(found["says"], true, "{} says why", page[0]);
    }
    for (path, text) in [
        ("/settings/accounts", "Only an admin sees accounts"),
        ("/settings/tokens", "Only an admin sees API tokens"),
        ("/settings/changes", "rpc.payload_capture"),
        ("/", "desk"),
        ("/logs", "Logs"),
    ] {
        browser
            .step("open", json!({ "path": path, "wait_for": text }))
            .await;
    }
    let asks = json!({ "asks": [
        ["GET", "/services"],
        ["PUT", "/settings/telemetry.enable", { "value": "false" }],
        ["POST", "/services", { "name": "mine" }],
        ["POST", "/services/desk/keys"],
        ["POST", "/services/desk/revoke"],
        ["GET", "/accounts"],
        ["POST", "/accounts", { "username": "mallory", "password": PASSWORD, "role": "admin" }],
        ["PATCH", "/accounts/eve", { "role": "admin" }],
        ["POST", "/tokens", { "name": "mine", "role": "viewer" }],
    ]});
    let answered = browser.step("ask_api", asks).await;
    assert_eq!(
        answered["statuses"],
        json!([200, 403, 403, 403, 403, 403, 403, 403, 403])
    );
}
