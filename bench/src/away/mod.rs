//! Telemetry never hurts: one service under steady load, while its runtime is well, slow, frozen
//! and gone.
//!
//! The service is an axum application through the SDK, each request with a log line and a counter
//! beside its own record. What is compared is its latency and its memory in each state of the
//! runtime, beside the first one, in one run.

pub(crate) mod service;

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use self::service::{Join, Load, Sample};
use crate::Size;
use crate::child::{Peer, Role};
use crate::failure::{Context, Failure, Result};
use crate::registry::runtime::{Create, Setup, name};
use crate::report::{Report, Target};

const START: Duration = Duration::from_secs(30);
/// Beyond the load's own span.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests per second.
const RATE: u32 = 2_000;

/// How the runtime is while a load runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Well,
    /// It runs for a tenth of each second.
    Slow,
    /// Stopped, with its connections open.
    Frozen,
    /// Killed.
    Gone,
}

impl State {
    const ALL: [Self; 4] = [Self::Well, Self::Slow, Self::Frozen, Self::Gone];

    fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Slow => "slow (runs 100 ms of each second)",
            Self::Frozen => "frozen (SIGSTOP)",
            Self::Gone => "gone (SIGKILL)",
        }
    }
}

pub(crate) fn measure(size: Size) -> Result<Report> {
    let span = Duration::from_secs(match size {
        Size::Quick => 3,
        Size::Normal => 20,
        Size::Full => 60,
    });
    let folder = tempfile::tempdir().context("a data folder")?;
    let setup = Setup {
        folder: folder.path().to_owned(),
    };
    let mut runtime = Peer::start(Role::Runtime, &setup)?;
    let address: String = runtime.hear(START)?;
    let create = Create { first: 0, count: 1 };
    let keys: Vec<String> = runtime.ask(&create, START)?;
    let key = keys.into_iter().next();
    let join = Join {
        name: name(0),
        runtime: address,
        key: key.ok_or_else(|| Failure::new("no key"))?,
    };
    let mut service = Peer::start(Role::AwayService, &join)?;
    service.hear::<()>(START)?;
    let load = |span: Duration| Load {
        rate: RATE,
        span_ms: u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
    };
    // Until memory and code are warm.
    service.ask::<Sample>(&load(span / 2), span + PATIENCE)?;
    let mut found = Vec::new();
    for state in State::ALL {
        let ticking = enter(state, runtime.pid())?;
        let sample: Sample = service.ask(&load(span), span + PATIENCE)?;
        drop(ticking);
        found.push((state, sample));
    }
    Ok(report(&found))
}

/// Brings the runtime into `state`; what is returned keeps it there.
fn enter(state: State, pid: u32) -> Result<Option<Ticking>> {
    match state {
        State::Well => Ok(None),
        State::Slow => Ok(Some(Ticking::start(pid))),
        State::Frozen => signal(pid, Signal::STOP).map(|()| None),
        // A stopped process dies of it too.
        State::Gone => signal(pid, Signal::KILL).map(|()| None),
    }
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Failure::new("no process"))?;
    kill_process(pid, signal).context("a signal to the runtime")
}

/// Stops a process for nine tenths of each second, until it is dropped.
struct Ticking {
    done: std::sync::mpsc::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Ticking {
    fn start(pid: u32) -> Self {
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let wait = |millis| is_done.recv_timeout(Duration::from_millis(millis));
            let goes_on = Err(std::sync::mpsc::RecvTimeoutError::Timeout);
            // A process that is gone cannot be slow, and the load will say so.
            while signal(pid, Signal::STOP).is_ok() && wait(900) == goes_on {
                if signal(pid, Signal::CONT).is_err() || wait(100) != goes_on {
                    break;
                }
            }
            let _ = signal(pid, Signal::CONT);
        });
        Self {
            done,
            thread: Some(thread),
        }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.done.send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn report(found: &[(State, Sample)]) -> Report {
    let mut report = Report {
        name: "away: one service at 2,000 requests/s, by the state of its runtime",
        headers: vec![
            "runtime",
            "requests",
            "failed",
            "p50 µs",
            "p99 µs",
            "CPU µs/request",
            "resident MiB",
            "dropped ops",
            "logs",
        ],
        ..Report::default()
    };
    for (state, it) in found {
        report.rows.push(vec![
            state.name().to_owned(),
            it.requests.to_string(),
            it.failed.to_string(),
            format!("{:.0}", it.p50_us),
            format!("{:.0}", it.p99_us),
            format!("{:.1}", it.cpu_us),
            format!("{:.1}", it.resident_mib),
            it.dropped_ops.to_string(),
            it.dropped_logs.to_string(),
        ]);
    }
    let Some((_, well)) = found.first() else {
        return report;
    };
    for (state, it) in &found[1..] {
        for (what, us, peer, at_most) in [
            ("p50", it.p50_us, well.p50_us, 1.15),
            ("p99", it.p99_us, well.p99_us, 1.25),
            // What waits in the service is at most 592 KiB and its rings of records.
            ("memory", it.resident_mib, well.resident_mib, 1.10),
        ] {
            report.targets.push(Target {
                name: format!("{what}, {} / well", state.name()),
                us,
                peer,
                at_most,
            });
        }
    }
    report.samples = json!(
        found
            .iter()
            .map(|(state, it)| json!({ "runtime": state.name(), "sample": it }))
            .collect::<Vec<_>>()
    );
    report
}
