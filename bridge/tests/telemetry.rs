//! Telemetry and routes against the real runtime, inside this process.

#![cfg(feature = "embedded")]

use std::time::Duration;

use axum::routing::get;
use bridge::Bridge;
use bridge::embedded::{Clock, LogQuery, MetricQuery, Runtime};
use bridge::telemetry::Level;

/// Longest wait for something to arrive.
const ARRIVAL_MAX: Duration = Duration::from_secs(20);

/// Asks until there is an answer.
async fn eventually<T, F: Future<Output = Option<T>>>(mut ask: impl FnMut() -> F) -> T {
    let clock = Clock::system();
    let begun = clock.monotonic();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            clock.monotonic().since(begun) < ARRIVAL_MAX,
            "it never came"
        );
        clock.sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_request_is_found_with_its_steps_its_log_and_its_counts() {
    let data = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::builder(data.path()).start().await.expect("starts");
    let key = runtime.key("shop").await.expect("a key");
    let bridge = Bridge::builder("shop").runtime(runtime.address(), key);
    let bridge = bridge.start().await.expect("starts");
    bridge.declare_http("bank", "GET /v1/rates");
    let telemetry = bridge.telemetry();
    let app = axum::Router::new().route(
        "/orders/{id}",
        get(move || {
            let telemetry = telemetry.clone();
            async move {
                let step = telemetry.op("books.read").key("order-7").start();
                step.run(async {
                    let entry = telemetry.log(Level::Warn, "the page is torn");
                    entry.field("page", 12).send();
                })
                .await;
                step.ok();
                telemetry
                    .counter("books.reads")
                    .add(1.0, &[("book", "red")]);
                "coffee"
            }
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = bridge.clone();
    let http = tokio::spawn(async move { serving.serve_http(listener, app).await });
    let trace = "0198c0de00007000800000000000000a";
    ask(
        address,
        &format!("traceparent: 00-{trace}-b7ad6b7169203331-01"),
    )
    .await;

    let trace = "0198c0de-0000-7000-8000-00000000000a";
    let tree = eventually(async || {
        let tree = runtime.trace(trace).await.expect("readable")?;
        (tree.ops.len() == 2).then_some(tree)
    })
    .await;
    let ops: Vec<_> = tree
        .ops
        .iter()
        .map(|it| (it.depth, &*it.subject, &*it.business_key))
        .collect();
    let expected = [
        (0, "http.handle:GET//orders/{id}", "GET /orders/7"),
        (1, "books.read", "order-7"),
    ];
    assert_eq!(ops, expected);
    let in_trace = LogQuery {
        trace: Some(trace.to_owned()),
        ..LogQuery::default()
    };
    let line = eventually(async || runtime.logs(&in_trace).await.expect("readable").pop()).await;
    assert_eq!((&*line.message, &*line.level), ("the page is torn", "warn"));
    assert_eq!(
        (&line.op_id, &line.fields["page"]),
        (&tree.ops[1].op_id, &12.into())
    );

    let map = runtime.map();
    let service = &map.services[0];
    assert_eq!(service.instances[0].http_endpoint, address.to_string());
    assert!(
        service
            .methods
            .iter()
            .any(|it| it.name == "GET /orders/{id}")
    );

    bridge.stop().await;
    http.await.expect("ends").expect("in order");
    for (name, label, value) in [
        ("books.reads", "book", "red"),
        ("http.server.request.duration", "http.route", "/orders/{id}"),
    ] {
        let of = MetricQuery {
            name: name.to_owned(),
            ..MetricQuery::default()
        };
        let series = eventually(async || runtime.metric(&of).await.expect("readable").pop()).await;
        assert_eq!(series.labels.get(label).map(String::as_str), Some(value));
        assert!(series.points.iter().any(|it| it.max > 0.0), "{series:?}");
    }
    runtime.stop().await;
}

async fn ask(address: std::net::SocketAddr, header: &str) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut socket = tokio::net::TcpStream::connect(address)
        .await
        .expect("connects");
    let request =
        format!("GET /orders/7 HTTP/1.1\r\nhost: t\r\n{header}\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.expect("is sent");
    let mut answer = String::new();
    socket
        .read_to_string(&mut answer)
        .await
        .expect("is answered");
    assert!(answer.ends_with("coffee"), "{answer}");
}
