//! What outcomes promise, on both databases, with time moved by hand.

use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, ManualClock, Timestamp};
use contract::ids::ServiceId;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::model::{Digest, RESUME_LEASE, RESUME_MAX, UNSETTLED_KEEP, Work};
use super::store::{self, NewClaim, Settlement};
use super::{Asked, Begun, Claim, Error, Full, Outcomes, Parts, Settled, Whose};
use crate::db::testing::{TestDb, on_both_databases};
use crate::db::{DbError, Store};
use crate::settings::Settings;

const LEASE: Duration = Duration::from_secs(30);
const KEEP: Duration = Duration::from_secs(300);
const ONE: Digest = [1; 32];
const OTHER: Digest = [2; 32];

struct World {
    outcomes: Outcomes,
    settings: Settings,
    hand: ManualClock,
    clock: Clock,
}

impl World {
    async fn new(t: &TestDb) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_800_000_000_000));
        Self::at(t, clock, hand).await
    }

    /// As after a restart: same store, empty memory.
    async fn restarted(self, t: &TestDb) -> Self {
        Self::at(t, self.clock, self.hand).await
    }

    async fn at(t: &TestDb, clock: Clock, hand: ManualClock) -> Self {
        let settings = Settings::open(&t.db, &t.clock, &t.mint)
            .await
            .expect("settings");
        let outcomes = Outcomes::open(Parts {
            db: t.db.clone(),
            clock: clock.clone(),
            settings: settings.clone(),
        });
        Self {
            outcomes: outcomes.await.expect("opens"),
            settings,
            hand,
            clock,
        }
    }

    async fn begin(&self, asked: Asked) -> Begun {
        self.outcomes.begin(asked).await.expect("answers")
    }

    async fn claim(&self, key: &str) -> Claim {
        match self.begin(asked(key, ONE)).await {
            Begun::Run(claim) => claim,
            other => panic!("nobody has `{key}`, but: {other:?}"),
        }
    }

    async fn settle(&self, claim: Claim, body: &[u8]) -> Settled {
        let settling = self.outcomes.settle(claim, Some(body.to_vec()), KEEP);
        settling.await.expect("stores")
    }

    async fn set(&self, key: &str, value: &str) {
        self.settings
            .set(key, value, "test")
            .await
            .expect("a setting");
    }
}

fn service(number: u128) -> ServiceId {
    ServiceId::from_uuid(uuid::Uuid::from_u128(number))
}

fn asked(key: &str, request: Digest) -> Asked {
    asked_by(1, key, request)
}

fn asked_by(owner: u128, key: &str, request: Digest) -> Asked {
    let owner = service(owner);
    let work = Work {
        kind: "test",
        owner: &owner.to_string(),
        operation: "Charge",
        scope: "",
        key,
    };
    Asked {
        owner,
        work: work.digest(),
        request,
        lease: LEASE,
        wait: Duration::ZERO,
    }
}

fn patient(key: &str) -> Asked {
    Asked {
        wait: Duration::from_secs(60),
        ..asked(key, ONE)
    }
}

/// Does something to a row, and keeps its transaction open until it is let go.
async fn open_end(t: &TestDb, change: Change) -> (Arc<Semaphore>, JoinHandle<()>) {
    let (done, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (telling, held, db) = (done.clone(), go.clone(), t.db.clone());
    let writing = tokio::spawn(async move {
        let writing = db.write::<_, DbError, _>(Store::Ledger, "change a row", move |conn| {
            let (telling, held, change) = (telling.clone(), held.clone(), change.clone());
            Box::pin(async move {
                match change {
                    Change::Settle(end) => assert!(store::settle(conn, &end).await?),
                    Change::Claim(new) => assert!(store::claim(conn, &new).await?.is_some()),
                }
                telling.add_permits(1);
                held.acquire().await.expect("a gate").forget();
                Ok(())
            })
        });
        writing.await.expect("commits");
    });
    done.acquire().await.expect("a gate").forget();
    (go, writing)
}

#[derive(Clone)]
enum Change {
    Settle(Settlement),
    Claim(NewClaim),
}

/// What somebody has to get as far as it gets: until it waits for a row of another one.
async fn get_stuck() {
    Clock::system().sleep(Duration::from_millis(300)).await;
}

fn replay(body: &[u8]) -> Begun {
    Begun::Replay(Some(body.to_vec()))
}

on_both_databases! {
    async fn what_was_settled_answers_repeats_until_its_time_is_over(t: TestDb) {
        let world = World::new(&t).await;
        let claim = world.claim("k").await;
        assert_eq!(world.settle(claim, b"\0paid\xff").await, Settled::Kept);
        assert_eq!(world.begin(asked("k", ONE)).await, replay(b"\0paid\xff"));
        assert_eq!(world.begin(asked("k", OTHER)).await, Begun::Conflict);
        // Whoever did not hear that it was stored stores it again.
        assert_eq!(world.settle(claim, b"\0paid\xff").await, Settled::Kept);
        world.hand.advance(KEEP - Duration::from_millis(1));
        assert_eq!(world.begin(asked("k", ONE)).await, replay(b"\0paid\xff"));
        world.hand.advance(Duration::from_millis(1));
        assert!(matches!(world.begin(asked("k", OTHER)).await, Begun::Run(_)));
    }

    async fn one_of_many_who_ask_at_once_does_the_work(t: TestDb) {
        let world = World::new(&t).await;
        let mut asking = Vec::new();
        for _ in 0..20 {
            let outcomes = world.outcomes.clone();
            asking.push(tokio::spawn(async move { outcomes.begin(asked("k", ONE)).await }));
        }
        let (mut run, mut busy) = (0, 0);
        for asked in asking {
            match asked.await.expect("no panic").expect("answers") {
                Begun::Run(_) => run += 1,
                Begun::Busy => busy += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((run, busy), (1, 19));
    }

    async fn whoever_waits_gets_the_outcome_of_the_first(t: TestDb) {
        let world = World::new(&t).await;
        let claim = world.claim("k").await;
        let mut waiting = Vec::new();
        for _ in 0..5 {
            let outcomes = world.outcomes.clone();
            waiting.push(tokio::spawn(async move { outcomes.begin(patient("k")).await }));
        }
        while world.outcomes.counts().waiting < 5 {
            tokio::task::yield_now().await;
        }
        world.settle(claim, b"done").await;
        for one in waiting {
            assert_eq!(one.await.expect("no panic").expect("answers"), replay(b"done"));
        }
        assert_eq!(world.outcomes.counts().waiting, 0);
        assert_eq!(world.outcomes.counts().replayed, 5);
    }

    async fn whoever_waits_does_the_work_when_the_first_lets_go(t: TestDb) {
        let world = World::new(&t).await;
        let claim = world.claim("k").await;
        let outcomes = world.outcomes.clone();
        let waiting = tokio::spawn(async move { outcomes.begin(patient("k")).await });
        while world.outcomes.counts().waiting < 1 {
            tokio::task::yield_now().await;
        }
        world.outcomes.release(claim).await.expect("releases");
        let begun = waiting.await.expect("no panic").expect("answers");
        assert!(matches!(begun, Begun::Run(_)), "{begun:?}");
    }

    async fn a_dead_holder_is_followed_once_its_lease_has_ended(t: TestDb) {
        let world = World::new(&t).await;
        let dead = world.claim("k").await;
        world.hand.advance(LEASE - Duration::from_millis(1));
        assert_eq!(world.begin(asked("k", ONE)).await, Begun::Busy);
        world.hand.advance(Duration::from_millis(1));
        // What the dead one was asked is not known to have happened: another request may not pass for it.
        assert_eq!(world.begin(asked("k", OTHER)).await, Begun::Conflict);
        let next = world.claim("k").await;
        assert_ne!(next.epoch, dead.epoch);
        assert_eq!(world.settle(dead, b"late").await, Settled::Lost);
        assert!(!world.outcomes.renew(dead, LEASE).await.expect("answers"));
        world.outcomes.release(dead).await.expect("does nothing");
        assert_eq!(world.settle(next, b"once").await, Settled::Kept);
        assert_eq!(world.begin(asked("k", ONE)).await, replay(b"once"));
    }

    async fn a_renewed_claim_outlives_its_first_lease(t: TestDb) {
        let world = World::new(&t).await;
        let claim = world.claim("k").await;
        world.hand.advance(LEASE - Duration::from_secs(1));
        assert!(world.outcomes.renew(claim, LEASE).await.expect("renews"));
        world.hand.advance(LEASE - Duration::from_secs(1));
        assert_eq!(world.begin(asked("k", ONE)).await, Begun::Busy);
        assert_eq!(world.settle(claim, b"done").await, Settled::Kept);
        assert!(!world.outcomes.renew(claim, LEASE).await.expect("answers"), "it is settled");
    }

    async fn a_restart_keeps_outcomes_and_lets_claims_end(t: TestDb) {
        let world = World::new(&t).await;
        let done = world.claim("done").await;
        world.settle(done, b"done").await;
        world.claim("cut off").await;
        let world = world.restarted(&t).await;
        assert_eq!(world.outcomes.counts().all.entries, 2);
        assert_eq!(world.begin(asked("done", ONE)).await, replay(b"done"));
        assert_eq!(world.begin(asked("cut off", ONE)).await, Begun::Busy);
        world.hand.advance(LEASE);
        world.claim("cut off").await;
    }

    async fn new_work_is_refused_when_there_is_no_room_and_old_work_still_answers(t: TestDb) {
        let world = World::new(&t).await;
        world.set("outcomes.entries_max", "2").await;
        world.set("outcomes.owner_share_percent", "100").await;
        let done = world.claim("a").await;
        world.settle(done, b"done").await;
        world.claim("b").await;
        let refused = world.outcomes.begin(asked("c", ONE)).await.expect_err("full");
        let limit = "outcomes.entries_max";
        assert!(matches!(refused, Error::Full(it) if it == Full { limit, whose: Whose::All }), "{refused}");
        assert_eq!(world.begin(asked("a", ONE)).await, replay(b"done"));
        assert_eq!(world.begin(asked("b", ONE)).await, Begun::Busy);
        assert_eq!(world.outcomes.counts().refused, 1);
        // A dead holder's work takes no more room when it is taken over.
        world.hand.advance(LEASE);
        world.claim("b").await;
        world.hand.advance(KEEP);
        world.outcomes.sweep().await.expect("sweeps");
        world.claim("c").await;
    }

    async fn of_a_large_outcome_only_that_it_happened_is_kept(t: TestDb) {
        let world = World::new(&t).await;
        world.set("outcomes.body_bytes_max", "8").await;
        let (fits, large) = (world.claim("fits").await, world.claim("large").await);
        assert_eq!(world.settle(fits, &[7; 8]).await, Settled::Kept);
        assert_eq!(world.settle(large, &[7; 9]).await, Settled::WithoutBody);
        assert_eq!(world.begin(asked("large", ONE)).await, Begun::Replay(None));
        assert_eq!(world.outcomes.counts().bodies_left_out, 1);
        let none = world.claim("none").await;
        let settled = world.outcomes.settle(none, None, KEEP).await.expect("stores");
        assert_eq!(settled, Settled::Kept, "nothing was left out");
    }

    async fn a_service_that_takes_its_share_leaves_room_for_the_others(t: TestDb) {
        let world = World::new(&t).await;
        world.set("outcomes.entries_max", "8").await;
        for nth in 0..6 {
            world.claim(&nth.to_string()).await;
        }
        let refused = world.outcomes.begin(asked("6", ONE)).await.expect_err("its share");
        let limit = "outcomes.entries_max";
        assert!(matches!(refused, Error::Full(it) if it == Full { limit, whose: Whose::Owner }), "{refused}");
        assert!(refused.to_string().contains("outcomes.owner_share_percent"), "{refused}");
        assert_eq!(world.begin(asked("5", ONE)).await, Begun::Busy, "what is there is answered");
        let begun = world.begin(asked_by(2, "0", ONE)).await;
        assert!(matches!(begun, Begun::Run(_)), "{begun:?}");
        let counts = world.outcomes.counts();
        assert_eq!((counts.refused, counts.refused_share, counts.all.entries), (1, 1, 7));
        let owners: Vec<_> = counts.largest.iter().map(|(id, held)| (*id, held.entries)).collect();
        assert_eq!(owners, [(service(1), 6), (service(2), 1)]);
        // Whose they are is stored with them.
        let world = world.restarted(&t).await;
        world.outcomes.begin(asked("6", ONE)).await.expect_err("still its share");
        let begun = world.begin(asked_by(3, "0", ONE)).await;
        assert!(matches!(begun, Begun::Run(_)), "{begun:?}");
    }

    async fn bodies_give_way_before_the_word_that_work_was_done(t: TestDb) {
        const MIB: usize = 1 << 20;
        let world = World::new(&t).await;
        world.set("outcomes.bytes_max", &(16 * MIB).to_string()).await;
        world.set("outcomes.owner_share_percent", "100").await;
        world.set("outcomes.body_bytes_max", &(4 * MIB).to_string()).await;
        for nth in 0..2 {
            let claim = world.claim(&format!("fits {nth}")).await;
            assert_eq!(world.settle(claim, &vec![7; 4 * MIB]).await, Settled::Kept);
        }
        let claim = world.claim("at three quarters").await;
        assert_eq!(world.settle(claim, &vec![7; 4 * MIB]).await, Settled::WithoutBody);
        assert_eq!(world.begin(asked("at three quarters", ONE)).await, Begun::Replay(None));
        let claim = world.claim("smaller").await;
        assert_eq!(world.settle(claim, &vec![7; 3 * MIB]).await, Settled::Kept);
        assert_eq!(world.begin(asked("fits 0", ONE)).await, replay(&vec![7; 4 * MIB]));
        assert_eq!(world.outcomes.counts().bodies_left_out, 1);
    }

    async fn a_lease_that_ended_while_the_runtime_was_down_is_given_back(t: TestDb) {
        let world = World::new(&t).await;
        let alive = world.claim("alive").await;
        world.claim("dead").await;
        world.hand.advance(LEASE + RESUME_MAX - Duration::from_secs(1));
        let world = world.restarted(&t).await;
        assert_eq!(world.begin(asked("alive", ONE)).await, Begun::Busy);
        assert_eq!(world.settle(alive, b"done").await, Settled::Kept);
        assert_eq!(world.begin(asked("alive", ONE)).await, replay(b"done"));
        world.hand.advance(RESUME_LEASE - Duration::from_millis(1));
        assert_eq!(world.begin(asked("dead", ONE)).await, Begun::Busy);
        world.hand.advance(Duration::from_millis(1));
        world.claim("dead").await;
        world.hand.advance(LEASE + RESUME_MAX + Duration::from_millis(1));
        let world = world.restarted(&t).await;
        world.claim("dead").await;
    }

    async fn what_is_settled_while_leases_are_given_back_stays_settled(t: TestDb) {
        let world = World::new(&t).await;
        let claim = world.claim("k").await;
        world.hand.advance(LEASE);
        let end = Settlement {
            digest: claim.work,
            epoch: claim.epoch,
            body: Some(b"done".to_vec()),
            bytes: 4,
            expires_at: world.clock.now() + KEEP,
        };
        let (go, settling) = open_end(&t, Change::Settle(end)).await;
        let (world, ()) = tokio::join!(world.restarted(&t), async {
            get_stuck().await;
            go.add_permits(1);
        });
        settling.await.expect("no panic");
        assert_eq!(world.begin(asked("k", ONE)).await, replay(b"done"));
    }

    async fn what_is_claimed_anew_while_it_is_swept_is_left(t: TestDb) {
        let world = World::new(&t).await;
        let claim = world.claim("k").await;
        world.settle(claim, b"old").await;
        world.hand.advance(KEEP);
        let now = world.clock.now();
        let new = NewClaim {
            owner: claim.owner,
            digest: claim.work,
            request: ONE,
            now,
            lease_until: now + LEASE,
            expires_at: now + LEASE + UNSETTLED_KEEP,
            bytes: 1,
        };
        let (go, claiming) = open_end(&t, Change::Claim(new)).await;
        let (swept, ()) = tokio::join!(world.outcomes.sweep(), async {
            get_stuck().await;
            go.add_permits(1);
        });
        swept.expect("sweeps");
        claiming.await.expect("no panic");
        assert_eq!(world.begin(asked("k", ONE)).await, Begun::Busy);
    }

    async fn a_sweep_leaves_what_still_has_time(t: TestDb) {
        let world = World::new(&t).await;
        for nth in 0..3 {
            let claim = world.claim(&format!("old {nth}")).await;
            world.settle(claim, b"old").await;
        }
        world.claim("unsettled").await;
        world.hand.advance(KEEP);
        let claim = world.claim("new").await;
        world.settle(claim, b"new").await;
        world.outcomes.sweep().await.expect("sweeps");
        assert_eq!(world.outcomes.counts().all.entries, 2);
        assert_eq!(world.begin(asked("new", ONE)).await, replay(b"new"));
        world.hand.advance(LEASE + UNSETTLED_KEEP);
        world.outcomes.sweep().await.expect("sweeps");
        assert_eq!(world.outcomes.counts().all.entries, 0);
    }
}
