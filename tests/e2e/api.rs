//! The HTTP API as its own document describes it: complete, honest, and with a sentence for every
//! refusal; first over the operator's socket, then fuzzed over TCP by schemathesis.
//!
//! `UPDATE_GOLDEN=1` writes the document anew.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bridge_runtime::operator::Client;
use http::Method;
use serde_json::{Value, json};

use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{Database, World, eventually, on_both_databases};
use crate::python;

const PATIENCE: Duration = Duration::from_secs(15);

/// Posts over the operator's socket.
async fn send(world: &World, path: &str, body: &Value) -> Value {
    let operator = Client::new(&world.data());
    let done = operator.send_json(Method::POST, path, body).await;
    done.expect("the runtime takes it")
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/assets/openapi.json")
}

/// What the console's port answers to a request with a token of this role.
pub(crate) struct Door {
    client: reqwest::Client,
    base: String,
    pub(crate) token: String,
    pub(crate) token_id: String,
}

impl Door {
    pub(crate) async fn open(world: &World, role: &str) -> Self {
        let wanted = json!({ "name": role, "role": role });
        let made = send(world, "/api/v1/tokens", &wanted).await;
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Self {
            client: reqwest::Client::new(),
            base: world.console(),
            token: text("token"),
            token_id: text("id"),
        }
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.client.request(method, url).bearer_auth(&self.token)
    }

    /// Status, content type and body.
    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, String, Value) {
        let response = request.send().await.expect("answered");
        let kind = response.headers().get("content-type");
        let kind = kind
            .map_or("", |it| it.to_str().expect("a text"))
            .to_owned();
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("a body");
        (
            status,
            kind,
            serde_json::from_slice(&body).unwrap_or_default(),
        )
    }
}

#[tokio::test]
async fn the_document_is_the_golden_one_and_describes_every_input() {
    let world = World::start(Database::sqlite()).await;
    let document: Value = world.get("/api/openapi.json").await;
    let text = serde_json::to_string_pretty(&document).expect("plain data") + "\n";
    if std::env::var("UPDATE_GOLDEN").is_ok_and(|it| it == "1") {
        std::fs::write(golden(), &text).expect("the golden file can be written");
    }
    let known = std::fs::read_to_string(golden()).expect("the golden file is there");
    assert!(
        known == text,
        "the API has changed: look at it, then run this test with UPDATE_GOLDEN=1"
    );

    let mut ids = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let it = format!("{method} {path}");
            ids.push(operation["operationId"].as_str().expect("an id").to_owned());
            assert!(operation["summary"].is_string(), "{it}: no summary");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = &parameter["name"];
                assert!(
                    parameter["description"].is_string(),
                    "{it}: {name} has no words"
                );
                assert!(
                    is_bounded(&parameter["schema"]),
                    "{it}: {name} has no bounds"
                );
            }
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            if let Some(schema) = body["$ref"].as_str() {
                let schema = document
                    .pointer(&schema[1..])
                    .expect("the reference leads somewhere");
                assert_eq!(
                    schema["additionalProperties"], false,
                    "{it}: takes anything"
                );
                for (name, member) in schema["properties"].as_object().expect("members") {
                    assert!(is_bounded(member), "{it}: {name} has no bounds");
                }
            }
        }
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "two operations share an id");
}

/// Whether a schema says how large a value may get.
fn is_bounded(schema: &Value) -> bool {
    let is = |word: &str| match &schema["type"] {
        Value::Array(types) => types.iter().any(|it| it == word),
        it => it == word,
    };
    let chosen = schema["enum"].is_array() || schema["$ref"].is_string();
    if is("integer") {
        schema["minimum"].is_number() && schema["maximum"].is_number()
    } else if is("string") {
        chosen || schema["maxLength"].is_number()
    } else {
        is("boolean") || chosen || schema["anyOf"].is_array()
    }
}

#[tokio::test]
async fn every_refusal_is_a_problem_with_a_sentence() {
    let world = World::start(Database::sqlite()).await;
    let door = Door::open(&world, "admin").await;
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(70_000));
    let post = |path, kind: &'static str, body: &str| {
        let request = door.ask(Method::POST, path).header("content-type", kind);
        request.body(body.to_owned())
    };
    let (services, json) = ("/api/v1/services", "application/json");
    for (request, status, says) in [
        (post(services, json, "{\"name\":"), 400, "not JSON"),
        (post(services, json, "[]"), 400, "not a JSON object"),
        (
            post(services, json, "{\"name\":7}"),
            400,
            "expected a string",
        ),
        (post(services, json, "{}"), 400, "`name` is missing"),
        (
            post(services, json, "{\"name\":\"a\",\"x\":1}"),
            400,
            "`x` is not known here; use `name`",
        ),
        (post(services, json, "{\"name\":\"\"}"), 400, "at least 1"),
        (
            post(services, json, "{\"name\":\"Orders\"}"),
            422,
            "is not valid",
        ),
        (
            post(services, "text/plain", "{\"name\":\"a\"}"),
            415,
            "application/json",
        ),
        (post(services, json, &long), 413, "longer than"),
        (
            post("/api/v1/services/nobody/keys", json, ""),
            404,
            "`nobody` does not exist",
        ),
        (
            door.ask(Method::GET, "/api/v1/map?window=5"),
            422,
            "`window` is not known here; use `window_ms`",
        ),
        (
            door.ask(Method::GET, "/api/v1/map?window_ms=3600001"),
            422,
            "from 1 to 3600000",
        ),
        (
            door.ask(Method::GET, "/api/v1/map?window_ms=1&window_ms=2"),
            422,
            "given twice",
        ),
        (
            door.ask(Method::GET, "/api/v1/traces?channel=HTTP"),
            422,
            "`HTTP` is no channel; use http",
        ),
        (
            door.ask(Method::GET, "/api/v1/traces?failed=yes"),
            422,
            "true or false",
        ),
        (
            door.ask(Method::GET, "/api/v1/traces?cursor=abc"),
            422,
            "start again without one",
        ),
        (
            door.ask(Method::GET, "/api/v1/audit?cursor=abc"),
            422,
            "start again without one",
        ),
        (
            door.ask(Method::GET, "/api/v1/services?x"),
            422,
            "nothing can be given",
        ),
        (
            door.ask(Method::GET, "/api/v1/services/%ff"),
            404,
            "nothing is at this path",
        ),
        (
            door.ask(Method::GET, "/api/v1/nothing"),
            404,
            "/api/openapi.json",
        ),
        (
            door.ask(Method::DELETE, "/api/v1/map"),
            405,
            "DELETE is not possible here",
        ),
        (
            post("/api/v1/live", json, ""),
            405,
            "POST is not possible here",
        ),
        (
            door.ask(Method::GET, "/api/v1/live?topics=everything"),
            422,
            "use map, ops, logs",
        ),
    ] {
        let (told, kind, body) = door.send(request).await;
        let detail = body["detail"].as_str().unwrap_or_default();
        assert_eq!(
            (told, &*kind),
            (status, "application/problem+json"),
            "{says}: {body}"
        );
        assert!(detail.contains(says), "{says}: {detail}");
        assert_eq!(
            (&body["type"], &body["status"]),
            (&json!("about:blank"), &json!(status))
        );
    }
}

/// The one of a list whose member is this.
fn named<'v>(all: &'v Value, member: &str, name: &str) -> &'v Value {
    let found = all
        .as_array()
        .and_then(|all| all.iter().find(|it| it[member] == name));
    found.unwrap_or(&Value::Null)
}

on_both_databases! {
    async fn a_service_is_shown_with_everything_known_of_it(world: World) {
        let peer = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<Desk>();
        let orders = builder.start().await.expect("starts");
        let request = EchoRequest { text: "hello".to_owned() };
        desk.echo(request).await.expect("answered");

        let (shown, _) = eventually(PATIENCE, "the call is counted", async || {
            let shown: Value = world.get("/api/v1/services/desk").await;
            let echo = named(&shown["called_by"], "method", "Echo");
            (echo["load"]["count"] == 1).then_some(shown)
        })
        .await;
        let instance = &shown["instances"][0];
        assert_eq!(instance["id"], json!(peer.instance));
        assert_eq!((&instance["status"], &instance["health"]), (&json!("connected"), &json!("healthy")));
        let (issued, expires) = (&instance["certificate"]["issued_at_unix_ms"], &instance["certificate"]["expires_at_unix_ms"]);
        let life_ms = expires.as_i64().expect("a time") - issued.as_i64().expect("a time");
        assert_eq!(life_ms, 3_600_000, "a leaf lives for an hour");
        let since = instance["connected_since_unix_ms"].as_i64().expect("a time");
        assert!((since - issued.as_i64().expect("a time")).abs() < 60_000);
        let echo = named(&shown["methods"], "name", "Echo");
        assert_eq!((&echo["kind"], &echo["instances"]), (&json!("rpc"), &json!(1)));
        assert_eq!(echo["served"]["count"], 1);
        assert!(echo["input_schema"].is_object() && echo["output_schema"].is_object());
        assert_eq!(named(&shown["called_by"], "method", "Echo")["from"], "orders");
        let caller: Value = world.get("/api/v1/services/orders").await;
        assert_eq!(named(&caller["calls"], "method", "Echo")["to"], "desk");

        let red: Value = world.get("/api/v1/red?service=desk&window_ms=60000").await;
        let of = &red["services"][0];
        assert_eq!((&of["service"], &of["total"]["count"]), (&json!("desk"), &json!(1)));
        assert_eq!((&of["routes"][0]["kind"], &of["routes"][0]["name"]), (&json!("rpc"), &json!("Echo")));
        let points = of["total"]["points"].as_array().expect("points");
        let counted: u64 = points.iter().filter_map(|it| it["count"].as_u64()).sum();
        assert_eq!(counted, 1, "{points:?}");
        assert_eq!(of["total"]["histogram"][0]["count"], 1);
        let loads: Value = world.get("/api/v1/red?service=desk&routes=loads").await;
        let route = &loads["services"][0]["routes"][0]["red"];
        assert_eq!((&route["count"], &route["points"], &route["histogram"]), (&json!(1), &json!([]), &json!([])));
        let none: Value = world.get("/api/v1/red?service=desk&routes=none").await;
        assert_eq!(none["services"][0]["routes"], json!([]));
        assert_eq!(none["services"][0]["total"]["histogram"][0]["count"], 1);
        orders.stop().await;
    }

    async fn one_key_is_revoked_and_the_others_work(world: World) {
        world.key("desk").await;
        world.key("desk").await;
        let shown: Value = world.get("/api/v1/services/desk").await;
        let keys = shown["keys"].as_array().expect("keys");
        assert_eq!(keys.len(), 2);
        let id = keys[0]["id"].as_str().expect("an id");
        let path = format!("/api/v1/services/desk/keys/{id}/revoke");
        let done = send(&world, &path, &json!({})).await;
        assert_eq!(done["status"], "revoked");
        let shown: Value = world.get("/api/v1/services/desk").await;
        let left = shown["keys"].as_array().expect("keys").iter();
        let left: Vec<_> = left.filter(|it| it["revoked_at_unix_ms"].is_null()).collect();
        assert_eq!(left.len(), 1);
        assert_ne!(left[0]["id"], id);

        let trail: Value = world.get("/api/v1/audit?limit=1").await;
        assert_eq!(trail["entries"][0]["action"], "service.key.revoke");
        assert_eq!(trail["entries"][0]["target"], format!("desk/{id}"));
        let next = trail["next"].as_str().expect("there is more");
        let older: Value = world.get(&format!("/api/v1/audit?limit=1&cursor={next}")).await;
        assert_eq!(older["entries"][0]["action"], "service.key.create");
    }
}

/// Longest run of the fuzzer.
const FUZZ_MAX_SECONDS: u64 = 120;

/// Installed beside the packages of the other Python tests, because it needs many of its own.
fn fuzzer() -> PathBuf {
    let requirements = include_str!("../python/requirements-fuzz.txt");
    python::installed("python-fuzz", requirements).join("schemathesis")
}

/// How the fuzzer goes about it. Not checked is that whatever fits the schema is accepted: a schema
/// cannot say that a thing exists, nor how a cursor is made. Where nobody needs to be logged in,
/// a method that does not exist is 401 before it is 405.
fn plan(token: &str, trace: &str) -> String {
    format!(
        r#"
[auth.openapi.token]
bearer = "{token}"

[checks]
positive_data_acceptance.enabled = false
missing_required_header.enabled = false
use_after_free.enabled = false
ensure_resource_availability.enabled = false
object_level_authorization.enabled = false

[[operations]]
include-path = ["/api/v1/setup", "/api/v1/session"]
checks.unsupported_method.enabled = false

[[operations]]
include-operation-id = "show_trace"
parameters = {{ id = "{trace}" }}

[[operations]]
include-operation-id = "show_service"
parameters = {{ name = "desk" }}
"#
    )
}

#[tokio::test]
async fn a_fuzzer_finds_no_answer_that_the_document_does_not_describe() {
    let world = World::start(Database::sqlite()).await;
    let _peer = world.desk("desk").await;
    let mut builder = world.caller("orders").await;
    let desk = builder.client::<Desk>();
    let telemetry = builder.telemetry();
    let orders = builder.start().await.expect("starts");
    let text = "hello".to_owned();
    desk.echo(EchoRequest { text }).await.expect("answered");
    telemetry
        .log(bridge::telemetry::Level::Warn, "shelf is empty")
        .send();
    let trace = world.trace("desk/Echo", 1).await.trace_id;

    let door = Door::open(&world, "admin").await;
    let fuzzer = tokio::task::spawn_blocking(fuzzer)
        .await
        .expect("installed");
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path
    };
    let document: Value = world.get("/api/openapi.json").await;
    let mut command = Command::new("timeout");
    command
        .arg(FUZZ_MAX_SECONDS.to_string())
        .arg(fuzzer)
        .arg("--config-file")
        .arg(file("schemathesis.toml", &plan(&door.token, &trace)))
        .arg("run")
        .arg(file("openapi.json", &document.to_string()))
        .args(["--url", &world.console()])
        // What goes on for ever is tested by itself, and a backup takes its time; without its
        // token the fuzzer would be shut out.
        .args(["--exclude-path-regex", "/(live|tail|backup)$"])
        .args(["--exclude-operation-id", "revoke_token"])
        .args(["--phases", "coverage,fuzzing", "--max-examples", "12"])
        .args(["--generation-allow-x00", "true", "--seed", "4"])
        .args(["--no-color", "--workers", "1", "--request-timeout", "10"])
        .env("HYPOTHESIS_STORAGE_DIRECTORY", folder.path())
        .current_dir(folder.path())
        .stdin(Stdio::null());
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = run.await.expect("no panic").expect("the fuzzer runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let tested = said.lines().find(|it| it.contains(" generated, "));
    println!("schemathesis: {}", tested.unwrap_or("nothing told").trim());
    orders.stop().await;
}
