//! Calls between services: every way of travelling, deadlines, and every kind of failure.

use std::time::Duration;

use bridge::{CallError, Client, ErrorCode, Transport};

use crate::contracts::{v1, v2};
use crate::harness::on_both_databases;

const EVERY_WAY: [Transport; 3] = [Transport::Direct, Transport::Proxy, Transport::Auto];

fn hello() -> v1::EchoRequest {
    v1::EchoRequest {
        text: "hello".to_owned(),
    }
}

async fn verdict(desk: &Client<v1::Desk>, verdict: &str, transport: Transport) -> CallError {
    let request = v1::JudgeRequest {
        verdict: verdict.to_owned(),
    };
    let judged = desk.judge(request).transport(transport).await;
    judged.expect_err("this verdict is an error")
}

#[derive(Debug, PartialEq, bridge::Error)]
enum Verdict {
    Refused,
    #[bridge(code = "REJECTED_WITH_REASON")]
    Rejected(String),
}

on_both_databases! {
    async fn every_way_answers_the_same_and_tells_the_handler_who_calls(world: World) {
        let peer = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<v1::Desk>();
        let bridge = builder.start().await.expect("starts");
        let me = bridge.identity().expect("started");
        for transport in EVERY_WAY {
            let call = desk.echo(hello()).transport(transport);
            let reply = call.idempotency_key("order-7").request_id("r-1").await;
            let reply = reply.unwrap_or_else(|error| panic!("{transport:?}: {error}"));
            assert_eq!(reply.text, "hello");
            assert_eq!(reply.instance, peer.instance);
            assert_eq!(reply.caller_service, me.service_id.to_string());
            assert_eq!((&*reply.idempotency_key, &*reply.request_id), ("order-7", "r-1"));
            let instance = match transport {
                // The runtime vouches for the service, not for one of its processes.
                Transport::Proxy => String::new(),
                Transport::Direct | Transport::Auto => me.instance_id.to_string(),
            };
            assert_eq!(reply.caller_instance, instance, "{transport:?}");
            assert!((25_000..=30_000).contains(&reply.remaining_ms), "{reply:?}");
            let reply = desk.echo(hello()).transport(transport).timeout(Duration::from_secs(4)).await;
            let left = reply.expect("answers").remaining_ms;
            assert!((2_000..=4_000).contains(&left), "{left} ms");
        }
        bridge.stop().await;
    }

    async fn failures_keep_their_kind_on_every_way(world: World) {
        let _peer = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<v1::Desk>();
        let bridge = builder.start().await.expect("starts");
        for (nth, transport) in (1..).zip(EVERY_WAY) {
            let refused = verdict(&desk, "refuse", transport).await;
            assert_eq!(refused.code(), ErrorCode::Handler);
            assert_eq!(refused.business(), Some(Verdict::Refused));
            let rejected = verdict(&desk, "reject", transport).await;
            let reason = Verdict::Rejected("the ink is dry".to_owned());
            assert_eq!(rejected.business(), Some(reason));
            assert_eq!(rejected.handler_code(), Some("REJECTED_WITH_REASON"));
            let panicked = verdict(&desk, "panic", transport).await;
            assert_eq!(panicked.code(), ErrorCode::Handler);
            assert_eq!(panicked.handler_code(), Some("INTERNAL"));
            assert!(!panicked.to_string().contains("left the room"), "{panicked}");

            let slow = desk.wait(v1::WaitRequest { ms: 3_000 });
            let begun = world.clock.monotonic();
            let slow = slow.timeout(Duration::from_millis(500)).transport(transport).await;
            let slow = slow.expect_err("too slow");
            let took = world.clock.monotonic().since(begun);
            assert_eq!(slow.code(), ErrorCode::Timeout, "{slow}");
            assert!(!slow.retryable());
            assert!(took < Duration::from_millis(1_500), "{took:?}");
            let quick = desk.wait(v1::WaitRequest { ms: 0 }).transport(transport).await;
            assert_eq!(quick.expect("answers").begun, 2 * nth, "a timeout is not repeated");
        }
        bridge.stop().await;
    }

    async fn nobody_to_call_is_told_after_a_few_tries_and_another_contract_is_never_reached(world: World) {
        let _peer = world.desk("desk").await;
        let _next = world.peer(&["next-desk", "desk-next"]).await;
        let mut builder = world.caller("orders").await;
        let desk = builder.client::<v1::Desk>();
        let old = builder.client_of::<v1::Desk>("desk-next");
        let new = builder.client_of::<v2::Desk>("desk-next");
        let bridge = builder.start().await.expect("starts");
        let begun = world.clock.monotonic();
        let absent = desk.absent(v1::AbsentRequest {}).await.expect_err("nobody serves it");
        let took = world.clock.monotonic().since(begun);
        assert_eq!(absent.code(), ErrorCode::NoLiveInstance);
        assert!(absent.retryable());
        let about = Duration::from_millis(350)..Duration::from_millis(1_500);
        assert!(about.contains(&took), "{took:?}");

        for transport in EVERY_WAY {
            let other = old.echo(hello()).transport(transport).await.expect_err("another contract");
            assert_eq!(other.code(), ErrorCode::NoLiveInstance, "{transport:?}");
            assert!(other.to_string().contains("another contract"), "{other}");
        }
        let request = v2::EchoRequest { text: "hello".to_owned(), copies: 1 };
        let reply = new.echo(request).await.expect("its own contract");
        assert_eq!((&*reply.text, reply.served), ("hello", 1));
        bridge.stop().await;
    }
}
