//! A shop of three services, started, shown and checked by one command.
//!
//! Without a subcommand this is the parent: it starts a runtime and the services, places an order
//! and shows what happened. The hidden subcommand `service` makes it one of the services.
//!
//! Invariant: exit code 0 means that everything that was asked for was seen to happen.

#![allow(clippy::print_stderr)] // a command line says on standard error why it failed

mod contracts;
mod services;

mod parent;

use std::error::Error;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use parent::Options;
use services::Service;

/// Three axum services that call each other through bridge.
#[derive(Debug, Parser)]
#[command(name = "shop", version)]
struct Cli {
    /// Verify what was printed and exit: 0 if all of it holds
    #[arg(long)]
    once: bool,
    /// PostgreSQL address (postgres://USER:PASSWORD@HOST/DB); SQLite in the data folder without it
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Data folder of the runtime; a temporary one without it
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Print what the services log
    #[arg(short, long)]
    verbose: bool,
    /// Send so many requests per second for `--seconds`, count what was stored, and exit
    #[arg(long, value_name = "RATE", conflicts_with = "once")]
    #[arg(value_parser = clap::value_parser!(u32).range(16..=100_000))]
    load: Option<u32>,
    /// How long the load lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "load")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Be one of the services; BRIDGE_URL and BRIDGE_KEY say where to join and as whom
    #[command(hide = true)]
    Service { name: Service },
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.role {
        // A service logs to the runtime as well: it begins to when it knows its bridge.
        Some(Role::Service { name }) => name.run().await.map_err(Into::into),
        None => {
            log();
            parent::run(Options {
                once: cli.once,
                database: cli.database,
                data: cli.data,
                verbose: cli.verbose,
                load: cli
                    .load
                    .map(|rate| (rate, Duration::from_secs(cli.seconds))),
            })
            .await
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", chain(&*error));
            ExitCode::FAILURE
        }
    }
}

/// To standard error, warnings and worse; `BRIDGE_LOG` overrides that.
fn log() {
    let filter = EnvFilter::try_from_env("BRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

/// An error with its causes, each said once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
