//! The bridge as a user holds it: built, started once, stopped once.
//!
//! Invariant: a start that fails leaves nothing behind, and a stop never takes longer than its
//! timeout plus the moment it takes to say goodbye.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::grpc::v1::call_server::CallServer;
use contract::key::ServiceKey;
use contract::tls::{ClientAuth, Leaf, server_config};
use contract::transport::{Limits as ListenerLimits, Listener};
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::handler::{Handlers, States};
use crate::options::{
    Advertise, Limits, Options, Retry, Transport, advertise_address, runtime_address,
};
use crate::rpc::{Client, Contract, Declared, Inbound, Method};
use crate::session::{
    Identity, Lifecycle, Phase, Registration, Session, Status, control, incoming, refresh,
    telemetry, watch as watch_registry,
};

/// Where inbound calls arrive when nothing is said: reachable from this machine only.
const ADVERTISE_DEFAULT: &str = "127.0.0.1:0";
/// Longest wait for the runtime to confirm that peers no longer pick us.
const WITHDRAW_MAX: Duration = Duration::from_secs(1);
/// Longest wait for the last operations to be acknowledged.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Rhythm in which unused connections to other instances are let go.
const SWEEP_EVERY: Duration = Duration::from_secs(5 * 60);

/// Builds a [`Bridge`]. Required: [`runtime`](Self::runtime). Everything is checked by
/// [`start`](Self::start), before anything is connected.
#[derive(Debug)]
pub struct Builder {
    name: String,
    runtime: Option<(String, String)>,
    advertise: Option<Option<String>>,
    handlers: Handlers,
    states: States,
    limits: Limits,
    declared: Arc<Declared>,
    clock: Clock,
}

impl Builder {
    fn new(name: String) -> Self {
        Self {
            name,
            runtime: None,
            advertise: None,
            handlers: Handlers::default(),
            states: States::default(),
            limits: Limits::default(),
            declared: Arc::default(),
            clock: Clock::system(),
        }
    }

    /// The runtime's address (`host:port`) and the service key that
    /// `bridge service create NAME` printed.
    #[must_use]
    pub fn runtime(mut self, address: impl Into<String>, key: impl Into<String>) -> Self {
        self.runtime = Some((address.into(), key.into()));
        self
    }

    /// Where inbound calls arrive: `host:port`. The host is bound and told to peers; for
    /// `0.0.0.0` peers are told the address that faces the runtime. Port 0 lets the system
    /// choose. Default: `127.0.0.1:0`, with a warning, because other machines cannot reach it.
    #[must_use]
    pub fn advertise(mut self, address: impl Into<String>) -> Self {
        self.advertise = Some(Some(address.into()));
        self
    }

    /// Takes no inbound calls.
    #[must_use]
    pub fn caller_only(mut self) -> Self {
        self.advertise = Some(None);
        self
    }

    /// Serves `handlers`, besides those given before: see [`handlers!`](crate::handlers).
    #[must_use]
    pub fn serve(mut self, handlers: Handlers) -> Self {
        self.handlers.0.extend(handlers.0);
        self
    }

    /// Gives handlers the value of `State<T>`. A second value of the same type replaces the first.
    #[must_use]
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Declares that this service calls `C`, and returns the typed client. It can be cloned into
    /// handlers' state now, and used once the bridge has started.
    pub fn client<C: Contract>(&mut self) -> Client<C> {
        self.client_of::<C>(C::DEFAULT_TARGET)
    }

    /// Like [`client`](Self::client), for a contract served under another service name.
    pub fn client_of<C: Contract>(&mut self, service: &str) -> Client<C> {
        self.declared.target(service, C::METHODS).into()
    }

    /// Bounds a call that says nothing itself, all attempts included. Default 30 s.
    #[must_use]
    pub fn call_timeout(mut self, timeout: Duration) -> Self {
        self.limits.call_timeout = timeout;
        self
    }

    /// How calls travel that say nothing themselves. Default [`Transport::Auto`].
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.limits.transport = transport;
        self
    }

    /// How calls that were provably not executed are repeated. Default [`Retry::default`].
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.limits.retry = retry;
        self
    }

    /// A flat pause between attempts to connect, instead of 1, 5, 15, 30, 60 s (±20 %).
    #[must_use]
    pub fn reconnect_interval(mut self, interval: Duration) -> Self {
        self.limits.reconnect.interval = Some(interval);
        self
    }

    /// Consecutive failures to connect that are survived. Default 0: any number.
    #[must_use]
    pub fn reconnect_attempts(mut self, attempts: u32) -> Self {
        self.limits.reconnect.attempts = attempts;
        self
    }

    /// Inbound calls that run at once, at least 1; as many may wait unless
    /// [`max_queued_calls`](Self::max_queued_calls) follows. Default 256.
    #[must_use]
    pub fn max_concurrent_calls(mut self, calls: u32) -> Self {
        self.limits.concurrent_calls_max = calls;
        self.limits.queued_calls_max = calls;
        self
    }

    /// Inbound calls that may wait for a place; one more is refused as overloaded. Default 256.
    #[must_use]
    pub fn max_queued_calls(mut self, calls: u32) -> Self {
        self.limits.queued_calls_max = calls;
        self
    }

    /// Longest [`start`](Self::start). Default 30 s.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.limits.start_timeout = timeout;
        self
    }

    /// How long [`Bridge::stop`] lets running work finish. Default 10 s.
    #[must_use]
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.limits.stop_timeout = timeout;
        self
    }

    /// Stops the bridge when policy forbids something it declared. Default: it only tells.
    #[must_use]
    pub fn fail_on_policy_violation(mut self) -> Self {
        self.limits.fail_on_policy_violation = true;
        self
    }

    /// Takes time from `clock`.
    #[doc(hidden)]
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Connects, registers, and resolves once peers can call and be called.
    ///
    /// # Errors
    ///
    /// `CONFIG` and `VALIDATION` before anything is connected; `CONFIG` when the address cannot
    /// be bound or the key belongs to another runtime or service; `ACCESS_DENIED` when the
    /// runtime refuses the key; `TIMEOUT`, with the latest reason, when the start takes longer
    /// than [`start_timeout`](Self::start_timeout).
    pub async fn start(mut self) -> Result<Bridge, Error> {
        let handlers = std::mem::take(&mut self.handlers);
        let rows = handlers.0.iter().map(incoming).collect();
        let options = self.options(!handlers.0.is_empty())?;
        let methods = methods(handlers, &self.states)?;
        let dependencies = self.declared.dependencies();
        let registration = Registration::new(rows, &dependencies);
        let clock = self.clock.clone();
        let session = Session::new(clock.clone(), options, dependencies, registration);
        let bound = bind(&session.options, &session.credentials.leaf, &clock).await?;
        let listener = bound.map(|(listener, endpoint)| {
            session
                .registration
                .send_modify(|it| it.request.call_endpoint = endpoint);
            listener
        });
        // Handlers may be called before `start` returns, and may call in turn.
        self.declared.start(session.clone());
        let bridge = Bridge::run(session, methods, listener);
        match bridge.connected().await {
            Ok(()) => Ok(bridge),
            Err(error) => {
                bridge.close();
                Err(error)
            }
        }
    }

    fn options(&self, serves: bool) -> Result<Options, Error> {
        self.limits.check()?;
        let (address, key) = self.runtime.as_ref().ok_or_else(|| {
            Error::config(
                "no runtime given; call `.runtime(address, key)` or use `Bridge::from_env`",
            )
        })?;
        let key: ServiceKey = key.parse().map_err(|error: contract::key::KeyError| {
            Error::caused(ErrorCode::Config, error.to_string(), error)
        })?;
        let advertise = match &self.advertise {
            Some(Some(address)) => advertise_address(address)?,
            None if serves => {
                tracing::warn!(
                    "advertising 127.0.0.1: only this machine can call; set `.advertise(…)`"
                );
                advertise_address(ADVERTISE_DEFAULT)?
            }
            Some(None) | None => Advertise::Nowhere,
        };
        let runtime = runtime_address(address)?;
        Ok(Options {
            name: self.name.clone(),
            runtime,
            key,
            advertise,
            limits: self.limits,
        })
    }
}

fn methods(handlers: Handlers, states: &States) -> Result<HashMap<&'static str, Method>, Error> {
    let mut methods = HashMap::with_capacity(handlers.0.len());
    for operation in handlers.0 {
        let (name, site) = (operation.meta.name, operation.site);
        let run = operation
            .prepare(states)
            .map_err(|missing| Error::config(format!("handler `{site}`: {missing}")))?;
        if name.is_empty() {
            let text = format!("handler `{site}` has an empty method name; give it one");
            return Err(Error::new(ErrorCode::Validation, text));
        }
        if methods.insert(name, Method { run }).is_some() {
            let text =
                format!("`{name}` is served twice, the second time by `{site}`; list it once");
            return Err(Error::new(ErrorCode::Validation, text));
        }
    }
    Ok(methods)
}

/// Binds the inbound server; returns it with the endpoint peers are told.
async fn bind(
    options: &Options,
    leaf: &Leaf,
    clock: &Clock,
) -> Result<Option<(Listener, String)>, Error> {
    let Advertise::At(address) = &options.advertise else {
        return Ok(None);
    };
    let refuse = |error: std::io::Error| {
        let text = format!("cannot listen on `{address}`; choose a free port of this machine");
        Error::caused(ErrorCode::Config, text, error)
    };
    let tls =
        server_config(&options.key.ca_cert_der, leaf, ClientAuth::Required).map_err(|error| {
            let text = "the service key holds an unusable authority certificate; create a new key";
            Error::caused(ErrorCode::Config, text, error)
        })?;
    let calls = options
        .limits
        .concurrent_calls_max
        .saturating_add(options.limits.queued_calls_max);
    let limits = ListenerLimits {
        connections_max: 4_096,
        handshake_timeout: Duration::from_secs(10),
        keepalive: Duration::from_secs(30),
        keepalive_timeout: Duration::from_secs(10),
        streams_max: calls,
        drain: Duration::from_secs(1),
    };
    let listener = Listener::bind(address, tls, limits, clock.clone())
        .await
        .map_err(refuse)?;
    let bound = listener.local_addr().map_err(refuse)?;
    let endpoint = endpoint(address, bound, &options.runtime)
        .await
        .map_err(refuse)?;
    Ok(Some((listener, endpoint)))
}

/// What peers are told: the host as given with the real port. Nobody can call "any address", so
/// for that one it is the address that packets to the runtime leave from.
async fn endpoint(given: &str, bound: SocketAddr, runtime: &str) -> std::io::Result<String> {
    let port = bound.port();
    if bound.ip().is_unspecified() {
        let any = SocketAddr::new(bound.ip(), 0);
        let probe = tokio::net::UdpSocket::bind(any).await?;
        probe.connect(runtime).await?;
        return Ok(SocketAddr::new(probe.local_addr()?.ip(), port).to_string());
    }
    let host = given.rsplit_once(':').map_or(given, |(host, _)| host);
    Ok(format!("{host}:{port}"))
}

/// A service's place in the mesh. Cheap to clone; all clones are the same bridge.
///
/// It stops when [`stop`](Self::stop) is called; when the last clone is dropped without that, it
/// is cut off instead: running calls fail and peers notice only by the lost connection.
#[derive(Clone)]
pub struct Bridge(Arc<Running>);

struct Running {
    session: Arc<Session>,
    inbound: Inbound,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    stage: watch::Sender<Stage>,
    /// HTTP servers that have not ended yet.
    http_servers: watch::Sender<usize>,
    stopping: tokio::sync::OnceCell<()>,
}

/// How far stopping has come, for everything that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Serving,
    Draining,
    Closed,
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bridge")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for task in self.tasks.lock().drain(..) {
            task.abort();
        }
    }
}

impl Bridge {
    /// Starts building the bridge of the service `name`. The name is a check, not a claim: the
    /// key says who we are, and a key of another service keeps the bridge from starting.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder::new(name.into())
    }

    /// A builder with the runtime from the environment: `BRIDGE_URL`, `BRIDGE_KEY`, and
    /// `BRIDGE_ADVERTISE` if it is set.
    ///
    /// # Errors
    ///
    /// `CONFIG`, naming the variable that is missing.
    pub fn from_env(name: impl Into<String>) -> Result<Builder, Error> {
        let need = |variable: &str| {
            std::env::var(variable).map_err(|_| {
                Error::config(format!(
                    "the environment variable {variable} is not set; `bridge dev` prints what it needs to be"
                ))
            })
        };
        let builder = Self::builder(name).runtime(need("BRIDGE_URL")?, need("BRIDGE_KEY")?);
        Ok(match std::env::var("BRIDGE_ADVERTISE") {
            Ok(address) => builder.advertise(address),
            Err(_) => builder,
        })
    }

    fn run(
        session: Arc<Session>,
        methods: HashMap<&'static str, Method>,
        listener: Option<Listener>,
    ) -> Self {
        let inbound = Inbound::new(session.clone(), methods);
        let (stage, stages) = watch::channel(Stage::Serving);
        let mut tasks = vec![
            tokio::spawn(control(session.clone())),
            tokio::spawn(refresh(session.clone())),
            tokio::spawn(watch_registry(session.clone())),
            tokio::spawn(telemetry(session.clone())),
            tokio::spawn(sweep(session.clone())),
        ];
        if let Some(listener) = listener {
            let server = CallServer::new(inbound.clone());
            tasks.push(tokio::spawn(
                listener.serve(server, reached(stages, Stage::Closed)),
            ));
        }
        Self(Arc::new(Running {
            session,
            inbound,
            tasks: Mutex::new(tasks),
            stage,
            http_servers: watch::Sender::default(),
            stopping: tokio::sync::OnceCell::new(),
        }))
    }

    async fn connected(&self) -> Result<(), Error> {
        let session = &self.0.session;
        let limit = session.options.limits.start_timeout;
        let mut progress = session.progress();
        let reached =
            progress.wait_for(|it| it.failure.is_some() || (it.welcomes > 0 && it.has_snapshot));
        match session.clock.timeout(limit, reached).await {
            Ok(Ok(progress)) => progress.failure.clone().map_or(Ok(()), Err),
            Ok(Err(_)) | Err(_) => {
                let trouble = session.status().last_error;
                let reason = trouble.map_or_else(
                    || "the runtime has not answered".to_owned(),
                    |error| error.to_string(),
                );
                let text = format!("not connected within {} s: {reason}", limit.as_secs_f64());
                Err(Error::new(ErrorCode::Timeout, text))
            }
        }
    }

    /// Where the bridge stands: what readiness and liveness probes ask.
    pub fn status(&self) -> Status {
        self.0.session.status()
    }

    /// What happens from now on. A listener that falls more than 64 events behind misses the
    /// oldest ones and is told so.
    pub fn events(&self) -> broadcast::Receiver<Lifecycle> {
        self.0.session.events()
    }

    /// Who we are; `None` only after a session never came to be.
    pub fn identity(&self) -> Option<Identity> {
        self.0.session.identity()
    }

    /// Leaves the mesh: peers stop picking this instance, running calls and HTTP requests finish
    /// within the stop timeout, the last operations are sent, connections close.
    ///
    /// Calling it again waits for the first one to be done.
    pub async fn stop(&self) {
        self.0.stopping.get_or_init(|| self.stop_once()).await;
    }

    async fn stop_once(&self) {
        let Running {
            session,
            inbound,
            stage,
            http_servers,
            ..
        } = &*self.0;
        let wait = session.options.limits.stop_timeout;
        let was_over = session.status().phase == Phase::Stopped;
        session.enter(Phase::Stopping);
        self.withdraw().await;
        stage.send_replace(Stage::Draining);
        let mut http = http_servers.subscribe();
        let http = session
            .clock
            .timeout(wait, http.wait_for(|running| *running == 0));
        let (unfinished, http) = tokio::join!(inbound.drain(wait), async { http.await.is_err() });
        if unfinished > 0 || http {
            tracing::warn!(
                calls = unfinished,
                http,
                "work was cut off by the stop timeout"
            );
        }
        if session.telemetry.is_enabled() && !was_over {
            // What cannot be sent by now is lost; the runtime may be away for good.
            let _ = session
                .clock
                .timeout(FLUSH_MAX, session.telemetry.flush())
                .await;
        }
        self.close();
    }

    /// Tells the runtime that we take no more calls, while still answering those under way.
    async fn withdraw(&self) {
        let session = &self.0.session;
        let mut version = 0;
        session.registration.send_if_modified(|registration| {
            let has_endpoint = !registration.request.call_endpoint.is_empty();
            if has_endpoint {
                version = registration.change(|request| request.call_endpoint.clear());
            }
            has_endpoint
        });
        let mut progress = session.progress();
        let confirmed = progress.wait_for(|it| it.registered >= version);
        let _ = session.clock.timeout(WITHDRAW_MAX, confirmed).await;
    }

    fn close(&self) {
        let Running {
            session,
            stage,
            tasks,
            ..
        } = &*self.0;
        session.enter(Phase::Stopped);
        stage.send_replace(Stage::Closed);
        let tasks = std::mem::take(&mut *tasks.lock());
        for task in tasks {
            task.abort();
        }
        session.registry.close();
        session.runtime.close();
    }

    /// Stops the bridge on SIGTERM or Ctrl-C. Returns at once; await
    /// [`serve_http`](Self::serve_http) or [`stopped`](Self::stopped) to notice.
    ///
    /// # Errors
    ///
    /// `CONFIG` when the system refuses to deliver signals.
    pub fn stop_on_signals(&self) -> Result<(), Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let refuse = |error| Error::caused(ErrorCode::Config, "cannot listen for signals", error);
        let mut terminate = signal(SignalKind::terminate()).map_err(refuse)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refuse)?;
        let running = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if let Some(running) = running.upgrade() {
                Self(running).stop().await;
            }
        });
        Ok(())
    }

    /// Resolves when the bridge is over, with the reason if it was not an ordinary stop.
    ///
    /// # Errors
    ///
    /// Why it stopped for good.
    pub async fn stopped(&self) -> Result<(), Error> {
        let mut progress = self.0.session.progress();
        let over = progress.wait_for(|it| it.phase == Phase::Stopped).await;
        over.map_or(Ok(()), |progress| {
            progress.failure.clone().map_or(Ok(()), Err)
        })
    }

    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.0.session
    }

    pub(crate) fn stages(&self) -> watch::Receiver<Stage> {
        self.0.stage.subscribe()
    }

    pub(crate) fn http_servers(&self) -> &watch::Sender<usize> {
        &self.0.http_servers
    }
}

/// Resolves when stopping has come to `stage`, or when the bridge is gone.
pub(crate) async fn reached(mut stages: watch::Receiver<Stage>, stage: Stage) {
    let _ = stages.wait_for(|it| *it >= stage).await;
}

async fn sweep(session: Arc<Session>) {
    let mut beat = session.clock.interval(SWEEP_EVERY);
    loop {
        beat.tick().await;
        session.registry.sweep();
    }
}

#[cfg(test)]
mod tests;
