//! Telemetry and routes of bridges against a small runtime over real sockets.

use axum::routing::{get as on_get, post};
use contract::clock::Clock;
use contract::grpc::v1::{CaptureMode, MethodType, RegisterRequest, Status as OpStatus};

use super::mesh::Mesh;
use super::mesh_tests::{HOUR, call, get, get_with, serve, until, until_answered};
use super::*;
use crate::telemetry::Level;

/// Names of the HTTP rows of a registration.
fn http_rows(request: &RegisterRequest) -> Vec<&str> {
    let rows = request.incoming.iter();
    let rows = rows.filter(|it| it.r#type == MethodType::Http as i32);
    rows.map(|it| &*it.name).collect()
}

fn app() -> axum::Router {
    let orders = axum::Router::new()
        .route("/", post(|| async { "placed" }))
        .route("/{id}", on_get(|| async { "shown" }));
    axum::Router::new().nest("/orders", orders).route(
        "/panics",
        on_get(|| async { panic!("at the handler") as &str }),
    )
}

/// Serves `app`; the server's address and its end.
async fn serve_http(
    bridge: &Bridge,
    app: axum::Router,
) -> (std::net::SocketAddr, JoinHandle<Result<(), Error>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let bridge = bridge.clone();
    let http = tokio::spawn(async move { bridge.serve_http(listener, app).await });
    (address, http)
}

#[tokio::test]
async fn routes_are_registered_again_after_a_restart_and_leave_with_their_server() {
    let mesh = Mesh::start(HOUR).await;
    let bridge = serve(&mesh).await;
    bridge.declare_http("payments-api", "GET /v1/charges");
    bridge.declare_http("payments-api", "GET /v1/charges");
    let (address, http) = serve_http(&bridge, app()).await;
    let expected = ["POST /orders", "GET /orders/{id}", "GET /panics"];
    let is_whole = || {
        let all = mesh.registrations();
        let Some(request) = all.first() else {
            return false;
        };
        let mut rows = http_rows(request);
        rows.sort_unstable();
        let mut wanted = expected.to_vec();
        wanted.sort_unstable();
        let http = MethodType::Http as i32;
        rows == wanted
            && request.http_endpoint == address.to_string()
            && request
                .outgoing
                .iter()
                .filter(|it| it.r#type == http)
                .count()
                == 1
            && request.incoming.iter().any(|it| it.name == "Echo")
    };
    until(is_whole).await;
    mesh.kill();
    until(|| bridge.status().phase != Phase::Connected).await;
    mesh.serve().await;
    until(is_whole).await;
    http.abort();
    until(|| {
        let all = mesh.registrations();
        all.iter()
            .all(|it| http_rows(it).is_empty() && it.http_endpoint.is_empty())
    })
    .await;
    assert_eq!(mesh.registrations()[0].outgoing.len(), 1);
}

#[tokio::test]
async fn a_server_that_was_declared_before_the_start_is_in_the_first_registration() {
    let mesh = Mesh::start(HOUR).await;
    let builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let bridge = builder
        .http_server("shop.internal:80", &app())
        .start()
        .await
        .unwrap();
    let request = mesh.registrations().remove(0);
    assert_eq!(
        (http_rows(&request).len(), &*request.http_endpoint),
        (3, "shop.internal:80")
    );
    let second: axum::Router<u8> = axum::Router::new().route("/late", on_get(|| async {}));
    bridge.http_server("shop.internal:81", &second).unwrap();
    until(|| http_rows(&mesh.registrations()[0]).contains(&"GET /late")).await;
    let wrong = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let error = wrong
        .http_server("nowhere", &app())
        .start()
        .await
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
}

#[tokio::test]
async fn all_kinds_go_out_over_one_stream_in_batches_of_one_kind() {
    let mesh = Mesh::start(HOUR).await;
    mesh.want(|it| it.rpc = CaptureMode::All as i32);
    let _callee = serve(&mesh).await;
    let (caller, client) = call(&mesh).await;
    let telemetry = caller.telemetry();
    until_answered(&client).await;
    telemetry.counter("orders").add(3.0, &[("kind", "web")]);
    telemetry.log(Level::Info, "hello").send();
    telemetry.op("step").start().ok();
    caller.stop().await;
    let instance = caller.identity().unwrap().instance_id.to_string();
    let entry = mesh.logs().remove(0);
    assert_eq!((&*entry.message, &entry.instance_id), ("hello", &instance));
    let points = mesh.points();
    let orders = points.iter().find(|it| it.name == "orders").unwrap();
    assert_eq!((orders.value, &orders.instance_id), (3.0, &instance));
    assert!(points.iter().any(|it| it.name == "process.cpu_percent"));
    assert!(
        points
            .iter()
            .any(|it| it.name == "process.rss_bytes" && it.value > 0.0)
    );
    let operations = mesh.operations();
    assert!(operations.iter().any(|it| it.subject == "step"));
    let payloads = mesh.payloads();
    let answered = |direction| {
        let found = payloads.iter().filter(|it| it.direction == direction);
        found.filter(|it| it.contract_hash == "v2:echo").count()
    };
    assert!(answered(1) >= 1 && answered(2) >= 1);
    assert!(
        payloads
            .iter()
            .all(|it| operations.iter().any(|op| op.op_id == it.op_id))
    );
    let sequences: Vec<_> = mesh.reported().iter().map(|it| it.sequence).collect();
    let counted: Vec<_> = (1..=sequences.len() as u64).collect();
    assert_eq!(sequences, counted);
}

#[tokio::test]
async fn payloads_follow_the_runtimes_wish_while_calls_run() {
    let mesh = Mesh::start(HOUR).await;
    let _callee = serve(&mesh).await;
    let (caller, client) = call(&mesh).await;
    until_answered(&client).await;
    client.echo("before").await.unwrap();
    mesh.want(|it| it.rpc = CaptureMode::Errors as i32);
    // The wish is there once a failed call has left its request.
    let clock = Clock::system();
    let begun = clock.monotonic();
    while mesh.payloads().is_empty() {
        // No more time than a deadline that has passed: it fails after it was recorded.
        let slow = client.echo("slow").timeout(Duration::from_millis(20)).await;
        slow.unwrap_err();
        client.echo("fine").await.unwrap();
        assert!(clock.monotonic().since(begun) < Duration::from_secs(10));
    }
    caller.stop().await;
    let operations = mesh.operations();
    for payload in mesh.payloads() {
        let ended = |op: &&contract::grpc::v1::OpReport| {
            op.op_id == payload.op_id && op.finished_at_ms.is_some()
        };
        let op = operations.iter().find(ended).expect("its operation");
        assert_ne!(op.status, OpStatus::Success as i32);
        assert_eq!(
            (payload.direction, &*payload.bytes),
            (1, &b"\x0a\x04slow"[..])
        );
    }
}

#[tokio::test]
async fn a_runtime_that_freezes_costs_the_oldest_and_nothing_else() {
    const OPERATIONS: usize = 5_000;
    let mesh = Mesh::start(HOUR).await;
    let (bridge, _client) = call(&mesh).await;
    let telemetry = bridge.telemetry();
    mesh.freeze(true);
    for number in 0..OPERATIONS {
        telemetry.op(format!("op {number}")).start().ok();
        if number % 100 == 0 {
            tokio::task::yield_now().await;
        }
    }
    until(|| mesh.operations().len() >= 256).await;
    assert!(
        mesh.operations().len() <= 1_024,
        "no more than that is under way"
    );
    let kept_max = 256 * 1024 / 200;
    let dropped = telemetry.dropped().operations as usize;
    assert!(dropped + 1_024 + kept_max >= OPERATIONS, "{dropped}");
    mesh.freeze(false);
    mesh.kill();
    until(|| bridge.status().phase != Phase::Connected).await;
    mesh.serve().await;
    let last = format!("op {}", OPERATIONS - 1);
    until(|| mesh.operations().iter().any(|it| it.subject == last)).await;
    bridge.stop().await;
    let arrived: std::collections::BTreeSet<_> =
        mesh.operations().into_iter().map(|it| it.op_id).collect();
    let dropped = telemetry.dropped().operations as usize;
    // What was dropped on its way, and arrived on a stream that broke, is in both.
    assert!(arrived.len() + dropped >= OPERATIONS);
    let points = mesh.points();
    let told = points
        .iter()
        .filter(|it| it.name == "sb_sdk_telemetry_dropped_total");
    let told: f64 = told
        .filter(|it| it.labels["source"] == "ops")
        .map(|it| it.value)
        .sum();
    assert_eq!(told as usize, dropped);
}

#[tokio::test]
async fn a_runtime_that_wants_no_telemetry_gets_none_until_it_does() {
    let mesh = Mesh::start(HOUR).await;
    mesh.want(|it| it.telemetry_enabled = false);
    let (bridge, _client) = call(&mesh).await;
    let telemetry = bridge.telemetry();
    telemetry.op("unwanted").start().ok();
    telemetry.log(Level::Error, "unwanted").send();
    telemetry.counter("unwanted").add(1.0, &[]);
    mesh.want(|it| it.telemetry_enabled = true);
    until(|| {
        telemetry.op("wanted").start().ok();
        mesh.operations().iter().any(|it| it.subject == "wanted")
    })
    .await;
    bridge.stop().await;
    assert!(mesh.operations().iter().all(|it| it.subject == "wanted"));
    assert!(mesh.logs().is_empty());
    assert!(mesh.points().iter().all(|it| it.name != "unwanted"));
}

#[tokio::test]
async fn what_was_recorded_before_the_start_is_reported_after_it() {
    let mesh = Mesh::start(HOUR).await;
    let builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    builder.telemetry().log(Level::Info, "early").send();
    let bridge = builder.start().await.unwrap();
    until(|| mesh.logs().iter().any(|it| it.message == "early")).await;
    bridge.stop().await;
}

#[tokio::test]
async fn a_handler_that_panics_is_an_answer_and_a_failed_operation() {
    let mesh = Mesh::start(HOUR).await;
    let (bridge, _client) = call(&mesh).await;
    let (address, http) = serve_http(&bridge, app()).await;
    let answer = get(address, "/panics").await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(get(address, "/orders/7").await.ends_with("shown"));
    bridge.stop().await;
    http.await.unwrap().unwrap();
    let operations = mesh.operations();
    let of = |subject: &str| operations.iter().rfind(|it| it.subject == subject);
    let panicked = of("http.handle:GET//panics").expect("recorded");
    assert_eq!(
        (panicked.status, &*panicked.status_message),
        (OpStatus::Error as i32, "panic")
    );
    let shown = of("http.handle:GET//orders/{id}").expect("recorded");
    assert_eq!(
        (shown.status, &*shown.business_key),
        (OpStatus::Success as i32, "GET /orders/7")
    );
    let points = mesh.points();
    let durations = points
        .iter()
        .filter(|it| it.name == "http.server.request.duration");
    let routes: std::collections::BTreeSet<_> = durations
        .map(|it| {
            (
                &*it.labels["http.route"],
                it.labels.contains_key("error.type"),
            )
        })
        .collect();
    assert_eq!(routes, [("/orders/{id}", false), ("/panics", true)].into());
}

#[tokio::test]
async fn an_application_observed_before_there_was_a_bridge_is_reported() {
    let mesh = Mesh::start(HOUR).await;
    let observed = crate::observe(app());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let recorder = observed.recorder().clone();
    tokio::spawn(async move { axum::serve(listener, observed).await });
    let (bridge, _client) = call(&mesh).await;
    bridge.report(&recorder);
    get(address, "/orders/7").await;
    bridge.stop().await;
    let operations = mesh.operations();
    assert!(
        operations
            .iter()
            .any(|it| it.subject == "http.handle:GET//orders/{id}")
    );
}

#[tokio::test]
async fn bodies_of_requests_that_fail_are_attached_when_the_runtime_wishes() {
    let mesh = Mesh::start(HOUR).await;
    mesh.want(|it| it.http = CaptureMode::Errors as i32);
    let (bridge, _client) = call(&mesh).await;
    let refuse = || async { (axum::http::StatusCode::CONFLICT, r#"{"why":"sold out"}"#) };
    let app = app().route("/refuses", on_get(refuse));
    let (address, http) = serve_http(&bridge, app).await;
    get(address, "/orders/7").await;
    get(address, "/refuses").await;
    bridge.stop().await;
    http.await.unwrap().unwrap();
    let payloads = mesh.payloads();
    assert_eq!(payloads.len(), 1, "{payloads:?}");
    let payload = &payloads[0];
    assert_eq!(
        (payload.direction, &*payload.contract_hash),
        (2, "raw/json")
    );
    assert_eq!(payload.bytes, br#"{"why":"sold out"}"#);
    assert_eq!(payload.original_size, 18);
    let operations = mesh.operations();
    let op = operations
        .iter()
        .find(|it| it.op_id == payload.op_id)
        .unwrap();
    assert_eq!(op.subject, "http.handle:GET//refuses");
}

#[tokio::test]
async fn a_trace_that_nobody_records_leaves_nothing_here_nor_behind_a_call() {
    let mesh = Mesh::start(HOUR).await;
    let _callee = serve(&mesh).await;
    let (caller, client) = call(&mesh).await;
    until_answered(&client).await;
    let trace = |number: u8| format!("0af7651916cd43dd8448eb211c8031{number:02x}");
    let app = axum::Router::new().route(
        "/",
        on_get(move || async move { client.echo("flags").await.map_err(|_| ()).unwrap() }),
    );
    let (address, http) = serve_http(&caller, app).await;
    for (number, flags, heard) in [(1, "00", "unrecorded"), (2, "01", "recorded")] {
        let parent = format!("traceparent: 00-{}-b7ad6b7169203331-{flags}", trace(number));
        let answer = get_with(address, "/", &parent).await;
        assert!(answer.ends_with(&format!("\r\n\r\n{heard}")), "{answer}");
    }
    caller.stop().await;
    http.await.unwrap().unwrap();
    let traces: Vec<_> = mesh
        .operations()
        .into_iter()
        .map(|it| it.trace_id.replace('-', ""))
        .collect();
    assert!(!traces.contains(&trace(1)));
    assert_eq!(traces.iter().filter(|it| **it == trace(2)).count(), 2);
}

#[tokio::test]
async fn a_client_declares_the_routes_it_calls_and_hands_the_trace_on() {
    use tower::{Layer as _, Service as _};

    let mesh = Mesh::start(HOUR).await;
    let bridge = serve(&mesh).await;
    let heard = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
    let hearing = heard.clone();
    let peer = tower::service_fn(move |request: http::Request<axum::body::Body>| {
        let parent = request.headers().get("x-sb-trace").cloned();
        hearing.lock().push(parent.is_some());
        async { Ok::<_, std::io::Error>(http::Response::new(axum::body::Body::empty())) }
    });
    let mut client = bridge.http_layer("warehouse").layer(peer);
    for (path, template) in [
        ("/stock/1", Some("/stock/{id}")),
        ("/stock/2", Some("/stock/{id}")),
        ("/anything", None),
    ] {
        let uri = format!("http://warehouse:8080{path}");
        let mut request = http::Request::get(uri)
            .body(axum::body::Body::empty())
            .unwrap();
        if let Some(template) = template {
            let template = crate::client::Template::new(template);
            request.extensions_mut().insert(template);
        }
        client.call(request).await.unwrap();
    }
    assert_eq!(*heard.lock(), [true; 3]);
    let http = MethodType::Http as i32;
    let declared = || {
        let all = mesh.registrations();
        let outgoing = all
            .first()
            .map(|it| it.outgoing.clone())
            .unwrap_or_default();
        let http = outgoing.into_iter().filter(|it| it.r#type == http);
        http.map(|it| (it.service_name, it.method_name))
            .collect::<Vec<_>>()
    };
    until(|| declared() == [("warehouse".to_owned(), "GET /stock/{id}".to_owned())]).await;
}
