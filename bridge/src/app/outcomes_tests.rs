//! Promises with a runtime that keeps no outcomes, or not yet: they hold within a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bridge_tower::idempotency::{
    Ask, Begun, Keep, Kept, LEASE, Memory, Runner, Settled, Store, Turn, Work,
};
use bytes::Bytes;
use contract::clock::{Clock, Timestamp};
use contract::grpc::bridge as wire;
use contract::grpc::bridge::begin_response::Result as Wire;
use contract::grpc::bridge::outcomes_server::Outcomes as Service;
use tonic::{Request, Response, Status};

use super::mesh::Mesh;
use super::mesh_tests::HOUR;
use super::*;
use crate::Context;
use crate::handler::{MethodMeta, OperationDef};
use crate::key::Idempotent;
use crate::operation::Handlers;
use crate::rpc::{Call, Contract, Target};

static TILL: &[MethodMeta] = &[method("v2:till")];
static NEXT_TILL: &[MethodMeta] = &[method("v2:next")];

const fn method(contract_hash: &'static str) -> MethodMeta {
    MethodMeta {
        service: "t.Till",
        name: "Charge",
        contract_hash,
        input_schema: "{}",
        output_schema: "{}",
        streaming: false,
    }
}

struct Till;

impl Contract for Till {
    const NAME: &'static str = "t.Till";
    const DEFAULT_TARGET: &'static str = "till";
    const METHODS: &'static [MethodMeta] = TILL;
    type Client = TillClient;
}

#[derive(Clone)]
struct TillClient(Target);

impl From<Target> for TillClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl TillClient {
    fn charge(&self, order: &str) -> Call<u64> {
        self.0.unary(&TILL[0], order.to_owned())
    }
}

/// The next version of it, which answers whether it was paid.
struct NextTill;

impl Contract for NextTill {
    const NAME: &'static str = "t.Till";
    const DEFAULT_TARGET: &'static str = "till";
    const METHODS: &'static [MethodMeta] = NEXT_TILL;
    type Client = NextTillClient;
}

#[derive(Clone)]
struct NextTillClient(Target);

impl From<Target> for NextTillClient {
    fn from(target: Target) -> Self {
        Self(target)
    }
}

impl NextTillClient {
    fn charge(&self, order: &str) -> Call<bool> {
        self.0.unary(&NEXT_TILL[0], order.to_owned())
    }
}

fn next_charge(charged: &Arc<AtomicUsize>) -> Handlers {
    let charged = charged.clone();
    let operation = OperationDef::unary(&NEXT_TILL[0], "tests::next_charge", move |_| {
        let charged = charged.clone();
        Ok(move |_: String, _: Context| {
            charged.fetch_add(1, Ordering::SeqCst);
            async move { Ok::<_, std::convert::Infallible>(true) }
        })
    });
    let by_order = Idempotent::by_field(|order: &String| order.clone());
    Handlers::from_operations(vec![operation.idempotent(by_order)])
}

fn charge(charged: &Arc<AtomicUsize>) -> Handlers {
    let charged = charged.clone();
    let operation = OperationDef::unary(&TILL[0], "tests::charge", move |_| {
        let charged = charged.clone();
        Ok(move |_: String, _: Context| {
            let number = charged.fetch_add(1, Ordering::SeqCst) + 1;
            async move { Ok::<_, std::convert::Infallible>(number as u64) }
        })
    });
    let by_order = Idempotent::by_field(|order: &String| order.clone());
    Handlers::from_operations(vec![operation.idempotent(by_order)])
}

#[tokio::test]
async fn where_the_runtime_keeps_no_outcomes_the_process_does() {
    let mesh = Mesh::start(HOUR).await;
    let charged = Arc::default();
    let builder = Bridge::builder("till").runtime(mesh.address(), mesh.key("till"));
    let builder = builder.advertise("127.0.0.1:0").serve(charge(&charged));
    let till = builder.start().await.expect("starts");
    let mut builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let client = builder.client::<Till>();
    let orders = builder.start().await.expect("starts");
    for (order, number) in [("o-1", 1), ("o-2", 2), ("o-1", 1), ("o-2", 2)] {
        assert_eq!(
            client.charge(order).await.expect("charged"),
            number,
            "{order}"
        );
    }
    assert_eq!(charged.load(Ordering::SeqCst), 2);
    orders.stop().await;
    till.stop().await;
}

#[tokio::test]
async fn a_version_of_a_contract_does_not_read_answers_of_the_one_before() {
    let mesh = Mesh::start(HOUR).await;
    mesh.keep_outcomes(&Memory::new());
    let charged = Arc::default();
    let serve = async |handlers| {
        let builder = Bridge::builder("till").runtime(mesh.address(), mesh.key("till"));
        let builder = builder.advertise("127.0.0.1:0").serve(handlers);
        builder.start().await.expect("starts")
    };
    let mut builder = Bridge::builder("orders").runtime(mesh.address(), mesh.key("orders"));
    let (client, next) = (builder.client::<Till>(), builder.client::<NextTill>());
    let orders = builder.start().await.expect("starts");
    let till = serve(charge(&charged)).await;
    assert_eq!(client.charge("o-1").await.expect("charged"), 1);
    till.stop().await;
    let till = serve(next_charge(&charged)).await;
    let refused = next.charge("o-1").await.expect_err("it has no such answer");
    let text = refused.to_string();
    assert!(
        text.contains("was done") && text.contains("another version of the contract"),
        "{text}"
    );
    assert_eq!(charged.load(Ordering::SeqCst), 1);
    assert!(next.charge("o-2").await.expect("charged"));
    orders.stop().await;
    till.stop().await;
}

fn work(work: Option<wire::Work>) -> Arc<Work> {
    let wire::Work {
        operation,
        scope,
        key,
    } = work.expect("a work");
    Arc::new(Work {
        operation,
        scope,
        key,
    })
}

fn claim(named: Option<wire::Work>, epoch: u64) -> bridge_tower::idempotency::Claim {
    let work = work(named);
    bridge_tower::idempotency::Claim { work, epoch }
}

fn failed(error: impl std::fmt::Display) -> Status {
    Status::unavailable(error.to_string())
}

#[tonic::async_trait]
impl Service for Mesh {
    async fn begin(
        &self,
        request: Request<wire::BeginRequest>,
    ) -> Result<Response<wire::BeginResponse>, Status> {
        let request = request.into_inner();
        let ask = Ask {
            work: work(request.work),
            digest: request.request_digest.try_into().expect("32 bytes"),
            lease: Duration::from_millis(request.lease_ms),
            wait: Duration::from_millis(request.wait_ms),
        };
        let begun = self.outcomes()?.begin(ask).await.map_err(failed)?;
        let result = match begun {
            Begun::Run(claim) => Wire::Run(wire::Claim { epoch: claim.epoch }),
            Begun::Replay(body) => Wire::Replay(wire::Outcome {
                body: body.map(Into::into),
            }),
            Begun::Conflict => Wire::Conflict(wire::Conflict {}),
            Begun::Busy => Wire::Busy(wire::Busy {}),
            other => panic!("the wire has no {other:?}"),
        };
        let result = Some(result);
        Ok(Response::new(wire::BeginResponse { result }))
    }

    async fn renew(
        &self,
        request: Request<wire::RenewRequest>,
    ) -> Result<Response<wire::RenewResponse>, Status> {
        let request = request.into_inner();
        let lease = Duration::from_millis(request.lease_ms);
        let claim = claim(request.work, request.epoch);
        let held = self.outcomes()?.renew(&claim, lease).await;
        let held = held.map_err(failed)?;
        Ok(Response::new(wire::RenewResponse { held }))
    }

    async fn settle(
        &self,
        request: Request<wire::SettleRequest>,
    ) -> Result<Response<wire::SettleResponse>, Status> {
        let request = request.into_inner();
        let body = request.outcome.and_then(|it| it.body).map(Bytes::from);
        let keep = Duration::from_millis(request.keep_ms);
        let claim = claim(request.work, request.epoch);
        let settled = self.outcomes()?.settle(&claim, body, keep).await;
        let settled = settled.map_err(failed)?;
        Ok(Response::new(wire::SettleResponse {
            held: settled != Settled::Lost,
            body_kept: settled == Settled::Kept,
        }))
    }

    async fn release(
        &self,
        request: Request<wire::ReleaseRequest>,
    ) -> Result<Response<wire::ReleaseResponse>, Status> {
        let request = request.into_inner();
        let claim = claim(request.work, request.epoch);
        let released = self.outcomes()?.release(&claim).await;
        released.map_err(failed)?;
        Ok(Response::new(wire::ReleaseResponse {}))
    }
}

fn ask(key: &str) -> Ask {
    Ask {
        work: Arc::new(Work {
            operation: "Charge".to_owned(),
            scope: String::new(),
            key: key.to_owned(),
        }),
        digest: [7; 32],
        lease: LEASE,
        wait: Duration::ZERO,
    }
}

async fn begin(runner: &Runner, key: &str) -> Turn {
    let begun = runner.begin(&ask(key)).await;
    begun.expect("the store answers")
}

/// Does the work of a key if it has to be done.
async fn charges(runner: &Runner, key: &str) -> bool {
    match begin(runner, key).await {
        Turn::Run(grant) => {
            let done = Keep::Outcome(Bytes::from_static(b"charged"));
            let ran = grant.run(HOUR, async { ((), done) }).await;
            assert_eq!(ran, Ok(((), Kept::Outcome)));
            true
        }
        Turn::Replay(Some(body)) => {
            assert_eq!(&body[..], b"charged");
            false
        }
        other => panic!("`{key}`: {other:?}"),
    }
}

#[tokio::test]
async fn a_runtime_that_did_not_keep_outcomes_is_asked_again_after_a_minute() {
    let mesh = Mesh::start(HOUR).await;
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let builder = Bridge::builder("till").runtime(mesh.address(), mesh.key("till"));
    let till = builder.clock(clock).start().await.expect("starts");
    let outcomes = till.outcomes();
    let runner = outcomes.runner();
    assert!(charges(runner, "before").await);
    let Turn::Run(begun_before) = begin(runner, "across").await else {
        panic!("nobody does it");
    };

    let kept = Memory::new();
    mesh.keep_outcomes(&kept);
    assert!(charges(runner, "within the minute").await);
    assert!(kept.is_empty(), "it is not asked yet");
    hand.advance(Duration::from_secs(60));
    assert!(charges(runner, "after").await);
    assert!(kept.holds(&ask("after").work));
    // What memory knows goes on counting, and a claim ends where it began.
    let done = Keep::Outcome(Bytes::from_static(b"charged"));
    let ran = begun_before.run(HOUR, async { ((), done) }).await;
    assert_eq!(ran, Ok(((), Kept::Outcome)));
    for key in ["before", "across", "within the minute", "after"] {
        assert!(!charges(runner, key).await, "{key}");
    }
    assert_eq!(kept.len(), 1);
    till.stop().await;
}

#[tokio::test]
async fn work_that_ended_otherwise_than_it_should_is_reported() {
    let mesh = Mesh::start(HOUR).await;
    let (clock, hand) = Clock::manual(Timestamp::EPOCH);
    let builder = Bridge::builder("till").runtime(mesh.address(), mesh.key("till"));
    let till = builder.clock(clock).start().await.expect("starts");
    let outcomes = till.outcomes();
    let Turn::Run(grant) = begin(outcomes.runner(), "k").await else {
        panic!("nobody does it");
    };
    let running = tokio::spawn(grant.run(HOUR, std::future::pending::<((), Keep)>()));
    while !running.is_finished() {
        hand.advance(Duration::from_secs(15));
        tokio::task::yield_now().await;
    }
    let cut_off = || {
        let points = mesh.points();
        let ended = points
            .iter()
            .filter(|it| it.name == "sb_sdk_idempotent_ended_total");
        ended.map(|it| it.labels["how"].clone()).collect::<Vec<_>>()
    };
    while cut_off().is_empty() {
        hand.advance(Duration::from_secs(15));
        tokio::task::yield_now().await;
    }
    assert_eq!(cut_off(), ["cut_off"]);
    till.stop().await;
}
