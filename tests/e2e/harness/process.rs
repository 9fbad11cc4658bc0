//! A child process: its lines as they come, its signals, its end.
//!
//! Invariant: it is killed and reaped by its own id when the value goes, also after a panic.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use contract::clock::Clock;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use super::eventually;

#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: watch::Receiver<Vec<String>>,
}

impl Process {
    pub(crate) fn spawn(name: &str, command: &mut Command) -> Self {
        Self::with_stdin(name, command, Stdio::null())
    }

    /// With a standard input that stays open until the value goes.
    pub(crate) fn spawn_open(name: &str, command: &mut Command) -> Self {
        Self::with_stdin(name, command, Stdio::piped())
    }

    fn with_stdin(name: &str, command: &mut Command, stdin: Stdio) -> Self {
        let mut child = command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = watch::channel(Vec::new());
        let stdout = child.stdout.take().expect("piped");
        let stderr = child.stderr.take().expect("piped");
        collect(stdout, sender.clone());
        collect(stderr, sender);
        Self {
            name: name.to_owned(),
            child,
            lines,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a child has an id"), signal).expect("the child takes signals");
    }

    /// Writes a line to its standard input, which has to be open.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("spawned open");
        writeln!(stdin, "{line}").expect("the child reads");
    }

    /// `kill -9`, and waits for the end.
    pub(crate) fn kill(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// What `find` makes of the first line it wants, waiting for it at most for `limit`.
    pub(crate) async fn line<T>(
        &self,
        limit: Duration,
        what: &str,
        find: impl Fn(&str) -> Option<T>,
    ) -> T {
        let mut lines = self.lines.clone();
        let search = lines.wait_for(|lines| lines.iter().any(|line| find(line).is_some()));
        let found = match Clock::system().timeout(limit, search).await {
            Ok(Ok(lines)) => lines.iter().find_map(|line| find(line)),
            Ok(Err(_)) | Err(_) => None,
        };
        found.unwrap_or_else(|| panic!("{}: no {what} within {limit:?}", self.name))
    }

    /// What `find` makes of the first `count` lines it wants, waiting for them at most for `limit`.
    pub(crate) async fn lines<T>(
        &self,
        limit: Duration,
        what: &str,
        count: usize,
        find: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let found = |lines: &Vec<String>| lines.iter().filter_map(|line| find(line)).count();
        let mut lines = self.lines.clone();
        let search = lines.wait_for(|lines| found(lines) >= count);
        match Clock::system().timeout(limit, search).await {
            Ok(Ok(lines)) => lines
                .iter()
                .filter_map(|line| find(line))
                .take(count)
                .collect(),
            Ok(Err(_)) | Err(_) => panic!("{}: no {count} {what} within {limit:?}", self.name),
        }
    }

    /// What `find` makes of the first line so far that it wants.
    pub(crate) fn seen<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.lines.borrow().iter().find_map(|line| find(line))
    }

    /// Lines so far that `counts`.
    pub(crate) fn count(&self, counts: impl Fn(&str) -> bool) -> usize {
        let lines = self.lines.borrow();
        lines.iter().filter(|line| counts(line)).count()
    }

    /// Waits for the end; says how it ended and how long it took.
    pub(crate) async fn ended(&mut self, limit: Duration) -> (ExitStatus, Duration) {
        let what = format!("the end of {}", self.name);
        let child = &mut self.child;
        eventually(limit, &what, async || {
            child.try_wait().expect("a child can be asked")
        })
        .await
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the process lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("the system tells memory") * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let lines = self.lines.borrow();
            let tail = lines.len().saturating_sub(25);
            eprintln!("--- last lines of {} ---", self.name);
            for line in &lines[tail..] {
                eprintln!("{line}");
            }
        }
    }
}

/// Threads, because a pipe that nobody empties stops its writer.
fn collect(pipe: impl Read + Send + 'static, lines: watch::Sender<Vec<String>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            lines.send_modify(|all| all.push(line));
        }
    });
}
