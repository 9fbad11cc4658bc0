//! What the packaging names exists: commands, flags, variables, ports and paths.
//!
//! Programs that check more (`systemd-analyze`) are used when the machine has them, and said when not.

use std::path::{Path, PathBuf};
use std::process::Command;

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
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        println!(
            "systemd-analyze is not installed: the unit's text was checked, not what systemd makes of it"
        );
        return;
    }
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

#[test]
fn the_commands_in_the_documentation_exist_with_their_flags() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut looked_at = 0;
    for file in ["backup.md", "operations.md", "sizing.md", "upgrade.md"] {
        let text = std::fs::read_to_string(docs.join(file)).expect("is there");
        // Every second piece stands between the fences of a block.
        for line in text.split("```").skip(1).step_by(2).flat_map(str::lines) {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some(at) = words
                .iter()
                .position(|it| matches!(*it, "bridge" | "/bridge"))
            else {
                continue;
            };
            let words = &words[at + 1..];
            let ends = |it: &&str| matches!(*it, "|" | "&&" | ">");
            let words = &words[..words.iter().position(ends).unwrap_or(words.len())];
            let is_command = |it: &&&str| {
                [
                    "backup", "verify", "restore", "serve", "health", "doctor", "setting", "set",
                    "service", "create",
                ]
                .contains(*it)
            };
            let command: Vec<&str> = words.iter().filter(is_command).copied().collect();
            if command.is_empty() {
                continue;
            }
            let known = help(&command);
            for flag in words.iter().filter(|it| it.starts_with("--")) {
                assert!(known.contains(flag), "{file}: {line}: {flag}");
            }
            looked_at += 1;
        }
    }
    assert!(looked_at > 8, "{looked_at}");
}
