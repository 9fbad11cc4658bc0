//! The command line: `bridge dev|serve` run a runtime, everything else asks a running one.
//!
//! Tables for people, `-o json` for machines; what goes on is one object a line. Exit codes: 0 done,
//! 1 refused or failed, 2 wrong usage, 3 no runtime answers. Errors go to standard error with their
//! causes and what to do.

#![allow(clippy::print_stdout, clippy::print_stderr)] // printing is what a command line is for

mod when;
mod path;
mod args;
mod screen;
mod tables;
mod run;
mod follow;
mod trace;
mod logs;
mod metrics;
mod declared;
mod audit;
mod ask;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Cli, Command, Common, LogFormat, Output, Serve};
use self::declared::DeclaredError;
use crate::config::{ConfigError, Options};
use crate::operator::{Client, ClientError};

/// Exit code for what was asked in a wrong way.
const WRONG_USAGE: u8 = 2;
/// Exit code when no runtime answers.
const NOBODY_ANSWERS: u8 = 3;

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
        Err(error) if screen::is_gone(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", tables::chain(&*error));
            exit_code(&*error)
        }
    }
}

/// Whether a repeat may help: nobody answered, which is another thing than a refusal.
fn exit_code(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    if error.is::<DeclaredError>() {
        return ExitCode::from(WRONG_USAGE);
    }
    match error.downcast_ref() {
        Some(ClientError::NotRunning { .. }) => ExitCode::from(NOBODY_ANSWERS),
        _ => ExitCode::FAILURE,
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
        Command::Explain { code } => {
            screen::say(&tables::explain(code.as_deref())?)?;
            Ok(ExitCode::SUCCESS)
        }
        other => {
            let client = Client::new(&data_folder(&common)?);
            ask::ask(&client, common.output, other).await
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
