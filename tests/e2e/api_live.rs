//! The live stream over the console's port: what is told, in which order, and how it ends.

use std::time::Duration;

use contract::clock::Clock;
use http::Method;
use serde_json::{Value, json};

use crate::api::Door;
use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{Database, World};

/// Longest wait for an event.
const PATIENCE: Duration = Duration::from_secs(10);
/// Streams that the runtime has at the same time.
const STREAMS_MAX: usize = 64;

/// One stream, read event by event.
struct Stream {
    response: reqwest::Response,
    text: String,
    last: u64,
    /// As it was told last, with its changes.
    map: Value,
    changes: usize,
}

impl Stream {
    async fn open(door: &Door, query: &str) -> Self {
        let path = format!("/api/v1/live?{query}");
        let response = door.ask(Method::GET, &path).send().await.expect("answered");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self::of(response)
    }

    fn of(response: reqwest::Response) -> Self {
        Self {
            response,
            text: String::new(),
            last: 0,
            map: Value::Null,
            changes: 0,
        }
    }

    /// The next event, a change as the map that it makes; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        let (name, data) = self.event().await?;
        match &*name {
            "map" => self.map = data.clone(),
            "change" => {
                self.change(&data);
                return Some(("map".to_owned(), self.map.clone()));
            }
            _ => {}
        }
        Some((name, data))
    }

    fn change(&mut self, change: &Value) {
        assert_eq!(change["of"], self.map["sequence"], "of the map before it");
        self.map["sequence"] = change["sequence"].clone();
        for list in ["services", "links"] {
            for pair in change[list].as_array().expect("a list") {
                let at = usize::try_from(pair[0].as_u64().expect("an index")).expect("small");
                self.map[list][at] = pair[1].clone();
            }
        }
        self.changes += 1;
    }

    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let line = event.lines().find_map(|it| it.strip_prefix(name));
                    line.expect("a field of every event").to_owned()
                };
                let id: u64 = field("id: ").parse().expect("a number");
                assert!(id > self.last, "ids grow");
                let data = serde_json::from_str(&field("data: ")).expect("JSON");
                let told = (field("event: "), data);
                (self.last, self.text) = (id, rest.to_owned());
                return Some(told);
            }
            let clock = Clock::system();
            let chunk = clock.timeout(PATIENCE, self.response.chunk());
            let chunk = chunk.await.expect("something is told in time");
            self.text += std::str::from_utf8(&chunk.ok()??).expect("text");
        }
    }

    /// The first event of this name that is as wanted.
    async fn until(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (told, data) = self
                .next()
                .await
                .unwrap_or_else(|| panic!("ended before {name}"));
            if told == name && wanted(&data) {
                return data;
            }
        }
    }
}

async fn world() -> (World, Door) {
    let world = World::start(Database::sqlite()).await;
    let door = Door::open(&world, "viewer").await;
    (world, door)
}

fn serves(map: &Value, name: &str) -> bool {
    let services = map["services"].as_array().expect("services");
    let found = services.iter().find(|it| it["name"] == name);
    found.is_some_and(|it| it["instances"].as_array().is_some_and(|it| !it.is_empty()))
}

#[tokio::test]
async fn a_service_that_joins_and_leaves_is_told_and_loads_mean_the_map_before_them() {
    let (world, door) = world().await;
    let mut live = Stream::open(&door, "topics=map&window_ms=60000").await;
    let (first, hello) = live.next().await.expect("a beginning");
    assert_eq!((&*first, &hello["heartbeat_ms"]), ("hello", &json!(5000)));
    let (second, map) = live.next().await.expect("a map");
    assert_eq!(second, "map");
    assert!(!serves(&map, "desk"));

    let mut peer = world.desk("desk").await;
    let map = live.until("map", |it| serves(it, "desk")).await;
    let mut builder = world.caller("orders").await;
    let desk = builder.client::<Desk>();
    let orders = builder.start().await.expect("starts");
    let text = "hello".to_owned();
    desk.echo(EchoRequest { text }).await.expect("answered");

    // Every load means the map that was told last.
    let (mut map, mut loaded) = (map, None);
    while loaded.is_none() {
        let (name, data) = live.next().await.expect("more");
        match &*name {
            "map" => {
                assert!(data["sequence"].as_u64() > map["sequence"].as_u64());
                map = data;
            }
            "load" => {
                assert_eq!(data["sequence"], map["sequence"]);
                loaded = data["links"].get(0).cloned();
            }
            _ => {}
        }
    }
    let row = loaded.expect("a load");
    let at = usize::try_from(row[0].as_u64().expect("an index")).expect("small");
    assert_eq!(
        (&map["links"][at]["from"], &map["links"][at]["to"]),
        (&json!("orders"), &json!("desk"))
    );
    assert_eq!((&row[1], &row[2]), (&json!(1), &json!(0)));

    peer.process.kill();
    live.until("map", |it| !serves(it, "desk")).await;
    assert!(live.changes > 0, "no service came or went with its process");
    orders.stop().await;
}

#[tokio::test]
async fn operations_and_lines_are_told_as_they_are_filtered() {
    let (world, door) = world().await;
    let _peer = world.desk("desk").await;
    let mut live = Stream::open(&door, "topics=logs,ops&service=orders&level=warn").await;
    live.until("hello", |_| true).await;

    let mut builder = world.caller("orders").await;
    let desk = builder.client::<Desk>();
    let telemetry = builder.telemetry();
    let orders = builder.start().await.expect("starts");
    let text = "hello".to_owned();
    desk.echo(EchoRequest { text }).await.expect("answered");
    telemetry
        .log(bridge::telemetry::Level::Info, "not for this one")
        .send();
    telemetry
        .log(bridge::telemetry::Level::Warn, "shelf is empty")
        .send();

    let (mut ops, mut logs) = (Value::Null, Value::Null);
    while ops.is_null() || logs.is_null() {
        let (name, data) = live.next().await.expect("more");
        match &*name {
            "ops" => ops = data,
            "logs" => logs = data,
            _ => {}
        }
    }
    assert_eq!(
        (&ops["ops"][0]["subject"], &ops["missed"]),
        (&json!("rpc.call:desk/Echo"), &json!(0))
    );
    assert_eq!(logs["logs"].as_array().expect("lines").len(), 1);
    assert_eq!(
        (&logs["logs"][0]["message"], &logs["logs"][0]["service"]),
        (&json!("shelf is empty"), &json!("orders"))
    );
    orders.stop().await;
}

#[tokio::test]
async fn a_stream_without_topics_is_quiet_and_ends_with_the_token_or_the_runtime() {
    let (mut world, door) = world().await;
    let other = Door::open(&world, "admin").await;
    let mut revoked = Stream::open(&door, "topics=").await;
    let mut stopped = Stream::open(&other, "").await;
    for stream in [&mut revoked, &mut stopped] {
        assert_eq!(stream.next().await.expect("a beginning").0, "hello");
        assert_eq!(stream.next().await, Some(("quiet".to_owned(), json!({}))));
    }

    let path = format!("/api/v1/tokens/{}", door.token_id);
    let gone = other
        .ask(Method::DELETE, &path)
        .send()
        .await
        .expect("answered");
    assert_eq!(gone.status(), 204);
    revoked.until("expired", |_| true).await;
    assert_eq!(revoked.next().await, None);

    world.terminate();
    stopped.until("bye", |_| true).await;
    assert_eq!(stopped.next().await, None);
    world.runtime().ended(PATIENCE).await;
}

#[tokio::test]
async fn one_stream_too_many_is_told_to_come_back() {
    let (_world, door) = world().await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        streams.push(Stream::open(&door, "topics=map").await);
    }
    let refused = door
        .ask(Method::GET, "/api/v1/live")
        .send()
        .await
        .expect("answered");
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "5");

    streams.pop();
    let (mut again, _) = crate::harness::eventually(PATIENCE, "a free place", async || {
        let response = door.ask(Method::GET, "/api/v1/live").send().await.ok()?;
        (response.status() == 200).then(|| Stream::of(response))
    })
    .await;
    again.until("hello", |_| true).await;
}
