//! A second process of this program, spoken to in lines of JSON.
//!
//! Refuses to wait for ever: every answer has a time limit. A child ends when its input does, so
//! that none outlives a parent that was killed; one that does not is killed by its id.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::{Context, Failure, Result};

/// Time a child has to leave once its input ended.
const LEAVE: Duration = Duration::from_secs(5);

/// What a child does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Serves HTTP through the SDK and loads itself
    AwayService,
    /// Runs a runtime that is asked for traces too
    IngestRuntime,
    /// Sends requests through one stack of layers
    Layers,
    /// Serves through the SDK
    SdkServer,
    /// Calls through the SDK
    SdkClient,
    /// Serves with tonic alone
    TonicServer,
    /// Calls with tonic alone
    TonicClient,
    /// Runs a runtime
    Runtime,
}

/// A running child.
#[derive(Debug)]
pub(crate) struct Peer {
    role: Role,
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Peer {
    /// Starts one and hands it its setup.
    pub(crate) fn start(role: Role, setup: &impl Serialize) -> Result<Self> {
        let program = std::env::current_exe().context("this program")?;
        let name = role.to_possible_value();
        let name = name.as_ref().map_or("", |value| value.get_name());
        let mut process = Command::new(program)
            .args(["child", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(name)?;
        let (sender, lines) = channel();
        let output = process.stdout.take();
        std::thread::spawn(move || {
            let lines = output.into_iter().flat_map(|it| BufReader::new(it).lines());
            for line in lines.map_while(std::result::Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut peer = Self {
            role,
            input: process.stdin.take(),
            process,
            lines,
        };
        peer.tell(setup)?;
        Ok(peer)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Sends a request and waits for its answer, at most for `wait`.
    pub(crate) fn ask<T: DeserializeOwned>(
        &mut self,
        request: &impl Serialize,
        wait: Duration,
    ) -> Result<T> {
        self.tell(request)?;
        self.hear(wait)
    }

    /// The next answer, at most after `wait`.
    pub(crate) fn hear<T: DeserializeOwned>(&mut self, wait: Duration) -> Result<T> {
        let role = self.role;
        let line = self
            .lines
            .recv_timeout(wait)
            .map_err(|_| Failure::new(format!("{role:?} did not answer within {wait:?}")))?;
        let answer: std::result::Result<T, String> =
            serde_json::from_str(&line).context(format!("{role:?} answered {line}"))?;
        answer.context(format!("{role:?}"))
    }

    fn tell(&mut self, request: &impl Serialize) -> Result<()> {
        let line = serde_json::to_string(request).context("a request")?;
        let input = self.input.as_mut();
        let input = input.ok_or_else(|| Failure::new("the child's input is closed"))?;
        writeln!(input, "{line}").context(format!("{:?}", self.role))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        let begun = Instant::now();
        while begun.elapsed() < LEAVE {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // It did not leave by itself; nothing is lost by not asking again.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The next request of the parent; `None` when there will be no more.
pub(crate) fn request<T: DeserializeOwned>() -> Result<Option<T>> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if read.context("standard input")? == 0 {
        return Ok(None);
    }
    serde_json::from_str(&line).context("a request").map(Some)
}

/// The first request, which must come.
pub(crate) fn setup<T: DeserializeOwned>() -> Result<T> {
    request()?.ok_or_else(|| Failure::new("the parent left before it said what to do"))
}

/// Answers the parent.
pub(crate) fn answer<T: Serialize>(answer: Result<T>) -> Result<()> {
    let answer = answer.map_err(|failure| failure.to_string());
    let line = serde_json::to_string(&answer).context("an answer")?;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .context("standard output")
}

/// The async runtime of every process that is measured: two workers.
pub(crate) fn two_workers() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the async runtime")
}
