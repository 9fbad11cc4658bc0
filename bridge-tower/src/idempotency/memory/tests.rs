//! What the store of a process forgets, and what it never does.

use contract::clock::{ManualClock, Timestamp};

use super::*;

const KEEP: Duration = Duration::from_secs(24 * 3600);

fn store() -> (Memory, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    (Memory::new().clock(&clock), hand)
}

fn ask(key: &str) -> Ask {
    Ask {
        work: Arc::new(Work {
            operation: "POST /orders".to_owned(),
            scope: String::new(),
            key: key.to_owned(),
        }),
        digest: [7; 32],
        lease: Duration::from_secs(15),
        wait: Duration::ZERO,
    }
}

async fn claim(store: &Memory, key: &str) -> Claim {
    match store.begin(ask(key)).await {
        Ok(Begun::Run(claim)) => claim,
        other => panic!("`{key}` is not free: {other:?}"),
    }
}

async fn settle(store: &Memory, key: &str, outcome: &'static [u8]) -> Settled {
    let claim = claim(store, key).await;
    let outcome = Some(Bytes::from_static(outcome));
    store.settle(&claim, outcome, KEEP).await.expect("memory")
}

#[tokio::test]
async fn a_full_store_forgets_what_was_settled_longest_ago_and_counts_it() {
    let (store, _) = store();
    let store = store.entries_max(3);
    let running = claim(&store, "running").await;
    for key in ["old", "new"] {
        assert_eq!(settle(&store, key, b"done").await, Settled::Kept);
    }
    claim(&store, "next").await;
    assert_eq!((store.len(), store.evicted()), (3, 1));
    assert!(!store.holds(&ask("old").work));
    assert!(store.holds(&ask("new").work));
    assert_eq!(store.renew(&running, KEEP).await, Ok(true));
}

#[tokio::test]
async fn running_work_is_never_forgotten_so_more_is_refused() {
    let (store, hand) = store();
    let store = store.entries_max(2);
    let first = claim(&store, "one").await;
    claim(&store, "two").await;
    let refused = store.begin(ask("three")).await;
    assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    assert_eq!(store.evicted(), 0);
    // A holder that died leaves a lease, and its end makes room.
    assert_eq!(store.renew(&first, KEEP).await, Ok(true));
    hand.advance(Duration::from_secs(15));
    claim(&store, "three").await;
    assert!(store.holds(&first.work));
}

#[tokio::test]
async fn bytes_are_bounded_and_come_back_with_what_is_forgotten() {
    let (store, _) = store();
    let store = store.bytes_max(1_000);
    for key in ["a", "b", "c", "d"] {
        assert_eq!(settle(&store, key, &[b'x'; 400]).await, Settled::Kept);
        assert!(store.held.lock().bytes <= 1_000);
    }
    assert_eq!((store.len(), store.evicted()), (1, 3));
    assert_eq!(
        settle(&store, "e", &[b'x'; 1_000]).await,
        Settled::WithoutBody
    );
    assert!(store.held.lock().bytes <= 1_000);
}

#[tokio::test]
async fn an_outcome_that_can_never_fit_costs_no_other_one_its_place() {
    let (store, _) = store();
    let store = store.bytes_max(1_000);
    settle(&store, "kept", &[b'x'; 400]).await;
    let large = settle(&store, "large", &[b'x'; 1_000]).await;
    assert_eq!(large, Settled::WithoutBody);
    assert!(store.holds(&ask("kept").work));
    assert_eq!(store.evicted(), 0);
}

#[tokio::test]
async fn an_outcome_is_kept_no_longer_than_memory_keeps_any() {
    let (store, hand) = store();
    settle(&store, "k", b"done").await;
    hand.advance(KEEP_MAX - Duration::from_millis(1));
    assert!(store.holds(&ask("k").work));
    hand.advance(Duration::from_millis(1));
    assert!(!store.holds(&ask("k").work));
    claim(&store, "k").await;
    let held = store.held.lock();
    assert!(
        held.settled.is_empty(),
        "what is claimed again is not settled"
    );
}

#[tokio::test]
async fn whoever_did_not_hear_that_it_settled_may_settle_again() {
    let (store, _) = store();
    let claim = claim(&store, "k").await;
    for _ in 0..2 {
        let outcome = Some(Bytes::from_static(b"done"));
        let settled = store.settle(&claim, outcome, KEEP).await;
        assert_eq!(settled, Ok(Settled::Kept));
    }
    assert_eq!(store.renew(&claim, KEEP).await, Ok(false));
    assert_eq!(store.release(&claim).await, Ok(()));
    let again = store.begin(ask("k")).await;
    assert_eq!(again, Ok(Begun::Replay(Some(Bytes::from_static(b"done")))));
}
