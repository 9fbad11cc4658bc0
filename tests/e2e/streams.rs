//! Answers that are streams: on every way, with readers that are slow or leave, deadlines, errors
//! in between, and instances that stop or die.

use std::time::Duration;

use bridge::{CallError, Client, ErrorCode, Replies, Transport};
use rustix::process::Signal;
use serde_json::json;

use crate::contracts::ticker::{CountRequest, SeenReply, SeenRequest, Tick, Ticker};
use crate::harness::{Peer, World, eventually, on_both_databases, said};
use crate::python::python;

const EVERY_WAY: [Transport; 3] = [Transport::Direct, Transport::Proxy, Transport::Auto];
/// Longest wait for something that happens at once, on a busy machine.
const SOON: Duration = Duration::from_secs(10);
/// Longest installation of Python's packages.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq, bridge::Error)]
enum TickerError {
    Worn(String),
}

async fn ticker(world: &World) -> Peer {
    world.peer(&["ticker", "ticker"]).await
}

fn three(end: &str) -> CountRequest {
    CountRequest {
        messages: 3,
        end: end.to_owned(),
        ..CountRequest::default()
    }
}

/// The first messages, in order, numbered from 1.
async fn first(replies: &mut Replies<Tick>, count: u32) -> Vec<Tick> {
    let mut all = Vec::new();
    for nth in 1..=count {
        let tick = replies.next().await.expect("not over");
        all.push(tick.expect("a message"));
        assert_eq!(all.last().map(|it| it.nth), Some(nth));
    }
    all
}

async fn error_of(replies: &mut Replies<Tick>) -> CallError {
    let error = replies
        .next()
        .await
        .expect("not over")
        .expect_err("an error");
    assert!(replies.next().await.is_none(), "nothing follows an error");
    error
}

async fn seen(client: &Client<Ticker>) -> SeenReply {
    client.seen(SeenRequest {}).await.expect("answers")
}

/// Waits until no stream runs; says what became of them.
async fn settled(client: &Client<Ticker>) -> SeenReply {
    let look = async || {
        let seen = seen(client).await;
        (seen.running == 0).then_some(seen)
    };
    eventually(SOON, "the end of all streams", look).await.0
}

on_both_databases! {
    async fn a_stream_is_the_same_on_every_way(world: World) {
        let peer = ticker(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Ticker>();
        let bridge = builder.start().await.expect("starts");
        let me = bridge.identity().expect("started").service_id.to_string();
        for transport in EVERY_WAY {
            let count = |end: &str| client.count(three(end)).transport(transport);
            let call = count("").idempotency_key("k-7").request_id("r-1");
            let mut replies = call.await.unwrap_or_else(|error| panic!("{transport:?}: {error}"));
            for tick in first(&mut replies, 3).await {
                assert_eq!((&tick.instance, &tick.caller_service), (&peer.instance, &me));
                assert_eq!((&*tick.idempotency_key, &*tick.request_id), ("k-7", "r-1"));
            }
            assert!(replies.next().await.is_none());

            let mut worn = count("worn").await.expect("begins");
            first(&mut worn, 3).await;
            let worn = error_of(&mut worn).await;
            let reason = TickerError::Worn("the spring broke".to_owned());
            assert_eq!(worn.business(), Some(reason), "{transport:?}");

            let mut panicked = count("panic").await.expect("begins");
            first(&mut panicked, 3).await;
            let panicked = error_of(&mut panicked).await;
            assert_eq!(panicked.handler_code(), Some("INTERNAL"));
            assert!(!panicked.to_string().contains("left the room"), "{panicked}");
        }
        let seen = settled(&client).await;
        assert_eq!((seen.made, seen.cancelled), (27, 0));
        bridge.stop().await;
    }

    async fn a_reader_that_leaves_and_a_deadline_both_end_the_handler(world: World) {
        let _peer = ticker(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Ticker>();
        let bridge = builder.start().await.expect("starts");
        for (nth, transport) in (1..).zip(EVERY_WAY) {
            let mut left = client.count(three("hang")).transport(transport).await.expect("begins");
            first(&mut left, 3).await;
            assert_eq!(seen(&client).await.running, 1);
            drop(left);
            assert_eq!(settled(&client).await.cancelled, 2 * nth - 1, "{transport:?}");

            let call = client.count(three("hang")).transport(transport);
            let mut late = call.timeout(Duration::from_millis(500)).await.expect("begins");
            first(&mut late, 3).await;
            let late = error_of(&mut late).await;
            assert_eq!((late.code(), late.retryable()), (ErrorCode::Timeout, false), "{late}");
            assert_eq!(settled(&client).await.cancelled, 2 * nth, "{transport:?}");
        }
        bridge.stop().await;
    }

    async fn a_slow_reader_bounds_what_everybody_on_the_way_holds(world: World) {
        const MESSAGE: u32 = 64 * 1024;
        const FLOOD: u32 = 4_096;
        let peer = ticker(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Ticker>();
        let bridge = builder.start().await.expect("starts");
        for transport in [Transport::Direct, Transport::Proxy] {
            let flood = CountRequest { messages: FLOOD, bytes: MESSAGE, ..CountRequest::default() };
            let before = seen(&client).await.made;
            let memory = (peer.process.memory(), world.runtime().memory());
            let mut replies = client.count(flood).transport(transport).await.expect("begins");
            first(&mut replies, 1).await;
            let mut last = 0;
            let look = async || {
                let made = seen(&client).await.made;
                (std::mem::replace(&mut last, made) == made).then_some(made - before)
            };
            let (made, _) = eventually(SOON, "a handler that waits", look).await;
            let bytes = made * u64::from(MESSAGE);
            assert!(bytes < 8 << 20, "{transport:?}: {bytes} bytes made of one message read");
            let grown = peer.process.memory().saturating_sub(memory.0);
            assert!(grown < 24 << 20, "{transport:?}: the callee grew by {grown} bytes");
            let grown = world.runtime().memory().saturating_sub(memory.1);
            assert!(grown < 24 << 20, "{transport:?}: the runtime grew by {grown} bytes");
            for nth in 2..=FLOOD {
                let tick = replies.next().await.expect("not over").expect("a message");
                assert_eq!((tick.nth, tick.filling.len()), (nth, MESSAGE as usize));
            }
            assert!(replies.next().await.is_none(), "{transport:?}");
        }
        assert_eq!(settled(&client).await.cancelled, 0);
        bridge.stop().await;
    }

    async fn a_callee_that_dies_ends_its_streams_and_one_that_stops_finishes_them(world: World) {
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Ticker>();
        let bridge = builder.start().await.expect("starts");
        for transport in [Transport::Direct, Transport::Proxy] {
            let mut peer = ticker(&world).await;
            let found = async || client.seen(SeenRequest {}).await.ok();
            eventually(SOON, "the ticker on the map", found).await;
            let mut cut = client.count(three("hang")).transport(transport).await.expect("begins");
            first(&mut cut, 3).await;
            peer.process.kill();
            let cut = error_of(&mut cut).await;
            assert_eq!(cut.code(), ErrorCode::Connection, "{transport:?}: {cut}");
            world.gone(SOON, "ticker", &peer.instance).await;

            let mut peer = ticker(&world).await;
            eventually(SOON, "the ticker on the map", found).await;
            let slow = CountRequest { messages: 20, pause_ms: 50, ..CountRequest::default() };
            let mut whole = client.count(slow).transport(transport).await.expect("begins");
            let tick = whole.next().await.expect("not over").expect("a message");
            assert_eq!(tick.instance, peer.instance);
            peer.process.signal(Signal::TERM);
            for nth in 2..=20 {
                let tick = whole.next().await.expect("not over").expect("a message");
                assert_eq!(tick.nth, nth, "{transport:?}");
            }
            assert!(whole.next().await.is_none());
            let (status, _) = peer.process.ended(SOON).await;
            assert!(status.success(), "{status}");
        }
        bridge.stop().await;
    }

    async fn a_direct_stream_goes_on_without_the_runtime(world: World) {
        let _peer = ticker(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Ticker>();
        let bridge = builder.start().await.expect("starts");
        let slow = CountRequest { messages: 20, pause_ms: 50, ..CountRequest::default() };
        let mut direct = client.count(slow.clone()).await.expect("begins");
        let proxied = client.count(slow).transport(Transport::Proxy);
        let mut proxied = proxied.await.expect("begins");
        first(&mut direct, 1).await;
        first(&mut proxied, 1).await;
        world.runtime().kill();
        for nth in 2..=20 {
            let tick = direct.next().await.expect("not over").expect("a message");
            assert_eq!(tick.nth, nth);
        }
        assert!(direct.next().await.is_none());
        let cut = loop {
            match proxied.next().await.expect("not over") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(cut.code(), ErrorCode::Connection, "{cut}");
        bridge.stop().await;
    }

    async fn a_stock_grpc_client_reads_streams_and_answers_with_them(world: World) {
        let _peer = ticker(&world).await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Ticker>();
        let snake = builder.client_of::<Ticker>("snake");
        let bridge = builder.start().await.expect("starts");
        let hash = <Ticker as bridge::Contract>::METHODS[0].contract_hash;
        let python = python(&world, "streams.py", hash, "ticker").await;
        let heard = async |event: &'static str, nth: usize| {
            let lines = python.lines(PATIENCE, event, nth, move |line| said(line, event));
            lines.await.pop().expect("as many as asked for")
        };
        assert_eq!(heard("found", 1).await["streaming"], true);
        let whole = heard("read", 1).await;
        assert_eq!((&whole["ticks"], &whole["errors"]), (&json!([1, 2, 3]), &json!([])));
        let worn = heard("read", 2).await;
        assert_eq!(worn["ticks"], json!([1, 2, 3]));
        assert_eq!(worn["errors"][0][0], "WORN");
        assert_eq!(worn["errors"][0][2], 0, "the last chunk of an error has no payload");
        heard("cancelled", 1).await;
        assert_eq!(settled(&client).await.cancelled, 1);

        for (nth, transport) in (1..).zip([Transport::Direct, Transport::Proxy]) {
            let count = |end: &str| snake.count(three(end)).transport(transport).request_id("r-9");
            let mut worn = count("worn").await.unwrap_or_else(|error| panic!("{transport:?}: {error}"));
            for tick in first(&mut worn, 3).await {
                assert_eq!((&*tick.instance, &*tick.request_id), ("python", "r-9"));
            }
            let worn = error_of(&mut worn).await;
            assert_eq!((worn.handler_code(), worn.message()), (Some("WORN"), "python's spring broke"));
            let mut left = count("hang").await.expect("begins");
            first(&mut left, 3).await;
            drop(left);
            assert_eq!(heard("left", nth).await["in_time"], true, "{transport:?}");
        }
        bridge.stop().await;
    }
}
