//! The command line: `bridge dev|serve` run a runtime, everything else asks a running one.
//!
//! Tables for people, `-o json` for machines. Exit codes: 0 done, 1 refused or failed, 2 wrong
//! usage. Errors go to standard error with their causes and what to do.

#![allow(clippy::print_stdout, clippy::print_stderr)] // printing is what a command line is for

mod ask;
mod run;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{ConfigError, Options};

/// Typed RPC over mutual TLS for axum services, traces and a live map, from one binary.
#[derive(Debug, Parser)]
#[command(name = "bridge", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
struct Common {
    /// Data folder [default: .bridge]
    #[arg(long, global = true, env = "BRIDGE_DATA", value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Configuration file (TOML); flags and environment override it
    #[arg(long, global = true, env = "BRIDGE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Table,
    /// For machines
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything in one process with SQLite in the data folder; prints a first service key
    Dev(Serve),
    /// Run the runtime
    Serve(Serve),
    /// Create, list and revoke services
    #[command(subcommand)]
    Service(Service),
    /// Show who serves and calls what
    Map {
        /// Picture language
        #[arg(long, value_enum, default_value_t = MapFormat::Table)]
        format: MapFormat,
    },
    /// List and show traces
    #[command(subcommand)]
    Trace(Trace),
    /// List and change settings
    #[command(subcommand)]
    Setting(Setting),
    /// Show what operators changed
    Audit {
        /// Most entries to print
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Check data folder, database, disk, clock, certificates and background tasks
    Doctor,
    /// Say what an error code means and what to do, or list all
    Explain {
        /// For example NO_LIVE_INSTANCE
        code: Option<String>,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// PostgreSQL address (postgres://USER:PASSWORD@HOST/DB); SQLite in the data folder without it
    #[arg(
        long,
        env = "BRIDGE_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    database: Option<String>,
    /// Address for services [default: 0.0.0.0 and the port of the settings; `dev`: 127.0.0.1]
    #[arg(long, env = "BRIDGE_LISTEN", value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Address of /healthz and /readyz [default: 127.0.0.1 and the port of the settings]
    #[arg(long, env = "BRIDGE_HEALTH_LISTEN", value_name = "HOST:PORT")]
    health_listen: Option<String>,
    /// Further host name or address that clients use for this runtime (repeatable)
    #[arg(
        long = "name",
        env = "BRIDGE_NAMES",
        value_delimiter = ',',
        value_name = "NAME"
    )]
    names: Vec<String>,
    /// PEM certificate of an authority of your own
    #[arg(long, env = "BRIDGE_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// PEM key of that authority, mode 0600
    #[arg(long, env = "BRIDGE_CA_KEY", value_name = "FILE")]
    ca_key: Option<PathBuf>,
    /// How to log
    #[arg(long, env = "BRIDGE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// One line of text
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
enum Service {
    /// Create a service and print its key, this once
    Create {
        /// Lower-case letters, digits, `-`, `_`
        name: String,
    },
    /// Add a key to a service and print it, this once
    Key {
        /// Name of the service
        name: String,
    },
    /// List services
    List,
    /// Revoke a service: its keys stop working, its sessions end, its peers are told
    Revoke {
        /// Name of the service
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum Trace {
    /// List the newest traces
    List {
        /// Most traces to print (at most 500)
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Only traces with this text in a subject or business key
        #[arg(long)]
        text: Option<String>,
        /// Only traces this service took part in
        #[arg(long)]
        service: Option<String>,
        /// Only traces that failed
        #[arg(long)]
        failed: bool,
    },
    /// Show one trace as a tree
    Show {
        /// UUID or 32 hex digits
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum Setting {
    /// List settings with their values
    List,
    /// Change a setting; without a value its default returns
    Set {
        /// For example registry.disconnect_grace_ms
        key: String,
        /// The new value
        value: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MapFormat {
    /// A table, or what -o says
    Table,
    /// JSON
    Json,
    /// Mermaid flowchart, for Markdown
    Mermaid,
    /// Graphviz
    Dot,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(cli)),
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", tables::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

async fn dispatch(cli: Cli) -> Result<ExitCode, AnyError> {
    let Cli { common, command } = cli;
    match command {
        Command::Dev(serve) => {
            run::run(options(&common, &serve)?, run::Mode::Dev, serve.log_format).await
        }
        Command::Serve(serve) => {
            run::run(
                options(&common, &serve)?,
                run::Mode::Serve,
                serve.log_format,
            )
            .await
        }
        Command::Explain { code } => tables::explain(code.as_deref()),
        other => {
            let data = data_folder(&common)?;
            ask::ask(&data, common.output, other).await
        }
    }
}

/// File, then environment and flags (which clap has merged already).
fn options(common: &Common, serve: &Serve) -> Result<Options, ConfigError> {
    let flags = Options {
        data: common.data.clone(),
        database: serve.database.clone(),
        listen: serve.listen.clone(),
        health_listen: serve.health_listen.clone(),
        names: (!serve.names.is_empty()).then(|| serve.names.clone()),
        ca_cert: serve.ca_cert.clone(),
        ca_key: serve.ca_key.clone(),
    };
    Ok(file(common)?.overridden_by(flags))
}

fn file(common: &Common) -> Result<Options, ConfigError> {
    common
        .config
        .as_deref()
        .map_or_else(|| Ok(Options::default()), Options::from_file)
}

fn data_folder(common: &Common) -> Result<PathBuf, ConfigError> {
    let flags = Options {
        data: common.data.clone(),
        ..Options::default()
    };
    Ok(file(common)?.overridden_by(flags).into_config()?.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }
}
