//! `bridge audit`: routes of a real service, declared, mounted and called, with its exit codes.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bridge::Bridge;
use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::telemetry_client::TelemetryClient;
use contract::grpc::v1::{MetricBatch, MetricKind, MetricPoint, TelemetryBatch};
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use crate::harness::{Member, World, eventually, on_both_databases};

const SOON: Duration = Duration::from_secs(20);

/// Routes that were called once each, in a test with too many series.
const TEAS: usize = 150;

async fn handler() {}

/// A service with routes, some of them nested.
async fn shop(world: &World) -> (Bridge, String) {
    let bridge = world.caller("shop").await.start().await.expect("starts");
    let orders = Router::new()
        .route("/", get(handler).post(handler))
        .route("/{order}", get(handler));
    let app = Router::new()
        .route("/healthz", get(handler))
        .nest("/orders", orders);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = bridge.clone();
    tokio::spawn(async move { serving.serve_http(listener, app).await });
    (bridge, format!("http://{address}"))
}

/// An answered request, in a series of its own for each `nth`.
fn request(world: &World, method: &str, route: &str, nth: usize) -> MetricPoint {
    let nth = nth.to_string();
    let labels = [
        ("http.request.method", method),
        ("http.route", route),
        ("tenant", &nth),
    ];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    MetricPoint {
        at_unix_ms: world.clock.now().as_millis(),
        name: "http.server.request.duration".to_owned(),
        kind: MetricKind::Histogram as i32,
        labels: labels.into(),
        value: 0.1,
        unit: "s".to_owned(),
        buckets_json: br#"[{"le":1,"count":1},{"le":"+Inf","count":1}]"#.to_vec(),
        ..MetricPoint::default()
    }
}

/// Reports as another instance of the shop and waits for the acknowledgement.
async fn report(world: &World, items: Vec<MetricPoint>) {
    let member = Member::provision(&world.address(), &world.key("shop").await).await;
    let channel = member.runtime(&world.address()).await;
    let origin = channel.origin();
    let mut telemetry = TelemetryClient::with_origin(channel, origin);
    let batch = TelemetryBatch {
        kind: Some(Kind::Metrics(MetricBatch { items })),
        sequence: 1,
    };
    let frames = tokio_stream::once(batch).chain(tokio_stream::pending());
    let mut acks = telemetry.report(frames).await.expect("taken").into_inner();
    while acks
        .message()
        .await
        .expect("no error")
        .expect("no end")
        .acknowledged_sequence
        < 1
    {}
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Audits a service until `told` holds.
async fn audited(world: &World, service: &str, told: impl Fn(&Value) -> bool) -> Value {
    let what = format!("the audit of {service}");
    let (page, _) = eventually(SOON, &what, async || {
        let output = world.command_line(&["audit", service, "-o", "json"]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let page = json_of(&output);
        told(&page["services"][0]).then_some(page)
    })
    .await;
    page
}

fn named(set: &Value) -> Vec<String> {
    let name = |it: &Value| {
        let text = |field: &str| it[field].as_str().expect("text").to_owned();
        format!("{} {}", text("method"), text("path"))
    };
    set.as_array().expect("a set").iter().map(name).collect()
}

/// A file of declarations in the world's folder; its path.
fn file(world: &World, name: &str, lines: &str) -> String {
    let path = world.data().join(name);
    std::fs::write(&path, lines).expect("the folder can be written to");
    path.display().to_string()
}

/// Audits the shop with what standard input declares.
async fn with_input(world: &World, lines: &'static str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge-under-test"));
    command
        .env("BRIDGE_DATA", world.data())
        .args(["audit", "shop", "--declared", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the program starts");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(lines.as_bytes()).expect("it reads");
        drop(input);
        child.wait_with_output().expect("it ends")
    });
    run.await.expect("no panic")
}

on_both_databases! {
    async fn an_audit_says_what_is_mounted_and_was_never_called(world: World) {
        let (bridge, address) = shop(&world).await;
        let begun_ms = world.clock.now().as_millis();
        for path in ["/orders/7", "/orders/8", "/nowhere"] {
            reqwest::get(format!("{address}{path}")).await.expect("an answer");
        }
        reqwest::Client::new().head(format!("{address}/orders")).send().await.expect("an answer");
        let page = audited(&world, "shop", |it| {
            it["mounted_never_called"].as_array().is_some_and(|it| it.len() == 2)
        }).await;
        let shop = &page["services"][0];
        assert_eq!((&shop["service"], &shop["instances"]), (&json!("shop"), &json!(1)));
        assert_eq!(
            shop["mounted"],
            json!(["GET /healthz", "GET /orders", "POST /orders", "GET /orders/{order}"])
        );
        assert_eq!(named(&shop["mounted_never_called"]), ["GET /healthz", "POST /orders"]);
        for set in ["declared_and_mounted", "declared_not_mounted", "ambiguous", "mounted_not_declared"] {
            assert!(shop.as_object().is_some_and(|it| it[set].is_null()), "nothing was declared: {shop}");
        }
        assert_eq!((&shop["uncertain"], &shop["unread"]), (&json!([]), &json!([])));
        let (from, until) = (&page["from_unix_ms"], &page["until_unix_ms"]);
        assert!(from.as_i64().is_some_and(|it| it > 0 && it <= begun_ms), "{page}");
        assert!(until.as_i64().is_some_and(|it| it >= begun_ms), "{page}");

        // For people, of every service with routes.
        let _silent = world.caller("silent").await.start().await.expect("starts");
        let output = world.command_line(&["audit"]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = text(&output);
        assert!(said.starts_with("calls from 2") && said.contains(", all that is kept\n"), "{said}");
        assert!(said.contains("nothing was declared"), "{said}");
        assert!(said.ends_with("shop  1 instance
mounted: 4
  GET     /healthz
  GET     /orders
  POST    /orders
  GET     /orders/{order}
mounted, never called: 2
  GET     /healthz
  POST    /orders
"), "{said}");
        assert!(!said.contains("silent"), "{said}");

        // Calls before the time that is asked for do not count.
        let later = world.command_line(&["audit", "shop", "--since", "2100-01-01T00:00:00Z", "-o", "json"]).await;
        let never = &json_of(&later)["services"][0]["mounted_never_called"];
        assert_eq!(never.as_array().map(Vec::len), Some(4), "{never}");
        let recent = world.command_line(&["audit", "shop", "--since", "1h", "-o", "json"]).await;
        assert_eq!(named(&json_of(&recent)["services"][0]["mounted_never_called"]).len(), 2);
        bridge.stop().await;
    }

    async fn each_set_appears_and_decides_the_exit_code(world: World) {
        let (bridge, _) = shop(&world).await;
        audited(&world, "shop", |it| it["mounted"].as_array().is_some_and(|it| it.len() == 4)).await;
        let all = file(&world, "all.txt", "# the shop\n\
            GET /healthz\n\nGET /orders list\nPOST /orders place # new\nGET /orders/{id} show\n");
        let some = file(&world, "some.txt", "GET /healthz\nGET /{id} show\n");
        let more = file(&world, "more.txt", "GET /healthz\nGET /orders\nDELETE /orders/{id} cancel\nGET /gone gone\n");
        let many = file(&world, "many.txt", "GET /healthz a\nGET /healthz b\n\
            GET /orders\nPOST /orders\nGET /orders/{id}\n");
        let nothing = file(&world, "nothing.txt", "# nothing yet\n");
        for (file, strict, code) in [
            (&all, false, 0), (&all, true, 0), (&some, false, 0), (&some, true, 1),
            (&more, false, 1), (&more, true, 1), (&many, false, 1), (&many, true, 1),
            (&nothing, false, 0), (&nothing, true, 1),
        ] {
            let strict: &[&str] = if strict { &["--strict"] } else { &[] };
            let arguments = [&["audit", "shop", "--declared", file], strict].concat();
            let output = world.command_line(&arguments).await;
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
            assert!(output.stderr.is_empty(), "{output:?}");
        }
        let output = world.command_line(&["audit", "shop", "--declared", &more, "-o", "json"]).await;
        assert_eq!(output.status.code(), Some(1), "also for machines");
        let page = json_of(&output);
        let found = &page["services"][0];
        assert_eq!(named(&found["declared_and_mounted"]), ["GET /healthz", "GET /orders"]);
        assert_eq!(named(&found["declared_not_mounted"]), ["GET /gone", "DELETE /orders/{id}"]);
        assert_eq!(found["declared_not_mounted"][1]["mounted_methods"], json!(["GET"]));
        assert_eq!(named(&found["mounted_not_declared"]), ["POST /orders", "GET /orders/{order}"]);
        assert_eq!(found["ambiguous"], json!([]));
        for (file, hint) in [(&more, true), (&all, false)] {
            let said = text(&world.command_line(&["audit", "shop", "--declared", file]).await);
            assert_eq!(said.contains("routes that answer every method"), hint, "{said}");
        }
        let output = world.command_line(&["audit", "shop", "--declared", &many, "-o", "json"]).await;
        assert_eq!(named(&json_of(&output)["services"][0]["ambiguous"]), ["GET /healthz", "GET /healthz"]);
        let said = text(&world.command_line(&["audit", "shop", "--declared", &some]).await);
        assert!(said.contains("nested at /orders/{order}") && said.contains("mounted, not declared: 2\n"), "{said}");

        let fine = with_input(&world, "GET /healthz\r\nGET /orders list\r\n").await;
        assert_eq!(fine.status.code(), Some(0), "{fine:?}");
        assert_eq!(with_input(&world, "PUT /healthz\n").await.status.code(), Some(1));
        let wrong = with_input(&world, "GET /healthz\nhealthz\n").await;
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
        assert!(String::from_utf8_lossy(&wrong.stderr).contains("standard input:2: "), "{wrong:?}");
        bridge.stop().await;
    }

    async fn what_cannot_be_audited_is_said_with_what_to_do(world: World) {
        let bridge = world.caller("shop").await.start().await.expect("starts");
        let output = world.command_line(&["audit"]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(text(&output).contains("no service has HTTP routes"), "{output:?}");
        let wrong = file(&world, "wrong.txt", "GET /healthz\n\nFETCH /orders\n");
        let right = file(&world, "right.txt", "GET /healthz\n");
        for (arguments, code, told) in [
            (&["audit", "ship"][..], 1, "no service `ship`; is it `shop`?"),
            (&["audit", "warehouse"], 1, "bridge service list"),
            (&["audit", "shop", "--declared", &wrong], 2, "wrong.txt:3: `FETCH` is no method"),
            (&["audit", "shop", "--declared", "/nowhere/routes"], 2, "/nowhere/routes cannot be read"),
            (&["audit", "--declared", &right], 2, "<SERVICE>"),
            (&["audit", "shop", "--strict"], 2, "--declared"),
            (&["audit", "shop", "--since", "yesterday"], 2, "15m"),
        ] {
            let output = world.command_line(arguments).await;
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
            assert!(said.contains(told), "{arguments:?}: {said}");
            assert!(output.stdout.is_empty(), "{arguments:?}");
        }
        // Routes that nobody records: what was called is not known, which is not "nothing".
        let app: Router = Router::new().route("/healthz", get(handler));
        bridge.http_server("127.0.0.1:9", &app).expect("an endpoint");
        let page = audited(&world, "shop", |it| it["mounted"] == json!(["GET /healthz"])).await;
        let shop = page["services"][0].as_object().expect("a service");
        assert!(shop["mounted_never_called"].is_null(), "{page}");
        let output = world.command_line(&["audit", "shop", "--declared", &right]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(text(&output).contains("the service counts no requests"), "{output:?}");
        world.runtime().kill();
        let output = world.command_line(&["audit", "shop", "--declared", &right]).await;
        assert_eq!(output.status.code(), Some(3), "nobody to ask");
        bridge.stop().await;
    }

    async fn a_route_whose_series_do_not_fit_is_looked_for_or_said_to_be_uncertain(world: World) {
        let bridge = world.caller("shop").await.start().await.expect("starts");
        let teas: Vec<String> = (0..TEAS).map(|nth| format!("/tea/{nth}")).collect();
        let routes = ["/healthz", "/work"].into_iter().chain(teas.iter().map(|it| &**it));
        let app = routes.fold(Router::new(), |app: Router, it| app.route(it, get(handler)));
        bridge.http_server("127.0.0.1:9", &app).expect("an endpoint");
        // More series than one answer holds. The last in its order never fits.
        let busy = (0..1_100).map(|nth| request(&world, "DELETE", "/work", nth));
        let teas = teas.iter().map(|it| request(&world, "GET", it, 0));
        let last = [request(&world, "GET", "/work", 0)];
        report(&world, busy.chain(teas).chain(last).collect()).await;

        let page = audited(&world, "shop", |it| it["mounted"].as_array().is_some_and(|it| it.len() == TEAS + 2)).await;
        let shop = &page["services"][0];
        assert_eq!(named(&shop["mounted_never_called"]), ["GET /healthz"], "{shop}");
        assert_eq!(shop["uncertain"], json!(["GET /work"]), "{shop}");
        let said = text(&world.command_line(&["audit", "shop"]).await);
        assert!(said.contains("too many series to tell whether called: 1\n  GET     /work\n"), "{said}");
        bridge.stop().await;
    }
}
