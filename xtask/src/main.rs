//! The repository's own commands: everything a contributor or a machine runs besides cargo itself.
//! Refuses to depend on the crates it checks, so that it still runs when they do not compile.
//! Invariant: a command either succeeds with code 0 or says what to do and returns another code.

// The terminal is this program's only output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod failure;
mod shell;

mod codegen;
mod console;
mod fuzz;
mod pg;
mod tidy;

mod ci;

use clap::{Parser, Subcommand};
use failure::{Context, Failure, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The repository's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Every check of this repository, in order, up to the first that fails.
    Ci,
    /// The rules of the house that reading the files can check.
    Tidy,
    /// Makes contract/src/grpc from proto/.
    Codegen {
        /// Changes nothing, fails when the committed file is stale.
        #[arg(long)]
        check: bool,
    },
    /// Checks and builds the web console, and compares the bundle with the committed one.
    Console {
        /// Puts the new bundle into runtime/assets/console instead.
        #[arg(long)]
        write: bool,
    },
    /// Starts a throw-away PostgreSQL, for one command or until Ctrl-C.
    Pg {
        /// Runs with BRIDGE_TEST_POSTGRES set to the server's url.
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// A proof with full counts, too long for ci.
    Soak {
        /// `fuzz`, a bench (`rpc`, `registry`), or a module of the end-to-end tests (`abuse`, `crash`,
        /// `rotation`, …), `console` for all of the console's, or `e2e` for all of them.
        name: String,
    },
}

/// What `bench` has; every other name is a filter on the end-to-end tests.
const BENCHES: [&str; 7] = [
    "rpc", "registry", "layers", "away", "ingest", "messages", "build",
];

fn main() -> ExitCode {
    let root = root();
    let outcome = match Cli::parse().task {
        Task::Ci => ci::run(&root).map(|()| ExitCode::SUCCESS),
        Task::Tidy => tidy::run(&root).map(|()| ExitCode::SUCCESS),
        Task::Codegen { check } => {
            let mode = if check {
                codegen::Mode::Check
            } else {
                codegen::Mode::Write
            };
            codegen::generate(&root, mode).map(|()| ExitCode::SUCCESS)
        }
        Task::Console { write } => {
            let mode = if write {
                console::Mode::Write
            } else {
                console::Mode::Check
            };
            console::run(&root, mode).map(|()| ExitCode::SUCCESS)
        }
        Task::Pg { command } => with_postgres(&command),
        Task::Soak { name } => soak(&root, &name).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("{failure}");
        ExitCode::FAILURE
    })
}

fn with_postgres(command: &[String]) -> Result<ExitCode> {
    let postgres = pg::Postgres::start()?;
    let Some((program, arguments)) = command.split_first() else {
        println!("{}", postgres.url());
        eprintln!("PostgreSQL is running; Ctrl-C stops it and removes its data");
        loop {
            // Ends with the process: the signal handler stops the server and exits.
            std::thread::park();
        }
    };
    let status = Command::new(program)
        .args(arguments)
        .env("BRIDGE_TEST_POSTGRES", postgres.url())
        .status()
        .context(program)?;
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}

fn soak(root: &Path, name: &str) -> Result<()> {
    if name == "fuzz" {
        return fuzz::soak(root);
    }
    if BENCHES.contains(&name) {
        let arguments = [
            "run",
            "--release",
            "--package",
            "bench",
            "--",
            name,
            "--full",
        ];
        return shell::streamed(&mut shell::cargo(root, &arguments));
    }
    let module = root.join("tests/e2e").join(name).with_extension("rs");
    if name != "e2e" && !module.exists() {
        let text = format!(
            "`{name}` is neither `fuzz` nor a bench ({}) nor a module of tests/e2e",
            BENCHES.join(", ")
        );
        return Err(Failure::new(text));
    }
    if name == "e2e" || name.starts_with("console") {
        console::install_packages(root)?;
        console::browser()?;
    }
    let postgres = pg::Postgres::start()?;
    let mut arguments = vec![
        "test",
        "--release",
        "--package",
        "bridge-tests",
        "--test",
        "e2e",
    ];
    // The console's tests are several modules.
    let filter = match name {
        "console" => name.to_owned(),
        _ => format!("{name}::"),
    };
    if name != "e2e" {
        arguments.extend(["--", &filter, "--nocapture"]);
    }
    let mut tests = shell::cargo(root, &arguments);
    tests
        .env("BRIDGE_SOAK", "1")
        .env("BRIDGE_TEST_POSTGRES", postgres.url())
        .env("BRIDGE_TEST_REQUIRE_POSTGRES", "1");
    shell::streamed(&mut tests)
}

fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}
