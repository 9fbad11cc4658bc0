//! `bridge dev` and `bridge serve`: a runtime until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::notify::ServiceManager;
use super::{AnyError, LogFormat};
use crate::config::{Config, Options};
use crate::server::{Runtime, files};

/// Name of the service that `dev` creates when there is none.
const FIRST_SERVICE: &str = "app";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// On loopback, with a first service and a word of guidance.
    Dev,
    /// As configured, silent but for the log.
    Serve,
}

pub(super) async fn run(
    options: Options,
    mode: Mode,
    log: LogFormat,
) -> Result<ExitCode, AnyError> {
    log_to_stderr(log);
    files::raise_limit();
    let mut config = options.into_config()?;
    if mode == Mode::Dev && config.listen.is_none() {
        config.listen = Some("127.0.0.1:14445".to_owned());
    }
    // Before anything starts, so that a signal during the start is not lost.
    let (mut term, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let started = tokio::select! {
        started = Runtime::start(config.clone()) => started?,
        _ = term.recv() => return Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
    };
    match mode {
        Mode::Dev => greet(&config, &started).await?,
        Mode::Serve => {
            if let Some(link) = started.setup_link() {
                tracing::info!(setup.link = link, "open this page to make the first admin");
            }
        }
    }
    let service_manager = ServiceManager::from_environment();
    service_manager.ready();
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
        () = service_manager.stay_alive(&config.clock) => {}
    }
    service_manager.stopping();
    started.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn greet(config: &Config, runtime: &Runtime) -> Result<(), AnyError> {
    let database = if config.database.is_some() {
        "PostgreSQL"
    } else {
        "SQLite in the data folder"
    };
    println!("bridge {} is running", env!("CARGO_PKG_VERSION"));
    println!("  console              {}", runtime.console_url());
    println!("  services connect to  {}", runtime.grpc_addr());
    println!(
        "  health               http://{}/readyz",
        runtime.export_addr()
    );
    println!("  data folder          {}", config.data.display());
    println!("  database             {database}");
    println!();
    if runtime.operator().services().await?.is_empty() {
        let created = runtime.operator().create_service(FIRST_SERVICE).await?;
        println!("First service `{FIRST_SERVICE}`. Its key is shown this once:");
        println!();
        println!("  export BRIDGE_URL={}", runtime.grpc_addr());
        println!("  export BRIDGE_KEY={}", created.key);
    } else {
        println!("Services exist already; `bridge service create NAME` prints a key for another.");
    }
    println!();
    if let Some(link) = runtime.setup_link() {
        println!("Nobody has an account for the console yet. This page makes the first admin:");
        println!();
        println!("  {link}");
        println!();
    }
    println!("Ctrl-C stops it.");
    Ok(())
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_env("BRIDGE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr);
    // A second subscriber in one process is refused; the first one stands.
    let _ = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
