//! Accounts and tokens: made, refused, shown once, used, taken away.

use serde_json::json;

use super::{assert_usable, logged_in, open, texts};
use crate::console::{PASSWORD, USERNAME};
use crate::harness::World;

/// What a program with this token is answered.
async fn status_with(world: &World, token: &str, path: &str) -> u16 {
    let url = format!("{}/api/v1{path}", world.console());
    let asked = reqwest::Client::new().get(url).bearer_auth(token);
    asked.send().await.expect("answered").status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_made_logs_in_and_is_refused_with_a_wrong_password() {
    let (_world, mut browser) = logged_in().await;
    let viewer = json!({ "username": "eve", "password": PASSWORD, "role": "viewer" });
    let made = browser.step("make_account", viewer).await;
    assert_usable(&made, "the dialog of an account");
    let refused = texts(&made["refused"]).join(" ");
    assert!(
        refused.contains("a–z") && refused.contains("12 characters"),
        "{refused}"
    );
    let dialogs = browser
        .step("account_dialogs", json!({ "username": "eve" }))
        .await;
    assert_usable(&dialogs, "the dialogs of an account");

    browser.step("log_out", json!({})).await;
    let wrong = json!({ "username": "eve", "password": "a walk by another sea" });
    let refused = browser.step("wrong_password", wrong).await;
    assert_eq!(refused["said"], "The name or the password is wrong.");
    let right = json!({ "username": "eve", "password": PASSWORD });
    browser.step("log_in", right).await;
    // Back to a page that needs an admin: it says so, instead of nothing.
    open(&mut browser, "/settings/accounts").await;
    let only = json!({ "pattern": "only an admin sees accounts" });
    browser.step("shows", only).await;
    browser.step("log_out", json!({})).await;
    let ada = json!({ "username": USERNAME, "password": PASSWORD });
    browser.step("log_in", ada).await;
    browser
        .step("delete_account", json!({ "username": "eve" }))
        .await;
    browser.step("log_out", json!({})).await;
    let gone = json!({ "username": "eve", "password": PASSWORD });
    let refused = browser.step("wrong_password", gone).await;
    assert_eq!(refused["said"], "The name or the password is wrong.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_logs_out_is_told_of_no_expired_session_however_late_the_answer_is() {
    let (_world, mut browser) = logged_in().await;
    open(&mut browser, "/services").await;
    let live = json!({ "pattern": "^live$" });
    browser.step("shows", live).await;
    let left = browser.step("log_out_slowly", json!({})).await;
    assert_eq!(left["url"], "/login");
    let ada = json!({ "username": USERNAME, "password": PASSWORD });
    browser.step("log_in", ada).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_shown_once_works_and_is_revoked() {
    let (world, mut browser) = logged_in().await;
    let wanted = json!({ "name": "ci", "role": "viewer" });
    let made = browser.step("make_token", wanted).await;
    assert_usable(&made, "the dialogs of a token");
    let token = made["token"].as_str().expect("a token");
    assert_eq!(status_with(&world, token, "/services").await, 200);
    assert_eq!(status_with(&world, token, "/accounts").await, 403);
    let revoked = browser.step("revoke_token", json!({ "name": "ci" })).await;
    assert_usable(&revoked, "the dialog that revokes a token");
    assert_eq!(status_with(&world, token, "/services").await, 401);
    for texts in [
        [USERNAME, "made the API token", "ci"],
        [USERNAME, "revoked the API token", "ci"],
    ] {
        browser.step("trail_has", json!({ "texts": texts })).await;
    }
}
