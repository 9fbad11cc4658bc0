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

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use contract::clock::Clock;
use contract::grpc::v1::bootstrap_server::BootstrapServer;
use contract::grpc::v1::control_server::ControlServer;
use contract::grpc::v1::invoke_server::InvokeServer;
use contract::grpc::v1::registry_server::RegistryServer;
use contract::grpc::v1::telemetry_server::TelemetryServer;
use contract::ids::IdMint;
use contract::tls::{ClientAuth, Leaf, server_config};
use contract::transport::{Limits, Listener};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tower::ServiceExt as _;

use folder::DataFolder;
pub use folder::FolderError;
use refusals::RefusalLog;

use crate::config::Config;
use crate::db::{Database, Db, DbConfig, DbError};
use crate::identity::{
    self, Authority, AuthorityError, BootstrapApi, ControlApi, Identity, Presence,
};
use crate::operator::{self, Operator, SOCKET_FILE};
use crate::registry::{Registry, RegistryApi};
use crate::rpc::{InvokeApi, Proxy};
use crate::settings::{Settings, SettingsError, keys};
use crate::tasks::Tasks;
use crate::telemetry::{Reports, Telemetry, TelemetryApi};

/// Life of the runtime's own certificate, renewed at half of it.
const OWN_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long running requests may take while the runtime stops.
const DRAIN: Duration = Duration::from_secs(2);
/// Streams one connection may have open.
const STREAMS_MAX: u32 = 1_024;
/// Largest message of an SDK, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

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

/// Everything between the data folder and the ports.
struct Core {
    data: PathBuf,
    db: Db,
    clock: Clock,
    mint: IdMint,
    settings: Settings,
    identity: Identity,
    presence: Presence,
    registry: Registry,
    telemetry: Telemetry,
    reports: Reports,
    tasks: Tasks,
    leaf: Leaf,
}

impl Core {
    async fn open(config: &Config, data: PathBuf) -> Result<Self, StartError> {
        let clock = config.clock.clone();
        let mint = IdMint::system(&clock);
        let authority = match &config.authority {
            Some((cert, key)) => Authority::from_files(cert, key, clock.now())?,
            None => Authority::in_folder(&data, clock.now())?,
        };
        let database = match &config.database {
            Some(url) => Database::Postgres { url: url.clone() },
            None => Database::Sqlite {
                folder: data.clone(),
            },
        };
        let db = Db::open(DbConfig {
            database,
            clock: clock.clone(),
        })
        .await?;
        let settings = Settings::open(&db, &clock, &mint).await?;
        let leaf = Leaf::default();
        let identity = Identity::new(identity::Parts {
            db: db.clone(),
            clock: clock.clone(),
            mint: mint.clone(),
            authority,
            settings: settings.clone(),
            leaf_life: config.leaf_life,
        });
        renew_own(&identity, &leaf, &clock, &names(config))?;
        let presence = Presence::new(&clock);
        let services = identity.services().await?;
        let services = services
            .into_iter()
            .map(|it| (it.id, it.name, it.revoked_at));
        let registry = Registry::open(&db, &clock, &settings, &presence, services).await?;
        let telemetry = Telemetry::new(&db);
        let reports = Reports::new(&telemetry);
        let tasks = Tasks::new(&clock);
        Ok(Self {
            data,
            db,
            clock,
            mint,
            settings,
            identity,
            presence,
            registry,
            telemetry,
            reports,
            tasks,
            leaf,
        })
    }

    async fn bind_grpc(&self, config: &Config) -> Result<Listener, StartError> {
        let port = self.settings.get(keys::GRPC_PORT);
        let address = config
            .listen
            .clone()
            .unwrap_or_else(|| format!("0.0.0.0:{port}"));
        let tls = server_config(self.identity.ca_der(), &self.leaf, ClientAuth::Optional)?;
        let limits = Limits {
            connections_max: files::connections_max(self.settings.get(keys::MAX_CONNECTIONS)),
            handshake_timeout: self.settings.get(keys::HANDSHAKE_TIMEOUT),
            keepalive: self.settings.get(keys::KEEPALIVE_INTERVAL),
            keepalive_timeout: self.settings.get(keys::KEEPALIVE_TIMEOUT),
            streams_max: STREAMS_MAX,
            drain: DRAIN,
        };
        let bound = Listener::bind(&address, tls, limits, self.clock.clone()).await;
        let refusals = RefusalLog::new(&self.clock);
        bound
            .map(|it| it.on_refusal(move |remote, why| refusals.note(remote, why)))
            .map_err(|source| StartError::Bind { address, source })
    }

    async fn bind_health(&self, config: &Config) -> Result<TcpListener, StartError> {
        let port = self.settings.get(keys::OBSEXPORT_PORT);
        let address = config
            .health_listen
            .clone()
            .unwrap_or_else(|| format!("127.0.0.1:{port}"));
        let bound = TcpListener::bind(&address).await;
        bound.map_err(|source| StartError::Bind { address, source })
    }

    /// Every gRPC service. What is not here answers UNIMPLEMENTED, which SDKs take as "not yet".
    fn routes(
        &self,
    ) -> impl tower::Service<
        http::Request<hyper::body::Incoming>,
        Response = http::Response<tonic::body::Body>,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone
    + Send
    + 'static {
        let control = ControlApi {
            identity: self.identity.clone(),
            presence: self.presence.clone(),
            mint: self.mint.clone(),
        };
        let proxy = Proxy::new(
            &self.clock,
            &self.registry,
            self.identity.ca_der(),
            &self.leaf,
        );
        let telemetry = TelemetryApi::new(
            &self.reports,
            &self.settings,
            &self.presence,
            &self.registry,
            &self.clock,
        );
        let limit = MESSAGE_BYTES_MAX;
        Routes::new(BootstrapServer::new(BootstrapApi(self.identity.clone())))
            .add_service(ControlServer::new(control))
            .add_service(
                RegistryServer::new(RegistryApi(self.registry.clone()))
                    .max_decoding_message_size(limit),
            )
            .add_service(InvokeServer::new(InvokeApi(proxy)).max_decoding_message_size(limit))
            .add_service(TelemetryServer::new(telemetry).max_decoding_message_size(limit))
            .prepare()
            .map_request(|request: http::Request<hyper::body::Incoming>| {
                request.map(tonic::body::Body::new)
            })
    }

    fn operator(&self) -> Operator {
        Operator::new(operator::Parts {
            data: self.data.clone(),
            db: self.db.clone(),
            clock: self.clock.clone(),
            started: (self.clock.now(), self.clock.monotonic()),
            settings: self.settings.clone(),
            identity: self.identity.clone(),
            presence: self.presence.clone(),
            registry: self.registry.clone(),
            telemetry: self.telemetry.clone(),
            tasks: self.tasks.clone(),
            leaf: self.leaf.clone(),
        })
    }

    fn supervise(&self, config: &Config) {
        let registry = self.registry.clone();
        self.tasks
            .supervise("registry.reaper", move || registry.clone().reap());
        let registry = self.registry.clone();
        self.tasks.supervise("registry.settings", move || {
            registry.clone().follow_settings()
        });
        let settings = self.settings.clone();
        self.tasks.supervise("settings.poll", move || {
            let settings = settings.clone();
            async move { settings.follow().await }
        });
        let renewal = (
            self.identity.clone(),
            self.leaf.clone(),
            self.clock.clone(),
            names(config),
        );
        self.tasks.supervise("identity.own_certificate", move || {
            let (identity, leaf, clock, names) = renewal.clone();
            async move {
                let mut beats = clock.interval(OWN_LIFE / 2);
                loop {
                    beats.tick().await;
                    if let Err(error) = renew_own(&identity, &leaf, &clock, &names) {
                        let error: &dyn std::error::Error = &error;
                        tracing::error!(error, "cannot renew the runtime's certificate");
                    }
                }
            }
        });
        let reports = self.reports.clone();
        self.tasks
            .supervise("telemetry.store", move || reports.clone().store_for_ever());
        let sweep = (
            self.telemetry.clone(),
            self.clock.clone(),
            self.settings.clone(),
            self.registry.clone(),
        );
        self.tasks.supervise("telemetry.sweep", move || {
            let (telemetry, clock, settings, registry) = sweep.clone();
            telemetry.sweep_for_ever(clock, settings, registry)
        });
    }
}

fn renew_own(
    identity: &Identity,
    leaf: &Leaf,
    clock: &Clock,
    names: &[String],
) -> Result<(), StartError> {
    let own = identity
        .authority()
        .issue_runtime(names, clock.now(), OWN_LIFE)?;
    leaf.replace(own.issued.cert_der, own.key_der)?;
    Ok(())
}

/// What stock gRPC clients may call this machine.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    names.extend(
        rustix::system::uname()
            .nodename()
            .to_str()
            .ok()
            .map(str::to_owned),
    );
    names.extend(config.names.iter().cloned());
    if let Some(host) = config
        .listen
        .as_deref()
        .and_then(|it| it.rsplit_once(':'))
        .map(|it| it.0)
    {
        names.push(host.trim_matches(['[', ']']).to_owned());
    }
    names.retain(|name| !name.is_empty() && name != "0.0.0.0" && name != "::");
    names.sort();
    names.dedup();
    names
}

fn address(bound: std::io::Result<SocketAddr>) -> Result<SocketAddr, StartError> {
    bound.map_err(|source| StartError::Bind {
        address: "a bound port".to_owned(),
        source,
    })
}
