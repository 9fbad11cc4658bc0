//! Work under a claim whose store goes away, whose caller leaves, whose process stops; time moved
//! by hand.

use std::sync::atomic::Ordering;

use contract::clock::{ManualClock, Timestamp};
use tokio::sync::Notify;

use super::*;
use crate::idempotency::far::Far;
use crate::idempotency::grant::LEASE;
use crate::idempotency::{Answering, Memory, Settled, Work};

pub(super) const KEEP: Duration = Duration::from_secs(3600);

pub(super) struct World {
    pub(super) store: Far,
    pub(super) runner: Runner,
    pub(super) hand: ManualClock,
    /// Lets work go on.
    pub(super) gate: Arc<Notify>,
}

impl World {
    pub(super) fn new() -> Self {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let store = Far::over(Memory::new().clock(&clock));
        Self {
            runner: Runner::new(store.clone()).clock(&clock),
            store,
            hand,
            gate: Arc::default(),
        }
    }

    async fn grant(&self, key: &str) -> Grant {
        match self.runner.begin_now(&ask(key)).await {
            Ok(Turn::Run(grant)) => grant,
            other => panic!("`{key}` is not free: {other:?}"),
        }
    }

    /// Work that ends when the gate lets it.
    pub(super) async fn begin(&self, key: &str) -> JoinHandle<Result<((), Kept), CutOff>> {
        let (grant, gate) = (self.grant(key).await, self.gate.clone());
        let (begun, begins) = oneshot::channel();
        let running = tokio::spawn(grant.run(KEEP, async move {
            let _ = begun.send(());
            gate.notified().await;
            ((), done())
        }));
        begins.await.expect("it begins");
        running
    }

    /// What the store knows, whatever this process does.
    pub(super) async fn known(&self, key: &str) -> Begun {
        self.store.memory.begin(ask(key)).await.expect("memory")
    }

    /// Moves time in small steps until `is` holds.
    pub(super) async fn until(&self, is: impl Fn() -> bool) {
        for _ in 0..100_000 {
            if is() {
                return;
            }
            self.hand.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
        panic!("it never came about");
    }
}

pub(super) fn ask(key: &str) -> Ask {
    Ask {
        work: Arc::new(Work {
            operation: "POST /orders".to_owned(),
            scope: String::new(),
            key: key.to_owned(),
        }),
        digest: [7; 32],
        lease: LEASE,
        wait: Duration::ZERO,
    }
}

pub(super) fn outcome() -> Bytes {
    Bytes::from_static(b"done")
}

fn done() -> Keep {
    Keep::Outcome(outcome())
}

#[tokio::test]
async fn an_outcome_is_kept_after_all_once_the_store_is_back() {
    let world = World::new();
    let grant = world.grant("k").await;
    world.store.away(true);
    let ran = grant.run(KEEP, async { ((), done()) }).await;
    assert_eq!(ran, Ok(((), Kept::Later)), "it is answered at once");
    let counts = world.runner.counts();
    assert_eq!(
        (counts.under_way, counts.late, counts.late_bytes),
        (1, 1, 4)
    );
    // Whoever asks here is answered, and does nothing.
    let here = world.runner.begin_now(&ask("k")).await;
    assert!(
        matches!(&here, Ok(Turn::Replay(Some(it))) if *it == outcome()),
        "{here:?}"
    );
    world.hand.advance(LEASE / 2);
    world.store.away(false);
    world.until(|| world.runner.counts().under_way == 0).await;
    assert_eq!(world.known("k").await, Begun::Replay(Some(outcome())));
    let counts = world.runner.counts();
    assert_eq!(
        (counts.kept_late, counts.late, counts.late_bytes),
        (1, 0, 0)
    );
}

#[tokio::test]
async fn keeping_is_given_up_when_the_store_stays_away_and_said_so() {
    let world = World::new();
    let grant = world.grant("k").await;
    world.store.away(true);
    let begun = world.runner.time().monotonic();
    let ran = grant.run(KEEP, async { ((), done()) }).await;
    assert_eq!(ran, Ok(((), Kept::Later)));
    world.until(|| world.runner.counts().given_up == 1).await;
    let took = world.runner.time().monotonic().since(begun);
    assert!((600..660).contains(&took.as_secs()), "{took:?}");
    assert_eq!(world.runner.counts().under_way, 0);
}

#[tokio::test]
async fn somebody_who_took_over_while_the_store_was_away_is_not_overwritten() {
    let world = World::new();
    let grant = world.grant("k").await;
    world.store.away(true);
    let ran = grant.run(KEEP, async { ((), done()) }).await;
    assert_eq!(ran, Ok(((), Kept::Later)));
    world.hand.advance(LEASE);
    let Begun::Run(theirs) = world.known("k").await else {
        panic!("the lease has ended");
    };
    world.store.away(false);
    world.until(|| world.runner.counts().under_way == 0).await;
    let counts = world.runner.counts();
    assert_eq!((counts.lost, counts.kept_late), (1, 0));
    let other = Some(Bytes::from_static(b"theirs"));
    let settled = world.store.memory.settle(&theirs, other, KEEP).await;
    assert_eq!(settled, Ok(Settled::Kept));
}

#[tokio::test]
async fn work_that_lost_its_claim_ends_and_its_outcome_is_not_kept() {
    let world = World::new();
    let running = world.begin("k").await;
    world.store.away(true);
    world.hand.advance(LEASE);
    assert!(matches!(world.known("k").await, Begun::Run(_)));
    world.store.away(false);
    world.until(|| world.runner.counts().lost == 1).await;
    // Its repeats here still wait for it: two at once would be worse.
    let here = world.runner.begin_now(&ask("k")).await;
    assert!(matches!(here, Ok(Turn::Busy)), "{here:?}");
    world.gate.notify_one();
    let ran = running.await.expect("no panic");
    assert_eq!(ran, Ok(((), Kept::Failed)));
    assert_eq!(world.runner.counts().lost, 1, "said once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_keeps_its_claim() {
    let world = World::new();
    let grant = world.grant("k").await;
    let (go, blocked) = std::sync::mpsc::channel::<()>();
    let (begun, begins) = oneshot::channel();
    let running = tokio::spawn(grant.run(KEEP, async move {
        let _ = begun.send(());
        blocked.recv().expect("told to go on");
        ((), done())
    }));
    begins.await.expect("it begins");
    for nth in 0..6 {
        while world.store.renewed.load(Ordering::SeqCst) == nth {
            world.hand.advance(LEASE / 30);
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(world.known("k").await, Begun::Busy);
    go.send(()).expect("it waits");
    let ran = running.await.expect("no panic");
    assert_eq!(ran, Ok(((), Kept::Outcome)));
}

#[tokio::test]
async fn work_that_never_ends_is_cut_off_and_may_be_done_again() {
    let mut world = World::new();
    world.runner = world.runner.run_max(Duration::from_secs(60));
    let running = world.begin("k").await;
    world.until(|| running.is_finished()).await;
    assert_eq!(running.await.expect("no panic"), Err(CutOff));
    assert_eq!(world.runner.counts().cut_off, 1);
    world.grant("k").await;
}

#[tokio::test]
async fn no_more_works_run_than_may_and_old_answers_are_still_given() {
    let mut world = World::new();
    world.runner = world.runner.running_max(1);
    let ran = world.grant("old").await.run(KEEP, async { ((), done()) });
    assert_eq!(ran.await, Ok(((), Kept::Outcome)));
    let running = world.begin("one").await;
    let refused = world.runner.begin_now(&ask("two")).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    let old = world.runner.begin_now(&ask("old")).await;
    assert!(matches!(old, Ok(Turn::Replay(Some(_)))), "{old:?}");
    world.gate.notify_one();
    running.await.expect("no panic").expect("in time");
    world.grant("two").await;
}

#[tokio::test]
async fn stopping_waits_for_work_whose_caller_left_and_for_what_is_not_kept() {
    let world = World::new();
    let running = world.begin("k").await;
    running.abort();
    assert_eq!(world.runner.under_way(), ["POST /orders `k`"]);
    assert_eq!(world.runner.drain(Duration::ZERO).await, 1);
    world.store.away(true);
    world.gate.notify_one();
    world.until(|| world.runner.counts().late == 1).await;
    let runner = world.runner.clone();
    let drained = tokio::spawn(async move { runner.drain(KEEP).await });
    world.store.away(false);
    world.until(|| drained.is_finished()).await;
    assert_eq!(drained.await.expect("no panic"), 0);
    assert_eq!(world.known("k").await, Begun::Replay(Some(outcome())));
}

#[tokio::test]
async fn whoever_cannot_wait_for_it_cuts_work_off_and_lets_others_do_it() {
    let world = World::new();
    let running = world.begin("k").await;
    world.runner.cut_off();
    assert_eq!(running.await.expect("no panic"), Err(CutOff));
    assert!(matches!(world.known("k").await, Begun::Run(_)));
    let refused = world.runner.begin_now(&ask("l")).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn work_that_begins_as_all_is_cut_off_does_not_run() {
    let world = World::new();
    let grant = world.grant("k").await;
    world.runner.cut_off();
    let never = grant.run(KEEP, std::future::pending::<((), Keep)>()).await;
    assert_eq!(never, Err(CutOff));
}

#[tokio::test]
async fn a_closed_runner_gives_up_what_is_not_kept() {
    let world = World::new();
    let grant = world.grant("k").await;
    world.store.away(true);
    let ran = grant.run(KEEP, async { ((), done()) }).await;
    assert_eq!(ran, Ok(((), Kept::Later)));
    world.runner.close();
    let closed = world.runner.time().monotonic();
    world.until(|| world.runner.counts().under_way == 0).await;
    assert!(world.runner.time().monotonic().since(closed) < LEASE);
    assert_eq!(world.runner.counts().given_up, 1);
}

#[tokio::test]
async fn a_grant_that_is_dropped_lets_the_work_go() {
    let world = World::new();
    drop(world.grant("k").await);
    while world.store.memory.holds(&ask("k").work) {
        tokio::task::yield_now().await;
    }
    world.grant("k").await;
}

/// A store that takes its time to say that it claimed.
#[derive(Clone, Debug)]
pub(super) struct Slow {
    pub(super) far: Far,
    pub(super) claimed: Arc<Notify>,
    pub(super) gate: Arc<Notify>,
}

impl Store for Slow {
    fn begin(&self, ask: Ask) -> Answering<Begun> {
        let slow = self.clone();
        Box::pin(async move {
            let begun = slow.far.begin(ask).await;
            slow.claimed.notify_one();
            slow.gate.notified().await;
            begun
        })
    }

    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool> {
        self.far.renew(claim, lease)
    }

    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled> {
        self.far.settle(claim, outcome, keep)
    }

    fn release(&self, claim: &Claim) -> Answering<()> {
        self.far.release(claim)
    }
}

#[tokio::test]
async fn a_claim_for_somebody_who_left_meanwhile_is_let_go() {
    let world = World::new();
    let begun = world.runner.time().monotonic();
    let (claimed, gate) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let slow = Slow {
        far: world.store.clone(),
        claimed: claimed.clone(),
        gate: gate.clone(),
    };
    let runner = Runner::new(slow).clock(world.runner.time());
    let leaving = tokio::spawn(async move { runner.begin_now(&ask("k")).await });
    claimed.notified().await;
    assert_eq!(world.known("k").await, Begun::Busy);
    leaving.abort();
    leaving.await.expect_err("it left");
    gate.notify_one();
    world
        .until(|| !world.store.memory.holds(&ask("k").work))
        .await;
    let took = world.runner.time().monotonic().since(begun);
    assert!(took < LEASE, "no lease had to end: {took:?}");
}
