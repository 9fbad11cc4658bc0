//! A thousand services of two instances, each depending on ten others, join one runtime.
//!
//! Tells what the runtime needs in memory, how long it takes until the last watcher sees
//! everything it should, and what one more registration costs when all that is there already.
//! There is no peer: the numbers stand alone.

pub(crate) mod runtime;
mod watcher;

use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::key::ServiceKey;
use serde_json::json;
use tokio::task::JoinSet;

use crate::Size;
use crate::child::{Peer, Role, two_workers};
use crate::failure::{Context, Failure, Result};
use crate::proc::{self, Memory};
use crate::report::{Report, Spread};
use runtime::{Create, Setup};
use watcher::{DEPENDENCIES, Joined, Watching, join, sees};

const INSTANCES: usize = 2;
/// Instances that join at the same time; each proves its key, which is slow on purpose.
const JOINING_MAX: usize = 64;
/// Registrations measured one by one at the end.
const MORE: usize = 20;
/// Span over which the runtime's idle time is measured, before and after.
const IDLE: Duration = Duration::from_secs(3);
/// Longest time for all to see everything.
const FULL_VIEW: Duration = Duration::from_secs(120);
/// Longest time for the runtime to make all keys.
const KEYS: Duration = Duration::from_secs(240);
/// Files a process has open besides one for each connection.
const OTHER_FILES: u64 = 256;

/// What was measured.
#[derive(Debug)]
struct Found {
    services: usize,
    joined_in: Duration,
    full_view_in: Duration,
    full_view_cpu: Duration,
    empty: Memory,
    connected: Memory,
    registered: Memory,
    idle_cpu_share: f64,
    /// Processor time of the runtime for one more registration, idle time taken off; and how
    /// long until the last of its watchers saw it.
    more: Vec<(Duration, Duration)>,
}

/// Measures.
pub(crate) fn measure(size: Size) -> Result<Report> {
    let services = match size {
        Size::Quick => 100,
        Size::Normal | Size::Full => 1_000,
    };
    let files = proc::files_max()?;
    let wanted = (services * INSTANCES + MORE) as u64 + OTHER_FILES;
    if files < wanted {
        return Err(Failure::new(format!(
            "short: not measured: {wanted} open files are needed and {files} allowed; raise `ulimit -n`"
        )));
    }
    let folder = tempfile::tempdir().context("a data folder")?;
    let setup = Setup {
        folder: folder.path().to_owned(),
    };
    let mut peer = Peer::start(Role::Runtime, &setup)?;
    let address: String = peer.hear(Duration::from_secs(30))?;
    let create = Create {
        first: 0,
        count: services,
    };
    let keys: Vec<String> = peer.ask(&create, KEYS)?;
    let keys = keys.iter().map(|text| text.parse().map(Arc::new));
    let keys: Vec<Arc<ServiceKey>> = keys
        .collect::<std::result::Result<_, _>>()
        .context("keys")?;
    let workers = two_workers()?;
    let found = workers.block_on(
        Load {
            address: address.into(),
            keys,
            pid: peer.pid(),
        }
        .run(),
    )?;
    Ok(report(&found))
}

struct Load {
    address: Arc<str>,
    keys: Vec<Arc<ServiceKey>>,
    pid: u32,
}

impl Load {
    async fn run(&self) -> Result<Found> {
        let services = self.keys.len();
        let empty = proc::memory(self.pid)?;
        let begun = Instant::now();
        let all = (0..services * INSTANCES).map(|index| index % services);
        let joined = self.join(all).await?;
        let joined_in = begun.elapsed();
        // The instances measured one by one have their sessions before anything is measured.
        let more = self
            .join((0..MORE).map(|index| index * (services / MORE)))
            .await?;
        let connected = proc::memory(self.pid)?;

        let cpu = proc::cpu(self.pid)?;
        let begun = Instant::now();
        let watching = register(joined).await?;
        let visible = (DEPENDENCIES + 1) * INSTANCES;
        for watcher in &watching {
            let left = FULL_VIEW.saturating_sub(begun.elapsed());
            sees(watcher.seen.clone(), visible, left).await?;
        }
        let full_view_in = begun.elapsed();
        let full_view_cpu = proc::cpu(self.pid)?.saturating_sub(cpu);

        let idle_cpu_share = self.idle().await?;
        let registered = proc::memory(self.pid)?;
        let more = self
            .more(more, &watching, (visible, idle_cpu_share))
            .await?;
        Ok(Found {
            services,
            joined_in,
            full_view_in,
            full_view_cpu,
            empty,
            connected,
            registered,
            idle_cpu_share,
            more,
        })
    }

    /// Sessions for instances of these services, in their order.
    async fn join(&self, services: impl Iterator<Item = usize>) -> Result<Vec<Joined>> {
        let (mut running, mut joined) = (JoinSet::new(), Vec::new());
        for (place, service) in services.enumerate() {
            if running.len() >= JOINING_MAX {
                joined.push(next(&mut running).await?);
            }
            let (address, key) = (self.address.clone(), self.keys[service].clone());
            let of = (service, self.keys.len());
            running.spawn(async move { Ok((place, join(address, key, of).await?)) });
        }
        while !running.is_empty() {
            joined.push(next(&mut running).await?);
        }
        joined.sort_by_key(|(place, _)| *place);
        Ok(joined.into_iter().map(|(_, joined)| joined).collect())
    }

    /// Share of one processor the runtime uses while nothing happens but pings.
    async fn idle(&self) -> Result<f64> {
        // What the last change caused is over before this begins.
        tokio::time::sleep(IDLE).await;
        let (begun, before) = (Instant::now(), proc::cpu(self.pid)?);
        tokio::time::sleep(IDLE).await;
        let used = proc::cpu(self.pid)?.saturating_sub(before);
        Ok(used.as_secs_f64() / begun.elapsed().as_secs_f64())
    }

    /// Registers one instance after the other, each until all its watchers see it.
    async fn more(
        &self,
        joined: Vec<Joined>,
        watching: &[Watching],
        (visible, idle): (usize, f64),
    ) -> Result<Vec<(Duration, Duration)>> {
        let (mut found, mut kept) = (Vec::new(), Vec::new());
        let step = self.keys.len() / MORE;
        for (index, instance) in joined.into_iter().enumerate() {
            let (begun, before) = (Instant::now(), proc::cpu(self.pid)?);
            kept.push(instance.register().await?);
            let service = index * step;
            // Itself and those that depend on it are told; the nearest before it sees only it.
            for back in 0..=usize::from(step > DEPENDENCIES) * DEPENDENCIES {
                let watcher = (service + self.keys.len() - back) % self.keys.len();
                sees(watching[watcher].seen.clone(), visible + 1, FULL_VIEW).await?;
            }
            let taken = begun.elapsed();
            // Frames to the other watchers may still be on their way out.
            tokio::time::sleep(Duration::from_millis(100)).await;
            let span = begun.elapsed();
            let used = proc::cpu(self.pid)?.saturating_sub(before);
            found.push((used.saturating_sub(span.mul_f64(idle)), taken));
        }
        Ok(found)
    }
}

async fn next<T: 'static>(running: &mut JoinSet<Result<T>>) -> Result<T> {
    let ended = running.join_next().await;
    ended
        .ok_or_else(|| Failure::new("nothing is running"))?
        .context("a task")?
}

/// Registers all at once.
async fn register(joined: Vec<Joined>) -> Result<Vec<Watching>> {
    let mut running = JoinSet::new();
    for (place, instance) in joined.into_iter().enumerate() {
        running.spawn(async move { Ok((place, instance.register().await?)) });
    }
    let mut watching = Vec::new();
    while !running.is_empty() {
        watching.push(next(&mut running).await?);
    }
    watching.sort_by_key(|(place, _)| *place);
    Ok(watching.into_iter().map(|(_, watching)| watching).collect())
}

fn report(found: &Found) -> Report {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let millis = |span: Duration| span.as_secs_f64() * 1e3;
    let cpu = Spread::of(found.more.iter().map(|(cpu, _)| millis(*cpu)));
    let told = Spread::of(found.more.iter().map(|(_, told)| millis(*told)));
    let row = |what: &str, value: String| vec![what.to_owned(), value];
    let instances = found.services * INSTANCES;
    let each = (mib(found.registered.now) - mib(found.empty.now)) * 1024.0 / instances as f64;
    Report {
        name: "registry: services of two instances, each depending on ten others",
        headers: vec!["runtime process", "value"],
        rows: vec![
            row(
                "services × instances",
                format!("{} × {INSTANCES}", found.services),
            ),
            row(
                "memory, nobody connected, MiB",
                format!("{:.1}", mib(found.empty.now)),
            ),
            row(
                "memory, all sessions open, MiB",
                format!("{:.1}", mib(found.connected.now)),
            ),
            row(
                "memory, all registered, MiB",
                format!("{:.1}", mib(found.registered.now)),
            ),
            row(
                "memory, peak, MiB",
                format!("{:.1}", mib(found.registered.peak)),
            ),
            row("memory per registered instance, KiB", format!("{each:.1}")),
            row(
                "all keys proven and sessions open, s",
                format!("{:.1}", found.joined_in.as_secs_f64()),
            ),
            row(
                "last watcher has the full view after, ms",
                format!("{:.0}", millis(found.full_view_in)),
            ),
            row(
                "CPU of all registrations, ms",
                format!("{:.0}", millis(found.full_view_cpu)),
            ),
            row("CPU of one more registration, ms", format!("{cpu:.2}")),
            row("its last watcher sees it after, ms", format!("{told:.2}")),
            row(
                "CPU while nothing happens, % of one",
                format!("{:.2}", found.idle_cpu_share * 100.0),
            ),
        ],
        notes: vec![format!(
            "one more registration: {} times, idle CPU taken off; the load runs on the same machine",
            found.more.len()
        )],
        samples: json!({
            "services": found.services,
            "instances": INSTANCES,
            "memory_bytes": {
                "empty": found.empty.now,
                "connected": found.connected.now,
                "registered": found.registered.now,
                "peak": found.registered.peak,
            },
            "joined_ms": millis(found.joined_in),
            "full_view_ms": millis(found.full_view_in),
            "full_view_cpu_ms": millis(found.full_view_cpu),
            "idle_cpu_share": found.idle_cpu_share,
            "one_more_cpu_ms": found.more.iter().map(|it| millis(it.0)).collect::<Vec<_>>(),
            "one_more_seen_ms": found.more.iter().map(|it| millis(it.1)).collect::<Vec<_>>(),
        }),
        ..Report::default()
    }
}
