//! The parent: a runtime, three service processes, one order, and what became of it.
//!
//! Invariant: whatever happens, the processes that were started have ended when [`run`] returns.

mod http;
mod progress;

mod processes;
mod verify;

mod order;
mod report;
mod latency;
mod load;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bridge::embedded::{Clock, Runtime};
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use processes::Processes;
use progress::Progress;

/// Anything that went wrong, as a person reads it.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What was asked for on the command line.
#[derive(Debug)]
pub(crate) struct Options {
    /// Verify and exit.
    pub(crate) once: bool,
    /// `postgres://…`; SQLite without it.
    pub(crate) database: Option<String>,
    /// Temporary without it.
    pub(crate) data: Option<PathBuf>,
    /// Pass the services' log on.
    pub(crate) verbose: bool,
    /// Requests per second to send instead of waiting, and for how long.
    pub(crate) load: Option<(u32, Duration)>,
}

/// Rhythm in which the services are looked after.
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// Runs the whole show.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    // Before anything starts, so that nothing is left when it is interrupted at once.
    let mut signals = Signals::new()?;
    let clock = Clock::system();
    let mut progress = Progress::new(&clock);
    let data = Data::new(options.data.as_deref())?;
    let mut builder = Runtime::builder(data.path());
    if let Some(url) = &options.database {
        builder = builder.database(url);
    }
    let runtime = tokio::select! {
        runtime = builder.start() => runtime?,
        () = signals.received() => return Err("interrupted while the runtime started".into()),
    };
    let store = options.database.as_ref().map_or("SQLite", |_| "PostgreSQL");
    progress.done(format!("runtime with {store} at {}", runtime.address()));
    progress.note(&data.to_string());

    let mut processes = Processes::new(&clock, options.verbose);
    let outcome = tokio::select! {
        shown = show(&runtime, &mut processes, &mut progress, &options, &data) => shown,
        () = signals.received() => match options.once || options.load.is_some() {
            true => Err("interrupted before everything was verified".into()),
            false => Ok(()),
        },
    };
    processes.stop(&mut progress).await;
    runtime.stop().await;
    progress.done("runtime stopped");
    outcome
}

async fn show(
    runtime: &Runtime,
    processes: &mut Processes,
    progress: &mut Progress,
    options: &Options,
    data: &Data,
) -> Result<(), Failure> {
    processes.start_all(runtime, progress).await?;
    let orders = processes.ready(runtime, progress).await?;
    let clock = progress.clock().clone();
    let placed = order::place(&clock, &orders, progress).await?;
    let refused = order::place_too_large(&clock, &orders, progress).await?;
    let trace = order::trace(&clock, runtime, &placed, progress).await?;
    let (lines, series) = order::told(&clock, runtime, &trace, progress).await?;
    let map = runtime.map();
    report::trace(&trace);
    report::told(&lines, &series);
    report::map(&map);
    if options.once {
        verify::order(&placed.answer)?;
        verify::refusal(&refused)?;
        verify::trace(&trace)?;
        verify::logs(&lines, &trace)?;
        verify::metric(&series)?;
        verify::map(&map)?;
        progress.done("verified: order, refusal, trace, log, metric, services, methods, calls");
        return Ok(());
    }
    if let Some((rate, span)) = options.load {
        let pids = processes.pids();
        progress.resume();
        let plan = load::Plan { rate, span };
        return load::run(runtime, &orders, plan, &pids, progress).await;
    }
    report::by_hand(&map, data.path(), &runtime.console());
    let mut watch = clock.interval(WATCH_EVERY);
    loop {
        watch.tick().await;
        processes.check()?;
    }
}

/// Where the runtime keeps its state.
enum Data {
    Given(PathBuf),
    /// Removed when dropped.
    Temporary(TempDir),
}

impl Data {
    fn new(given: Option<&Path>) -> Result<Self, Failure> {
        Ok(match given {
            Some(path) => Self::Given(path.to_owned()),
            None => Self::Temporary(TempDir::with_prefix("bridge-shop-")?),
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

impl std::fmt::Display for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path().display();
        match self {
            Self::Given(_) => write!(f, "data folder {path}"),
            Self::Temporary(_) => write!(
                f,
                "data folder {path}, removed at the end; --data FOLDER keeps one"
            ),
        }
    }
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
