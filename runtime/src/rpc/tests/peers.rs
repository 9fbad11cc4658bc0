//! One dial for all, nobody held up by another's.

use std::sync::Arc;
use std::time::Duration;

use contract::transport::is_not_dispatched;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use super::bed::{Callee, DEADLINE, PER_CONNECTION, World, until};
use crate::db::testing::on_sqlite;
use crate::rpc::forward::Answered;
use crate::rpc::once;
use crate::rpc::peers::CONNECT_MAX;

type Calling = JoinHandle<Result<Answered, Status>>;

fn calling(world: &Arc<World>, timeout: Duration) -> Calling {
    let forward = world.forward(world.request("Echo"), timeout);
    let proxy = world.proxy.clone();
    tokio::spawn(async move { once::unary(&proxy, forward).await })
}

#[tokio::test]
async fn everybody_who_waits_for_an_instance_hears_of_the_same_dial() {
    on_sqlite(|t| async move {
        let world = Arc::new(World::new(&t).await);
        let (_, door) = world.serve_behind_a_door(&Callee::default()).await;
        let waiting: Vec<_> = (0..8).map(|_| calling(&world, DEADLINE)).collect();
        until("eight wait, and the dial", || world.hand.sleepers() == 9).await;
        world.hand.advance(CONNECT_MAX);
        for one in waiting {
            let refused = one.await.expect("no panic").expect_err("nobody answers");
            assert_eq!(refused.code(), Code::Unavailable, "{refused}");
            assert!(is_not_dispatched(&refused));
        }
        assert_eq!(door.came(), 1);
        assert!(world.registry.targets(world.desk, "Echo", "v2:aa")[0].unhealthy);
        door.open();
        calling(&world, DEADLINE)
            .await
            .expect("no panic")
            .expect("who comes later tries again");
        assert_eq!(door.came(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_dial_outlives_callers_that_leave_or_have_no_time() {
    on_sqlite(|t| async move {
        let world = Arc::new(World::new(&t).await);
        let callee = Callee::default();
        let (_, door) = world.serve_behind_a_door(&callee).await;
        let leaving = calling(&world, DEADLINE);
        until("the dial", || {
            door.came() == 1 && world.hand.sleepers() == 2
        })
        .await;
        leaving.abort();
        assert!(leaving.await.expect_err("it left").is_cancelled());
        let hurried = calling(&world, Duration::from_secs(1));
        let patient = calling(&world, DEADLINE);
        until("two wait, and the dial", || world.hand.sleepers() == 3).await;
        world.hand.advance(Duration::from_secs(1));
        let late = hurried
            .await
            .expect("no panic")
            .expect_err("its time is over");
        assert_eq!(late.code(), Code::DeadlineExceeded);
        assert!(is_not_dispatched(&late));
        door.open();
        patient.await.expect("no panic").expect("answers");
        assert_eq!((door.came(), callee.calls()), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_cannot_be_reached_leaves_half_of_the_time_for_another() {
    on_sqlite(|t| async move {
        let world = Arc::new(World::new(&t).await);
        let (_, door) = world.serve_behind_a_door(&Callee::default()).await;
        let callee = Callee::default();
        // So that the other one is tried first.
        world.registry.mark_unhealthy(world.serve(&callee).await);
        let call = calling(&world, Duration::from_secs(4));
        until("it waits, and the dial", || world.hand.sleepers() == 2).await;
        world.hand.advance(Duration::from_secs(2));
        call.await
            .expect("no panic")
            .expect("answered by the other one");
        assert_eq!((door.came(), callee.calls()), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn streams_that_last_hold_up_no_call_to_the_same_instance() {
    on_sqlite(|t| async move {
        let world = Arc::new(World::new(&t).await);
        world.serve(&Callee::default()).await;
        let mut streams = Vec::new();
        for _ in 0..PER_CONNECTION {
            streams.push(world.stream("Feed").await.expect("begins"));
        }
        world.call("Echo").await.expect("answers");
        drop(streams);
    })
    .await;
}
