//! Chromium with one page, told step by step what to do; the steps are in `tests/browser`.
//!
//! Needs node, the console's packages (`npm ci` in `dashboard`, done when they are missing) and
//! Chromium (`BRIDGE_CHROMIUM` names one that is not on the path).
//! Refuses two at a time: they would measure each other. Invariant: after every step the page has
//! no fault: no error in its console, no exception, no request to a foreign host, no text that ran
//! as a program.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::Process;
use super::world::World;

/// Longest start of a browser, on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// Longest step; one that waits for a page gives up earlier and says why.
const STEP_MAX: Duration = Duration::from_secs(900);
const CHROMIUMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser; gone with the value.
#[derive(Debug)]
pub(crate) struct Browser {
    process: Process,
    steps: u64,
    /// Held until the browser is gone: fields go in their order.
    _turn: File,
}

impl Browser {
    /// Starts one whose page is at home at `origin`, `http://host:port`.
    pub(crate) async fn start(origin: &str) -> Self {
        let turn = tokio::task::spawn_blocking(turn).await;
        let turn = turn.expect("the browser's packages are there");
        let mut command = Command::new("node");
        command.arg(root().join("tests/browser/driver.mjs"));
        let mut process = Process::spawn_open("browser", &mut command);
        let setting = json!({
            "origin": origin,
            "screens": root().join("target/screens"),
            "chromium": chromium(),
            "dashboard": root().join("dashboard"),
        });
        process.tell(&setting.to_string());
        let ready = process.line(START_MAX, "browser", |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            let failed = line["event"] == "failed";
            (failed || line["event"] == "ready").then_some(line)
        });
        let ready = ready.await;
        assert_eq!(ready["event"], "ready", "{}", text(&ready["error"]));
        Self {
            process,
            steps: 0,
            _turn: turn,
        }
    }

    /// Does one step; says what it found. A step that fails, and a fault of the page, fail the test.
    pub(crate) async fn step(&mut self, step: &str, with: Value) -> Value {
        let (found, faults) = self.step_with_faults(step, with).await;
        assert_eq!(
            faults,
            json!([]),
            "step {step}: the page did what no page may"
        );
        found
    }

    /// The same for pages that are made to fail; says which faults they had.
    pub(crate) async fn step_with_faults(&mut self, step: &str, with: Value) -> (Value, Value) {
        self.steps += 1;
        let id = self.steps;
        let asked = json!({ "id": id, "step": step, "with": with });
        self.process.tell(&asked.to_string());
        let answer = self.process.line(STEP_MAX, step, |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["event"] == "answer" && line["id"] == id).then_some(line)
        });
        let mut answer = answer.await;
        assert!(
            answer["ok"] == true,
            "step {step}: {}\n  at {}\n  faults {}\n  the page says: {}",
            text(&answer["error"]),
            text(&answer["url"]),
            answer["faults"],
            text(&answer["text"]),
        );
        (answer["found"].take(), answer["faults"].take())
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn chromium() -> PathBuf {
    if let Some(named) = std::env::var_os("BRIDGE_CHROMIUM") {
        return named.into();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&folders)
        .flat_map(|folder| CHROMIUMS.map(|name| folder.join(name)))
        .filter(|it| it.is_file());
    found.next().expect(
        "no Chromium on the path: install it (Debian: apt-get install chromium) or name one with BRIDGE_CHROMIUM",
    )
}

/// Waits for the other browsers of this machine to go, and installs the packages when they are
/// missing.
fn turn() -> File {
    let target = root().join("target/browser");
    std::fs::create_dir_all(&target).expect("target can be written");
    let lock = File::create(target.join("lock")).expect("target can be written");
    lock.lock().expect("the lock can be waited for");
    let dashboard = root().join("dashboard");
    if !dashboard.join("node_modules/playwright-core").exists() {
        let install = Command::new("npm")
            .arg("ci")
            .current_dir(&dashboard)
            .output();
        let install = install.expect("npm runs; install node 20 or later");
        let said = String::from_utf8_lossy(&install.stderr);
        assert!(
            install.status.success(),
            "npm ci in dashboard failed:\n{said}"
        );
    }
    lock
}

/// The one-time token that a runtime without an admin prints.
pub(crate) async fn setup_token(world: &mut World) -> String {
    let printed = |line: &str| {
        let (_, token) = line.split_once("setup#token=")?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let end = token.find(|c| !is_part(c)).unwrap_or(token.len());
        Some(token[..end].to_owned())
    };
    let runtime = world.runtime();
    runtime.line(START_MAX, "setup token", printed).await
}
