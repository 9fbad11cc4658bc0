//! The command line: `bridge dev|serve` run a runtime, everything else asks a running one.
//!
//! Tables for people, `-o json` for machines; what goes on is one object a line. Exit codes: 0 done,
//! 1 refused or failed, 2 wrong usage, 3 no runtime answers. Errors go to standard error with their
//! causes and what to do.

#![allow(clippy::print_stdout, clippy::print_stderr)] // printing is what a command line is for

mod when;
mod path;
mod backup_args;
mod account_args;
mod args;
mod screen;
mod tables;
mod notify;
mod run;
mod follow;
mod trace;
mod logs;
mod metrics;
mod declared;
mod audit;
mod backup;
mod health;
mod password;
mod account;
mod ask;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Cli, Command, Common, LogFormat, Output, Serve};
use self::backup_args::{Backup, BackupCommand};
use self::declared::DeclaredError;
use self::health::NobodyAnswers;
use crate::config::{ConfigError, Options};
use crate::operator::{AddressError, Client, ClientError};

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
    if error.is::<DeclaredError>() || error.is::<AddressError>() {
        return ExitCode::from(WRONG_USAGE);
    }
    if error.is::<NobodyAnswers>() {
        return ExitCode::from(NOBODY_ANSWERS);
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
        Command::Backup(Backup {
            command: Some(BackupCommand::Verify { file }),
            ..
        }) => backup::verified(common.output, &file),
        Command::Backup(wanted) => {
            let client = client(&common)?;
            backup::run(&client, common.output, &wanted).await
        }
        Command::Restore(wanted) => {
            let flags = Options {
                data: common.data.clone(),
                database: wanted.database.clone(),
                ..Options::default()
            };
            let config = file(&common)?.overridden_by(flags).into_config()?;
            backup::restore(config, common.output, &wanted).await
        }
        Command::Health { export_listen } => {
            let flags = Options {
                data: common.data.clone(),
                export_listen,
                ..Options::default()
            };
            let config = file(&common)?.overridden_by(flags).into_config()?;
            health::run(config, common.output).await
        }
        other => {
            let client = client(&common)?;
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
        console_listen: serve.console_listen.clone(),
        export_listen: serve.export_listen.clone().or_else(old_listen),
        export_token_file: serve.export_token_file.clone(),
        names: (!serve.names.is_empty()).then(|| serve.names.clone()),
        ca_cert: serve.ca_cert.clone(),
        ca_key: serve.ca_key.clone(),
    };
    Ok(file(common)?.overridden_by(flags))
}

/// What the address of the open doors was called when only health answered there.
fn old_listen() -> Option<String> {
    std::env::var("BRIDGE_HEALTH_LISTEN").ok()
}

fn file(common: &Common) -> Result<Options, ConfigError> {
    common
        .config
        .as_deref()
        .map_or_else(|| Ok(Options::default()), Options::from_file)
}

/// The runtime to ask: the one at --url, or the one whose data folder this is.
fn client(common: &Common) -> Result<Client, AnyError> {
    let Some(url) = &common.url else {
        return Ok(Client::new(&data_folder(common)?));
    };
    let token = match (&common.token, &common.token_file) {
        (Some(token), _) => Some(token.clone()),
        (None, Some(path)) => Some(password::first_line(std::fs::File::open(path)?)?),
        (None, None) => None,
    };
    let client = Client::remote(url, token.as_deref())?;
    if client.is_overheard() {
        eprintln!(
            "warning: the token travels unencrypted; put a proxy with TLS in front and use https://"
        );
    }
    Ok(client)
}

fn data_folder(common: &Common) -> Result<PathBuf, ConfigError> {
    let flags = Options {
        data: common.data.clone(),
        ..Options::default()
    };
    Ok(file(common)?.overridden_by(flags).into_config()?.data)
}
