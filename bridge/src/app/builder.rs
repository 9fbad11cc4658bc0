//! Everything said about a bridge before it starts, and the start itself.
//!
//! Invariant: whatever can be wrong without asking anybody is found before anything is bound or
//! connected.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bridge_tower::Sampler;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::ids::IdMint;
use contract::key::ServiceKey;

use super::Bridge;
use super::listen::bind;
use crate::error::Error;
use crate::handler::{OperationDef, States};
use crate::http_app::Routed;
use crate::mounted::checked;
use crate::operation::{Handlers, Offered, described};
use crate::options::{
    Advertise, Limits, Options, Retry, Transport, advertise_address, runtime_address,
};
use crate::rpc::{Client, ClientOptions, Contract, Declared, Method, Target};
use crate::session::{Registration, Session, incoming};
use crate::telemetry::Telemetry;

/// Where inbound calls arrive when nothing is said: reachable from this machine only.
const ADVERTISE_DEFAULT: &str = "127.0.0.1:0";

/// Builds a [`Bridge`]. Required: [`runtime`](Self::runtime). Everything is checked by
/// [`start`](Self::start), before anything is connected.
#[derive(Debug)]
pub struct Builder {
    name: String,
    runtime: Option<(String, String)>,
    advertise: Option<Option<String>>,
    http_host: Option<String>,
    http_servers: Vec<(String, Vec<String>)>,
    sampler: Sampler,
    handlers: Handlers,
    states: States,
    limits: Limits,
    declared: Arc<Declared>,
    clock: Clock,
    /// Made when it is first asked for, or at the start.
    telemetry: OnceLock<Telemetry>,
}

impl Builder {
    pub(super) fn new(name: String) -> Self {
        described::building();
        Self {
            name,
            runtime: None,
            advertise: None,
            http_host: None,
            http_servers: Vec::new(),
            sampler: Sampler::default(),
            handlers: Handlers::default(),
            states: States::default(),
            limits: Limits::default(),
            declared: Arc::default(),
            clock: Clock::system(),
            telemetry: OnceLock::new(),
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

    /// The host under which [`Bridge::serve_http`] is on the map. Default: the address that the
    /// listener is bound to.
    #[must_use]
    pub fn http_host(mut self, host: impl Into<String>) -> Self {
        self.http_host = Some(host.into());
        self
    }

    /// Puts the routes of `app`, a router or an observed application that is served by other means at
    /// `endpoint` (`host:port`), on the map from the start on.
    #[must_use]
    pub fn http_server(mut self, endpoint: impl Into<String>, app: &impl Routed) -> Self {
        let routes = app.table().names().collect();
        self.http_servers.push((endpoint.into(), routes));
        self
    }

    /// Which HTTP requests are recorded. Default: what callers decided, else all. Metrics count
    /// every request.
    #[must_use]
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Serves `handlers`, besides those given before: a list made by [`handlers!`](crate::handlers),
    /// or a value that serves a contract. What its handlers call is declared, too.
    #[must_use]
    pub fn serve(mut self, handlers: impl Into<Handlers>) -> Self {
        self.handlers.extend(handlers.into());
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
        self.client_with::<C>(&ClientOptions::new())
    }

    /// Like [`client`](Self::client), for a contract served under another service name.
    pub fn client_of<C: Contract>(&mut self, service: &str) -> Client<C> {
        self.client_with::<C>(&ClientOptions::new().service(service))
    }

    /// Like [`client`](Self::client), with other defaults than the builder's. Handlers that ask for
    /// a client of this contract get the last one that was made.
    pub fn client_with<C: Contract>(&mut self, options: &ClientOptions) -> Client<C> {
        let contract = (C::DEFAULT_TARGET, C::METHODS);
        let client = Client::<C>::from(Target::in_mesh(&self.declared, options, contract));
        self.states.insert(client.clone());
        client
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

    /// Inbound calls that are answered with a stream, at once, at least 1; one more is refused as
    /// overloaded. They take no place of other calls. Default 256.
    #[must_use]
    pub fn max_concurrent_streams(mut self, streams: u32) -> Self {
        self.limits.concurrent_streams_max = streams;
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

    /// How long the work of a call or request with an idempotency key may run, which goes on when
    /// nobody waits for it any more. Then it is dropped, as if its process had died: a repeat does
    /// it again. 1 second to 24 hours. Default 10 minutes.
    #[must_use]
    pub fn idempotent_work_max(mut self, span: Duration) -> Self {
        self.limits.work_max = span;
        self
    }

    /// Stops the bridge when policy forbids something it declared. Default: it only tells.
    #[must_use]
    pub fn fail_on_policy_violation(mut self) -> Self {
        self.limits.fail_on_policy_violation = true;
        self
    }

    /// Metrics, logs and operations of the service's own. What is recorded before the start is
    /// reported after it. See [`Bridge::telemetry`].
    pub fn telemetry(&self) -> Telemetry {
        let clock = &self.clock;
        let make = || Telemetry::new(clock, &IdMint::system(clock));
        self.telemetry.get_or_init(make).clone()
    }

    /// Takes time from `clock`. Telemetry that was given out before does not.
    #[doc(hidden)]
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self.telemetry = OnceLock::new();
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
        for calls in handlers.all_calls() {
            calls.provide(&self.declared, &mut self.states);
        }
        let dependencies = self.declared.dependencies();
        described::service(&self.name, &handlers, &dependencies, &self.http_servers);
        let rows = handlers.rpc.iter().map(incoming).collect();
        let options = self.options(!handlers.rpc.is_empty())?;
        let methods = methods(handlers.rpc, &self.states)?;
        let offered = Offered::new(handlers.http, std::mem::take(&mut self.states));
        let mut registration = Registration::new(rows, &dependencies);
        for (endpoint, routes) in std::mem::take(&mut self.http_servers) {
            registration.serve_http(checked(&endpoint)?, routes);
        }
        let clock = self.clock.clone();
        let telemetry = self.telemetry();
        let session = Session::new(
            clock.clone(),
            options,
            dependencies,
            registration,
            telemetry,
        );
        let bound = bind(&session.options, &session.credentials.leaf, &clock).await?;
        let listener = bound.map(|(listener, endpoint)| {
            session
                .registration
                .send_modify(|it| it.request.call_endpoint = endpoint);
            listener
        });
        bridge_tower::app::outcomes_can_be_durable();
        // Handlers may be called before `start` returns, and may call in turn.
        self.declared.start(session.clone());
        let bridge = Bridge::run(session, (methods, offered), listener);
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
            http_host: self.http_host.clone(),
            sampler: self.sampler,
            limits: self.limits,
        })
    }
}

pub(crate) fn methods(
    operations: Vec<OperationDef>,
    states: &States,
) -> Result<HashMap<&'static str, Method>, Error> {
    let mut methods = HashMap::with_capacity(operations.len());
    for operation in operations {
        let (name, site) = (operation.meta.name, operation.site);
        let idempotent = operation.idempotent.clone();
        let run = operation
            .prepare(states)
            .map_err(|missing| Error::config(format!("handler `{site}`: {missing}")))?;
        if name.is_empty() {
            let text = format!("handler `{site}` has an empty method name; give it one");
            return Err(Error::new(ErrorCode::Validation, text));
        }
        if methods.insert(name, Method { run, idempotent }).is_some() {
            let text =
                format!("`{name}` is served twice, the second time by `{site}`; list it once");
            return Err(Error::new(ErrorCode::Validation, text));
        }
    }
    Ok(methods)
}
