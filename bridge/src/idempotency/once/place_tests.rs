//! What a call with a key takes up: nothing while it waits for another one, and its place for as
//! long as its own outcome can be kept at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use bridge_tower::idempotency::{Answering, Begun, Claim, Memory, Runner, Settled, Store};
use contract::clock::{Clock, Timestamp};
use contract::transport::is_not_dispatched;
use prost::Message as _;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::tests::{Charge, by_order};
use super::*;

/// A place that says whether it is taken.
#[derive(Clone, Default)]
struct Seat {
    taken: Arc<AtomicUsize>,
    /// Refuses whoever left.
    is_full: bool,
    is_in: bool,
}

impl Seat {
    fn sit(&self) -> Self {
        self.taken.fetch_add(1, Ordering::SeqCst);
        let mut sitting = self.clone();
        sitting.is_in = true;
        sitting
    }
}

impl Hold for Seat {
    fn leave(&mut self) {
        if std::mem::take(&mut self.is_in) {
            self.taken.fetch_sub(1, Ordering::SeqCst);
        }
    }

    async fn enter(&mut self) -> Result<(), Status> {
        if self.is_full {
            return Err(not_dispatched(Status::resource_exhausted("full")));
        }
        self.is_in = true;
        self.taken.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Calls of one key, whose first ends as it is told; `None` fails, and a repeat may succeed.
struct Pair {
    outcomes: Outcomes,
    seat: Seat,
    end: oneshot::Sender<Option<u8>>,
    first: JoinHandle<Result<Answered, Status>>,
}

impl Pair {
    /// The first call is at work, on the only seat there is.
    async fn new(seat: Seat) -> Self {
        let (outcomes, idempotent) = (Outcomes::in_memory(), by_order());
        let (end, told) = oneshot::channel();
        let (begun, begins) = oneshot::channel();
        let held = seat.sit();
        let working = outcomes.clone();
        let first = tokio::spawn(async move {
            let payload = payload();
            let start = || {
                Ok(async move {
                    let _ = begun.send(());
                    let answer = told.await.expect("told");
                    ended(answer)
                })
            };
            once(&working, asked(&idempotent, &payload), held, start).await
        });
        begins.await.expect("it begins");
        Self {
            outcomes,
            seat,
            end,
            first,
        }
    }

    /// The second call, which waits for the first and finds it ended like this.
    async fn second(self, end: Option<u8>) -> (Result<Answered, Status>, Arc<AtomicUsize>) {
        let (idempotent, payload) = (by_order(), payload());
        let taken = self.seat.taken.clone();
        let start = || Ok(std::future::ready(ended(Some(2))));
        let asked = asked(&idempotent, &payload);
        let second = once(&self.outcomes, asked, self.seat.sit(), start);
        let (answer, ()) = tokio::join!(second, async {
            while self.seat.taken.load(Ordering::SeqCst) > 1 {
                tokio::task::yield_now().await;
            }
            self.end.send(end).expect("it waits");
        });
        let _ = self.first.await.expect("no panic");
        (answer, taken)
    }
}

fn payload() -> Bytes {
    let (order, cents) = ("o-7".to_owned(), 5);
    Charge { order, cents }.encode_to_vec().into()
}

fn asked<'c>(idempotent: &'c Idempotent, payload: &'c Bytes) -> Asked<'c> {
    Asked {
        idempotent,
        method: "Charge",
        caller: None,
        key: "",
        payload,
        deadline: None,
    }
}

fn ended(number: Option<u8>) -> Ended {
    Ended {
        response: CallResponse {
            payload: number.into_iter().collect::<Vec<_>>().into(),
            ..CallResponse::default()
        },
        is_final: number.is_some(),
    }
}

#[tokio::test]
async fn a_call_that_waits_for_another_one_takes_up_nothing() {
    let pair = Pair::new(Seat::default()).await;
    let (answer, taken) = pair.second(Some(1)).await;
    let answer = answer.expect("the first one's answer");
    assert_eq!(
        (&answer.response.payload[..], answer.replay),
        (&[1][..], Replay::Replayed)
    );
    assert_eq!(taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_call_that_has_to_run_after_all_takes_its_place_again() {
    let pair = Pair::new(Seat::default()).await;
    let (answer, taken) = pair.second(None).await;
    let answer = answer.expect("its own");
    assert_eq!(
        (&answer.response.payload[..], answer.replay),
        (&[2][..], Replay::Fresh)
    );
    assert_eq!(taken.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_call_that_finds_no_place_again_lets_the_work_go() {
    let mut full = Seat::default();
    full.is_full = true;
    let pair = Pair::new(full).await;
    let (outcomes, idempotent) = (pair.outcomes.clone(), by_order());
    let (answer, _) = pair.second(None).await;
    let refused = answer.expect_err("there is no place");
    assert!(is_not_dispatched(&refused), "{refused}");
    let start = || Ok(std::future::ready(ended(Some(3))));
    let payload = payload();
    let next = once(&outcomes, asked(&idempotent, &payload), (), start).await;
    let next = next.expect("nobody holds it");
    assert_eq!(&next.response.payload[..], [3]);
}

/// A store that takes what is begun, and nothing that is done, until it is told to.
#[derive(Debug)]
struct Slow(Memory, Arc<Notify>);

impl Store for Slow {
    fn begin(&self, ask: Ask) -> Answering<Begun> {
        self.0.begin(ask)
    }

    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool> {
        self.0.renew(claim, lease)
    }

    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled> {
        let (memory, claim, gate) = (self.0.clone(), claim.clone(), self.1.clone());
        Box::pin(async move {
            gate.notified().await;
            memory.settle(&claim, outcome, keep).await
        })
    }

    fn release(&self, claim: &Claim) -> Answering<()> {
        self.0.release(claim)
    }
}

#[tokio::test]
async fn a_place_is_taken_until_the_answer_is_kept_or_that_takes_too_long() {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let gate = Arc::<Notify>::default();
    let slow = Slow(Memory::new(), gate.clone());
    let outcomes = Outcomes::by(Runner::new(slow).clock(&clock));
    let (idempotent, seat, payload) = (by_order(), Seat::default(), payload());
    let taken = seat.taken.clone();
    let start = || Ok(std::future::ready(ended(Some(1))));
    let running = once(&outcomes, asked(&idempotent, &payload), seat.sit(), start);
    let (answered, ()) = tokio::join!(running, async {
        // Renewed and not for ever, the store is asked.
        while hand.sleepers() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(taken.load(Ordering::SeqCst), 1);
        hand.advance(Duration::from_secs(1));
    });
    assert_eq!(answered.expect("an answer").stored, Some("later"));
    assert_eq!(taken.load(Ordering::SeqCst), 0);
    assert_eq!(outcomes.counts().late, 1);
    // What was on its way was not cut off: time stands still, and nothing else is tried.
    gate.notify_one();
    while outcomes.counts().under_way > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(outcomes.counts().kept_late, 1);
}

/// A store that says late what is begun.
#[derive(Debug)]
struct Late(Memory, Arc<Notify>);

impl Store for Late {
    fn begin(&self, ask: Ask) -> Answering<Begun> {
        let (memory, gate) = (self.0.clone(), self.1.clone());
        Box::pin(async move {
            gate.notified().await;
            memory.begin(ask).await
        })
    }

    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool> {
        self.0.renew(claim, lease)
    }

    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled> {
        self.0.settle(claim, outcome, keep)
    }

    fn release(&self, claim: &Claim) -> Answering<()> {
        self.0.release(claim)
    }
}

#[tokio::test]
async fn no_handler_begins_after_the_deadline_of_its_call() {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let gate = Arc::<Notify>::default();
    let late = Late(Memory::new().clock(&clock), gate.clone());
    let outcomes = Outcomes::by(Runner::new(late).clock(&clock));
    let (idempotent, payload) = (by_order(), payload());
    let asked = Asked {
        deadline: Some(Deadline::after(&clock, Duration::from_secs(1))),
        ..asked(&idempotent, &payload)
    };
    let began = AtomicUsize::new(0);
    let start = || {
        began.fetch_add(1, Ordering::SeqCst);
        Ok(std::future::ready(ended(Some(1))))
    };
    let (answer, ()) = tokio::join!(once(&outcomes, asked, (), start), async {
        hand.advance(Duration::from_secs(2));
        gate.notify_one();
    });
    let refused = answer.expect_err("it is too late");
    assert_eq!(refused.code(), tonic::Code::DeadlineExceeded);
    assert!(is_not_dispatched(&refused), "{refused}");
    assert_eq!(began.load(Ordering::SeqCst), 0);
}

/// A place that is never free again; says when it is left and asked for.
struct Gone {
    left: Arc<Notify>,
    entering: Arc<Notify>,
}

impl Hold for Gone {
    fn leave(&mut self) {
        self.left.notify_one();
    }

    async fn enter(&mut self) -> Result<(), Status> {
        self.entering.notify_one();
        std::future::pending().await
    }
}

#[tokio::test]
async fn nobody_waits_for_a_place_beyond_the_deadline() {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let memory = Memory::new().clock(&clock);
    let outcomes = Outcomes::by(Runner::new(memory.clone()).clock(&clock));
    let (idempotent, payload) = (by_order(), payload());
    let asked = Asked {
        deadline: Some(Deadline::after(&clock, Duration::from_secs(1))),
        ..asked(&idempotent, &payload)
    };
    // Somebody else does it, and lets it go.
    let theirs = ask(&asked).expect("a key").expect("of the request");
    let Ok(Begun::Run(theirs)) = memory.begin(theirs).await else {
        panic!("nobody does it yet");
    };
    let (left, entering) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let gone = Gone {
        left: left.clone(),
        entering: entering.clone(),
    };
    let start = || Ok(std::future::ready(ended(Some(1))));
    let answered = std::cell::Cell::new(false);
    let call = async {
        let answer = once(&outcomes, asked, gone, start).await;
        answered.set(true);
        answer
    };
    let (answer, ()) = tokio::join!(call, async {
        left.notified().await;
        memory.release(&theirs).await.expect("memory");
        entering.notified().await;
        hand.advance(Duration::from_secs(1));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(answered.get(), "its deadline has passed");
    });
    let refused = answer.expect_err("it is too late");
    assert_eq!(refused.code(), tonic::Code::DeadlineExceeded);
    assert!(is_not_dispatched(&refused), "{refused}");
}
