//! Who waits for work, here and at the store, and who asks about it: how many may, and for how long
//! those count who have left.

use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use super::tests::{KEEP, Slow, World, ask, outcome};
use super::*;
use crate::idempotency::Settled;

/// Begins `k`, waiting for `wait`.
fn begin_within(
    world: &World,
    wait: Duration,
) -> impl Future<Output = Result<Turn, StoreError>> + Send + 'static {
    let runner = world.runner.clone();
    let patient = Ask { wait, ..ask("k") };
    async move { runner.begin(&patient).await }
}

/// Lets everybody go on until `is` holds, while time stands still.
async fn settled(is: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if is() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came about");
}

#[tokio::test]
async fn repeats_wait_here_and_not_at_the_store() {
    let world = World::new();
    let running = world.begin("k").await;
    let patient = Ask {
        wait: Duration::from_secs(30),
        ..ask("k")
    };
    let mut waiting = Vec::new();
    for _ in 0..WAITERS_MAX {
        let (runner, patient) = (world.runner.clone(), patient.clone());
        waiting.push(tokio::spawn(async move { runner.begin(&patient).await }));
    }
    while world.runner.waiters.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let refused = world.runner.begin(&patient).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    world.gate.notify_one();
    running.await.expect("no panic").expect("in time");
    for one in waiting {
        let turn = one.await.expect("no panic");
        assert!(matches!(turn, Ok(Turn::Replay(Some(_)))), "{turn:?}");
    }
    assert_eq!(world.store.waited.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn those_who_wait_for_another_process_are_bounded_by_themselves() {
    let world = World::new();
    assert!(matches!(world.known("k").await, Begun::Run(_)));
    let patient = Ask {
        wait: Duration::from_secs(1),
        ..ask("k")
    };
    let held = world
        .runner
        .store_waiters
        .acquire_many(STORE_WAITERS_MAX as u32)
        .await
        .expect("never closed");
    let refused = world.runner.begin(&patient).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    drop(held);
    let runner = world.runner.clone();
    let waiting = tokio::spawn(async move { runner.begin(&patient).await });
    world.until(|| waiting.is_finished()).await;
    let turn = waiting.await.expect("no panic");
    assert!(matches!(turn, Ok(Turn::Busy)), "{turn:?}");
}

#[tokio::test]
async fn those_who_left_while_they_waited_at_the_store_keep_others_out_for_a_slice_only() {
    let world = World::new();
    assert!(matches!(world.known("k").await, Begun::Run(_)));
    let places = || world.runner.store_waiters.available_permits();
    let mut leaving = Vec::new();
    for _ in 0..STORE_WAITERS_MAX {
        leaving.push(tokio::spawn(begin_within(&world, Duration::from_secs(30))));
    }
    let asked = || world.store.waited.load(Ordering::SeqCst);
    settled(|| asked() == STORE_WAITERS_MAX).await;
    let refused = begin_within(&world, Duration::from_secs(30)).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    for one in leaving {
        one.abort();
        one.await.expect_err("it left");
    }
    assert_eq!(places(), 0, "the store still waits for them");
    world.hand.advance(STORE_SLICE);
    settled(|| places() == STORE_WAITERS_MAX).await;
    let next = tokio::spawn(begin_within(&world, STORE_SLICE));
    world.until(|| next.is_finished()).await;
    let next = next.await.expect("no panic");
    assert!(matches!(next, Ok(Turn::Busy)), "{next:?}");
}

#[tokio::test]
async fn whoever_waits_at_the_store_goes_on_slice_after_slice_in_its_place() {
    let world = World::new();
    let Begun::Run(theirs) = world.known("k").await else {
        panic!("it is free");
    };
    let waiting = tokio::spawn(begin_within(&world, Duration::from_secs(10)));
    let asked = || world.store.waited.load(Ordering::SeqCst);
    world.until(|| asked() == 1).await;
    // Nobody who comes later gets its place.
    let free = world.runner.store_waiters.available_permits() as u32;
    assert_eq!(free as usize, STORE_WAITERS_MAX - 1);
    let _others = world.runner.store_waiters.acquire_many(free).await;
    world.until(|| asked() == 3).await;
    let settled = world.store.memory.settle(&theirs, Some(outcome()), KEEP);
    assert_eq!(settled.await, Ok(Settled::Kept));
    world.until(|| waiting.is_finished()).await;
    let turn = waiting.await.expect("no panic");
    assert!(matches!(turn, Ok(Turn::Replay(Some(_)))), "{turn:?}");
}

#[tokio::test]
async fn a_store_that_waits_for_nobody_is_asked_once_a_slice() {
    let world = World::new();
    assert!(matches!(world.known("k").await, Begun::Run(_)));
    world.store.is_impatient.store(true, Ordering::SeqCst);
    let waiting = tokio::spawn(begin_within(&world, 3 * STORE_SLICE));
    world.until(|| waiting.is_finished()).await;
    let turn = waiting.await.expect("no panic");
    assert!(matches!(turn, Ok(Turn::Busy)), "{turn:?}");
    let asked = world.store.waited.load(Ordering::SeqCst);
    assert!((2..=3).contains(&asked), "{asked}");
}

#[tokio::test]
async fn questions_whose_callers_left_are_bounded_until_the_store_answers() {
    let world = World::new();
    assert!(matches!(world.known("k").await, Begun::Run(_)));
    let gate = Arc::<Notify>::default();
    let slow = Slow {
        far: world.store.clone(),
        claimed: Arc::default(),
        gate: gate.clone(),
    };
    let runner = Runner::new(slow).clock(world.runner.time());
    let left = || runner.questions.available_permits();
    let mut leaving = Vec::new();
    for _ in 0..QUESTIONS_MAX {
        let runner = runner.clone();
        leaving.push(tokio::spawn(
            async move { runner.begin_now(&ask("k")).await },
        ));
    }
    settled(|| left() == 0).await;
    for one in leaving {
        one.abort();
        one.await.expect_err("it left");
    }
    let refused = runner.begin_now(&ask("k")).await;
    assert!(
        matches!(&refused, Err(StoreError::Full(text)) if text == TOO_MANY_ASK),
        "{refused:?}"
    );
    settled(|| {
        gate.notify_waiters();
        left() == QUESTIONS_MAX
    })
    .await;
    gate.notify_one();
    let next = runner.begin_now(&ask("k")).await;
    assert!(matches!(next, Ok(Turn::Busy)), "{next:?}");
}
