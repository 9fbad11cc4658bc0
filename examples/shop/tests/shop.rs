//! The command as a user runs it: what it prints, how it exits, and that nothing outlives it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Longest that a service may live on, as the services promise, and a little more.
const ORPHANS_MAX: Duration = Duration::from_secs(12);
const LOOK_EVERY: Duration = Duration::from_millis(50);

fn shop() -> Command {
    let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
    shop.stdin(Stdio::null());
    shop
}

fn once(data: &Path) -> Output {
    let mut shop = shop();
    shop.args(["--once", "--data"]).arg(data);
    shop.output().expect("the shop starts")
}

/// A shop that has opened, with its data folder and the ids of the service processes.
fn open(data: &Path) -> (Child, Vec<String>) {
    let mut shop = shop()
        .arg("--data")
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the shop starts");
    let stdout = shop.stdout.take().expect("its output is a pipe");
    let mut pids = Vec::new();
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next() {
        let line = line.expect("it prints text");
        if let Some((_, rest)) = line.split_once(" started as process ") {
            pids.extend(rest.split_whitespace().next().map(str::to_owned));
        }
        if line.starts_with("Ctrl-C") {
            // Read to the end, or the shop would write into a full pipe.
            std::thread::spawn(move || lines.for_each(drop));
            return (shop, pids);
        }
    }
    panic!("the shop closed: {}", text(shop.wait_with_output()));
}

fn text(output: std::io::Result<Output>) -> String {
    let stderr = output.expect("it can be waited for").stderr;
    String::from_utf8_lossy(&stderr).into_owned()
}

/// Whether the process runs; one that ended and that nobody has asked about does not.
fn runs(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
    let state = String::from_utf8_lossy(&state.expect("ps runs").stdout).into_owned();
    !matches!(state.trim().chars().next(), None | Some('Z'))
}

fn signal(name: &str, pid: &str) {
    let sent = Command::new("kill").args(["-s", name, pid]).status();
    assert!(sent.expect("kill runs").success(), "signal to {pid}");
}

fn gone_in_time(pids: &[String]) -> bool {
    let looks = ORPHANS_MAX.as_millis() / LOOK_EVERY.as_millis();
    (0..looks).any(|_| {
        sleep(LOOK_EVERY);
        !pids.iter().any(|pid| runs(pid))
    })
}

#[test]
fn once_verifies_what_it_shows_and_does_so_again_in_the_same_folder() {
    let data = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let output = once(data.path());
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "{}\n{shown}",
            text(Ok(output.clone()))
        );
        for part in ["└─ rpc.call:inventory/Quote", "OUT_OF_STOCK", "✓ verified"] {
            assert!(shown.contains(part), "no {part} in\n{shown}");
        }
    }
}

#[test]
fn sigterm_closes_the_shop_with_its_services() {
    let data = tempfile::tempdir().unwrap();
    let (mut shop, pids) = open(data.path());
    assert_eq!(pids.len(), 3);
    signal("TERM", &shop.id().to_string());
    assert!(shop.wait().unwrap().success());
    assert!(!pids.iter().any(|pid| runs(pid)));
}

#[test]
fn a_killed_shop_leaves_no_services_and_opens_again() {
    let data = tempfile::tempdir().unwrap();
    let (mut shop, pids) = open(data.path());
    shop.kill().unwrap();
    shop.wait().unwrap();
    assert!(gone_in_time(&pids));
    let (mut shop, _) = open(data.path());
    signal("INT", &shop.id().to_string());
    assert!(shop.wait().unwrap().success());
}

#[test]
fn a_service_that_dies_ends_the_shop_with_its_name() {
    let data = tempfile::tempdir().unwrap();
    let (mut shop, pids) = open(data.path());
    // Inventory, payments, orders.
    signal("KILL", &pids[1]);
    let status = shop.wait().unwrap();
    assert!(!status.success());
    let reason = text(shop.wait_with_output());
    assert!(reason.contains("payments ended with"), "{reason}");
    assert!(!pids.iter().any(|pid| runs(pid)));
}

#[test]
fn a_service_without_a_runtime_says_what_is_missing() {
    let output = shop()
        .args(["service", "orders"])
        .env_remove("BRIDGE_URL")
        .output();
    let output = output.unwrap();
    assert!(!output.status.success());
    assert!(text(Ok(output)).contains("BRIDGE_URL is not set"));
}
