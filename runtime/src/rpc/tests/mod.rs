//! What the proxy promises, with instances on real sockets and time moved by hand.

mod bed;
mod peers;
mod once;

use contract::headers::{REPLAYED, STORED, TRACEPARENT};
use contract::transport::is_not_dispatched;
use tonic::Code;

use self::bed::{Callee, World};
use super::engine::{CALLS_MAX, STREAMS_MAX};
use super::peers::Lane;
use crate::db::testing::on_sqlite;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

#[tokio::test]
async fn an_instance_hears_whether_the_trace_is_recorded_and_its_caller_whether_it_repeats() {
    on_sqlite(|t| async move {
        let world = World::new(&t).await;
        let callee = Callee::default();
        world.serve(&callee).await;
        let answer = world.invoke("Repeat", &[(TRACEPARENT, PARENT)]).await;
        let answer = answer.expect("answers");
        assert_eq!(answer.metadata().get(REPLAYED).expect("said"), "1");
        assert_eq!(answer.metadata().get(STORED).expect("said"), "later");
        let seen = |at: usize| callee.seen(at).get(TRACEPARENT).cloned();
        assert_eq!(seen(0).expect("passed on"), PARENT);
        let answer = world.invoke("Echo", &[(TRACEPARENT, "00-so-so-01")]).await;
        let answer = answer.expect("answers");
        let said = |name| answer.metadata().get(name);
        assert!(said(REPLAYED).is_none() && said(STORED).is_none());
        assert_eq!(seen(1), None, "what is malformed is nobody's");
    })
    .await;
}

#[tokio::test]
async fn calls_and_streams_are_bounded_apart() {
    on_sqlite(|t| async move {
        let world = World::new(&t).await;
        let callee = Callee::default();
        world.serve(&callee).await;
        for (lane, most) in [(Lane::Streams, STREAMS_MAX), (Lane::Calls, CALLS_MAX)] {
            let enter = |_| world.proxy.enter(lane).expect("a place");
            let mut places: Vec<_> = (0..most).map(enter).collect();
            let full = world.proxy.enter(lane).expect_err("no place");
            assert_eq!(full.code(), Code::ResourceExhausted);
            assert!(is_not_dispatched(&full));
            let (call, stream) = (world.call("Echo").await, world.stream("Feed").await);
            let refused = |code: Option<Code>| code == Some(Code::ResourceExhausted);
            assert_eq!(refused(call.err().map(|it| it.code())), lane == Lane::Calls);
            assert_eq!(
                refused(stream.err().map(|it| it.code())),
                lane == Lane::Streams
            );
            places.pop();
            assert!(world.proxy.enter(lane).is_ok(), "a place was given back");
        }
    })
    .await;
}
