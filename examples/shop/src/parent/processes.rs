//! The service processes: started, watched, and ended without exception.
//!
//! A child stops when its standard input ends, which also happens when this process is killed.
//!
//! Invariant: of a child's output only the last [`TAIL_LINES`] lines are kept.

#![allow(clippy::print_stderr)] // `--verbose` passes the services' log on

use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bridge::embedded::{Clock, Runtime, ServiceMap};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};

use super::progress::Progress;
use super::{Failure, http};
use crate::services::Service;

/// Longest wait until all services are ready.
const READY_MAX: Duration = Duration::from_secs(30);
/// Longest wait until they have stopped by themselves; then they are killed.
const STOP_MAX: Duration = Duration::from_secs(8);
/// Rhythm of both waits.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Lines of a child's log that are shown when it dies.
const TAIL_LINES: usize = 20;
/// Longest line of a child's log, in bytes; the rest counts as the next line.
const LINE_BYTES_MAX: u64 = 4_096;

type Tail = Arc<Mutex<VecDeque<String>>>;

/// All service processes.
#[derive(Debug)]
pub(super) struct Processes {
    clock: Clock,
    verbose: bool,
    running: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    service: Service,
    child: Child,
    tail: Tail,
}

impl Processes {
    pub(super) fn new(clock: &Clock, verbose: bool) -> Self {
        Self {
            clock: clock.clone(),
            verbose,
            running: Vec::with_capacity(Service::ALL.len()),
        }
    }

    /// Starts every service with a key of its own.
    pub(super) async fn start_all(
        &mut self,
        runtime: &Runtime,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let mut keys = Vec::with_capacity(Service::ALL.len());
        for service in Service::ALL {
            keys.push((service, runtime.key(service.name()).await?));
        }
        progress.done(format!("{} service keys", keys.len()));
        for (service, key) in keys {
            let process = start(service, &runtime.address(), &key, self.verbose)?;
            let pid = process.child.id().unwrap_or_default();
            self.running.push(process);
            progress.done(format!("{} started as process {pid}", service.name()));
        }
        Ok(())
    }

    /// Waits until every service has joined and answers `GET /health`; returns the HTTP address
    /// of the orders.
    pub(super) async fn ready(
        &mut self,
        runtime: &Runtime,
        progress: &mut Progress,
    ) -> Result<String, Failure> {
        let clock = self.clock.clone();
        let mut orders = String::new();
        let all = async {
            for service in Service::ALL {
                let address = self.joined(runtime, service).await?;
                let health = http::get(&clock, &address, "/health").await?;
                if health.status != 200 {
                    let text = format!("{} is not ready: {}", service.name(), health.body);
                    return Err(text.into());
                }
                progress.done(format!("{} is ready, http://{address}", service.name()));
                if service == Service::Orders {
                    orders = address;
                }
            }
            Ok::<_, Failure>(())
        };
        let Ok(result) = clock.timeout(READY_MAX, all).await else {
            let text =
                format!("not every service was ready within {READY_MAX:?}; run with --verbose");
            return Err(text.into());
        };
        result.map(|()| orders)
    }

    async fn joined(&mut self, runtime: &Runtime, service: Service) -> Result<String, Failure> {
        loop {
            self.check()?;
            if let Some(address) = http_address(&runtime.map(), service.name()) {
                return Ok(address);
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Their ids, in the order they were started in.
    pub(super) fn pids(&self) -> Vec<u32> {
        self.running.iter().filter_map(|it| it.child.id()).collect()
    }

    /// Fails when a process has ended, with the last lines it wrote.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        for process in &mut self.running {
            if let Some(status) = process.child.try_wait()? {
                let name = process.service.name();
                let tail = process.tail.lock().unwrap_or_else(PoisonError::into_inner);
                let mut text = format!("{name} ended with {status}; its last lines:");
                for line in tail.iter() {
                    text.push_str("\n  ");
                    text.push_str(line);
                }
                return Err(text.into());
            }
        }
        Ok(())
    }

    /// Tells every process to stop, waits, and kills what has not stopped by then.
    pub(super) async fn stop(mut self, progress: &mut Progress) {
        progress.resume();
        let count = self.running.len();
        for process in &mut self.running {
            drop(process.child.stdin.take());
        }
        let all = async {
            for process in &mut self.running {
                // A child that cannot be waited for is gone.
                let _ = process.child.wait().await;
            }
        };
        let in_time = self.clock.timeout(STOP_MAX, all).await.is_ok();
        if !in_time {
            for process in &mut self.running {
                // Fails only for a child that has ended.
                let _ = process.child.kill().await;
            }
        }
        let how = if in_time {
            "stopped"
        } else {
            "stopped, not all by themselves"
        };
        progress.done(format!("{count} services {how}"));
    }
}

fn start(service: Service, address: &str, key: &str, verbose: bool) -> Result<Process, Failure> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["service", service.name()])
        .env("BRIDGE_URL", address)
        .env("BRIDGE_KEY", key)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // Ctrl-C in the terminal is for us; we tell the children.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let tail = Tail::default();
    if let Some(log) = child.stderr.take() {
        tokio::spawn(follow(log, service, tail.clone(), verbose));
    }
    Ok(Process {
        service,
        child,
        tail,
    })
}

/// Reads a child's log to its end, so that it never blocks on a full pipe.
async fn follow(log: ChildStderr, service: Service, tail: Tail, verbose: bool) {
    let mut log = BufReader::new(log);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut log).take(LINE_BYTES_MAX);
        if !matches!(limited.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if verbose {
            eprintln!("{:<9} {text}", service.name());
        }
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(text);
    }
}

/// Where the connected instance of `service` serves HTTP; `None` until it can also be called.
pub(super) fn http_address(map: &ServiceMap, service: &str) -> Option<String> {
    let service = map.services.iter().find(|it| it.name == service)?;
    let instance = service
        .instances
        .iter()
        .find(|it| it.status == "connected" && !it.call_endpoint.is_empty())?;
    Some(instance.http_endpoint.clone()).filter(|address| !address.is_empty())
}
