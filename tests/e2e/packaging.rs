//! What packaging and documentation name exists: commands, flags, variables, ports and paths.
//!
//! Debian's `systemd` is installed when its `systemd-analyze` is missing and this may.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn packaging(file: &str) -> String {
    let path = folder().join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging")
}

fn help(command: &[&str]) -> String {
    let mut bridge = Command::new(env!("CARGO_BIN_EXE_bridge-under-test"));
    let output = bridge.args(command).arg("--help").output().expect("runs");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// Every `BRIDGE_…` in a text.
fn variables(text: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_uppercase() || c == '_';
    let words = text.split(|c| !word(c));
    let ours = words.filter(|it| it.starts_with("BRIDGE_") && it.len() > "BRIDGE_".len());
    ours.map(str::to_owned).collect()
}

/// Lines without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|it| !it.is_empty() && !it.starts_with('#'))
}

#[test]
fn every_variable_that_the_packaging_sets_is_one_the_runtime_reads() {
    let known = help(&["serve"]);
    let mut looked_at = 0;
    for file in ["Dockerfile", "bridge.service", "compose.yaml"] {
        for name in variables(&packaging(file)) {
            looked_at += 1;
            assert!(
                known.contains(&format!("[env: {name}")),
                "{file} sets {name}"
            );
        }
    }
    assert!(looked_at > 5, "{looked_at}");
}

#[test]
fn the_commands_and_flags_that_the_packaging_runs_exist() {
    for command in [
        &["serve"][..],
        &["health"],
        &["backup"],
        &["restore"],
        &["service", "create"],
    ] {
        help(command);
    }
    for flag in ["--to", "--without-telemetry", "--data"] {
        assert!(help(&["backup"]).contains(flag), "{flag}");
    }
    let dockerfile = packaging("Dockerfile");
    for line in [
        "USER 65532:65532",
        "VOLUME /data",
        "ENTRYPOINT [\"/bridge\"]",
        "CMD [\"serve\"]",
        "EXPOSE 14444 14445",
    ] {
        assert!(code(&dockerfile).any(|it| it == line), "{line}");
    }
    let health = "CMD [\"/bridge\", \"health\"]";
    assert!(code(&dockerfile).any(|it| it.starts_with("HEALTHCHECK") && it.ends_with(health)));
    // The ports are those of the settings.
    let settings = include_str!("../../runtime/src/settings/keys.rs");
    for port in ["14_444", "14_445"] {
        let plain = port.replace('_', "");
        assert!(
            settings.contains(port) || settings.contains(&plain),
            "{port}"
        );
        assert!(dockerfile.contains(&plain), "{port}");
    }
    let manifest = include_str!("../../runtime/Cargo.toml");
    assert!(
        manifest.contains("name = \"bridge-runtime\"") && manifest.contains("name = \"bridge\"")
    );
    assert!(dockerfile.contains("--package bridge-runtime --bin bridge"));
}

#[test]
fn the_build_of_the_image_takes_the_toolchain_that_the_workspace_needs() {
    let manifest = include_str!("../../Cargo.toml");
    let (_, rest) = manifest.split_once("rust-version = \"").expect("is named");
    let version = rest.split('"').next().expect("a version");
    let from = format!("FROM rust:{version}-alpine AS build");
    assert!(packaging("Dockerfile").contains(&from), "{from}");
    assert!(packaging("compose.yaml").contains("dockerfile: packaging/Dockerfile"));
}

/// `systemd-analyze`, installed when it is missing.
fn install_systemd() {
    let is_there = || {
        let asked = Command::new("systemd-analyze").arg("--version").output();
        asked.is_ok_and(|it| it.status.success())
    };
    if is_there() {
        return;
    }
    let install = ["-q", "install", "-y", "--no-install-recommends", "systemd"];
    let mut command = Command::new("apt-get");
    command
        .args(install)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let done = command.stdin(Stdio::null()).output();
    assert!(
        is_there(),
        "no systemd-analyze here: install systemd (Debian: apt-get install systemd) or run this as root: {done:?}"
    );
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit_and_little_exposed() {
    let unit = packaging("bridge.service");
    for line in [
        "Type=notify",
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "StateDirectory=bridge",
        "MemoryDenyWriteExecute=yes",
        "ExecStart=/usr/local/bin/bridge serve",
    ] {
        assert!(code(&unit).any(|it| it == line), "{line}");
    }
    install_systemd();
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("bridge.service");
    let binary = env!("CARGO_BIN_EXE_bridge-under-test");
    std::fs::write(&path, unit.replace("/usr/local/bin/bridge", binary)).expect("writes");
    let analyze = |arguments: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        let output = command.args(arguments).arg(&path).output().expect("runs");
        let told = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&told).into_owned(),
        )
    };
    let (fine, told) = analyze(&["verify", "--man=no"]);
    assert!(fine && told.trim().is_empty(), "{told}");
    // Of 10; below 2 is what systemd calls OK.
    let (fine, told) = analyze(&["security", "--offline=true", "--threshold=20", "--no-pager"]);
    assert!(fine, "{told}");
}

/// What `--help` says, by command; asked for once each.
#[derive(Default)]
struct Known(BTreeMap<String, String>);

impl Known {
    fn help(&mut self, command: &[&str]) -> &str {
        let name = command.join(" ");
        self.0.entry(name).or_insert_with(|| help(command))
    }

    /// Whether `word` is a command below `command`.
    fn is_command(&mut self, command: &[&str], word: &str) -> bool {
        let (_, listed) = self
            .help(command)
            .split_once("\nCommands:\n")
            .unwrap_or_default();
        let mut names = listed.lines().take_while(|it| !it.is_empty());
        names.any(|it| it.split_whitespace().next() == Some(word))
    }

    /// Whether it does something without the name of another one behind it.
    fn is_whole(&mut self, command: &[&str]) -> bool {
        let mut lines = self.help(command).lines();
        let usage = lines.find(|it| it.starts_with("Usage: "));
        usage.is_some_and(|it| !it.ends_with(" <COMMAND>"))
    }

    fn has_flag(&mut self, command: &[&str], flag: &str) -> bool {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let mut words = self.help(command).split(|c| !is_part(c));
        words.any(|it| it == flag)
    }

    /// The command that the words behind `bridge` name. Flags may stand before it; `create|list`
    /// names two.
    fn command<'w>(&mut self, words: &[&'w str]) -> Vec<&'w str> {
        let mut command = Vec::new();
        for word in words {
            let mut names = word.split('|');
            if names.clone().all(|it| self.is_command(&command, it)) {
                command.extend(names.next());
            } else if !command.is_empty() {
                break;
            }
        }
        command
    }
}

/// What is behind every `bridge` in a piece of a shell's text, word by word.
fn calls(text: &str) -> Vec<Vec<&str>> {
    let mut calls: Vec<Vec<&str>> = Vec::new();
    let mut is_inside = false;
    for word in text.split_whitespace() {
        match word {
            "bridge" | "/bridge" => {
                calls.push(Vec::new());
                is_inside = true;
            }
            "|" | "&&" | ">" => is_inside = false,
            _ if is_inside => {
                let word = word.trim_matches(['[', ']', ';', ',', '"']);
                calls.last_mut().expect("one has begun").push(word);
            }
            _ => {}
        }
    }
    calls
}

/// Shell in a page: lines of blocks without their comments, and what stands between backticks.
fn shell(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (nth, piece) in page.split("```").enumerate() {
        if nth.is_multiple_of(2) {
            found.extend(piece.split('`').skip(1).step_by(2));
            continue;
        }
        let (language, block) = piece.split_once('\n').unwrap_or_default();
        if matches!(language, "" | "sh") {
            found.extend(block.lines().map(|it| it.split('#').next().unwrap_or(it)));
        }
    }
    found
}

#[test]
fn the_commands_in_the_documentation_exist_with_their_flags() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut known = Known::default();
    for (page, least) in [
        ("README.md", 20),
        ("docs/backup.md", 8),
        ("docs/open-doors.md", 1),
        ("docs/operations.md", 4),
        ("docs/sizing.md", 1),
        ("docs/upgrade.md", 2),
    ] {
        let text = std::fs::read_to_string(root.join(page)).expect("is there");
        let mut looked_at = 0;
        for line in shell(&text) {
            for words in calls(line) {
                let command = known.command(&words);
                let is_whole = known.is_whole(&command);
                // Elsewhere it is the name of a unit, a file, a container.
                let is_ours = line.trim_start().starts_with("bridge ") && words[0] != "--url";
                assert!(is_whole || !is_ours, "{page}: {line}: which command?");
                for flag in words.iter().filter(|it| it.starts_with("--")) {
                    assert!(known.has_flag(&command, flag), "{page}: {line}: {flag}");
                }
                looked_at += usize::from(!command.is_empty());
            }
        }
        assert!(looked_at >= least, "{page}: {looked_at}");
    }
}
