//! Keys of annotated handlers, as clients meet them: what uses a key up, whose it is, and what a
//! repeat gets.
//!
//! Each request goes through the application as it would be served, without a socket in between.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use bridge::Observed;
use bridge::layers::idempotency::{IdempotencyLayer, KeyHeader, Memory};
use serde_json::{Value, json};
use tower::{Service, ServiceExt as _};

/// What a shop was given to do.
#[derive(Clone, Debug, Default)]
struct Orders(Arc<AtomicUsize>);

impl Orders {
    fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, serde::Deserialize)]
struct NewOrder {
    sku: String,
}

#[derive(Debug, bridge::Error)]
enum OrderError {
    #[bridge(status = 404)]
    Unknown,
    #[bridge(status = 409, retryable)]
    OutOfStock,
    #[bridge(status = 402)]
    Declined,
    Refused,
    #[bridge(status = 500)]
    Store {
        #[source]
        cause: io::Error,
    },
}

#[bridge::rpc(post, "/orders", idempotent_by = "Idempotency-Key")]
async fn order(
    State(orders): State<Orders>,
    Json(new): Json<NewOrder>,
) -> Result<impl IntoResponse, OrderError> {
    let number = orders.0.fetch_add(1, Ordering::Relaxed) + 1;
    match &*new.sku {
        "unknown" => return Err(OrderError::Unknown),
        "sold out" => return Err(OrderError::OutOfStock),
        "dear" => return Err(OrderError::Declined),
        "odd" => return Err(OrderError::Refused),
        "store" => {
            let cause = io::Error::other("disk of the store is full");
            return Err(OrderError::Store { cause });
        }
        "panic" => panic!("as it was told"),
        _ => {}
    }
    let headers = [
        ("content-encoding", "identity"),
        ("content-disposition", "attachment"),
        ("access-control-allow-origin", "https://shop.example"),
        ("vary", "Origin"),
        ("retry-after", "7"),
        ("x-of-the-shop", "yes"),
        ("set-cookie", "session=secret"),
    ];
    Ok((headers, Json(json!({ "order": number }))))
}

/// The same, with keys of each tenant's own.
#[bridge::rpc(
    post,
    "/tenants",
    idempotent_by = "Idempotency-Key",
    idempotent_within = "X-Tenant"
)]
async fn of_tenant(State(orders): State<Orders>) -> String {
    orders.0.fetch_add(1, Ordering::Relaxed).to_string()
}

/// The same, of tenants with a host each.
#[bridge::rpc(
    post,
    "/sites",
    idempotent_by = "Idempotency-Key",
    idempotent_within = "Host"
)]
async fn of_host(State(orders): State<Orders>) -> String {
    orders.0.fetch_add(1, Ordering::Relaxed).to_string()
}

/// More than is kept of an answer unless told otherwise.
const LARGE: usize = 300 * 1024;

#[bridge::rpc(post, "/reports", idempotent_by = "Idempotency-Key")]
async fn report(body: String) -> String {
    "x".repeat(LARGE + body.len())
}

fn shop() -> (Observed, Orders) {
    let orders = Orders::default();
    let router = Router::new()
        .route("/orders", post(order))
        .route("/tenants", post(of_tenant))
        .route("/sites", post(of_host))
        .with_state(orders.clone());
    let handlers = bridge::handlers![order, of_tenant, of_host];
    (bridge::declare(router, &handlers), orders)
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn is_replay(&self) -> bool {
        self.headers.contains_key("idempotency-replayed")
    }

    /// Whether it says that repeats will not get it.
    fn is_not_stored(&self) -> bool {
        self.headers
            .get("idempotency-stored")
            .is_some_and(|it| it == "false")
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("it is JSON")
    }
}

trait App: Service<Request, Response = Response<Body>, Error = Infallible> + Clone {}

impl<S> App for S where S: Service<Request, Response = Response<Body>, Error = Infallible> + Clone {}

async fn send<S: App>(app: &S, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::post(path);
    if headers.iter().all(|(name, _)| *name != "idempotency-key") {
        request = request.header("idempotency-key", "k");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned()));
    let request = request.expect("it is a request");
    let answer = app.clone().oneshot(request).await;
    let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
    let body = to_bytes(body, 2 * LARGE).await.expect("it ends");
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_vec(),
    }
}

async fn place(app: &Observed, body: &str) -> Answer {
    send(
        app,
        "/orders",
        &[("content-type", "application/json")],
        body,
    )
    .await
}

async fn place_sku(app: &Observed, sku: &str) -> Answer {
    place(app, &json!({ "sku": sku }).to_string()).await
}

#[tokio::test]
async fn a_mended_request_runs_with_the_key_of_those_that_no_handler_saw() {
    let (app, orders) = shop();
    let no_json = place(&app, "{").await;
    let wrong_type = send(&app, "/orders", &[], r#"{"sku":"tea"}"#).await;
    let wrong_field = place(&app, r#"{"name":"tea"}"#).await;
    let refused = [no_json, wrong_type, wrong_field];
    let statuses = refused.each_ref().map(|it| it.status.as_u16());
    assert_eq!(statuses, [400, 415, 422]);
    assert!(refused.iter().all(Answer::is_not_stored), "{refused:?}");
    assert_eq!(orders.number(), 0);
    let mended = place_sku(&app, "tea").await;
    assert_eq!(
        (mended.status, mended.json()),
        (StatusCode::OK, json!({ "order": 1 }))
    );
    assert!(place_sku(&app, "tea").await.is_replay());
}

#[tokio::test]
async fn of_a_handlers_own_errors_those_about_its_work_are_kept() {
    for (sku, status) in [("dear", 402), ("odd", 422)] {
        let (app, orders) = shop();
        for nth in 0..2 {
            let answer = place_sku(&app, sku).await;
            assert_eq!(
                (answer.status.as_u16(), answer.is_replay()),
                (status, nth == 1)
            );
        }
        assert_eq!(orders.number(), 1, "{sku}");
    }
}

#[tokio::test]
async fn errors_that_say_that_nothing_was_done_are_not_kept() {
    for (sku, status) in [("sold out", 409), ("unknown", 404), ("store", 500)] {
        let (app, orders) = shop();
        for _ in 0..2 {
            let answer = place_sku(&app, sku).await;
            assert_eq!(answer.status.as_u16(), status);
            assert!(answer.is_not_stored() && !answer.is_replay(), "{answer:?}");
        }
        assert_eq!(orders.number(), 2, "{sku}");
        let mended = place_sku(&app, "tea").await;
        assert_eq!(mended.status, StatusCode::OK, "the key is free");
    }
}

#[tokio::test]
async fn a_repeat_has_every_header_that_is_not_of_one_exchange() {
    let (app, _) = shop();
    let first = place_sku(&app, "tea").await;
    let mut expected = first.headers.clone();
    assert!(expected.remove("set-cookie").is_some());
    let again = place_sku(&app, "tea").await;
    let mut headers = again.headers;
    assert!(headers.remove("idempotency-replayed").is_some());
    // Computed from the body by whoever serves it.
    expected.remove("content-length");
    headers.remove("content-length");
    assert_eq!(headers, expected);
    assert!(headers.contains_key("content-encoding") && headers.contains_key("x-of-the-shop"));
    assert_eq!(again.body, first.body);
}

#[tokio::test]
async fn keys_of_different_tenants_are_different_keys() {
    let (app, orders) = shop();
    let of = async |tenant| send(&app, "/tenants", &[("x-tenant", tenant)], "").await;
    for (tenant, number, is_replay) in [("a", "0", false), ("b", "1", false), ("a", "0", true)] {
        let answer = of(tenant).await;
        assert_eq!(
            (&*answer.body, answer.is_replay()),
            (number.as_bytes(), is_replay)
        );
    }
    let nobody = send(&app, "/tenants", &[], "").await;
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST);
    let detail = nobody.json()["detail"].to_string();
    assert!(detail.contains("within `x-tenant`"), "{detail}");
    assert_eq!(orders.number(), 2);
}

#[tokio::test]
async fn keys_of_different_hosts_are_different_keys_where_keys_are_within_the_host() {
    let (app, orders) = shop();
    for (url, host, number, is_replay) in [
        ("/sites", "a.example", "0", false),
        ("/sites", "b.example", "1", false),
        ("/sites", "A.example", "0", true),
        ("https://a.example/sites", "", "0", true),
        ("https://b.example/sites", "", "1", true),
    ] {
        let headers = [("host", host)];
        let headers = if host.is_empty() { &[][..] } else { &headers };
        let answer = send(&app, url, headers, "").await;
        let expected = (number.as_bytes(), is_replay);
        assert_eq!(
            (&*answer.body, answer.is_replay()),
            expected,
            "{url} {host}"
        );
    }
    let nowhere = send(&app, "/sites", &[], "").await;
    assert_eq!(nowhere.status, StatusCode::BAD_REQUEST);
    assert_eq!(orders.number(), 2);
}

#[tokio::test]
async fn a_repeat_may_come_to_another_instance_which_is_another_host() {
    let (app, orders) = shop();
    for (host, is_replay) in [("10.0.0.1:80", false), ("10.0.0.2:80", true)] {
        let headers = [("host", host), ("x-tenant", "a")];
        let answer = send(&app, "/tenants", &headers, "").await;
        assert_eq!((&*answer.body, answer.is_replay()), (&b"0"[..], is_replay));
    }
    assert_eq!(orders.number(), 1);
}

#[tokio::test]
async fn what_the_layer_answers_itself_says_that_it_is_not_stored() {
    let (app, _) = shop();
    place_sku(&app, "tea").await;
    let conflict = place_sku(&app, "milk").await;
    let too_large = place(&app, &" ".repeat(1_048_577)).await;
    for (answer, status) in [(conflict, 422), (too_large, 413)] {
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.is_not_stored(), "{answer:?}");
    }
    let panicked = place_sku(&shop().0, "panic").await;
    assert_eq!(panicked.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(panicked.is_not_stored(), "{panicked:?}");
}

async fn who_asks(request: Request, next: Next) -> Response {
    if request.headers().contains_key("x-badge") {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

#[tokio::test]
async fn what_is_around_the_application_is_asked_before_a_kept_answer_is_given() {
    let (app, orders) = shop();
    let app: Router = Router::new().fallback_service(app).layer(from_fn(who_asks));
    let badge = [("x-tenant", "a"), ("x-badge", "7")];
    for nth in 0..2 {
        let answer = send(&app, "/tenants", &badge, "").await;
        assert_eq!((&*answer.body, answer.is_replay()), (&b"0"[..], nth == 1));
    }
    let stranger = send(&app, "/tenants", &badge[..1], "").await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    assert_eq!(orders.number(), 1);
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_given_once_and_the_limit_can_be_said() {
    let reports = || {
        let router = Router::new().route("/reports", post(report));
        bridge::declare(router, &bridge::handlers![report])
    };
    let app = reports();
    let first = send(&app, "/reports", &[], "").await;
    assert!(first.status == StatusCode::OK && first.is_not_stored());
    let again = send(&app, "/reports", &[], "").await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(
        !again.is_replay() && !again.is_not_stored(),
        "it is no earlier answer, and all repeats get it"
    );

    let store = Memory::new().outcome_bytes_max(2 * LARGE);
    let once = IdempotencyLayer::new(store).response_bytes_max(2 * LARGE);
    let app = reports().once(once.request_bytes_max(3));
    for nth in 0..2 {
        let answer = send(&app, "/reports", &[], "abc").await;
        assert_eq!(
            (answer.body.len(), answer.is_replay()),
            (LARGE + 3, nth == 1)
        );
    }
    assert_eq!(
        send(&app, "/reports", &[], "abcd").await.status.as_u16(),
        413
    );
}

#[tokio::test]
async fn what_a_layer_inside_refused_uses_no_key_of_the_one_outside_up() {
    let inner = KeyHeader::named(HeaderName::from_static("x-report-key"));
    let inner = IdempotencyLayer::new(Memory::new()).key(inner);
    let router = Router::new().route("/reports", post(report)).layer(inner);
    let app = bridge::declare(router, &bridge::handlers![report]);
    let ask = async |keys: [&str; 2], body| {
        let headers = [("idempotency-key", keys[0]), ("x-report-key", keys[1])];
        send(&app, "/reports", &headers, body).await
    };
    assert_eq!(ask(["k", "a"], "").await.status, StatusCode::OK);
    let refused = ask(["l", "a"], "more").await;
    assert_eq!(refused.status.as_u16(), 422, "the inner key is used");
    assert!(refused.is_not_stored(), "{refused:?}");
    assert_eq!(ask(["l", "b"], "less").await.status, StatusCode::OK);
}
