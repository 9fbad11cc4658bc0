//! Work that is done once: through the proxy for whoever sends a key, and on every way for methods
//! that promise it; with instances and the runtime killed in between.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use bridge::{Bridge, CallError, Client, ErrorCode, Handlers, Transport};
use rustix::process::Signal;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::contracts::till::{ChargeReply, ChargeRequest, RefundRequest, Till};
use crate::contracts::v1::{Desk, JudgeRequest, WaitRequest};
use crate::harness::{Peer, World, eventually, on_both_databases};

/// Longest time a dead holder's claim lasts, and then some for a busy machine.
const LEASE_MAX: Duration = Duration::from_secs(30);

/// What a shop takes its time for.
const SLOW: &str = "slow tea";

fn journal(world: &World) -> PathBuf {
    world.scratch().join("journal")
}

/// The lines that were written, by whichever instance.
fn charges(world: &World) -> Vec<String> {
    let text = std::fs::read_to_string(journal(world)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

async fn till(world: &World) -> Peer {
    let journal = journal(world);
    world
        .peer(&["till", "till", &journal.to_string_lossy()])
        .await
}

fn order(order: &str, ms: u32) -> ChargeRequest {
    ChargeRequest {
        order_id: order.to_owned(),
        cents: 500,
        ms,
    }
}

async fn charge(
    till: &Client<Till>,
    request: ChargeRequest,
    transport: Transport,
) -> Result<ChargeReply, CallError> {
    let call = till.charge(request).transport(transport);
    call.timeout(LEASE_MAX).await
}

async fn wait(desk: &Client<Desk>, key: &str, ms: u32) -> Result<u32, CallError> {
    let call = desk.wait(WaitRequest { ms }).transport(Transport::Proxy);
    call.idempotency_key(key).await.map(|it| it.begun)
}

/// A shop over HTTP that counts what it was given, and what it is done with.
#[derive(Clone, Debug, Default)]
struct Shop {
    given: Arc<AtomicUsize>,
    done: Arc<AtomicUsize>,
    /// Orders of what is slow wait for it.
    gate: Arc<Notify>,
}

#[bridge::rpc(post, "/orders", idempotent_by = "Idempotency-Key")]
async fn place(State(shop): State<Shop>, body: String) -> String {
    let number = shop.given.fetch_add(1, Ordering::SeqCst) + 1;
    if body == SLOW {
        shop.gate.notified().await;
    }
    shop.done.fetch_add(1, Ordering::SeqCst);
    format!("{body} is order {number}")
}

impl Shop {
    fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }

    /// Orders something slow, on a task of its own, and returns once the handler runs.
    async fn order_slowly(&self, url: &str) -> JoinHandle<(u16, String, bool)> {
        let (before, url) = (self.given(), url.to_owned());
        let ordering = tokio::spawn(async move { post_order(&url, "slow", SLOW).await });
        eventually(Duration::from_secs(10), "it is at work", async || {
            (self.given() > before).then_some(())
        })
        .await;
        ordering
    }

    /// One instance of it; says where it is.
    async fn open(&self, world: &World) -> (Bridge, String) {
        let app = Router::new().route("/orders", post(place));
        let app = app.with_state(self.clone());
        let (bridge, url) = open(world, bridge::handlers![place], app).await;
        (bridge, format!("{url}/orders"))
    }
}

/// One instance of a shop over HTTP; says where it is.
pub(crate) async fn open(world: &World, handlers: Handlers, app: Router) -> (Bridge, String) {
    let key = world.key("shop").await;
    let builder = Bridge::builder("shop").runtime(world.address(), key);
    let builder = builder.advertise("127.0.0.1:0").serve(handlers);
    let bridge = builder.start().await.expect("starts");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = bridge.clone();
    tokio::spawn(async move { serving.serve_http(listener, app).await });
    (bridge, format!("http://{address}"))
}

/// Status, body, and whether it was kept from an earlier request.
async fn post_order(url: &str, key: &str, body: &'static str) -> (u16, String, bool) {
    let client = reqwest::Client::new();
    let sent = client
        .post(url)
        .header("idempotency-key", key)
        .body(body)
        .send();
    let response = sent.await.expect("it answers");
    let is_replay = response.headers().contains_key("idempotency-replayed");
    let status = response.status().as_u16();
    (status, response.text().await.expect("a body"), is_replay)
}

on_both_databases! {
    async fn over_http_an_order_is_placed_once_over_all_instances_and_restarts(world: World) {
        let shop = Shop::default();
        let (one, first) = shop.open(&world).await;
        let (two, second) = shop.open(&world).await;
        let racing = tokio::join!(post_order(&first, "k", "tea"), post_order(&second, "k", "tea"));
        let (a, b) = racing;
        assert_eq!((a.0, b.0, &*a.1, &*b.1), (200, 200, "tea is order 1", "tea is order 1"));
        assert!(a.2 != b.2, "one of them is a replay");
        assert_eq!(post_order(&second, "k", "milk").await.0, 422);

        world.runtime().kill();
        let (status, said, _) = post_order(&first, "l", "milk").await;
        assert_eq!((status, shop.given()), (503, 1), "{said}");
        world.restart().await;
        let (again, _) = eventually(Duration::from_secs(30), "the promise holds again", async || {
            let answer = post_order(&first, "k", "tea").await;
            (answer.0 != 503).then_some(answer)
        })
        .await;
        assert_eq!(again, (200, "tea is order 1".to_owned(), true));
        assert_eq!(shop.given(), 1);
        one.stop().await;
        two.stop().await;
    }

    async fn an_answer_given_while_the_runtime_was_away_is_kept_once_it_is_back(world: World) {
        let shop = Shop::default();
        let (one, first) = shop.open(&world).await;
        let (two, second) = shop.open(&world).await;
        let ordering = shop.order_slowly(&first).await;
        world.runtime().kill();
        shop.gate.notify_one();
        let expected = |is_replay| (200, "slow tea is order 1".to_owned(), is_replay);
        assert_eq!(ordering.await.expect("no panic"), expected(false), "nobody waits for a runtime");
        // Who comes again is answered by the process that did it.
        assert_eq!(post_order(&first, "slow", SLOW).await, expected(true));
        let counts = one.outcomes().counts();
        assert_eq!((counts.late, counts.kept_late), (1, 0), "{counts:?}");
        world.restart().await;
        eventually(Duration::from_secs(30), "it is kept", async || {
            (one.outcomes().counts().kept_late == 1).then_some(())
        })
        .await;
        one.stop().await;
        let (again, _) = eventually(Duration::from_secs(30), "the other one asks", async || {
            let answer = post_order(&second, "slow", SLOW).await;
            (answer.0 != 503).then_some(answer)
        })
        .await;
        assert_eq!((again, shop.given()), (expected(true), 1));
        two.stop().await;
    }

    async fn stopping_waits_for_an_order_whose_client_left_and_keeps_it(world: World) {
        let shop = Shop::default();
        let (one, first) = shop.open(&world).await;
        let (two, second) = shop.open(&world).await;
        let ordering = shop.order_slowly(&first).await;
        ordering.abort();
        assert!(ordering.await.expect_err("gone").is_cancelled());
        let ((), ()) = tokio::join!(one.stop(), async {
            world.clock.sleep(Duration::from_millis(1_500)).await;
            shop.gate.notify_one();
        });
        assert_eq!(shop.done.load(Ordering::SeqCst), 1, "it was waited for");
        let again = post_order(&second, "slow", SLOW).await;
        assert_eq!((again.2, shop.given()), (true, 1), "{again:?}");
        two.stop().await;
    }

    async fn what_stopping_cannot_wait_for_is_let_go_and_done_by_the_next_at_once(world: World) {
        let shop = Shop::default();
        let (one, first) = shop.open(&world).await;
        let (two, second) = shop.open(&world).await;
        let ordering = shop.order_slowly(&first).await;
        ordering.abort();
        one.stop().await;
        assert_eq!(one.outcomes().counts().cut_off, 1);
        let ordering = shop.order_slowly(&second).await;
        shop.gate.notify_one();
        let again = ordering.await.expect("no panic");
        assert_eq!(again, (200, "slow tea is order 2".to_owned(), false));
        assert_eq!(shop.done.load(Ordering::SeqCst), 1, "the first was dropped");
        two.stop().await;
    }

    async fn a_terminated_instance_keeps_what_its_caller_did_not_wait_for(world: World) {
        let mut terminated = till(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Till>();
        let bridge = builder.start().await.expect("starts");
        let hasty = client.charge(order("o-1", 2_000)).transport(Transport::Direct);
        let late = hasty.timeout(Duration::from_millis(500)).await.expect_err("too slow");
        assert_eq!(late.code(), ErrorCode::Timeout, "{late}");
        terminated.process.signal(Signal::TERM);
        terminated.process.ended(Duration::from_secs(30)).await;
        let _next = till(&world).await;
        let reply = charge(&client, order("o-1", 2_000), Transport::Direct).await.expect("answers");
        assert_eq!((reply.instance, charges(&world).len()), (terminated.instance, 1));
        bridge.stop().await;
    }

    async fn a_proxied_call_with_a_key_is_forwarded_once(world: World) {
        let _peer = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        assert_eq!(wait(&desk, "k", 0).await.expect("answers"), 1);
        assert_eq!(wait(&desk, "k", 0).await.expect("answers"), 1, "replayed");
        let other = wait(&desk, "k", 1).await.expect_err("another request");
        assert_eq!(other.code(), ErrorCode::Validation, "{other}");
        assert!(other.to_string().contains("`k` was used for another request"), "{other}");
        assert_eq!(wait(&desk, "l", 0).await.expect("answers"), 2);
        // Direct calls and calls without a key are not looked at.
        let direct = desk.wait(WaitRequest { ms: 0 }).transport(Transport::Direct).idempotency_key("k");
        assert_eq!(direct.await.expect("answers").begun, 3);
        let without = desk.wait(WaitRequest { ms: 0 }).transport(Transport::Proxy);
        assert_eq!(without.await.expect("answers").begun, 4);

        let (first, second) = tokio::join!(wait(&desk, "m", 1_500), async {
            world.clock.sleep(Duration::from_millis(300)).await;
            wait(&desk, "m", 1_500).await
        });
        assert_eq!(first.expect("answers"), 5);
        assert_eq!(second.expect_err("in progress").code(), ErrorCode::Conflict);

        for _ in 0..2 {
            let judge = desk.judge(JudgeRequest { verdict: "refuse".to_owned() });
            let refused = judge.transport(Transport::Proxy).idempotency_key("j").await;
            assert_eq!(refused.expect_err("refused").handler_code(), Some("REFUSED"));
        }
        bridge.stop().await;
    }

    async fn a_proxied_answer_outlives_the_runtime_and_not_its_time(world: World) {
        let _peer = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        assert_eq!(wait(&desk, "k", 0).await.expect("answers"), 1);
        world.runtime().kill();
        world.restart().await;
        let (begun, _) = eventually(Duration::from_secs(30), "the proxy answers", async || {
            wait(&desk, "k", 0).await.ok()
        })
        .await;
        assert_eq!(begun, 1, "replayed");
        world.set("rpc.idempotency_rpc_ttl_ms", "1000").await;
        assert_eq!(wait(&desk, "short", 0).await.expect("answers"), 2);
        let (begun, _) = eventually(Duration::from_secs(10), "the answer is forgotten", async || {
            wait(&desk, "short", 0).await.ok().filter(|it| *it > 2)
        })
        .await;
        assert_eq!(begun, 3);
        bridge.stop().await;
    }

    async fn what_failed_on_the_way_is_not_kept(world: World) {
        let mut peer = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        let (cut_off, ()) = tokio::join!(wait(&desk, "k", 20_000), async {
            world.clock.sleep(Duration::from_millis(500)).await;
            peer.process.kill();
        });
        cut_off.expect_err("its instance died");
        let _next = world.desk("desk").await;
        eventually(Duration::from_secs(20), "the next one is called", async || {
            let call = desk.wait(WaitRequest { ms: 20_000 }).transport(Transport::Proxy);
            let call = call.idempotency_key("k").timeout(Duration::from_secs(1)).await;
            let late = call.expect_err("it takes longer");
            (late.code() == ErrorCode::Timeout).then_some(())
        })
        .await;
        bridge.stop().await;
    }

    async fn a_promising_method_works_once_over_all_ways_and_instances(world: World) {
        let _tills = [till(&world).await, till(&world).await];
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Till>();
        let bridge = builder.start().await.expect("starts");
        eventually(Duration::from_secs(20), "both tills", async || {
            (world.instances("till").await.len() == 2).then_some(())
        })
        .await;
        let mut racing = Vec::new();
        for nth in 0..12 {
            let client = client.clone();
            let transport = if nth % 3 == 0 { Transport::Proxy } else { Transport::Direct };
            racing.push(tokio::spawn(async move {
                charge(&client, order("o-1", 500), transport).await
            }));
        }
        let mut instances = BTreeSet::new();
        for one in racing {
            let reply = one.await.expect("no panic").expect("one charged, the others waited");
            instances.insert(reply.instance);
        }
        assert_eq!((instances.len(), charges(&world).len()), (1, 1), "{:?}", charges(&world));

        for transport in [Transport::Direct, Transport::Proxy] {
            let again = client.charge(order("o-1", 500)).transport(transport).with_meta();
            assert!(again.await.expect("answers").is_replayed(), "{transport:?}");
            let first = client.charge(order(&format!("{transport:?}"), 0)).transport(transport);
            assert!(!first.with_meta().await.expect("charges").is_replayed(), "{transport:?}");
        }
        let changed = ChargeRequest { cents: 501, ..order("o-1", 500) };
        let conflict = charge(&client, changed, Transport::Direct).await.expect_err("another request");
        assert_eq!(conflict.code(), ErrorCode::Validation, "{conflict}");
        let nameless = charge(&client, order("", 0), Transport::Direct).await.expect_err("no key");
        assert_eq!(nameless.code(), ErrorCode::Validation, "{nameless}");

        for _ in 0..2 {
            let refund = client.refund(RefundRequest { cents: 5 }).transport(Transport::Direct);
            refund.idempotency_key("r-1").await.expect("refunds");
        }
        assert_eq!(charges(&world).len(), 4);
        client.refund(RefundRequest { cents: 5 }).transport(Transport::Direct).await.expect("refunds");
        assert_eq!(charges(&world).len(), 5, "without a key nothing is promised");
        bridge.stop().await;
    }

    async fn a_promise_survives_the_runtime_and_waits_for_it(world: World) {
        let _till = till(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Till>();
        let bridge = builder.start().await.expect("starts");
        let first = charge(&client, order("o-1", 0), Transport::Direct).await.expect("charges");
        world.runtime().kill();
        // Nobody knows whether o-2 was charged: better not to try.
        let away = client.charge(order("o-2", 0)).transport(Transport::Direct);
        let away = away.timeout(Duration::from_secs(8)).await.expect_err("the runtime is away");
        assert!(away.retryable(), "{away}");
        assert_eq!(charges(&world).len(), 1);
        world.restart().await;
        let (again, _) = eventually(Duration::from_secs(30), "the promise holds again", async || {
            charge(&client, order("o-1", 0), Transport::Direct).await.ok()
        })
        .await;
        assert_eq!(again, first);
        assert_eq!(charges(&world).len(), 1);
        charge(&client, order("o-2", 0), Transport::Direct).await.expect("charges");
        assert_eq!(charges(&world).len(), 2);
        bridge.stop().await;
    }

    async fn a_caller_that_gives_up_finds_its_work_done(world: World) {
        let _till = till(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Till>();
        let bridge = builder.start().await.expect("starts");
        let hasty = client.charge(order("o-1", 2_000)).transport(Transport::Direct);
        let late = hasty.timeout(Duration::from_millis(500)).await.expect_err("too slow");
        assert_eq!(late.code(), ErrorCode::Timeout, "{late}");
        charge(&client, order("o-1", 2_000), Transport::Direct).await.expect("the first one's answer");
        assert_eq!(charges(&world).len(), 1);
        bridge.stop().await;
    }

    async fn work_whose_instance_was_killed_is_done_again_by_the_next_who_asks(world: World) {
        let mut killed = till(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Till>();
        let bridge = builder.start().await.expect("starts");
        let first = charge(&client, order("o-1", 4_000), Transport::Direct);
        let (first, ()) = tokio::join!(first, async {
            eventually(Duration::from_secs(10), "it is at work", async || {
                (charges(&world).len() == 1).then_some(())
            })
            .await;
            killed.process.kill();
        });
        first.expect_err("its instance died");
        let next = till(&world).await;
        let (reply, took) = eventually(LEASE_MAX * 2, "the next one does it", async || {
            charge(&client, order("o-1", 4_000), Transport::Direct).await.ok()
        })
        .await;
        println!("done again {took:?} after it was asked for");
        assert_eq!(reply.instance, next.instance);
        assert_eq!(charges(&world).len(), 2);
        bridge.stop().await;
    }
}
