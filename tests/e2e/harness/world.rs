//! One runtime with its data, and the services that joined it.
//!
//! Invariant: a restarted runtime finds the same data, the same ports and the same database.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use bridge::{Bridge, Builder};
use bridge_runtime::operator::Client;
use bridge_runtime::operator::model::{
    CreateService, ServiceKeyShown, ServiceSummary, SetSetting, TraceTree, TracesPage,
};
use bridge_runtime::registry::{MapInstance, ServiceMap};
use contract::clock::Clock;
use http::Method;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::database::Database;
use super::{Process, eventually};

/// Longest start of a runtime or a service, on a busy machine.
const START_MAX: Duration = Duration::from_secs(30);
/// Attempts to find ports that nobody takes in between.
const BOOT_ATTEMPTS: u32 = 5;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    folder: TempDir,
    database: Database,
    /// Of services, of health and metrics, of the console.
    ports: (u16, u16, u16),
    runtime: Option<Process>,
    /// Open files the runtime may have, when fewer than this machine allows.
    files: Option<u32>,
}

/// A service process.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) process: Process,
    pub(crate) service: String,
    pub(crate) instance: String,
}

impl World {
    pub(crate) async fn start(database: Database) -> Self {
        Self::with_files(database, None).await
    }

    /// A runtime that may have `files` open.
    pub(crate) async fn with_files(database: Database, files: Option<u32>) -> Self {
        let mut world = Self {
            clock: Clock::system(),
            folder: TempDir::new().expect("a temporary folder"),
            database,
            ports: (0, 0, 0),
            runtime: None,
            files,
        };
        for attempt in 1.. {
            world.ports = (free_port(), free_port(), free_port());
            if world.boot().await {
                break;
            }
            assert!(attempt < BOOT_ATTEMPTS, "the runtime does not start");
        }
        world
    }

    /// Starts the runtime again, where it was.
    pub(crate) async fn restart(&mut self) {
        assert!(self.boot().await, "the runtime does not start again");
    }

    async fn boot(&mut self) -> bool {
        let runtime = Process::spawn("runtime", &mut self.serve(&self.data()));
        let started = runtime
            .line(START_MAX, "start or refusal", |line| {
                let refused = line.starts_with("error: ");
                (refused || line.contains("runtime started")).then_some(!refused)
            })
            .await;
        self.runtime = Some(runtime);
        started
    }

    /// The command that runs a runtime on these ports with its data in `data`.
    pub(crate) fn serve(&self, data: &std::path::Path) -> Command {
        let program = env!("CARGO_BIN_EXE_bridge-under-test");
        let mut command = match self.files {
            Some(files) => {
                let mut shell = Command::new("sh");
                let script = format!("ulimit -n {files}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script, program]);
                shell
            }
            None => Command::new(program),
        };
        command
            .args(["serve", "--log-format", "json", "--data"])
            .arg(data)
            .args(["--listen", &format!("127.0.0.1:{}", self.ports.0)])
            .args(["--health-listen", &format!("127.0.0.1:{}", self.ports.1)])
            .args(["--console-listen", &format!("127.0.0.1:{}", self.ports.2)]);
        if let Some(url) = self.database.url() {
            command.args(["--database", &url]);
        }
        command
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Moves the data away from under the runtime; says where it is.
    pub(crate) fn move_data(&self) -> String {
        let moved = self.folder.path().join("moved");
        std::fs::rename(self.data(), &moved).expect("the folder can be moved");
        moved.display().to_string()
    }

    /// The next start uses this database.
    pub(crate) fn move_to(&mut self, database: Database) {
        self.database = database;
    }

    /// The PostgreSQL database, if that is where the data is.
    pub(crate) fn database_url(&self) -> Option<String> {
        self.database.url()
    }

    /// A folder for what a test makes.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Where health and metrics answer.
    pub(crate) fn health(&self) -> String {
        format!("127.0.0.1:{}", self.ports.1)
    }

    /// Where services join.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.0)
    }

    /// Where the console is, without a slash at the end.
    pub(crate) fn console(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.2)
    }

    pub(crate) fn runtime(&mut self) -> &mut Process {
        self.runtime
            .as_mut()
            .expect("a started world has a runtime")
    }

    /// Asks the runtime to end.
    pub(crate) fn terminate(&self) {
        let runtime = self.runtime.as_ref();
        let runtime = runtime.expect("a started world has a runtime");
        runtime.signal(Signal::TERM);
    }

    fn operator(&self) -> Client {
        Client::new(&self.data())
    }

    /// A new key for `service`, which is created when it does not exist.
    pub(crate) async fn key(&self, service: &str) -> String {
        let services: Vec<ServiceSummary> = self.get("/api/v1/services").await;
        let path = format!("/api/v1/services/{service}/keys");
        let wanted = CreateService {
            name: service.to_owned(),
        };
        let operator = self.operator();
        let made = if services.iter().any(|it| it.name == service) {
            operator.send_json(Method::POST, &path, &()).await
        } else {
            operator
                .send_json(Method::POST, "/api/v1/services", &wanted)
                .await
        };
        let made: ServiceKeyShown = made.expect("the runtime makes a key");
        made.key
    }

    pub(crate) async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        self.operator()
            .get(path)
            .await
            .expect("the runtime answers")
    }

    pub(crate) async fn revoke(&self, service: &str) {
        let path = format!("/api/v1/services/{service}/revoke");
        let done = self.operator().send_json(Method::POST, &path, &()).await;
        let _: Value = done.expect("the service is revoked");
    }

    pub(crate) async fn set(&self, key: &str, value: &str) {
        let output = self.command_line(&["setting", "set", key, value]).await;
        assert!(output.status.success(), "{output:?}");
    }

    pub(crate) async fn reset(&self, key: &str) {
        let path = format!("/api/v1/settings/{key}");
        let none = SetSetting { value: None };
        let done = self.operator().send_json(Method::PUT, &path, &none).await;
        let _: Value = done.expect("the default returns");
    }

    /// Runs the command line against this runtime.
    pub(crate) async fn command_line(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge-under-test"));
        command.env("BRIDGE_DATA", self.data()).args(arguments);
        let run = tokio::task::spawn_blocking(move || command.output());
        run.await.expect("no panic").expect("the command runs")
    }

    pub(crate) async fn map(&self) -> ServiceMap {
        self.get("/api/v1/map").await
    }

    /// Instances of `service` on the map.
    pub(crate) async fn instances(&self, service: &str) -> Vec<MapInstance> {
        let map = self.map().await;
        let found = map.services.into_iter().find(|it| it.name == service);
        found.map(|it| it.instances).unwrap_or_default()
    }

    /// Waits until an instance is off the map; says how long that took.
    pub(crate) async fn gone(&self, limit: Duration, service: &str, instance: &str) -> Duration {
        let (_, took) = eventually(limit, "gone from the map", async || {
            let left = self.instances(service).await;
            left.iter().all(|it| it.id != instance).then_some(())
        })
        .await;
        took
    }

    /// The newest trace whose first operation has `subject`, once it is complete.
    pub(crate) async fn trace(&self, subject: &str, ops: usize) -> TraceTree {
        let limit = Duration::from_secs(15);
        let (tree, _) = eventually(limit, "a complete trace", async || {
            let page: TracesPage = self.get("/api/v1/traces?limit=50").await;
            let found = page.traces.iter().find(|it| it.subject.contains(subject))?;
            let tree: TraceTree = self
                .get(&format!("/api/v1/traces/{}", found.trace_id))
                .await;
            let complete =
                tree.ops.len() >= ops && tree.ops.iter().all(|it| it.duration_ms.is_some());
            complete.then_some(tree)
        })
        .await;
        tree
    }

    /// Starts a service process and waits until it has joined.
    pub(crate) async fn peer(&self, role: &[&str]) -> Peer {
        let service = role.get(1).copied().unwrap_or_default();
        let key = self.key(service).await;
        let process = self.spawn(role, &key);
        let told = process
            .line(START_MAX, "start", |line| said(line, "started"))
            .await;
        let id = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        Peer {
            service: id("service"),
            instance: id("instance"),
            process,
        }
    }

    /// Starts a service process with `key`, and waits for nothing.
    pub(crate) fn spawn(&self, role: &[&str], key: &str) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peer"));
        command
            .args(role)
            .env("BRIDGE_URL", self.address())
            .env("BRIDGE_KEY", key);
        Process::spawn(&role.join(" "), &mut command)
    }

    pub(crate) async fn desk(&self, service: &str) -> Peer {
        self.peer(&["desk", service]).await
    }

    /// A caller in this process, before its start.
    pub(crate) async fn caller(&self, service: &str) -> Builder {
        let key = self.key(service).await;
        Bridge::builder(service)
            .runtime(self.address(), key)
            .caller_only()
    }

    /// The endpoint of an instance.
    pub(crate) async fn endpoint(&self, service: &str, instance: &str) -> String {
        let found = self.instances(service).await;
        let found = found.into_iter().find(|it| it.id == instance);
        found.expect("the instance is on the map").call_endpoint
    }
}

/// A peer's line of this event.
pub(crate) fn said(line: &str, event: &str) -> Option<Value> {
    let line: Value = serde_json::from_str(line).ok()?;
    (line["event"] == event).then_some(line)
}

/// A port outside the range that outgoing connections take theirs from: while the runtime is
/// away, one of those could take its place.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(12_000..32_000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
