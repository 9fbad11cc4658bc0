//! A few services report operations to one runtime: how many a second, what each costs it, in which
//! memory, and how fast it answers meanwhile.
//!
//! Both processes share the machine, so the rate includes what it costs to make and send the
//! reports. An operation is two items, START and END. What it costs depends on whether they are
//! stored in one transaction, so there are short operations, of which most are, and long ones, of
//! which none is; the share of ENDs that came in a later batch than their START is printed.
//! There is no peer: the numbers stand alone.

mod ops;
mod reporter;
pub(crate) mod runtime;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use contract::key::ServiceKey;
use serde_json::{Value, json};

use crate::Size;
use crate::child::{Peer, Role, two_workers};
use crate::failure::{Context, Failure, Result};
use crate::histogram::Histogram;
use crate::proc::{self, Memory};
use crate::report::{Floor, Report};
use ops::Ends;
use reporter::{Reporter, Run};
use runtime::{Ask, Listed, Listing, Setup};

/// Report streams, each of a service of its own.
const STREAMS: usize = 4;
/// Operations a second that the runtime has to keep up with.
const WANTED: f64 = 20_000.0;
/// Operations of one stream that run at a time: short ones of 10 ms at the wanted rate, and long ones
/// of 0.8 s, which is more than can be underway unacknowledged.
const SHORT: usize = 48;
const LONG: usize = 4_096;
/// Items of an operation.
const ITEMS_PER_OP: f64 = 2.0;
/// Pause between two questions while reports come in.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Longest time for an answer.
const ANSWER: Duration = Duration::from_secs(60);

/// What is reported in one run.
#[derive(Debug)]
struct Load {
    name: String,
    pace: Option<f64>,
    running: usize,
    span: Duration,
}

/// What one run found.
#[derive(Debug)]
struct Found {
    name: String,
    ops: f64,
    seconds: f64,
    runtime_cpu: Duration,
    reporters_cpu: Duration,
    memory: [Memory; 2],
    acknowledged: Histogram,
    answers: Vec<(&'static str, Histogram)>,
    level: u64,
    dropped: u64,
    /// Share of ENDs that came in a later batch than their START.
    later: f64,
}

impl Found {
    fn per_second(&self) -> f64 {
        self.ops / self.seconds
    }

    fn micros_per_op(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.ops
    }
}

/// Measures; on PostgreSQL too when `BRIDGE_DATABASE` or `BRIDGE_TEST_POSTGRES` names one.
pub(crate) fn measure(size: Size) -> Result<Report> {
    let span = match size {
        Size::Quick => Duration::from_secs(3),
        Size::Normal => Duration::from_secs(15),
        Size::Full => Duration::from_secs(120),
    };
    let postgres = ["BRIDGE_DATABASE", "BRIDGE_TEST_POSTGRES"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let mut found = on("SQLite", None, span)?;
    if let Some(url) = postgres {
        found.extend(on("PostgreSQL", Some(url), span)?);
    }
    Ok(report(&found, span))
}

fn on(name: &str, database: Option<String>, span: Duration) -> Result<Vec<Found>> {
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let setup = Setup {
        folder: folder.path().to_owned(),
        database,
    };
    let mut peer = Peer::start(Role::IngestRuntime, &setup)?;
    let address: String = peer.hear(ANSWER)?;
    let keys: Vec<String> = peer.ask(&Ask::Keys(STREAMS), ANSWER)?;
    let workers = two_workers()?;
    let mut reporters = Vec::with_capacity(STREAMS);
    for key in keys {
        let key = key.parse::<ServiceKey>().context("a key")?;
        let joined = workers.block_on(Reporter::join(address.as_str().into(), key))?;
        reporters.push(joined);
    }
    let mut found = Vec::new();
    for (load, pace, running) in [
        ("short, paced", Some(WANTED), SHORT),
        ("long, paced", Some(WANTED), LONG),
        ("short, as fast as it goes", None, SHORT),
        ("long, as fast as it goes", None, LONG),
    ] {
        let load = Load {
            name: format!("{name}, {load}"),
            pace,
            running,
            span,
        };
        let (one, back) = run(&workers, &mut peer, reporters, load)?;
        reporters = back;
        found.push(one);
    }
    Ok(found)
}

fn run(
    workers: &tokio::runtime::Runtime,
    peer: &mut Peer,
    mut reporters: Vec<Reporter>,
    load: Load,
) -> Result<(Found, Vec<Reporter>)> {
    let pid = peer.pid();
    for reporter in &mut reporters {
        reporter.ops.ends = Ends::default();
    }
    let run = Arc::new(Run {
        pace: load.pace.map(|ops| ops * ITEMS_PER_OP / STREAMS as f64),
        running: load.running,
        ends: Instant::now() + load.span,
        acknowledged: AtomicU64::new(0),
        level: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
    });
    let (begun, before) = (Instant::now(), proc::memory(pid)?);
    let cpu = || -> Result<(Duration, Duration)> {
        Ok((proc::cpu(pid)?, proc::cpu(std::process::id())?))
    };
    let cpu_before = cpu()?;
    let reporting: Vec<_> = reporters
        .into_iter()
        .map(|it| workers.spawn(it.report(run.clone())))
        .collect();
    let answers = ask(peer, run.ends)?;
    let mut acknowledged = Histogram::new();
    let mut back = Vec::with_capacity(STREAMS);
    for one in reporting {
        let one = workers
            .block_on(one)
            .map_err(|_| Failure::new("a reporter panicked"))?;
        let (reporter, took) = one?;
        acknowledged.merge(&took);
        back.push(reporter);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu_after = cpu()?;
    let sum = |of: fn(&Ends) -> u64| back.iter().map(|it| of(&it.ops.ends)).sum::<u64>() as f64;
    let (with_start, later) = (sum(|it| it.with_start), sum(|it| it.later));
    let found = Found {
        name: load.name,
        later: later / (with_start + later).max(1.0),
        ops: run.acknowledged.load(Ordering::Relaxed) as f64 / ITEMS_PER_OP,
        seconds,
        runtime_cpu: cpu_after.0 - cpu_before.0,
        reporters_cpu: cpu_after.1 - cpu_before.1,
        memory: [before, proc::memory(pid)?],
        acknowledged,
        answers,
        level: run.level.load(Ordering::Relaxed),
        dropped: run.dropped.load(Ordering::Relaxed),
    };
    Ok((found, back))
}

/// Asks for lists of traces until the run ends.
fn ask(peer: &mut Peer, ends: Instant) -> Result<Vec<(&'static str, Histogram)>> {
    let listing = |text: Option<&str>, failed| Listing {
        text: text.map(str::to_owned),
        failed,
    };
    let questions = [
        ("newest", listing(None, false)),
        ("failed", listing(None, true)),
        ("common words", listing(Some("http get ord"), false)),
        ("one order", listing(Some("orders 4444"), false)),
        ("no match", listing(Some("nowhere"), false)),
    ];
    let mut answers: Vec<_> = questions
        .iter()
        .map(|(name, _)| (*name, Histogram::new()))
        .collect();
    while Instant::now() < ends {
        for ((_, listing), (_, took)) in questions.iter().zip(&mut answers) {
            let listed: Listed = peer.ask(&Ask::List(listing.clone()), ANSWER)?;
            took.record(Duration::from_nanos(listed.nanos));
        }
        std::thread::sleep(ASK_EVERY);
    }
    Ok(answers)
}

fn report(found: &[Found], span: Duration) -> Report {
    let mib = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
    let millis = |it: &Histogram, share| format!("{:.1}", it.quantile(share).as_secs_f64() * 1e3);
    let row = |it: &Found| {
        vec![
            it.name.clone(),
            format!("{:.0}", it.per_second()),
            format!("{:.1}", it.micros_per_op(it.runtime_cpu)),
            format!("{:.1}", it.micros_per_op(it.reporters_cpu)),
            format!(
                "{}/{}",
                millis(&it.acknowledged, 0.5),
                millis(&it.acknowledged, 0.99)
            ),
            format!(
                "{}/{}/{}",
                mib(it.memory[0].now),
                mib(it.memory[1].peak),
                mib(it.memory[1].now)
            ),
            format!("{:.0}%", it.later * 100.0),
            it.level.to_string(),
            it.dropped.to_string(),
        ]
    };
    let mut notes = vec![format!(
        "{STREAMS} report streams over mutual TLS for {span:.0?}, batches of {} items, an operation \
         is 2 items of about 300 bytes, a trace 4 operations",
        reporter::ITEMS
    )];
    for it in found {
        let answers = it
            .answers
            .iter()
            .map(|(name, took)| format!("{name} {} ({}×)", millis(took, 0.95), took.count()));
        let answers: Vec<_> = answers.collect();
        notes.push(format!(
            "{}: p95 of a list, ms: {}",
            it.name,
            answers.join(", ")
        ));
    }
    let fastest = found.iter().filter(|it| it.name.ends_with("goes"));
    let floors = fastest.map(|it| Floor {
        name: format!("ops_per_second ({})", it.name),
        us: it.per_second(),
        at_least: WANTED,
    });
    Report {
        name: "ingest",
        headers: vec![
            "operations",
            "per second",
            "runtime CPU µs/op",
            "reporters CPU µs/op",
            "ack p50/p99 ms",
            "runtime RSS start/peak/end MiB",
            "END in a later batch",
            "level",
            "dropped",
        ],
        rows: found.iter().map(row).collect(),
        floors: floors.collect(),
        notes,
        samples: found.iter().map(sample).collect(),
        ..Report::default()
    }
}

fn sample(it: &Found) -> Value {
    json!({
        "name": it.name,
        "ops": it.ops,
        "seconds": it.seconds,
        "runtime_cpu_seconds": it.runtime_cpu.as_secs_f64(),
        "reporters_cpu_seconds": it.reporters_cpu.as_secs_f64(),
        "rss_start_bytes": it.memory[0].now,
        "rss_peak_bytes": it.memory[1].peak,
        "rss_end_bytes": it.memory[1].now,
        "dropped": it.dropped,
        "end_in_a_later_batch": it.later,
        "answers_p95_ms": it.answers.iter()
            .map(|(name, took)| (*name, took.quantile(0.95).as_secs_f64() * 1e3))
            .collect::<std::collections::BTreeMap<_, _>>(),
    })
}
