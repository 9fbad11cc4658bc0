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
mod health;
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

use crate::config::Config;
use crate::db::{Db, DbError};
use crate::identity::{self, AuthorityError, Presence};
use crate::operator::{self, Operator, SOCKET_FILE};
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
    health: SocketAddr,
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
        let health = core.bind_health(&config).await?;
        let socket_path = folder.path().join(SOCKET_FILE);
        let socket = folder::bind_socket(&socket_path).map_err(|source| StartError::Bind {
            address: socket_path.display().to_string(),
            source,
        })?;
        let (grpc_addr, health_addr) = (address(grpc.local_addr())?, address(health.local_addr())?);

        core.supervise(&config);
        let operator = core.operator();
        let stop = watch::Sender::new(false);
        let stopped = |mut stopping: watch::Receiver<bool>| async move {
            // An error means the sender is gone, and with it the runtime.
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        let servers = vec![
            tokio::spawn({
                let (routes, stopped) = (core.routes(), stopped(stop.subscribe()));
                async move { grpc.serve(routes, stopped).await }
            }),
            tokio::spawn(operator::serve(
                socket,
                operator.clone(),
                stopped(stop.subscribe()),
            )),
            tokio::spawn(health::serve(
                health,
                core.db.clone(),
                clock.clone(),
                stopped(stop.subscribe()),
            )),
        ];
        tracing::info!(runtime.grpc = %grpc_addr, runtime.health = %health_addr, "runtime started");
        Ok(Self {
            operator,
            grpc: grpc_addr,
            health: health_addr,
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

    /// Where `/healthz` and `/readyz` answer.
    pub fn health_addr(&self) -> SocketAddr {
        self.health
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
