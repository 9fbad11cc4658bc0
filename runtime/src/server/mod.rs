//! One running runtime: opens everything in order, serves, and stops in reverse.
//!
//! ```text
//! start: data folder + lock → authority → store → settings → registry → ports → tasks
//! stop:  tasks → Drain to every session → running requests → store → lock
//! ```
//!
//! Invariant: nobody is told that the runtime is up before every port is bound and the store
//! answered; the lock on the data folder is held from before the store opens until it is closed.

pub(crate) mod files;
mod folder;
mod refusals;
mod parts;
mod ports;

use std::net::SocketAddr;
use std::time::Duration;

use contract::clock::Clock;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::parts::Core;
use folder::DataFolder;
pub use folder::FolderError;
pub(crate) use folder::doors;

use crate::accounts::{self, Secret};
use crate::config::Config;
use crate::db::{Db, DbError};
use crate::export::{self, ScrapeToken, TokenError};
use crate::http::Console;
use crate::identity::{self, AuthorityError, Presence};
use crate::operator::{self, Operator, SOCKET_FILE};
use crate::outcomes;
use crate::settings::SettingsError;
use crate::tasks::Tasks;

/// How long running requests may take while the runtime stops.
const DRAIN: Duration = Duration::from_secs(2);

/// Why a runtime could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The authority cannot be used.
    #[error("cannot open the certificate authority")]
    Authority(#[from] AuthorityError),
    /// The store cannot be opened.
    #[error("cannot open the store")]
    Store(#[from] DbError),
    /// The settings cannot be read.
    #[error("cannot read the settings")]
    Settings(#[from] SettingsError),
    /// The services cannot be listed.
    #[error("cannot read the services")]
    Identity(#[from] identity::Error),
    /// The outcomes of idempotent work cannot be counted.
    #[error("cannot read the outcomes")]
    Outcomes(#[from] outcomes::Error),
    /// The accounts cannot be read.
    #[error("cannot read the accounts")]
    Accounts(#[from] accounts::Error),
    /// The token of the open doors cannot be used.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The certificates cannot be used for TLS.
    #[error("cannot use the certificates")]
    Tls(#[from] contract::tls::TlsError),
    /// A port or socket cannot be bound.
    #[error("cannot listen on {address}; is another program using it?")]
    Bind {
        /// Which.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// A running runtime. Stop it with [`stop`](Self::stop); dropping it leaves connections to die
/// with the process.
#[derive(Debug)]
pub struct Runtime {
    operator: Operator,
    grpc: SocketAddr,
    export: SocketAddr,
    console: SocketAddr,
    setup: Option<Secret>,
    tasks: Tasks,
    presence: Presence,
    db: Db,
    clock: Clock,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    folder: DataFolder,
}

impl Runtime {
    /// Starts a runtime; resolves when it serves.
    ///
    /// # Errors
    ///
    /// [`StartError`] names the part that failed and what to do.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let clock = config.clock.clone();
        let folder = DataFolder::open(&config.data)?;
        let core = Core::open(&config, folder.path().to_owned()).await?;
        let grpc = core.bind_grpc(&config).await?;
        let doors = core.bind_export(&config).await?;
        let token = config.export_token_file.as_deref();
        let token = token.map(ScrapeToken::from_file).transpose()?;
        let console = core.bind_console(&config).await?;
        let socket_path = folder.path().join(SOCKET_FILE);
        let socket = folder::bind_socket(&socket_path).map_err(|source| StartError::Bind {
            address: socket_path.display().to_string(),
            source,
        })?;
        let (grpc_addr, export_addr) = (address(grpc.local_addr())?, address(doors.local_addr())?);
        let console_addr = address(console.local_addr())?;
        folder.note_doors(export_addr)?;

        core.supervise(&config);
        let operator = core.operator();
        let stop = watch::Sender::new(false);
        let routes = operator::api(&operator, stop.subscribe());
        let routes = routes.merge(accounts::routes(&core.accounts)).into_router();
        let console = Console::new(console, core.accounts.clone(), routes.clone(), &clock);
        let stopped = |mut stopping: watch::Receiver<bool>| async move {
            // An error means the sender is gone, and with it the runtime.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        let servers = vec![
            tokio::spawn({
                let (routes, stopped) = (core.routes(), stopped(stop.subscribe()));
                async move { grpc.serve(routes, stopped).await }
            }),
            tokio::spawn(operator::serve(socket, routes, stopped(stop.subscribe()))),
            tokio::spawn(console.serve(stopped(stop.subscribe()))),
            tokio::spawn(export::serve(
                doors,
                core.doors(),
                token,
                stopped(stop.subscribe()),
            )),
        ];
        tracing::info!(
            runtime.grpc = %grpc_addr,
            runtime.console = %console_addr,
            runtime.export = %export_addr,
            "runtime started"
        );
        Ok(Self {
            operator,
            grpc: grpc_addr,
            export: export_addr,
            console: console_addr,
            setup: core.setup,
            tasks: core.tasks,
            presence: core.presence,
            db: core.db,
            clock,
            stop,
            servers,
            folder,
        })
    }

    /// Where services connect to.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc
    }

    /// Where health, metrics, OTLP and Loki answer.
    pub fn export_addr(&self) -> SocketAddr {
        self.export
    }

    /// Where the console and the API answer.
    pub fn console_addr(&self) -> SocketAddr {
        self.console
    }

    /// The page that makes the first admin, while there was none at the start. Whoever has it can
    /// become that admin, until somebody has.
    pub fn setup_link(&self) -> Option<String> {
        let secret = self.setup.as_ref()?.expose();
        Some(format!("{}/setup#token={secret}", self.console_url()))
    }

    /// The console's address for a browser on this machine.
    pub fn console_url(&self) -> String {
        let mut address = self.console;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        format!("http://{address}")
    }

    /// The operator's view and levers.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// Tells every session, lets running requests finish for two seconds, closes the store.
    pub async fn stop(self) {
        tracing::info!("runtime stopping");
        // First, so that nobody takes the leaving sessions for dead instances.
        self.tasks.stop().await;
        self.presence.drain();
        self.stop.send_replace(true);
        let servers = async {
            for server in self.servers {
                // A server that panicked has stopped all the same.
                let _ = server.await;
            }
        };
        if self
            .clock
            .timeout(DRAIN + Duration::from_secs(1), servers)
            .await
            .is_err()
        {
            tracing::warn!("some requests were cut off");
        }
        self.db.close().await;
        self.folder.close();
        tracing::info!("runtime stopped");
    }
}

fn address(bound: std::io::Result<SocketAddr>) -> Result<SocketAddr, StartError> {
    bound.map_err(|source| StartError::Bind {
        address: "a bound port".to_owned(),
        source,
    })
}
