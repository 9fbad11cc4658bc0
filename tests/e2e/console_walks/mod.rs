//! Everything a person does in the console, done in a real browser: a walk for each page.
//!
//! What a page must show is known from outside of it: spans with times of our own, calls that were
//! counted, statuses that the API answers. SQLite alone: nothing here depends on the database.

mod spans;

mod known;

mod accounts;
mod keyboard;
mod logs;
mod map;
mod services;
mod settings;
mod stale;
mod states;
mod traces;
mod waterfall;

use serde_json::{Value, json};

use crate::console::set_up;
use crate::harness::{Browser, Database, World};

/// A runtime and a browser in which an admin is logged in.
async fn logged_in() -> (World, Browser) {
    let mut world = World::start(Database::sqlite()).await;
    let mut browser = Browser::start(&world.console()).await;
    set_up(&mut world, &mut browser).await;
    (world, browser)
}

async fn open(browser: &mut Browser, path: &str) {
    browser.step("open", json!({ "path": path })).await;
}

/// What axe-core found on something that a step looked at.
fn assert_usable(found: &Value, what: &str) {
    assert_eq!(found["grave"], json!([]), "axe-core on {what}");
}

/// A list of texts.
fn texts(value: &Value) -> Vec<&str> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).collect()
}
