//! A company made up: `world` creates services in a running runtime, joins as their instances over
//! real mutual TLS, and reports what they would report. For the console's tests and for looking.
//!
//! It prints one JSON object a line: `planned`, `joined`, `load` every few seconds, `done`. It ends
//! after `--seconds`, or on SIGTERM or Ctrl-C; what it reports is made up, how it gets there is not.
//! Refuses to join a runtime that already has services of these names: their keys are not known.
//! Invariant: the same flags and seed make the same services, routes and edges.

#![allow(clippy::print_stdout)] // its lines are its interface

mod names;

mod plan;

mod report;

mod meters;

mod traffic;

mod member;

mod join;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bridge_runtime::operator::Client;
use clap::Parser;
use contract::clock::Clock;
use contract::grpc::v1::InvokeRequest;
use contract::grpc::v1::invoke_client::InvokeClient;
use serde_json::{Value, json};

use join::{join_service, set_leaf_life};
use member::{Counts, Failure, Member, Outbox};
use plan::{Condition, Plan, Size};
use traffic::{Due, Ids, Traffic};

/// Rhythm of new traces and of due reports.
const BEAT: Duration = Duration::from_millis(20);
/// Rhythm of `load` lines, and of calls to what cannot be reached.
const TELL_EVERY: Duration = Duration::from_secs(5);
/// Lives of certificates, minutes; services take turns.
const LEAF_MINUTES: [u64; 4] = [60, 40, 12 * 60, 7 * 24 * 60];
/// Services joining at the same time.
const JOINING_MAX: usize = 4;

/// A generated world of services, joined to a running runtime.
#[derive(Clone, Debug, Parser)]
#[command(name = "world")]
struct Flags {
    /// Data folder of the runtime, for its operator socket
    #[arg(long, value_name = "FOLDER", default_value = ".bridge")]
    data: PathBuf,
    /// Where services join
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:14445")]
    runtime: String,
    #[arg(long, default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=2_000))]
    services: u16,
    #[arg(long, default_value_t = 1_000)]
    routes: usize,
    #[arg(long, default_value_t = 3_000)]
    edges: usize,
    /// Operations per second: requests, calls, work
    #[arg(long, default_value_t = 2_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100_000))]
    rate: u32,
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Names of routes and methods, lines, messages and payloads that attack whoever shows them
    #[arg(long)]
    hostile: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    match run(&flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&json!({ "event": "failed", "error": error.to_string() }));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &Value) {
    println!("{line}");
}

async fn run(flags: &Flags) -> Result<(), Failure> {
    let size = Size {
        services: flags.services.into(),
        routes: flags.routes,
        edges: flags.edges,
        hostile: flags.hostile,
        seed: flags.seed,
    };
    let plan = Arc::new(Plan::new(size));
    say(&json!({
        "event": "planned", "services": plan.services.len(), "routes": plan.routes(),
        "edges": plan.edges(),
    }));
    let world = World::join(flags, plan).await?;
    say(
        &json!({ "event": "joined", "instances": world.outboxes.iter().map(Vec::len).sum::<usize>() }),
    );
    world.live(flags).await
}

/// Everybody, joined.
struct World {
    plan: Arc<Plan>,
    ids: Ids,
    members: Vec<Vec<Arc<Member>>>,
    outboxes: Vec<Vec<Outbox>>,
    counts: Arc<Counts>,
}

impl World {
    async fn join(flags: &Flags, plan: Arc<Plan>) -> Result<Self, Failure> {
        let operator = Client::new(&flags.data);
        let counts = Arc::new(Counts::default());
        let mut world = Self {
            ids: Ids::default(),
            members: Vec::new(),
            outboxes: Vec::new(),
            counts,
            plan,
        };
        let address: Arc<str> = flags.runtime.as_str().into();
        let lives = LEAF_MINUTES.len();
        let per_life = world.plan.services.len().div_ceil(lives);
        for (turn, minutes) in LEAF_MINUTES.iter().enumerate() {
            set_leaf_life(&operator, Some(minutes * 60_000)).await?;
            let first = turn * per_life;
            let last = (first + per_life).min(world.plan.services.len());
            for from in (first..last).step_by(JOINING_MAX) {
                let places = from..(from + JOINING_MAX).min(last);
                world.join_some(&operator, &address, places).await?;
            }
        }
        set_leaf_life(&operator, None).await?;
        Ok(world)
    }

    async fn join_some(
        &mut self,
        operator: &Client,
        address: &Arc<str>,
        places: std::ops::Range<usize>,
    ) -> Result<(), Failure> {
        let mut joining = Vec::new();
        for at in places {
            let (operator, address) = (operator.clone(), address.clone());
            let (plan, counts) = (self.plan.clone(), self.counts.clone());
            joining.push(tokio::spawn(async move {
                join_service(&operator, address, &plan, at, counts).await
            }));
        }
        for one in joining {
            let (id, members, outboxes) = one.await??;
            let ids = members.iter().map(|it| it.instance.clone()).collect();
            self.ids.services.push(id);
            self.ids.instances.push(ids);
            self.members.push(members);
            self.outboxes.push(outboxes);
        }
        Ok(())
    }

    /// Reports until the time is over or somebody asks to stop.
    async fn live(self, flags: &Flags) -> Result<(), Failure> {
        let clock = Clock::system();
        let plan = Plan::clone(&self.plan);
        let ids = self.ids.clone();
        let mut traffic = Traffic::new(plan, ids, &clock, flags.seed, flags.hostile);
        let begun = clock.monotonic();
        let span = Duration::from_secs(flags.seconds);
        let (mut beat, mut tell) = (clock.interval(BEAT), clock.interval(TELL_EVERY));
        let mut asked_to_stop = std::pin::pin!(stop_signal());
        loop {
            tokio::select! {
                () = beat.tick() => {}
                () = tell.tick() => {
                    self.tell("load", traffic.ops);
                    self.call_the_unreachable();
                    self.put(traffic.points(clock.now().as_millis()));
                    continue;
                }
                stopped = &mut asked_to_stop => { stopped?; break; }
            }
            let passed = clock.monotonic().since(begun);
            if passed >= span {
                break;
            }
            let wanted = passed.as_secs_f64() * f64::from(flags.rate);
            traffic.begin(wanted as u64, clock.now());
            self.put(traffic.due(clock.now().as_millis()));
        }
        self.tell("done", traffic.ops);
        Ok(())
    }

    fn put(&self, due: Vec<Due>) {
        for (service, instance, item) in due {
            self.outboxes[service][instance].put(item);
        }
    }

    fn tell(&self, event: &str, ops: u64) {
        let count = |it: &std::sync::atomic::AtomicU64| it.load(Ordering::Relaxed);
        say(&json!({
            "event": event, "ops": ops,
            "acknowledged_batches": count(&self.counts.acknowledged),
            "dropped": count(&self.counts.dropped),
            "returned": count(&self.counts.returned),
        }));
    }

    /// Through the runtime, which then knows that it cannot reach them.
    fn call_the_unreachable(&self) {
        let Some(caller) = self.members.first().and_then(|it| it.first()).cloned() else {
            return;
        };
        let sick = self.plan.services.iter().enumerate();
        let sick = sick.filter(|(_, it)| it.condition == Condition::Unhealthy);
        let calls: Vec<_> = sick
            .map(|(at, it)| InvokeRequest {
                target_service_id: self.ids.services[at].clone(),
                method: it.methods[0].name.clone(),
                contract_hash: it.methods[0].hash.clone().into_bytes(),
                ..InvokeRequest::default()
            })
            .collect();
        tokio::spawn(async move {
            let Ok(channel) = caller.connect().await else {
                return;
            };
            let origin = channel.origin();
            let mut client = InvokeClient::with_origin(channel, origin);
            for call in calls {
                // Being refused is what it is for.
                let _ = client.unary(call).await;
            }
        });
    }
}

/// Whichever comes first of SIGTERM and Ctrl-C.
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupt = tokio::signal::ctrl_c() => interrupt,
    }
}
