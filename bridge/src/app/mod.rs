//! The bridge as a user holds it: built, started once, stopped once.
//!
//! Invariant: a start that fails leaves nothing behind, and a stop never takes longer than its
//! timeout plus the moment it takes to say goodbye.

mod listen;

mod builder;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use contract::error_code::ErrorCode;
use contract::grpc::v1::call_server::CallServer;
use contract::task::spawn;
use contract::transport::Listener;
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

pub use self::builder::Builder;
pub(crate) use self::builder::methods;

use crate::error::Error;
use crate::idempotency::{Outcomes, measure_works};
use crate::operation::{Offered, describe};
use crate::rpc::{Inbound, Method};
use crate::session::{
    Identity, Lifecycle, Phase, Session, Status, control, refresh, telemetry,
    watch as watch_registry,
};
use crate::telemetry::{Telemetry, measure};

/// Longest wait for the runtime to confirm that peers no longer pick us.
const WITHDRAW_MAX: Duration = Duration::from_secs(1);
/// Longest wait for inbound connections to end.
const HANG_UP_MAX: Duration = Duration::from_secs(2);
/// Longest wait for the runtime to hear what idempotent work was cut off.
const LET_GO_MAX: Duration = Duration::from_secs(1);
/// Longest wait for the last operations to be acknowledged.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// Rhythm in which unused connections to other instances are let go.
const SWEEP_EVERY: Duration = Duration::from_secs(5 * 60);

/// A service's place in the mesh. Cheap to clone; all clones are the same bridge.
///
/// It stops when [`stop`](Self::stop) is called; when the last clone is dropped without that, it
/// is cut off instead: running calls fail and peers notice only by the lost connection.
#[derive(Clone)]
pub struct Bridge(Arc<Running>);

struct Running {
    session: Arc<Session>,
    inbound: Inbound,
    /// Its axum handlers.
    offered: Offered,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// Takes inbound calls; ends by itself once it was told to.
    listening: Mutex<Option<JoinHandle<()>>>,
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
        let listening = self.listening.lock().take();
        for task in self.tasks.lock().drain(..).chain(listening) {
            task.abort();
        }
        self.inbound.outcomes().runner().close();
    }
}

impl Bridge {
    /// Starts building the bridge of the service `name`. The name is a check, not a claim: the
    /// key says who we are, and a key of another service keeps the bridge from starting.
    pub fn builder(name: impl Into<String>) -> Builder {
        Builder::new(name.into())
    }

    /// A builder with the runtime from the environment: `BRIDGE_URL`, `BRIDGE_KEY`, and
    /// `BRIDGE_ADVERTISE` if it is set. A program that is asked to describe itself (`BRIDGE_DESCRIBE`, as
    /// `cargo bridge … --describe` sets it) needs none of them: it ends at its start.
    ///
    /// # Errors
    ///
    /// `CONFIG`, naming the variable that is missing.
    pub fn from_env(name: impl Into<String>) -> Result<Builder, Error> {
        let name = name.into();
        if describe::is_asked() {
            return Ok(Self::builder(name));
        }
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
        (methods, offered): (HashMap<&'static str, Method>, Offered),
        listener: Option<Listener>,
    ) -> Self {
        let inbound = Inbound::new(session.clone(), methods);
        let (stage, stages) = watch::channel(Stage::Serving);
        let tasks = vec![
            spawn(control(session.clone())),
            spawn(refresh(session.clone())),
            spawn(watch_registry(session.clone())),
            spawn(telemetry(session.clone())),
            spawn(sweep(session.clone())),
            spawn(measure(session.telemetry.clone(), session.clock.clone())),
            spawn(measure_works(
                inbound.outcomes().runner().clone(),
                session.telemetry.clone(),
            )),
        ];
        let listening = listener.map(|listener| {
            let server = CallServer::new(inbound.clone());
            spawn(listener.serve(server, reached(stages, Stage::Closed)))
        });
        let bridge = Self(Arc::new(Running {
            session,
            inbound,
            offered,
            tasks: Mutex::new(tasks),
            listening: Mutex::new(listening),
            stage,
            http_servers: watch::Sender::default(),
            stopping: tokio::sync::OnceCell::new(),
        }));
        let supervisor = spawn(supervise(Arc::downgrade(&bridge.0)));
        bridge.0.tasks.lock().push(supervisor);
        bridge
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

    /// Metrics, logs and operations of the service's own, reported to the runtime beside those of
    /// calls and requests.
    ///
    /// ```no_run
    /// # fn example(bridge: &bridge::Bridge) {
    /// use bridge::telemetry::Level;
    ///
    /// let telemetry = bridge.telemetry();
    /// telemetry.counter("shop.orders").add(1.0, &[("kind", "web")]);
    /// telemetry.log(Level::Warn, "stock is low").field("sku", "coffee").send();
    /// let op = telemetry.op("stock.recount").key("warehouse-7").start();
    /// op.ok();
    /// # }
    /// ```
    pub fn telemetry(&self) -> Telemetry {
        self.0.session.telemetry.clone()
    }

    /// What became of work that is done once: kept by the runtime, durable, one truth for all
    /// instances of the service. While the runtime is away such work is refused as retryable.
    ///
    /// Handlers annotated with `idempotent_by` use it by themselves; this is for layers of one's
    /// own, see [`Outcomes`]. A runtime that goes away while work runs does not undo it: the answer
    /// is given, and kept as soon as the runtime is back, for ten minutes.
    pub fn outcomes(&self) -> Outcomes {
        self.0.inbound.outcomes().clone()
    }

    /// Leaves the mesh: peers stop picking this instance, running calls and HTTP requests finish
    /// within the stop timeout, the last operations are sent, connections close.
    ///
    /// Work with idempotency keys, over RPC and HTTP, finishes and is kept within the same time,
    /// also when nobody waits for it. What is left then is cut off and named in the log; a repeat
    /// does it again.
    ///
    /// Calling it again waits for the first one to be done.
    pub async fn stop(&self) {
        self.0.stopping.get_or_init(|| self.stop_once()).await;
    }

    async fn stop_once(&self) {
        let Running {
            session, inbound, ..
        } = &*self.0;
        let was_over = session.status().phase == Phase::Stopped;
        session.enter(Phase::Stopping);
        if !was_over {
            self.withdraw().await;
        }
        self.finish().await;
        let runner = inbound.outcomes().runner();
        runner.cut_off();
        // What was cut off is let go, so that another instance may do it at once.
        tokio::join!(self.hang_up(), runner.drain(LET_GO_MAX));
        if session.telemetry.is_enabled() && !was_over {
            session.telemetry.close();
            session.collect();
            // What cannot be sent by now is lost; the runtime may be away for good.
            let _ = session
                .clock
                .timeout(FLUSH_MAX, session.telemetry.flush())
                .await;
        }
        self.close();
    }

    /// Lets what is under way end, within the stop timeout, and says what did not.
    async fn finish(&self) {
        let Running {
            session,
            inbound,
            stage,
            http_servers,
            ..
        } = &*self.0;
        let (clock, wait) = (&session.clock, session.options.limits.stop_timeout);
        let until = clock.monotonic() + wait;
        stage.send_replace(Stage::Draining);
        let mut http = http_servers.subscribe();
        let http = clock.timeout(wait, http.wait_for(|running| *running == 0));
        let (calls, http) = tokio::join!(inbound.drain(wait), async { http.await.is_err() });
        // None begins any more, now that those who begin it are done.
        let runner = inbound.outcomes().runner();
        let works = runner.drain(until.since(clock.monotonic())).await;
        if calls > 0 || http || works > 0 {
            tracing::warn!(
                calls,
                http,
                idempotent = works,
                named = runner.under_way().join(", "),
                "work was cut off by the stop timeout"
            );
        }
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

    /// Ends the inbound connections, once what was answered last has left through them.
    async fn hang_up(&self) {
        self.0.stage.send_replace(Stage::Closed);
        let listening = self.0.listening.lock().take();
        if let Some(mut listening) = listening {
            let clock = &self.0.session.clock;
            if clock.timeout(HANG_UP_MAX, &mut listening).await.is_err() {
                listening.abort();
            }
        }
    }

    fn close(&self) {
        let Running {
            session,
            inbound,
            stage,
            tasks,
            listening,
            ..
        } = &*self.0;
        session.enter(Phase::Stopped);
        stage.send_replace(Stage::Closed);
        let tasks = std::mem::take(&mut *tasks.lock());
        for task in tasks.into_iter().chain(listening.lock().take()) {
            task.abort();
        }
        inbound.outcomes().runner().close();
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
        spawn(async move {
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

    pub(crate) fn offered(&self) -> &Offered {
        &self.0.offered
    }

    pub(crate) fn stages(&self) -> watch::Receiver<Stage> {
        self.0.stage.subscribe()
    }

    pub(crate) fn http_servers(&self) -> &watch::Sender<usize> {
        &self.0.http_servers
    }
}

/// A session that ended for good takes the bridge along: nobody can be told of us any more.
async fn supervise(running: Weak<Running>) {
    let Some(mut progress) = running.upgrade().map(|it| it.session.progress()) else {
        return;
    };
    let failed = progress.wait_for(|it| it.failure.is_some()).await.is_ok();
    if failed && let Some(running) = running.upgrade() {
        Bridge(running).stop().await;
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
mod mesh;
#[cfg(test)]
mod mesh_tests;
#[cfg(test)]
mod breaker_tests;
#[cfg(test)]
mod client_tests;
#[cfg(test)]
mod outcomes_tests;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod telemetry_tests;
#[cfg(test)]
mod tests;
