//! From the login to an order's trace with nothing but keys; the focus is always seen.

use serde_json::{Value, json};

use super::{logged_in, open};
use crate::console::{PASSWORD, PATIENCE, USERNAME, order, orders};
use crate::harness::{Browser, World, eventually};

/// A person without a pointer.
struct Keys(Browser);

impl Keys {
    async fn press(&mut self, key: &str) {
        self.0.step("keys", json!({ "keys": [key] })).await;
    }

    async fn types(&mut self, text: &str) {
        self.0.step("type", json!({ "text": text })).await;
    }

    /// Tab until it is there.
    async fn tab_to(&mut self, name: &str, role: &str) {
        let with = json!({ "name": name, "role": role });
        self.0.step("tab_to", with).await;
    }

    async fn tab_back_to(&mut self, name: &str, role: &str) {
        let with = json!({ "name": name, "role": role, "backwards": true });
        self.0.step("tab_to", with).await;
    }

    async fn arrow_to(&mut self, key: &str, text: &str) {
        let with = json!({ "key": key, "text": text });
        self.0.step("arrow_to", with).await;
    }

    /// The focus has to be there by itself.
    async fn is_at(&mut self, name: &str, role: &str) {
        let with = json!({ "name": name, "role": role });
        self.0.step("focus_is", with).await;
    }

    async fn arrives(&mut self, pattern: &str) {
        self.0.step("arrives", json!({ "pattern": pattern })).await;
    }

    async fn sees(&mut self, pattern: &str) {
        self.0.step("shows", json!({ "pattern": pattern })).await;
    }

    /// A dialog holds the focus until Escape, and gives it back.
    async fn walks_the_dialog(&mut self, back_to: &str) {
        let with = json!({ "back_to": back_to });
        self.0.step("dialog_keeps_focus", with).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_found_without_a_pointer() {
    let (world, mut browser) = logged_in().await;
    let desk = world.desk("desk").await;
    let (shop, address) = orders(&world).await;
    order(&address).await;
    world.trace("/v1/orders", 2).await;
    is_on_the_map(&world).await;
    browser.step("log_out", json!({})).await;
    let mut keys = Keys(browser);

    // The login begins in its first field, after a log-out and in a new document. A new one also forgets where cards
    // stood that came one by one: now callers are at the left of whom they call.
    keys.is_at("Name", "input").await;
    open(&mut keys.0, "/login").await;
    keys.is_at("Name", "input").await;
    keys.types(USERNAME).await;
    keys.tab_to("^Password", "input").await;
    keys.types(PASSWORD).await;
    keys.press("Enter").await;
    keys.arrives("^/$").await;
    keys.sees("^orders$").await;

    // The map: to a service by arrows, its panel by Enter, and on by Tab.
    keys.tab_to("desk|orders|Outside", "button").await;
    keys.arrow_to("ArrowLeft", "Outside").await;
    keys.arrow_to("ArrowRight", "orders").await;
    keys.press("Enter").await;
    keys.sees("Routes and methods").await;
    keys.tab_to("^Traces$", "a").await;
    keys.press("Enter").await;
    keys.arrives("^/traces\\?service=orders").await;

    // The list: the order by Enter.
    keys.sees("POST /v1/orders").await;
    keys.tab_to("POST /v1/orders", "row").await;
    keys.press("Enter").await;
    keys.arrives("^/traces/[0-9a-f-]{36}").await;
    keys.is_at("Operations", "treegrid").await;
    keys.arrow_to("ArrowDown", "Echo").await;
    the_trace_and_its_dialog(&mut keys).await;
    a_form_and_a_menu(&mut keys).await;
    shop.stop().await;
    drop(desk);
}

/// Waits until the map has the order's whole way.
async fn is_on_the_map(world: &World) {
    let way = [("", "orders"), ("orders", "desk")];
    eventually(PATIENCE, "the order on the map", async || {
        let map: Value = world.get("/api/v1/map").await;
        let links = map["links"].as_array()?;
        let has = |(from, to)| links.iter().any(|it| it["from"] == from && it["to"] == to);
        way.into_iter().all(has).then_some(())
    })
    .await;
}

async fn the_trace_and_its_dialog(keys: &mut Keys) {
    keys.press("?").await;
    keys.walks_the_dialog("Operations").await;
    keys.press("Enter").await;
    keys.is_at("Operation", "aside").await;
    keys.tab_to("^Next operation", "button").await;
    keys.press("Escape").await;
    keys.is_at("Operations", "treegrid").await;
}

async fn a_form_and_a_menu(keys: &mut Keys) {
    keys.tab_back_to("^Services$", "a").await;
    keys.press("Enter").await;
    keys.tab_to("^New service$", "button").await;
    keys.press("Enter").await;
    keys.is_at("Name", "input").await;
    keys.walks_the_dialog("^New service$").await;
    keys.tab_back_to(USERNAME, "button").await;
    keys.press("Enter").await;
    keys.is_at("Account and password", "menuitem").await;
    keys.press("Escape").await;
    keys.is_at(USERNAME, "button").await;
}
