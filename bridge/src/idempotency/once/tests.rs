//! Calls with keys, over the store of the process.

use std::sync::atomic::{AtomicUsize, Ordering};

use bridge_tower::idempotency::{
    Answering, Begun, Claim, Memory, Runner, Settled, Store, StoreError,
};
use contract::clock::{Clock, Timestamp};
use contract::ids::{IdMint, ServiceId};
use contract::transport::is_not_dispatched;
use prost::Message as _;
use tonic::Code;

use super::*;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Charge {
    #[prost(string, tag = "1")]
    pub(super) order: String,
    #[prost(int64, tag = "2")]
    pub(super) cents: i64,
}

/// A till that counts what it was charged.
struct Till {
    outcomes: Outcomes,
    idempotent: Idempotent,
    charged: Arc<AtomicUsize>,
    caller: Caller,
    deadline: Option<Deadline>,
}

impl Till {
    fn new(idempotent: Idempotent) -> Self {
        Self::over(Outcomes::in_memory(), idempotent)
    }

    fn over(outcomes: Outcomes, idempotent: Idempotent) -> Self {
        Self {
            outcomes,
            idempotent,
            charged: Arc::default(),
            caller: caller(1),
            deadline: None,
        }
    }

    /// Charges; `code` is the handler's error.
    async fn charge(
        &self,
        key: &str,
        (order, cents): (&str, i64),
        code: &str,
    ) -> Result<Answered, Status> {
        let order = order.to_owned();
        let payload: Bytes = Charge { order, cents }.encode_to_vec().into();
        let asked = Asked {
            idempotent: &self.idempotent,
            method: "Charge",
            caller: Some(self.caller),
            key,
            payload: &payload,
            deadline: self.deadline.clone(),
        };
        let number = || self.charged.fetch_add(1, Ordering::SeqCst) + 1;
        let start = || {
            let number = number().to_string();
            let response = CallResponse {
                payload: number.into(),
                error_code: code.to_owned(),
                error_message: String::new(),
            };
            let is_final = code != "RETRY";
            Ok(std::future::ready(Ended { response, is_final }))
        };
        once(&self.outcomes, asked, (), start).await
    }

    async fn number(&self, key: &str, order: (&str, i64)) -> (String, Replay) {
        let answered = self.charge(key, order, "").await.expect("an answer");
        let number = String::from_utf8(answered.response.payload.into()).expect("a number");
        (number, answered.replay)
    }

    async fn refused(&self, key: &str, order: (&str, i64)) -> Status {
        self.charge(key, order, "").await.expect_err("a refusal")
    }
}

fn caller(seed: u64) -> Caller {
    Caller {
        service: ServiceId::mint(&IdMint::seeded(seed, &Clock::system())),
        instance: None,
    }
}

pub(super) fn by_order() -> Idempotent {
    Idempotent::by_field(|it: &Charge| it.order.clone())
}

#[tokio::test]
async fn a_key_of_the_request_counts_for_all_callers_and_whatever_key_they_give() {
    let mut till = Till::new(by_order());
    assert_eq!(
        till.number("a", ("o-7", 5)).await,
        ("1".into(), Replay::Fresh)
    );
    till.caller = caller(2);
    assert_eq!(
        till.number("b", ("o-7", 5)).await,
        ("1".into(), Replay::Replayed)
    );
    assert_eq!(
        till.number("b", ("o-8", 5)).await,
        ("2".into(), Replay::Fresh)
    );
}

#[tokio::test]
async fn a_key_of_the_caller_counts_for_that_caller_only() {
    let mut till = Till::new(Idempotent::by_caller());
    assert_eq!(
        till.number("k", ("o-7", 5)).await,
        ("1".into(), Replay::Fresh)
    );
    assert_eq!(
        till.number("k", ("o-7", 5)).await,
        ("1".into(), Replay::Replayed)
    );
    till.caller = caller(2);
    assert_eq!(
        till.number("k", ("o-7", 5)).await,
        ("2".into(), Replay::Fresh)
    );
    assert_eq!(
        till.number("", ("o-7", 5)).await,
        ("3".into(), Replay::Fresh)
    );
    assert_eq!(
        till.number("", ("o-7", 5)).await,
        ("4".into(), Replay::Fresh)
    );
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused_and_named() {
    let till = Till::new(by_order());
    till.number("", ("o-7", 5)).await;
    let status = till.refused("", ("o-7", 6)).await;
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(
        status.message().contains("another request; use a new key"),
        "{status}"
    );
    assert!(!is_not_dispatched(&status), "it is no use to try elsewhere");
}

#[tokio::test]
async fn a_key_that_is_missing_or_none_is_refused_before_the_handler() {
    let (by_field, by_caller) = (
        Till::new(by_order()),
        Till::new(Idempotent::by_caller().required()),
    );
    assert_eq!(
        by_field.refused("k", ("", 5)).await.code(),
        Code::InvalidArgument
    );
    assert_eq!(
        by_caller.refused("", ("o-7", 5)).await.code(),
        Code::InvalidArgument
    );
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    assert_eq!(
        by_caller.refused(&long, ("o-7", 5)).await.code(),
        Code::InvalidArgument
    );
    by_caller.number(&long[1..], ("o-7", 5)).await;
    assert_eq!(by_field.charged.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn errors_are_kept_unless_a_repeat_may_succeed() {
    let till = Till::new(by_order());
    for (order, code, runs) in [("refused", "DECLINED", 1), ("busy", "RETRY", 3)] {
        for _ in 0..2 {
            let answered = till.charge("", (order, 5), code).await.expect("an answer");
            assert_eq!(answered.response.error_code, code);
        }
        assert_eq!(till.charged.load(Ordering::SeqCst), runs);
    }
}

#[tokio::test]
async fn a_handler_that_failed_after_its_deadline_says_nothing_about_the_work() {
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let outcomes = Outcomes::by(Runner::new(Memory::new().clock(&clock)).clock(&clock));
    let mut till = Till::over(outcomes, by_order());
    let deadline = Deadline::after(&clock, Duration::from_secs(1));
    till.deadline = Some(deadline.clone());
    let payload: Bytes = Charge {
        order: "o-7".into(),
        cents: 5,
    }
    .encode_to_vec()
    .into();
    let asked = Asked {
        idempotent: &till.idempotent,
        method: "Charge",
        caller: None,
        key: "",
        payload: &payload,
        deadline: till.deadline.clone(),
    };
    let start = || {
        Ok(async move {
            deadline.passed().await;
            let error_code = "DOWNSTREAM_TIMED_OUT".to_owned();
            let response = CallResponse {
                error_code,
                ..CallResponse::default()
            };
            Ended {
                response,
                is_final: true,
            }
        })
    };
    let late = once(&till.outcomes, asked, (), start);
    // Whether the caller hears the error or of its deadline is a matter of nanoseconds.
    let (_, ()) = tokio::join!(late, async {
        while hand.sleepers() < 2 {
            tokio::task::yield_now().await;
        }
        hand.advance(Duration::from_secs(1));
    });
    till.deadline = None;
    assert_eq!(
        till.number("", ("o-7", 5)).await,
        ("1".into(), Replay::Fresh)
    );
}

/// A store that cannot be reached.
#[derive(Debug)]
struct Away;

fn away<T: Send + 'static>() -> Answering<T> {
    let error = StoreError::Unavailable("the runtime is away".to_owned());
    Box::pin(std::future::ready(Err(error)))
}

impl Store for Away {
    fn begin(&self, _: Ask) -> Answering<Begun> {
        away()
    }

    fn renew(&self, _: &Claim, _: Duration) -> Answering<bool> {
        away()
    }

    fn settle(&self, _: &Claim, _: Option<Bytes>, _: Duration) -> Answering<Settled> {
        away()
    }

    fn release(&self, _: &Claim) -> Answering<()> {
        away()
    }
}

#[tokio::test]
async fn without_a_store_nothing_runs_and_the_caller_may_repeat() {
    let till = Till::over(Outcomes::in_store(Away), by_order());
    let status = till.refused("", ("o-7", 5)).await;
    assert_eq!(
        (status.code(), is_not_dispatched(&status)),
        (Code::Unavailable, true)
    );
    // Not the instance is away: calls without a key are answered.
    assert_eq!(status.metadata().get(ABOUT_KEY).expect("marked"), "1");
    assert_eq!(till.charged.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_key_of_the_request_may_be_the_callers_own() {
    let mut till = Till::new(by_order().per_caller());
    till.number("", ("o-7", 5)).await;
    assert_eq!(till.number("", ("o-7", 5)).await.1, Replay::Replayed);
    till.caller = caller(2);
    assert_eq!(
        till.number("", ("o-7", 5)).await,
        ("2".into(), Replay::Fresh)
    );
}

#[tokio::test]
async fn an_answer_of_another_version_of_the_contract_is_neither_given_nor_made_again() {
    let outcomes = Outcomes::in_memory();
    let of = |contract| Till::over(outcomes.clone(), by_order().of_contract(contract));
    let (first, next) = (of("v1"), of("v2"));
    first.number("", ("o-1", 5)).await;
    for _ in 0..2 {
        let refused = next.refused("", ("o-1", 5)).await;
        assert_eq!(refused.code(), Code::AlreadyExists);
        let text = refused.message();
        assert!(
            text.contains("was done") && text.contains("another version of the contract"),
            "{text}"
        );
        assert!(
            !is_not_dispatched(&refused),
            "it is no use to try elsewhere"
        );
    }
    assert_eq!(next.charged.load(Ordering::SeqCst), 0);
    assert_eq!(
        first.number("", ("o-1", 5)).await,
        ("1".into(), Replay::Replayed)
    );
}

#[tokio::test]
async fn a_number_that_nobody_set_is_no_key() {
    let by_cents = Idempotent::by_field(|it: &Charge| crate::operation::key_text(&it.cents));
    let till = Till::new(by_cents);
    for _ in 0..2 {
        let refused = till.refused("", ("o-7", 0)).await;
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("empty or 0"), "{refused}");
    }
    assert_eq!(
        till.number("", ("o-7", -1)).await,
        ("1".into(), Replay::Fresh)
    );
    assert_eq!(till.charged.load(Ordering::SeqCst), 1);
}
