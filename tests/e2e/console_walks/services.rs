//! Services: keys that are shown once and taken away, methods with their schemas, instances, the
//! end of a service.

use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_usable, logged_in, open, texts};
use crate::harness::{Process, World, said};

const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// Starts a desk with a key that need not be good; says what became of it.
async fn try_desk(world: &World, key: &str) -> (Process, Value) {
    let process = world.spawn(&["desk", "desk"], key);
    let outcome = process.line(STARTS_WITHIN, "start or refusal", |line| {
        said(line, "started").or_else(|| said(line, "failed"))
    });
    let outcome = outcome.await;
    (process, outcome)
}

/// The id of the key that was made first.
async fn oldest_key(world: &World) -> String {
    let service: Value = world.get("/api/v1/services/desk").await;
    let keys = service["keys"].as_array().expect("keys").iter();
    let oldest = keys.min_by_key(|it| it["created_at_unix_ms"].as_i64());
    let id = oldest.and_then(|it| it["id"].as_str());
    id.expect("a key").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_added_shown_once_and_revoked_and_a_revoked_one_lets_nobody_in() {
    let (world, mut browser) = logged_in().await;
    open(&mut browser, "/services").await;
    for (name, why) in [
        ("", "Enter a name."),
        ("Desk", "lower-case"),
        ("1desk", "letter"),
    ] {
        let refused = browser
            .step("refuse_service", json!({ "name": name }))
            .await;
        assert_usable(&refused, "the dialog of a service");
        let said = refused["why"].as_str().unwrap_or("");
        assert!(said.contains(why), "{name}: {said}");
    }
    let first = browser
        .step("create_service", json!({ "name": "desk" }))
        .await;
    let first = first["key"].as_str().expect("a key");
    let second = browser.step("add_key", json!({ "service": "desk" })).await;
    assert_usable(&second, "the dialogs of a key");
    let second = second["key"].as_str().expect("a key");
    assert_ne!(first, second);
    let keys = browser
        .step("keys_are", json!({ "states": ["works", "works"] }))
        .await;

    // Both let an instance in; the one that is revoked does not any more.
    let (one, started) = try_desk(&world, first).await;
    assert_eq!(started["event"], "started", "{started}");
    let (two, started) = try_desk(&world, second).await;
    assert_eq!(started["event"], "started", "{started}");
    drop((one, two));
    let oldest = oldest_key(&world).await;
    let ids = keys["keys"].as_array().expect("keys").iter();
    assert!(ids.clone().any(|it| it["id"] == oldest), "{keys}");
    let revoked = browser.step("revoke_key", json!({ "id": oldest })).await;
    assert_usable(&revoked, "the dialog that revokes a key");
    browser
        .step("keys_are", json!({ "states": ["works", "revoked"] }))
        .await;
    let (_refused, outcome) = try_desk(&world, first).await;
    assert_eq!(
        outcome["event"], "failed",
        "a revoked key lets nobody in: {outcome}"
    );
    let (_desk, outcome) = try_desk(&world, second).await;
    assert_eq!(
        outcome["event"], "started",
        "the other goes on working: {outcome}"
    );

    // Methods with what they take and answer; the instance with its state.
    let schemas = json!({ "service": "desk", "method": "Echo" });
    let method = browser.step("method_schemas", schemas).await;
    let [input, output] = [&method["input"], &method["output"]].map(|it| it.as_str().unwrap_or(""));
    assert!(
        input.contains("text") && input.contains("string"),
        "{method}"
    );
    assert!(
        output.contains("remainingMs") && output.contains("requestId"),
        "{method}"
    );
    let methods = texts(&method["methods"]).join(" ");
    assert!(
        methods.contains("Wait") && methods.contains("Judge"),
        "{methods}"
    );
    let with = json!({ "service": "desk", "count": 1 });
    let seen = browser.step("instances", with).await;
    assert_eq!(seen["standing"], "healthy");
    let row = texts(&seen["rows"][0]).join(" | ");
    assert!(
        row.contains("rust") && row.contains("127.0.0.1") && row.contains("left"),
        "{row}"
    );

    // The service itself: cut off, refused, and said so.
    let line = json!({ "service": "desk", "pattern": "^healthy: .*desk" });
    browser.step("service_line", line).await;
    open(&mut browser, "/services/desk").await;
    let ended = browser
        .step("revoke_service", json!({ "service": "desk" }))
        .await;
    assert_usable(&ended, "the dialog that revokes a service");
    let warned = ended["warned"].as_str().unwrap_or("");
    assert!(warned.contains("1 instance is cut off"), "{warned}");
    let with = json!({ "service": "desk", "count": 0 });
    browser.step("instances", with).await;
    let line = json!({ "service": "desk", "pattern": "^revoked: .*revoked" });
    browser.step("service_line", line).await;
    let (_refused, outcome) = try_desk(&world, second).await;
    assert_eq!(outcome["event"], "failed", "{outcome}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_state_of_a_service_is_told_in_its_line() {
    let (world, mut browser) = logged_in().await;
    world.set("registry.disconnect_grace_ms", "60000").await;
    let idle = world.key("idle").await;
    let mut desk = world.desk("desk").await;
    let _second = world.desk("desk").await;
    open(&mut browser, "/services").await;
    let line = json!({ "service": "idle", "pattern": "^no instance: .*none" });
    browser.step("service_line", line).await;
    let line = json!({ "service": "desk", "pattern": "^healthy: .*\\b2\\b" });
    browser.step("service_line", line).await;
    desk.process.kill();
    let line = json!({ "service": "desk", "pattern": "^draining: .*1 draining" });
    browser.step("service_line", line).await;
    let with = json!({ "service": "desk", "count": 2 });
    let seen = browser.step("instances", with).await;
    assert_eq!(seen["standing"], "1 of 2 draining");
    drop(idle);
}
