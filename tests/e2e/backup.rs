//! Backups of a running runtime, restored: under load, on full disks, killed in the middle.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use bridge::Transport;
use bridge_runtime::operator::model::{LogsPage, ServiceSummary, TracesPage};
use contract::clock::Clock;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{
    Database, Load, Process, Wire, World, eventually, on_both_databases, setup_token,
};

/// Longest wait for a process to get somewhere, on a busy machine.
const SOON: Duration = Duration::from_secs(60);
/// Calls that leave more telemetry than a pipe holds.
const CALLS: usize = 1_500;
/// Reports of [`Reporting`] at most; one page of the log holds them.
const REPORTS_MAX: u64 = 4_000;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn bridge(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge-under-test"));
    command.args(arguments);
    command
}

/// The same under a limit of file sizes, in KiB, whose signal is ignored: writing beyond fails as on
/// a full disk.
fn bridge_with_little_disk(kib: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_bridge-under-test")]);
    command.args(arguments);
    command
}

async fn run(mut command: Command) -> Output {
    let run = tokio::task::spawn_blocking(move || command.output());
    run.await.expect("no panic").expect("the command runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of ours")
}

/// What `backup` says of the file it made.
async fn take(world: &World, file: &Path) -> Value {
    let output = world
        .command_line(&["backup", "--to", text(file), "-o", "json"])
        .await;
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Restores `file` to where the world's next start looks, to an empty database of the same kind.
async fn restore(world: &mut World, file: &Path) -> Option<Database> {
    let fresh = match world.database_url() {
        Some(_) => Database::postgres().await,
        None => None,
    };
    let data = world.data();
    let mut arguments = vec!["restore", text(file), "--data", text(&data)];
    let url = fresh.as_ref().and_then(Database::url);
    if let Some(url) = &url {
        arguments.extend(["--database", url]);
    }
    let output = run(bridge(&arguments)).await;
    assert!(output.status.success(), "{output:?}");
    if let Some(database) = &fresh {
        world.move_to(database.clone());
    }
    fresh
}

/// A foreign service, which is told when what it reports has been stored.
struct Reporting {
    stop: watch::Sender<bool>,
    stored: JoinHandle<Vec<(i64, String)>>,
}

impl Reporting {
    fn start(world: &World) -> Self {
        let (stop, stopped) = watch::channel(false);
        let stored = report(world.clock.clone(), world.health(), stopped);
        let stored = tokio::spawn(stored);
        Self { stop, stored }
    }

    /// The name of every line and operation, and when the runtime had said that both are stored.
    async fn finish(self) -> Vec<(i64, String)> {
        self.stop.send_replace(true);
        self.stored.await.expect("every report is stored")
    }
}

async fn report(clock: Clock, door: String, stopped: watch::Receiver<bool>) -> Vec<(i64, String)> {
    let client = reqwest::Client::new();
    let from =
        json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "outside" } }] });
    let mut stored = Vec::new();
    for number in 1..REPORTS_MAX {
        let name = format!("stored-{number}");
        let now = format!("{}000000", clock.now().as_millis());
        let line = json!({ "timeUnixNano": now, "body": { "stringValue": name } });
        let span = json!({ "traceId": format!("{number:032x}"), "spanId": "b7ad6b7169203331",
            "name": name, "startTimeUnixNano": now, "endTimeUnixNano": now });
        for (path, body) in [
            (
                "logs",
                json!({ "resourceLogs": [{ "resource": from, "scopeLogs": [{ "logRecords": [line] }] }] }),
            ),
            (
                "traces",
                json!({ "resourceSpans": [{ "resource": from, "scopeSpans": [{ "spans": [span] }] }] }),
            ),
        ] {
            let url = format!("http://{door}/v1/{path}");
            let sent = client.post(url).header("content-type", "application/json");
            let answer = sent
                .body(body.to_string())
                .send()
                .await
                .expect("the door answers");
            let (status, text) = (answer.status(), answer.text().await);
            assert_eq!((status.as_u16(), text.expect("text").as_str()), (200, "{}"));
        }
        stored.push((clock.now().as_millis(), name));
        if *stopped.borrow() {
            break;
        }
        clock.sleep(Duration::from_millis(10)).await;
    }
    stored
}

/// All lines and all operations of [`Reporting`] that the runtime has, by name.
async fn reported(world: &World) -> (Vec<String>, Vec<String>) {
    let page: LogsPage = world.get("/api/v1/logs?service=outside&limit=5000").await;
    assert!(page.next.is_none(), "one page holds them");
    let lines = page.logs.into_iter().map(|it| it.message).collect();
    let (mut ops, mut next) = (Vec::new(), String::new());
    for _ in 0..=REPORTS_MAX / 500 {
        let path = format!("/api/v1/traces?service=outside&limit=500{next}");
        let page: TracesPage = world.get(&path).await;
        ops.extend(page.traces.into_iter().map(|it| it.subject));
        let Some(cursor) = page.next else { break };
        next = format!("&cursor={cursor}");
    }
    (lines, ops)
}

/// Calls that leave traces.
async fn leave_traces(world: &World, calls: usize) {
    let _desk = world.desk("desk").await;
    let mut builder = world.caller("orders").await;
    let client = builder.client::<Desk>();
    let bridge = builder.start().await.expect("starts");
    for _ in 0..calls {
        client.echo(EchoRequest::default()).await.expect("answers");
    }
    bridge.stop().await;
    eventually(SOON, "enough telemetry", async || {
        let output = world.command_line(&["backup", "--to", "-"]).await;
        (output.stdout.len() > calls * 200).then_some(())
    })
    .await;
}

on_both_databases! {
    async fn a_restored_runtime_has_what_was_acknowledged_and_its_services_return(world: World) {
        let desk = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Desk>();
        let orders = builder.start().await.expect("starts");
        let load = Load::start(&world.clock, &client, 100, Transport::Direct);
        let reporting = Reporting::start(&world);
        world.set("registry.disconnect_grace_ms", "1500").await;
        let file = world.scratch().join("under load.backup");
        // Services whose creation was acknowledged at a known time, before and while it is taken.
        let (mut acknowledged, mut taken) = (Vec::new(), None);
        for number in 0..40 {
            let name = format!("made-{number}");
            world.key(&name).await;
            acknowledged.push((world.clock.now().as_millis(), name));
            if number == 20 {
                let (world, file) = (&world, &file);
                taken = Some(take(world, file).await);
            }
        }
        let taken = taken.expect("taken");
        let moment = taken["taken_at_unix_ms"].as_i64().expect("a moment");
        assert_eq!(taken["authority"], "included");
        load.finish().await;
        let stored = reporting.finish().await;
        world.runtime().kill();
        world.move_data();

        let fresh = restore(&mut world, &file).await;
        world.restart().await;
        let services: Vec<ServiceSummary> = world.get("/api/v1/services").await;
        let missing: Vec<_> = acknowledged
            .iter()
            .filter(|it| it.0 < moment && services.iter().all(|found| found.name != it.1))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert!(acknowledged.iter().filter(|it| it.0 < moment).count() > 10);
        let (lines, ops) = reported(&world).await;
        let stored: Vec<_> = stored.iter().filter(|it| it.0 < moment).map(|it| &it.1).collect();
        println!("{} reports before the backup's moment; {} lines and {} traces restored", stored.len(), lines.len(), ops.len());
        assert!(stored.len() > 10, "{stored:?}");
        for (what, restored) in [("lines", lines), ("operations", ops)] {
            let missing: Vec<_> = stored.iter().filter(|it| !restored.contains(it)).collect();
            assert!(missing.is_empty(), "{what}: {missing:?}");
        }
        let settings: Value = world.get("/api/v1/settings").await;
        assert!(settings.to_string().contains("1500"));
        let traces: Value = world.get("/api/v1/traces?limit=5").await;
        assert!(traces["traces"].as_array().is_some_and(|it| !it.is_empty()), "{traces}");
        // With the keys and certificates they had: nobody told them anything.
        eventually(SOON, "the services of before", async || {
            let found = world.instances("desk").await;
            let back = found.iter().any(|it| it.id == desk.instance && it.status == "connected");
            back.then_some(())
        })
        .await;
        client.echo(EchoRequest::default()).await.expect("answers");
        orders.stop().await;
        world.runtime().kill();
        if let Some(database) = fresh {
            database.remove().await;
        }
    }

    async fn a_folder_gets_a_file_with_the_time_and_nothing_is_overwritten(world: World) {
        let folder = world.scratch().join("backups");
        std::fs::create_dir(&folder).expect("makes");
        let output = world.command_line(&["backup", "--to", text(&folder)]).await;
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stdout).expect("text");
        assert!(told.contains("is whole") && told.contains("like a password"), "{told}");
        let made: Vec<PathBuf> = folder.read_dir().expect("reads").map(|it| it.expect("an entry").path()).collect();
        let [file] = &made[..] else { panic!("{made:?}") };
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(file).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let output = world.command_line(&["backup", "--to", text(file)]).await;
        assert!(said(&output).contains("is there already"), "{output:?}");
        let output = run(bridge(&["backup", "verify", text(file), "-o", "json"])).await;
        let shown: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(shown["bridge"], env!("CARGO_PKG_VERSION"));
        let changes = world.command_line(&["changes", "-o", "json"]).await;
        let changes = String::from_utf8(changes.stdout).expect("text");
        assert_eq!(changes.matches("backup.take").count(), 1, "{changes}");
    }
}

#[test]
fn a_backup_does_not_travel_over_the_consoles_port_to_an_admin_either() {
    crate::harness::on_sqlite_only(async |mut world: World| {
        let wire = Wire::to(&world);
        let setup = setup_token(&mut world).await;
        let admin = wire.set_up(&setup).await.browser();
        let wanted = json!({ "name": "nightly", "role": "admin" });
        let made = wire
            .json("POST /api/v1/tokens", &admin.both(), &wanted)
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        let made: Value = serde_json::from_str(&made.body).expect("JSON");
        let token = made["token"].as_str().expect("a text");
        let bearer = format!("authorization: Bearer {token}\r\n");
        for headers in [bearer, admin.both()] {
            let everything = json!({ "telemetry": true });
            let came = wire
                .json("POST /api/v1/backup", &headers, &everything)
                .await;
            assert_eq!(came.status, 403, "{came:?}");
            assert!(
                came.body.contains("does not travel over a port"),
                "{came:?}"
            );
        }
        let file = world.scratch().join("from afar");
        let (url, to) = (world.console(), text(&file));
        let afar = ["--url", &url, "--token", token, "backup", "--to", to];
        let output = world.command_line(&afar).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!file.exists());
        take(&world, &file).await;
    });
}

#[test]
fn a_backup_that_is_killed_or_finds_no_space_leaves_nothing_that_verifies() {
    crate::harness::on_sqlite_only(async |mut world: World| {
        leave_traces(&world, CALLS).await;
        let data = world.data();
        let file = world.scratch().join("full");
        let part = world.scratch().join("full.part");

        let little = ["backup", "--to", text(&file), "--data", text(&data)];
        let output = run(bridge_with_little_disk(64, &little)).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(said(&output).contains("cannot write"), "{output:?}");
        assert!(!file.exists() && !part.exists());
        let output = world.command_line(&["backup", "--to", "/dev/full"]).await;
        assert!(said(&output).contains("No space left"), "{output:?}");

        // A pipe that nobody empties holds the backup up in its middle.
        for victim in ["backup", "runtime"] {
            let pipe = world.scratch().join(victim);
            let made = Command::new("mkfifo").arg(&pipe).status().expect("runs");
            assert!(made.success());
            let mut reader = open_both_ways(&pipe);
            let arguments = ["backup", "--to", text(&pipe), "--data", text(&data)];
            let mut taking = Process::spawn("backup", &mut bridge(&arguments));
            let mut first = vec![0; 32 * 1024];
            reader.read_exact(&mut first).expect("reads");
            match victim {
                "backup" => taking.kill(),
                _ => {
                    world.runtime().kill();
                    let drain = std::thread::spawn(move || drain(reader));
                    let (status, _) = taking.ended(SOON).await;
                    assert_eq!(status.code(), Some(1));
                    drop(drain);
                }
            }
            std::fs::write(&file, &first).expect("writes");
            let output = run(bridge(&["backup", "verify", text(&file)])).await;
            assert_eq!(output.status.code(), Some(1));
            assert!(said(&output).contains("incomplete"), "{output:?}");
            std::fs::remove_file(&file).expect("removes");
        }
        world.restart().await;
        take(&world, &file).await;
    });
}

/// Read and write, so that neither opening nor reading waits for the other end.
fn open_both_ways(pipe: &Path) -> std::fs::File {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).open(pipe).expect("opens")
}

/// Empties the pipe for as long as anything comes; ends with the test's process at the latest.
fn drain(mut pipe: std::fs::File) {
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..10_000 {
        if !matches!(pipe.read(&mut buffer), Ok(read) if read > 0) {
            return;
        }
    }
}

#[test]
fn a_restore_that_is_killed_or_finds_no_space_leaves_nothing_that_starts() {
    crate::harness::on_sqlite_only(async |world: World| {
        leave_traces(&world, CALLS).await;
        let file = world.scratch().join("whole");
        take(&world, &file).await;

        let full = world.scratch().join("full");
        let arguments = ["restore", text(&file), "--data", text(&full)];
        let output = run(bridge_with_little_disk(64, &arguments)).await;
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(
            full.read_dir().expect("is there").next().is_none(),
            "nothing is left"
        );

        for attempt in 0.. {
            assert!(attempt < 20, "every restore was faster than its killer");
            let data = world.scratch().join(format!("killed-{attempt}"));
            let mark = data.join(bridge_runtime::backup::MARK_FILE);
            let arguments = ["restore", text(&file), "--data", text(&data)];
            let mut restoring = Process::spawn("restore", &mut bridge(&arguments));
            eventually(SOON, "the mark", async || {
                (mark.exists() || data.join("ca.pem").exists()).then_some(())
            })
            .await;
            restoring.signal(Signal::KILL);
            restoring.ended(SOON).await;
            if !mark.exists() {
                continue;
            }
            let output = run(world.serve(&data)).await;
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            assert!(said(&output).contains("did not finish"), "{output:?}");
            let output = run(bridge(&arguments)).await;
            assert!(said(&output).contains("did not finish"), "{output:?}");
            break;
        }
        let output = run(bridge(&[
            "restore",
            text(&file),
            "--data",
            text(&world.data()),
        ]))
        .await;
        assert!(said(&output).contains("not empty"), "{output:?}");
    });
}

#[test]
fn health_says_by_its_exit_code_whether_a_runtime_is_ready() {
    crate::harness::on_sqlite_only(async |mut world: World| {
        let health = world.health();
        let ask = || bridge(&["health", "--export-listen", &health]);
        let output = run(ask()).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        // This runtime is on no standard port: its data folder says where it is.
        let output = world.command_line(&["health"]).await;
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        world.runtime().kill();
        let output = run(ask()).await;
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let output = world.command_line(&["health"]).await;
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(said(&output).contains(&health), "{output:?}");
        assert!(said(&output).contains("no runtime answers"), "{output:?}");
    });
}
