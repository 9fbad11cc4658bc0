//! Requests with keys, over the store of the process; time moved by hand where it matters.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::clock::{Clock, ManualClock, Timestamp};
use http::{StatusCode, header::HeaderName};
use http_body_util::{BodyExt as _, Full, StreamBody};
use tokio::sync::Semaphore;
use tower::{BoxError as TowerError, ServiceExt as _, service_fn, util::BoxCloneService};

use super::*;
use crate::context::{CallContext, Deadline, scope};
use contract::headers::TraceContext;

pub(super) const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub(super) type Sent = Request<Full<Bytes>>;
type Shop = BoxCloneService<Sent, Response<ProblemBody<Full<Bytes>>>, TowerError>;

/// A shop that counts the orders it was given and answers each with its number.
struct World {
    orders: Arc<AtomicUsize>,
    /// Orders wait here until they may go on.
    gate: Arc<Semaphore>,
    shop: Shop,
    layer: IdempotencyLayer,
    clock: Clock,
    hand: ManualClock,
}

impl World {
    fn new() -> Self {
        let world = Self::closed(|layer| layer);
        world.gate.add_permits(Semaphore::MAX_PERMITS / 2);
        world
    }

    /// A shop that lets no order go on until its gate does.
    fn closed(change: impl FnOnce(IdempotencyLayer) -> IdempotencyLayer) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let runner = Runner::new(Memory::new().clock(&clock)).clock(&clock);
        let layer = IdempotencyLayer::over(&runner);
        let layer = change(layer.key(KeyHeader::standard()));
        let orders = Arc::new(AtomicUsize::new(0));
        let gate = Arc::new(Semaphore::new(0));
        let inner = {
            let (orders, gate) = (orders.clone(), gate.clone());
            service_fn(move |request: Sent| {
                let number = orders.fetch_add(1, Ordering::SeqCst) + 1;
                let gate = gate.clone();
                async move {
                    gate.acquire().await.expect("open").forget();
                    Ok::<_, TowerError>(answer(number, request).await)
                }
            })
        };
        Self {
            orders,
            gate,
            shop: BoxCloneService::new(layer.layer(inner)),
            layer,
            clock,
            hand,
        }
    }

    fn orders(&self) -> usize {
        self.orders.load(Ordering::SeqCst)
    }

    async fn send(&self, request: Sent) -> Answer {
        Answer::of(self.shop.clone().oneshot(request).await.expect("an answer")).await
    }

    async fn order(&self, key: &str, body: &'static str) -> Answer {
        self.send(order(key, body)).await
    }

    /// Sends on a task of its own, and returns once the handler runs.
    async fn begin(&self, key: &str) -> tokio::task::JoinHandle<Answer> {
        let before = self.orders();
        let (shop, request) = (self.shop.clone(), order(key, "tea"));
        let running = tokio::spawn(async move {
            Answer::of(shop.oneshot(request).await.expect("an answer")).await
        });
        while self.orders() == before {
            tokio::task::yield_now().await;
        }
        running
    }
}

pub(super) fn order(key: &str, body: &'static str) -> Sent {
    let mut request = Request::post("/orders");
    if !key.is_empty() {
        request = request.header(IDEMPOTENCY_KEY, key);
    }
    request.body(Full::from(body)).expect("a request")
}

/// What the shop answers: a body that names the status is answered with it.
async fn answer(number: usize, request: Sent) -> Response<Full<Bytes>> {
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert_ne!(&body[..], b"panic", "as it was told");
    let text = std::str::from_utf8(&body).expect("text");
    let status = text
        .parse()
        .ok()
        .and_then(|it| StatusCode::from_u16(it).ok());
    let body = match text {
        "large" => "x".repeat(RESPONSE_BYTES_MAX + 1),
        text => format!("order {number}: {text}"),
    };
    Response::builder()
        .status(status.unwrap_or(StatusCode::CREATED))
        .header("location", format!("/orders/{number}"))
        .header("set-cookie", "secret")
        .body(Full::from(body))
        .expect("a response")
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    location: Option<String>,
    has_cookie: bool,
    is_replay: bool,
    is_kept: bool,
    body: String,
}

impl Answer {
    async fn of(response: Response<ProblemBody<Full<Bytes>>>) -> Self {
        let header = |name: &str| {
            let value = response.headers().get(name);
            value.map(|it| it.to_str().expect("text").to_owned())
        };
        let (location, has_cookie) = (header("location"), header("set-cookie").is_some());
        let is_replay = header("idempotency-replayed").as_deref() == Some("true");
        let is_kept = header("idempotency-stored").as_deref() != Some("false");
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        Self {
            status,
            location,
            has_cookie,
            is_replay,
            is_kept,
            body: String::from_utf8(body.into()).expect("text"),
        }
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_is_told_so() {
    let world = World::new();
    let first = world.order("k", "tea").await;
    assert_eq!((first.status, &*first.body), (201, "order 1: tea"));
    assert!(!first.is_replay && first.is_kept && first.has_cookie);
    let again = world.order("\"k\"", "tea").await;
    assert_eq!((again.status, &*again.body), (201, "order 1: tea"));
    assert_eq!(again.location.as_deref(), Some("/orders/1"));
    assert!(again.is_replay && !again.has_cookie, "{again:?}");
    assert_eq!(world.orders(), 1);
    assert_eq!(
        (world.layer.counts().ran, world.layer.counts().replayed),
        (1, 1)
    );
}

#[tokio::test]
async fn requests_without_a_key_and_of_safe_methods_are_left_alone() {
    let world = World::new();
    for _ in 0..2 {
        world.order("", "tea").await;
        let get = Request::get("/orders").header(IDEMPOTENCY_KEY, "k");
        world
            .send(get.body(Full::from("tea")).expect("a request"))
            .await;
    }
    assert_eq!(world.orders(), 4);
    assert_eq!(world.layer.counts(), IdempotencyCounts::default());
}

#[tokio::test]
async fn grpc_requests_pass_untouched() {
    let world = World::new();
    for _ in 0..2 {
        let mut request = order("k", "tea");
        let grpc = http::HeaderValue::from_static("application/grpc");
        request.headers_mut().insert(CONTENT_TYPE, grpc);
        world.send(request).await;
    }
    assert_eq!(world.orders(), 2);
}

#[tokio::test]
async fn a_missing_key_is_a_problem_where_one_is_required() {
    let world = World::closed(|layer| layer.key(KeyHeader::standard().required()));
    let answer = world.order("", "tea").await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.body.contains("send a new `idempotency-key`"),
        "{}",
        answer.body
    );
    assert_eq!((world.orders(), world.layer.counts().unusable), (0, 1));
}

#[tokio::test]
async fn the_same_key_for_another_request_is_a_conflict() {
    let world = World::new();
    world.order("k", "tea").await;
    let other_body = world.order("k", "milk").await;
    assert_eq!(other_body.status, 422);
    assert!(
        other_body.body.contains("use a new key"),
        "{}",
        other_body.body
    );
    for name in ["authorization", "cookie", "x-api-key"] {
        let mut other_user = order("k", "tea");
        let of_somebody_else = http::HeaderValue::from_static("of-somebody-else");
        other_user.headers_mut().insert(name, of_somebody_else);
        assert_eq!(world.send(other_user).await.status, 422, "{name}");
    }
    assert_eq!((world.orders(), world.layer.counts().conflicts), (1, 4));
}

#[tokio::test]
async fn a_scope_keeps_keys_apart() {
    let world = World::closed(|layer| {
        layer.scope(|parts| {
            let tenant = parts.headers.get("tenant");
            tenant.map_or(String::new(), |it| it.to_str().expect("text").to_owned())
        })
    });
    world.gate.add_permits(2);
    for tenant in ["one", "two"] {
        let mut request = order("k", "tea");
        let tenant = http::HeaderValue::from_static(tenant);
        request.headers_mut().insert("tenant", tenant);
        assert_eq!(world.send(request).await.status, 201);
    }
    assert_eq!(world.orders(), 2);
}

#[tokio::test]
async fn scopes_of_a_header_and_of_a_layer_tell_keys_apart_together() {
    let by_tenant = KeyHeader::standard().scoped_by(HeaderName::from_static("tenant"));
    let world = World::closed(|layer| {
        let layer = layer.key(by_tenant);
        layer.scope(|parts| parts.uri.query().unwrap_or_default().to_owned())
    });
    world.gate.add_permits(9);
    let mut orders = Vec::new();
    for (tenant, query) in [("1", ""), ("2", ""), ("1", "?1"), ("1", "?2"), ("1", "?1")] {
        let mut request = order("k", "tea");
        *request.uri_mut() = format!("/orders{query}").parse().expect("a path");
        let tenant = http::HeaderValue::from_static(tenant);
        request.headers_mut().insert("tenant", tenant);
        orders.push(world.send(request).await.body);
    }
    assert_eq!(orders[2], orders[4]);
    assert_eq!(world.orders(), 4);
    assert_eq!(world.order("k", "tea").await.status, 400);
}

#[tokio::test]
async fn answers_about_the_asking_are_not_kept() {
    let world = World::new();
    for status in ["500", "503", "400", "401", "415", "429"] {
        for _ in 0..2 {
            let answer = world.order(status, status).await;
            assert_eq!(answer.status.to_string(), status);
            assert!(!answer.is_kept && !answer.is_replay, "{answer:?}");
        }
    }
    assert_eq!((world.orders(), world.layer.counts().not_kept), (12, 12));
    for status in ["409", "410", "422", "302"] {
        world.order(status, status).await;
        assert!(world.order(status, status).await.is_replay, "{status}");
    }
}

#[tokio::test]
async fn a_panic_is_not_kept() {
    let world = World::new();
    for nth in 1..=2 {
        let shop = world.shop.clone();
        let panicked = tokio::spawn(async move { shop.oneshot(order("k", "panic")).await });
        assert!(panicked.await.expect_err("panics").is_panic());
        assert_eq!(world.orders(), nth);
    }
}

#[tokio::test]
async fn of_a_large_answer_only_that_it_was_given_is_kept() {
    let world = World::new();
    let first = world.order("k", "large").await;
    assert_eq!(
        (first.status, first.body.len()),
        (201, RESPONSE_BYTES_MAX + 1)
    );
    assert!(!first.is_kept);
    let again = world.order("k", "large").await;
    assert_eq!((again.status, again.is_replay), (409, false));
    assert!(again.body.contains("was done"), "{}", again.body);
    assert_eq!(world.orders(), 1);
}

#[tokio::test]
async fn a_streamed_answer_is_not_held_up() {
    let layer = IdempotencyLayer::new(Memory::new()).key(KeyHeader::standard());
    let service = layer.layer(service_fn(|_: Sent| async {
        let frame = http_body::Frame::data(Bytes::from_static(b"one"));
        let endless = tokio_stream::StreamExt::chain(
            tokio_stream::once(Ok::<_, Infallible>(frame)),
            tokio_stream::pending(),
        );
        Ok::<_, Infallible>(Response::new(StreamBody::new(endless)))
    }));
    let response = service.oneshot(order("k", "tea")).await.expect("an answer");
    assert_eq!(response.headers()["idempotency-stored"], "false");
    let first = Box::pin(response.into_body()).frame().await;
    assert!(first.expect("a frame").expect("no error").is_data());
}

#[tokio::test]
async fn a_request_too_large_to_compare_is_refused_before_it_runs() {
    let world = World::closed(|layer| layer.request_bytes_max(3));
    world.gate.add_permits(1);
    assert_eq!(world.order("fits", "tea").await.status, 201);
    assert_eq!(world.order("large", "milk").await.status, 413);
    assert_eq!((world.orders(), world.layer.counts().refused), (1, 1));
}

#[tokio::test]
async fn those_who_come_while_the_first_runs_wait_for_its_answer() {
    let world = World::closed(|layer| layer);
    let first = world.begin("k").await;
    let shop = world.shop.clone();
    let second = tokio::spawn(async move {
        Answer::of(shop.oneshot(order("k", "tea")).await.expect("an answer")).await
    });
    world.gate.add_permits(1);
    let (first, second) = (first.await.expect("runs"), second.await.expect("waits"));
    assert!(!first.is_replay && second.is_replay);
    assert_eq!(
        (&*first.body, &*second.body),
        ("order 1: tea", "order 1: tea")
    );
    assert_eq!(world.orders(), 1);
}

#[tokio::test]
async fn whoever_cannot_wait_any_longer_is_told_to_come_back() {
    let world = World::closed(|layer| layer);
    let first = world.begin("k").await;
    let trace = TraceContext::from_traceparent(PARENT).expect("valid");
    let deadline = Deadline::after(&world.clock, Duration::from_secs(2));
    let context = CallContext::new(trace).deadline(Some(deadline));
    let shop = world.shop.clone();
    let second = tokio::spawn(scope(context, shop.oneshot(order("k", "tea"))));
    // The second waits, the first is renewed and may not run for ever.
    while world.hand.sleepers() < 3 {
        tokio::task::yield_now().await;
    }
    world.hand.advance(Duration::from_secs(2));
    let second = second.await.expect("no panic").expect("an answer");
    assert_eq!(second.status(), StatusCode::CONFLICT);
    assert_eq!(second.headers()["retry-after"], "1");
    assert_eq!(world.layer.counts().busy, 1);
    world.gate.add_permits(1);
    assert_eq!(first.await.expect("runs").status, 201);
}

#[tokio::test]
async fn a_handler_whose_client_went_away_runs_to_its_end() {
    let world = World::closed(|layer| layer);
    let first = world.begin("k").await;
    first.abort();
    assert!(first.await.expect_err("gone").is_cancelled());
    world.gate.add_permits(1);
    let again = world.order("k", "tea").await;
    assert!(again.is_replay, "{again:?}");
    assert_eq!(world.orders(), 1);
}

#[tokio::test]
async fn a_handler_keeps_its_claim_for_as_long_as_it_runs() {
    let world = World::closed(|layer| layer);
    let first = world.begin("k").await;
    for _ in 0..12 {
        // Its claim is to be renewed, and it may not run for ever.
        while world.hand.sleepers() < 2 {
            tokio::task::yield_now().await;
        }
        world.hand.advance(LEASE / 3);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
    let shop = world.shop.clone();
    let second = tokio::spawn(async move {
        Answer::of(shop.oneshot(order("k", "tea")).await.expect("an answer")).await
    });
    world.gate.add_permits(1);
    first.await.expect("runs");
    assert!(second.await.expect("waits").is_replay);
    assert_eq!(world.orders(), 1);
}

#[tokio::test]
async fn an_answer_that_is_not_kept_yet_is_given_and_says_so() {
    let store = far::Far::over(Memory::new());
    let layer = IdempotencyLayer::new(store.clone()).key(KeyHeader::standard());
    let going = store.clone();
    let service = layer.layer(service_fn(move |request: Sent| {
        going.away(true);
        async { Ok::<_, Infallible>(answer(1, request).await) }
    }));
    let send = async || {
        let sent = service.clone().oneshot(order("k", "tea")).await;
        sent.expect("an answer")
    };
    let first = send().await;
    assert_eq!(first.status(), StatusCode::CREATED);
    assert_eq!(first.headers()["idempotency-stored"], "later");
    let again = send().await;
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    let counts = layer.counts();
    assert_eq!((counts.ran, counts.late, counts.not_kept), (1, 1, 0));
}

#[tokio::test]
async fn a_handler_that_never_ends_is_cut_off_with_a_problem() {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let runner = Runner::new(Memory::new()).clock(&clock);
    let layer = IdempotencyLayer::over(&runner).key(KeyHeader::standard());
    let service = layer.layer(service_fn(async |_: Sent| {
        std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
    }));
    let sent = tokio::spawn(service.oneshot(order("k", "tea")));
    while !sent.is_finished() {
        hand.advance(Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    let answer = sent.await.expect("no panic").expect("an answer");
    assert_eq!(answer.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(runner.counts().cut_off, 1);
}

#[tokio::test]
async fn an_answer_is_forgotten_when_its_time_is_over() {
    let keep = Duration::from_secs(60);
    let world = World::closed(|layer| layer.key(KeyHeader::standard().keep(keep)));
    world.gate.add_permits(2);
    world.order("k", "tea").await;
    world.hand.advance(keep - Duration::from_millis(1));
    assert!(world.order("k", "tea").await.is_replay);
    world.hand.advance(Duration::from_millis(1));
    assert!(!world.order("k", "tea").await.is_replay);
}

#[tokio::test]
async fn a_full_store_forgets_the_oldest_answer_and_goes_on() {
    let store = Memory::new().entries_max(1);
    let layer = IdempotencyLayer::new(store.clone()).key(KeyHeader::standard());
    let service = layer.layer(service_fn(|request: Sent| async {
        Ok::<_, Infallible>(answer(1, request).await)
    }));
    let status = async |key| {
        let sent = service.clone().oneshot(order(key, "tea")).await;
        sent.expect("an answer").status().as_u16()
    };
    assert_eq!((status("one").await, status("two").await), (201, 201));
    assert_eq!(
        (store.len(), store.evicted(), layer.counts().refused),
        (1, 1, 0)
    );
}
