//! One service process of a test: `peer ROLE SERVICE [TARGET…]`, with `BRIDGE_URL` and
//! `BRIDGE_KEY` as any service has them.
//!
//! It prints one JSON object a line: `started` with its ids, `stopped` with the reason. Stops on
//! SIGTERM; exits with 1 when the bridge stopped for a reason of its own.
//! Invariant: what a handler answers is what it was told, never what the test expects.

#![allow(clippy::print_stdout)] // its lines are its interface

mod flood;
mod ticker;
mod till;

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bridge::{Bridge, Client, Context, State};
use contract::clock::Clock;
use parking_lot::RwLock;

mod v1 {
    bridge::include_contract!("e2e.v1");
}
mod v2 {
    bridge::include_contract!("e2e.v2");
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What handlers know of their own process.
#[derive(Clone, Debug, Default)]
struct Me {
    bridge: Arc<RwLock<Option<Bridge>>>,
    begun: Arc<AtomicU32>,
}

impl Me {
    fn instance(&self) -> String {
        let bridge = self.bridge.read();
        let identity = bridge.as_ref().and_then(Bridge::identity);
        identity.map_or_else(String::new, |it| it.instance_id.to_string())
    }

    fn begin(&self) -> u32 {
        self.begun.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[bridge::rpc]
async fn echo(
    State(me): State<Me>,
    req: v1::EchoRequest,
    ctx: Context,
) -> Result<v1::EchoReply, Infallible> {
    let caller = ctx.caller();
    let instance = caller.and_then(|it| it.instance);
    Ok(v1::EchoReply {
        text: req.text,
        caller_service: caller.map_or_else(String::new, |it| it.service.to_string()),
        caller_instance: instance.map_or_else(String::new, |it| it.to_string()),
        instance: me.instance(),
        remaining_ms: ctx.remaining().map_or(-1, |left| {
            i64::try_from(left.as_millis()).unwrap_or(i64::MAX)
        }),
        idempotency_key: ctx.idempotency_key().unwrap_or_default().to_owned(),
        request_id: ctx.request_id().to_owned(),
    })
}

#[bridge::rpc]
async fn wait(State(me): State<Me>, req: v1::WaitRequest) -> Result<v1::WaitReply, Infallible> {
    let begun = me.begin();
    Clock::system()
        .sleep(Duration::from_millis(req.ms.into()))
        .await;
    Ok(v1::WaitReply { begun })
}

#[derive(Debug, bridge::Error)]
enum Verdict {
    Refused,
    #[bridge(code = "REJECTED_WITH_REASON")]
    Rejected(String),
}

#[bridge::rpc]
async fn judge(req: v1::JudgeRequest) -> Result<v1::JudgeReply, Verdict> {
    match &*req.verdict {
        "refuse" => Err(Verdict::Refused),
        "reject" => Err(Verdict::Rejected("the ink is dry".to_owned())),
        "panic" => panic!("the judge left the room"),
        _ => Ok(v1::JudgeReply {}),
    }
}

#[derive(Debug, bridge::Error)]
enum PassError {
    Below(String),
}

#[bridge::rpc]
async fn pass(
    State(desk): State<Client<v1::Desk>>,
    req: v1::PassRequest,
) -> Result<v1::PassReply, PassError> {
    let asked = desk.echo(v1::EchoRequest { text: req.text }).await;
    let reply = asked.map_err(|error| PassError::Below(error.to_string()))?;
    Ok(v1::PassReply { text: reply.text })
}

/// The next contract's handlers, apart because methods go by their handler's name.
mod next {
    use super::{Infallible, Me, State, v2};

    #[bridge::rpc]
    pub(super) async fn echo(
        State(me): State<Me>,
        req: v2::EchoRequest,
    ) -> Result<v2::EchoReply, Infallible> {
        let served = me.begin();
        Ok(v2::EchoReply {
            text: req.text,
            served,
        })
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new("info"))
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("the machine gives threads");
    match runtime.block_on(run(std::env::args().skip(1).collect())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.downcast_ref::<bridge::Error>().map(|it| it.code());
            let code = code.map_or("", |it| it.as_str());
            say(serde_json::json!({ "event": "failed", "code": code, "error": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}

fn say(line: serde_json::Value) {
    println!("{line}");
}

async fn run(arguments: Vec<String>) -> Result<(), Failure> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match *arguments {
        ["flood", target, connections] => flood::run(target, connections.parse()?).await,
        ["desk", service] => {
            let me = Me::default();
            let builder = Bridge::from_env(service)?
                .serve(bridge::handlers![echo, wait, judge])
                .state(me.clone());
            serve(builder, me).await
        }
        ["next-desk", service] => {
            let me = Me::default();
            let builder = Bridge::from_env(service)?
                .serve(bridge::handlers![next::echo])
                .state(me.clone());
            serve(builder, me).await
        }
        ["till", service, journal] => {
            let me = Me::default();
            let builder = Bridge::from_env(service)?
                .serve(bridge::handlers![till::charge, till::refund])
                .state(me.clone())
                .state(till::Journal(journal.into()));
            serve(builder, me).await
        }
        ["ticker", service] => {
            let me = Me::default();
            let builder = Bridge::from_env(service)?
                .serve(bridge::handlers![ticker::count, ticker::seen])
                .state(me.clone())
                .state(ticker::Seen::default());
            serve(builder, me).await
        }
        ["relay", service, target] => {
            let me = Me::default();
            let mut builder = Bridge::from_env(service)?;
            let desk = builder.client_of::<v1::Desk>(target);
            let builder = builder.serve(bridge::handlers![pass]).state(desk);
            serve(builder, me).await
        }
        _ => Err(
            "usage: peer desk|next-desk|ticker SERVICE, till SERVICE FILE, relay SERVICE TARGET, \
             flood ADDRESS COUNT"
                .into(),
        ),
    }
}

async fn serve(builder: bridge::Builder, me: Me) -> Result<(), Failure> {
    let bridge = builder.advertise("127.0.0.1:0").start().await?;
    *me.bridge.write() = Some(bridge.clone());
    bridge.stop_on_signals()?;
    let identity = bridge
        .identity()
        .ok_or("a started bridge has an identity")?;
    say(serde_json::json!({
        "event": "started",
        "service": identity.service_id.to_string(),
        "instance": identity.instance_id.to_string(),
    }));
    bridge.stopped().await?;
    say(serde_json::json!({ "event": "stopped" }));
    Ok(())
}
