//! Direct unary calls through the SDK beside bare tonic: same contract, same payload, same
//! kind of certificate, one connection, two workers on each side, mutual TLS.
//!
//! The SDK runs as it is shipped: deadlines, trace, balancing, telemetry to a runtime. That
//! runtime lives in this process, whose time counts for nobody.

pub(crate) mod load;

pub(crate) mod bare;
pub(crate) mod sdk;

use std::time::Duration;

use serde_json::json;

use crate::Size;
use crate::child::{Peer, Role};
use crate::failure::{Context, Result};
use crate::report::{Report, Spread, Target};
use load::{Run, Sample};

const CONCURRENCIES: [usize; 3] = [1, 16, 64];
/// Our processor time per call, both sides, as a share of tonic's.
const CPU_AT_MOST: f64 = 1.15;
/// Time a process has to come up.
const START: Duration = Duration::from_secs(30);
/// Pause between measurements, so that one peer's last telemetry is not the other's load.
const SETTLE: Duration = Duration::from_millis(150);

/// One of the two that are compared, both of its processes up.
struct Pair {
    name: &'static str,
    server_pid: u32,
    client: Peer,
    samples: Vec<Sample>,
    /// Ends after the client.
    _server: Peer,
}

/// Measures and compares.
pub(crate) fn measure(size: Size) -> Result<Report> {
    let workers = crate::child::two_workers()?;
    let folder = tempfile::tempdir().context("a data folder")?;
    let runtime = workers.block_on(bridge::embedded::Runtime::builder(folder.path()).start());
    let runtime = runtime.context("the embedded runtime")?;
    let mut pairs = [workers.block_on(sdk::start(&runtime))?, bare::start()?];
    let (repetitions, warm, span) = match size {
        Size::Quick => (3, 200, 700),
        Size::Normal => (5, 500, 2_000),
        Size::Full => (9, 1_000, 5_000),
    };
    for repetition in 0..repetitions {
        for concurrency in CONCURRENCIES {
            // Whoever goes second profits or suffers from the first in turn.
            let order = if repetition % 2 == 0 { [0, 1] } else { [1, 0] };
            for index in order {
                let run = Run {
                    concurrency,
                    warm_ms: warm,
                    span_ms: span,
                    server_pid: pairs[index].server_pid,
                };
                pairs[index].run(&run)?;
            }
        }
    }
    let report = report(&pairs);
    drop(pairs);
    workers.block_on(runtime.stop());
    Ok(report)
}

impl Pair {
    fn run(&mut self, run: &Run) -> Result<()> {
        std::thread::sleep(SETTLE);
        let wait = Duration::from_millis(run.warm_ms + run.span_ms) + START;
        let sample: Sample = self.client.ask(run, wait)?;
        self.samples.push(sample);
        Ok(())
    }

    fn spread(&self, concurrency: usize, value: impl Fn(&Sample) -> f64) -> Spread {
        let of_it = self
            .samples
            .iter()
            .filter(|it| it.concurrency == concurrency);
        Spread::of(of_it.map(value))
    }

    fn row(&self, concurrency: usize) -> Vec<String> {
        let spread = |value: fn(&Sample) -> f64| self.spread(concurrency, value);
        vec![
            self.name.to_owned(),
            concurrency.to_string(),
            format!("{:.0}", spread(|it| it.calls_per_s)),
            format!("{:.0}", spread(|it| it.p50_us)),
            format!("{:.0}", spread(|it| it.p99_us)),
            format!("{:.1}", spread(|it| it.client_cpu_us)),
            format!("{:.1}", spread(|it| it.server_cpu_us)),
        ]
    }
}

/// A pair whose server runs already: starts its client.
fn pair(
    name: &'static str,
    server: Peer,
    role: Role,
    setup: &impl serde::Serialize,
) -> Result<Pair> {
    let mut client = Peer::start(role, setup)?;
    client.hear::<()>(START)?;
    Ok(Pair {
        name,
        server_pid: server.pid(),
        client,
        samples: Vec::new(),
        _server: server,
    })
}

fn report(pairs: &[Pair; 2]) -> Report {
    let [us, peer] = pairs;
    let rows = CONCURRENCIES
        .iter()
        .flat_map(|&concurrency| pairs.iter().map(move |pair| pair.row(concurrency)));
    let targets = CONCURRENCIES.map(|concurrency| {
        let both = |it: &Sample| it.client_cpu_us + it.server_cpu_us;
        Target {
            name: format!("rpc.cpu_us_per_call.{concurrency}"),
            us: us.spread(concurrency, both).median,
            peer: peer.spread(concurrency, both).median,
            at_most: CPU_AT_MOST,
        }
    });
    let failed: u64 = us.samples.iter().map(|it| it.failed).sum();
    let failed_peer: u64 = peer.samples.iter().map(|it| it.failed).sum();
    let mut notes = vec![format!(
        "calls that failed: {} {failed}, {} {failed_peer}",
        us.name, peer.name
    )];
    for concurrency in CONCURRENCIES {
        let runs = us.samples.iter().filter(|it| it.concurrency == concurrency);
        let (dropped, calls) = runs.fold((0, 0), |sum, it| (sum.0 + it.dropped, sum.1 + it.calls));
        notes.push(format!(
            "{concurrency} callers: {}'s telemetry dropped {dropped} operations (warm-up included), {calls} calls were measured",
            us.name
        ));
    }
    for pair in pairs {
        if let Some(text) = pair.samples.iter().find_map(|it| it.failure.as_deref()) {
            notes.push(format!("first failure of {}: {text}", pair.name));
        }
    }
    Report {
        name: "rpc: unary, mutual TLS, 128 bytes, 2 workers on each side",
        headers: vec![
            "peer",
            "callers",
            "calls/s",
            "p50 µs",
            "p99 µs",
            "client CPU µs/call",
            "server CPU µs/call",
        ],
        rows: rows.collect(),
        targets: targets.into(),
        notes,
        samples: json!({ us.name: us.samples, peer.name: peer.samples }),
        ..Report::default()
    }
}
