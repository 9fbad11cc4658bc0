//! Declared operations: their deadline and their key, and nothing for anybody else.

use std::sync::atomic::{AtomicUsize, Ordering};

use contract::headers::ENVOY_TIMEOUT_MS;

use super::super::declared::Declared;
use super::*;
use crate::idempotency::{IDEMPOTENCY_KEY, IdempotencyLayer, KeyHeader, Memory, Runner};

/// A shop that counts its orders, and says how much time each request has.
fn shop() -> (Router, Arc<AtomicUsize>) {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = orders.clone();
    let order = move |Path(id): Path<u64>| {
        let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
        async move { format!("{id}: {number}") }
    };
    let left = || async {
        let left = crate::context::deadline().map(|it| it.remaining().as_secs_f64().ceil());
        format!("{left:?}")
    };
    let nested = Router::new().route("/{id}/payments", post(order).get(left));
    let router = Router::new()
        .nest("/orders", nested)
        .route("/left", get(left));
    (router, orders)
}

fn policy(method: Method, path: &str) -> RoutePolicy {
    RoutePolicy {
        method,
        path: path.into(),
        deadline: None,
        idempotency: None,
    }
}

fn policies() -> [RoutePolicy; 2] {
    let path = "/orders/{id}/payments";
    [
        RoutePolicy {
            idempotency: Some(KeyHeader::standard()),
            ..policy(Method::POST, path)
        },
        RoutePolicy {
            deadline: Some(Duration::from_secs(2)),
            ..policy(Method::GET, path)
        },
    ]
}

async fn text(app: &Observed, request: http::request::Builder) -> String {
    ask(app, request, "").await.text
}

#[tokio::test]
async fn a_declared_operation_is_done_once_per_key_and_route() {
    let (router, orders) = shop();
    let app = observe(router).operations(policies());
    let pay =
        |id: u64| Request::post(format!("/orders/{id}/payments")).header(IDEMPOTENCY_KEY, "k");
    assert_eq!(text(&app, pay(7)).await, "7: 1");
    assert_eq!(text(&app, pay(7)).await, "7: 1");
    // The operation is the template: its key cannot be used for another order.
    let other = ask(&app, pay(8), "").await;
    assert_eq!(
        (other.status, other.media.as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "application/problem+json")
    );
    let without = Request::post("/orders/7/payments");
    assert_eq!(text(&app, without).await, "7: 2");
    assert_eq!(orders.load(Ordering::SeqCst), 2);
    let counts = app.idempotency().expect("an operation has a key");
    assert_eq!((counts.ran, counts.replayed, counts.conflicts), (1, 1, 1));
}

#[tokio::test]
async fn a_layer_and_a_declared_operation_over_one_store_are_one_promise() {
    let runner = Runner::new(Memory::new());
    let layer = || IdempotencyLayer::over(&runner).key(KeyHeader::standard());
    let pay = || Request::post("/orders/7/payments").header(IDEMPOTENCY_KEY, "k");
    let (router, orders) = shop();
    let inside = observe(router.layer(layer()))
        .outcomes(&runner)
        .operations(policies());
    for _ in 0..2 {
        assert_eq!(text(&inside, pay()).await, "7: 1");
    }
    // The one outside goes first, and the one inside leaves it to do.
    let observed = observe(shop().0).outcomes(&runner).operations(policies());
    let outside = tower::Layer::layer(&layer(), observed);
    let request = pay().header("x", "outside").body(Body::empty());
    let answer = outside.oneshot(request.expect("a request")).await;
    assert_eq!(answer.expect("infallible").status(), StatusCode::OK);
    assert_eq!(orders.load(Ordering::SeqCst), 1);
    assert_eq!(runner.counts().under_way, 0);
}

#[tokio::test]
async fn layers_that_read_different_headers_keep_a_promise_each() {
    let other = http::HeaderName::from_static("x-order-key");
    let layer = IdempotencyLayer::new(Memory::new()).key(KeyHeader::named(other));
    let (router, orders) = shop();
    let app = observe(router.layer(layer)).operations(policies());
    for (key, order, number) in [("k", "a", "7: 1"), ("l", "a", "7: 1"), ("k", "b", "7: 1")] {
        let pay = Request::post("/orders/7/payments").header(IDEMPOTENCY_KEY, key);
        assert_eq!(text(&app, pay.header("x-order-key", order)).await, number);
    }
    assert_eq!(orders.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_key_that_is_given_for_the_whole_application_holds_for_every_post() {
    let (router, orders) = shop();
    let once = IdempotencyLayer::new(Memory::new()).key(KeyHeader::standard());
    let app = observe(router).once(once);
    let pay = |id: u64| Request::post(format!("/orders/{id}/payments"));
    for _ in 0..2 {
        assert_eq!(
            text(&app, pay(7).header(IDEMPOTENCY_KEY, "k")).await,
            "7: 1"
        );
    }
    assert_eq!(text(&app, pay(7)).await, "7: 2");
    assert_eq!(orders.load(Ordering::SeqCst), 2);
    let counts = app.idempotency().expect("it was asked for");
    assert_eq!((counts.ran, counts.replayed), (1, 1));
}

#[tokio::test]
async fn a_declared_deadline_is_the_default_and_the_most_there_is() {
    let app = observe(shop().0).operations(policies());
    let payments = || Request::get("/orders/7/payments");
    assert_eq!(text(&app, payments()).await, "Some(2.0)");
    let asks = |ms| payments().header(ENVOY_TIMEOUT_MS, ms);
    assert_eq!(text(&app, asks("900")).await, "Some(1.0)");
    assert_eq!(text(&app, asks("60000")).await, "Some(2.0)");
    assert_eq!(text(&app, Request::get("/left")).await, "None");
}

#[tokio::test]
async fn head_has_the_deadline_of_the_get_that_answers_it() {
    let waits = || async { std::future::pending::<()>().await };
    let quick = || async {};
    let router = Router::new()
        .route("/get", get(waits))
        .route("/head", get(waits).head(quick))
        .route("/declared", get(waits).head(waits));
    let within = |method, path, millis| RoutePolicy {
        deadline: Some(Duration::from_millis(millis)),
        ..policy(method, path)
    };
    let no_time = |method, path| within(method, path, 0);
    let app = observe(router).operations([
        within(Method::GET, "/get", 5),
        no_time(Method::GET, "/head"),
        no_time(Method::HEAD, "/declared"),
    ]);
    for (path, expected) in [
        ("/get", StatusCode::GATEWAY_TIMEOUT),
        ("/head", StatusCode::OK),
        ("/declared", StatusCode::GATEWAY_TIMEOUT),
    ] {
        let answer = ask(&app, Request::head(path), "").await;
        assert_eq!(answer.status, expected, "{path}");
    }
}

#[test]
fn what_is_kept_beside_an_application_stays_with_it() {
    let app = observe(shop().0).keep_beside(7_u8).keep_beside("seven");
    let app = app.operations(policies()).keep_beside(8_u8);
    assert_eq!(app.beside::<u8>(), Some(&8));
    assert_eq!(app.beside::<&str>(), Some(&"seven"));
    assert_eq!(app.beside::<u64>(), None);
}

#[tokio::test]
async fn a_replay_is_recorded_as_the_request_it_is() {
    let (router, _) = shop();
    let recorder = Recorder::new();
    let notes = Notes::default();
    recorder.attach(notes.clone()).expect("a thread");
    let app = observe(router).record_to(&recorder).operations(policies());
    for _ in 0..2 {
        let pay = Request::post("/orders/7/payments").header(IDEMPOTENCY_KEY, "k");
        text(&app, pay).await;
    }
    let seen = records(&recorder, &notes);
    let route = Some(Arc::from("/orders/{id}/payments"));
    let expected = (
        "/orders/7/payments".to_owned(),
        route,
        200,
        Ending::Answered,
    );
    assert_eq!(seen, [expected.clone(), expected]);
}

#[test]
fn operations_that_want_nothing_or_are_not_mounted_cost_nothing() {
    let table = RouteTable::of(&shop().0).expect("axum 0.8");
    let nothing = policy(Method::GET, "/left");
    let elsewhere = RoutePolicy {
        deadline: Some(Duration::from_secs(1)),
        ..policy(Method::GET, "/elsewhere")
    };
    assert!(Declared::new(Some(&table), &[nothing, elsewhere]).is_empty());
}

#[test]
fn without_a_table_declared_paths_are_matched_by_themselves() {
    let declared = Declared::new(None, &policies());
    let wants = |method, path| declared.wants(&method, path, None).cloned();
    let payment = wants(Method::POST, "/orders/7/payments").expect("declared");
    assert!(payment.key.is_some() && payment.deadline.is_none());
    assert!(wants(Method::GET, "/orders/7/payments").is_some_and(|it| it.deadline.is_some()));
    let head = wants(Method::HEAD, "/orders/7/payments").expect("GET is declared");
    assert!(head.deadline.is_some() && head.key.is_none());
    assert!(wants(Method::PUT, "/orders/7/payments").is_none());
    assert!(wants(Method::GET, "/orders/7").is_none());
}
