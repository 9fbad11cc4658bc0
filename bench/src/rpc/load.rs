//! The calling process: a number of callers, each with one call under way, for a fixed time.
//!
//! Invariant: calls, latencies and processor time are those of the same span; what was under way
//! when it began or ended is counted by when it ended.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::child::{answer, request};
use crate::failure::{Context, Result};
use crate::histogram::Histogram;
use crate::proc::cpu;

/// Bytes of a request and of its reply.
pub(crate) const PAYLOAD_BYTES: usize = 128;
/// Failures after which a caller gives up: its numbers would mean nothing.
const FAILURES_MAX: u64 = 1_000;

/// What to measure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) concurrency: usize,
    pub(crate) warm_ms: u64,
    pub(crate) span_ms: u64,
    pub(crate) server_pid: u32,
}

/// What came out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) concurrency: usize,
    pub(crate) calls: u64,
    pub(crate) calls_per_s: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Processor time per call.
    pub(crate) client_cpu_us: f64,
    pub(crate) server_cpu_us: f64,
    pub(crate) failed: u64,
    pub(crate) failure: Option<String>,
    /// Operations telemetry had no room for meanwhile, warm-up included.
    pub(crate) dropped: u64,
}

/// Something that makes one call.
pub(crate) trait Caller: Clone + Send + 'static {
    fn call(&mut self) -> impl Future<Output = std::result::Result<(), String>> + Send;

    fn dropped(&self) -> u64 {
        0
    }
}

/// Answers every [`Run`] of the parent with its [`Sample`], until there is none left.
pub(crate) fn answer_runs<C: Caller>(workers: &tokio::runtime::Runtime, caller: &C) -> Result<()> {
    while let Some(run) = request::<Run>()? {
        answer(workers.block_on(measure(caller, &run)))?;
    }
    Ok(())
}

/// How far a run is.
struct Phase(AtomicU8);

const WARM: u8 = 0;
const MEASURED: u8 = 1;
const OVER: u8 = 2;

struct Counted {
    latencies: Histogram,
    failed: u64,
    failure: Option<String>,
}

async fn measure<C: Caller>(caller: &C, run: &Run) -> Result<Sample> {
    let dropped = caller.dropped();
    let phase = Arc::new(Phase(AtomicU8::new(WARM)));
    let callers: Vec<_> = (0..run.concurrency)
        .map(|_| tokio::spawn(repeat(caller.clone(), phase.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(run.warm_ms)).await;
    let pids = [std::process::id(), run.server_pid];
    let before = [cpu(pids[0])?, cpu(pids[1])?];
    let begun = Instant::now();
    phase.0.store(MEASURED, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(run.span_ms)).await;
    phase.0.store(OVER, Ordering::Relaxed);
    let span = begun.elapsed();
    let after = [cpu(pids[0])?, cpu(pids[1])?];
    let mut all = Counted {
        latencies: Histogram::new(),
        failed: 0,
        failure: None,
    };
    for task in callers {
        let counted = task.await.context("a caller")?;
        all.latencies.merge(&counted.latencies);
        all.failed += counted.failed;
        all.failure = all.failure.or(counted.failure);
    }
    let calls = all.latencies.count();
    let micros = |span: Duration| span.as_secs_f64() * 1e6;
    let per_call = |side: usize| micros(after[side].saturating_sub(before[side])) / calls as f64;
    Ok(Sample {
        concurrency: run.concurrency,
        calls,
        calls_per_s: calls as f64 / span.as_secs_f64(),
        p50_us: micros(all.latencies.quantile(0.5)),
        p99_us: micros(all.latencies.quantile(0.99)),
        client_cpu_us: per_call(0),
        server_cpu_us: per_call(1),
        failed: all.failed,
        failure: all.failure,
        dropped: caller.dropped() - dropped,
    })
}

async fn repeat(mut caller: impl Caller, phase: Arc<Phase>) -> Counted {
    let mut counted = Counted {
        latencies: Histogram::new(),
        failed: 0,
        failure: None,
    };
    while counted.failed < FAILURES_MAX {
        let begun = Instant::now();
        let result = caller.call().await;
        let taken = begun.elapsed();
        match phase.0.load(Ordering::Relaxed) {
            OVER => break,
            MEASURED if result.is_ok() => counted.latencies.record(taken),
            _ => {}
        }
        if let Err(text) = result {
            counted.failed += 1;
            counted.failure.get_or_insert(text);
        }
    }
    counted
}
