//! What a repeat of a proxied call gets, on both databases.

use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use contract::transport::is_not_dispatched;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tonic::{Code, Status};

use super::bed::{Callee, DEADLINE, World, until};
use crate::db::testing::{TestDb, on_both_databases, on_sqlite};
use crate::db::{DbError, Store};
use crate::outcomes::{Digest, Work, store};
use crate::rpc::engine::CALLS_MAX;
use crate::rpc::forward::{Answered, Forward};
use crate::rpc::once::{self, HOLD, SETTLE_AGAIN};
use crate::rpc::peers::Lane;

const SECOND: Duration = Duration::from_secs(1);

fn keyed(world: &World, method: &str, timeout: Duration) -> Forward {
    let mut request = world.request(method);
    request.idempotency_key = "k".to_owned();
    world.forward(request, timeout)
}

async fn call(world: &World, method: &str) -> Result<Answered, Status> {
    once::unary(&world.proxy, keyed(world, method, DEADLINE)).await
}

fn code(refused: Result<Answered, Status>) -> Code {
    refused.expect_err("refused").code()
}

/// A call whose handler runs, and waits.
async fn in_progress(t: &TestDb) -> (World, Callee, JoinHandle<Result<Answered, Status>>) {
    let world = World::new(t).await;
    let callee = Callee::default();
    world.serve(&callee).await;
    let (proxy, forward) = (world.proxy.clone(), keyed(&world, "Wait", DEADLINE));
    let calling = tokio::spawn(async move { once::unary(&proxy, forward).await });
    until("a handler runs", || callee.calls() == 1).await;
    (world, callee, calling)
}

/// Holds up whoever wants to write about the work of `Wait` under the key, until it is let go.
async fn lock(t: &TestDb, world: &World) -> Arc<Semaphore> {
    let (caller, target) = (world.caller.to_string(), world.desk.to_string());
    let work = Work {
        kind: "invoke",
        owner: &caller,
        operation: "Wait",
        scope: &target,
        key: "k",
    };
    let (work, now): (Digest, _) = (work.digest(), world.clock.now());
    let (locked, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (telling, held, db) = (locked.clone(), go.clone(), t.db.clone());
    tokio::spawn(async move {
        db.write::<_, DbError, _>(Store::Ledger, "hold up the others", move |conn| {
            let (telling, held) = (telling.clone(), held.clone());
            Box::pin(async move {
                let until = now + DEADLINE;
                store::renew(conn, (&work, now.as_micros()), until, until).await?;
                telling.add_permits(1);
                held.acquire().await.expect("a gate").forget();
                Ok(())
            })
        })
        .await
    });
    locked.acquire().await.expect("a gate").forget();
    go
}

type Write = Pin<Box<dyn Future<Output = Result<(), DbError>> + Send>>;

/// Writes that wait for the one that is held up, as many as may; the next one is refused.
async fn fill_the_queue(t: &TestDb) -> Vec<Write> {
    let mut queued = Vec::new();
    loop {
        let db = t.db.clone();
        let mut write: Write = Box::pin(async move {
            db.write::<_, DbError, _>(Store::Ledger, "wait", |_| Box::pin(ready(Ok(()))))
                .await
        });
        match poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx))).await {
            Poll::Pending => queued.push(write),
            Poll::Ready(refused) => {
                refused.expect_err("no room is left");
                return queued;
            }
        }
    }
}

on_both_databases! {
    async fn a_call_that_was_cut_off_is_repeated_once_its_instance_had_time_to_stop(t: TestDb) {
        let world = World::new(&t).await;
        let callee = Callee::default();
        world.serve(&callee).await;
        let cut_off = once::unary(&world.proxy, keyed(&world, "Wait", SECOND));
        let (cut_off, ()) = tokio::join!(cut_off, async {
            until("a handler runs", || callee.calls() == 1).await;
            world.hand.advance(SECOND);
        });
        assert_eq!(code(cut_off), Code::DeadlineExceeded);
        assert_eq!(code(call(&world, "Wait").await), Code::AlreadyExists);
        world.hand.advance(HOLD - Duration::from_millis(1));
        assert_eq!(code(call(&world, "Wait").await), Code::AlreadyExists);
        assert_eq!(callee.calls(), 1);
        world.hand.advance(Duration::from_millis(1));
        callee.open(1);
        assert!(!call(&world, "Wait").await.expect("answers").is_replay);
        assert!(call(&world, "Wait").await.expect("answers").is_replay);
        assert_eq!(callee.calls(), 2);
    }

    async fn a_caller_that_leaves_holds_its_key_no_longer_than_its_instance_needs(t: TestDb) {
        let (world, callee, leaving) = in_progress(&t).await;
        leaving.abort();
        until("its place is free", || {
            let places = (0..CALLS_MAX).map(|_| world.proxy.enter(Lane::Calls));
            places.collect::<Vec<_>>().iter().all(Result::is_ok)
        })
        .await;
        world.hand.advance(HOLD - Duration::from_millis(1));
        assert_eq!(code(call(&world, "Wait").await), Code::AlreadyExists);
        world.hand.advance(Duration::from_millis(1));
        // One for the handler that was told to stop, if it has not heard of it yet.
        callee.open(2);
        call(&world, "Wait").await.expect("answers");
        assert_eq!(callee.calls(), 2);
    }

    async fn an_answer_is_kept_though_its_caller_is_gone_before_it_was_stored(t: TestDb) {
        let (world, callee, calling) = in_progress(&t).await;
        let locked = lock(&t, &world).await;
        callee.open(1);
        for _ in 0..25 {
            if calling.is_finished() {
                break;
            }
            world.hand.advance(SECOND);
            contract::clock::Clock::system().sleep(Duration::from_millis(100)).await;
        }
        let answered = calling.await.expect("no panic").expect("told though it is not stored");
        assert_eq!((answered.is_replay, answered.stored), (false, Some("later")));
        locked.add_permits(1);
        let kept = loop {
            match call(&world, "Wait").await {
                Ok(answered) => break answered,
                Err(busy) => assert_eq!(busy.code(), Code::AlreadyExists, "{busy}"),
            }
        };
        assert_eq!((kept.is_replay, kept.stored), (true, None));
        assert_eq!(callee.calls(), 1);
    }

    async fn overload_is_told_before_anything_is_written(t: TestDb) {
        let world = World::new(&t).await;
        let enter = |_| world.proxy.enter(Lane::Calls).expect("a place");
        let places: Vec<_> = (0..CALLS_MAX).map(enter).collect();
        let mut asking = Box::pin(call(&world, "Echo"));
        let told = poll_fn(|cx| Poll::Ready(asking.as_mut().poll(cx))).await;
        let Poll::Ready(Err(full)) = told else {
            panic!("it waits for the store");
        };
        assert!(full.code() == Code::ResourceExhausted && is_not_dispatched(&full));
        drop(places);
    }

    async fn a_target_is_the_same_however_its_id_is_spelt(t: TestDb) {
        let world = World::new(&t).await;
        let callee = Callee::default();
        world.serve(&callee).await;
        call(&world, "Echo").await.expect("answers");
        let mut loud = keyed(&world, "Echo", DEADLINE);
        loud.request.target_service_id.make_ascii_uppercase();
        let repeated = once::unary(&world.proxy, loud).await.expect("answers");
        assert!(repeated.is_replay);
        assert_eq!(callee.calls(), 1);
    }

    async fn an_answer_that_is_too_large_to_keep_says_so_and_is_not_given_twice(t: TestDb) {
        let world = World::new(&t).await;
        let callee = Callee::default();
        world.serve(&callee).await;
        let setting = world.settings.set("outcomes.body_bytes_max", "3", "test").await;
        setting.expect("a setting");
        assert_eq!(call(&world, "Echo").await.expect("answers").stored, Some("false"));
        let refused = call(&world, "Echo").await.expect_err("it was carried out");
        assert_eq!(refused.code(), Code::AlreadyExists);
        assert!(refused.message().contains("was carried out"), "{refused}");
        assert_eq!(callee.calls(), 1);
    }

    async fn an_error_that_its_instance_does_not_keep_is_not_kept_here_either(t: TestDb) {
        let world = World::new(&t).await;
        let callee = Callee::default();
        world.serve(&callee).await;
        for calls in 1..3 {
            let failed = call(&world, "Fail").await.expect("an answer");
            assert_eq!((failed.is_replay, failed.stored), (false, Some("false")));
            assert_eq!(failed.response.error_code, "UNAVAILABLE");
            assert_eq!(callee.calls(), calls);
        }
    }

    async fn what_an_instance_refuses_may_be_repeated_at_once(t: TestDb) {
        let world = World::new(&t).await;
        let callee = Callee::default();
        world.serve(&callee).await;
        for _ in 0..2 {
            assert_eq!(code(call(&world, "Refuse").await), Code::NotFound);
        }
        assert_eq!(callee.calls(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_the_store_refuses_is_told_and_stored_when_it_takes_it_again() {
    on_sqlite(|t| async move {
        let (world, callee, calling) = in_progress(&t).await;
        let locked = lock(&t, &world).await;
        let queued = fill_the_queue(&t).await;
        // One for a second call, which there must not be.
        callee.open(2);
        let answered = calling.await.expect("no panic").expect("an answer");
        assert_eq!(
            (answered.is_replay, answered.stored),
            (false, Some("later"))
        );
        locked.add_permits(1);
        for write in queued {
            write.await.expect("written");
        }
        let kept = loop {
            match call(&world, "Wait").await {
                Ok(answered) => break answered,
                Err(busy) => assert_eq!(busy.code(), Code::AlreadyExists, "{busy}"),
            }
            // Slowly, or the claim ends before the store was asked again.
            world.hand.advance(SETTLE_AGAIN[0] / 10);
        };
        assert_eq!((kept.is_replay, kept.stored), (true, None));
        assert_eq!(callee.calls(), 1);
    })
    .await;
}
