//! Being part of the mesh: who we are, the connection to the runtime, and what keeps it alive.
//!
//! ```text
//!             ┌────────────── control: provision ► open ► welcome ► (lost) ► ladder ┐
//! Session ◄───┤ refresh: a new leaf before the old one expires                     │
//!             ├ watch:   registration out, registry frames in; reopened per welcome │
//!             └ telemetry: operations out                                           ┘
//! ```
//!
//! Refuses to give up on anything temporary: only the terminal statuses of the contract, or the
//! user's own bound, end a session for good.
//!
//! Invariant: losing the runtime closes nothing that works without it; direct calls, in and out,
//! go on with the last registry.

mod certificate;
mod control;
mod ladder;
mod lifecycle;
mod registration;
mod watch;

use std::sync::{Arc, OnceLock};

use bridge_tower::Recorder;
use contract::clock::Clock;
use contract::error_code::ErrorCode;
use contract::grpc::v1::PolicyViolation;
use contract::ids::{IdMint, ServiceId};
use contract::tls::Peer;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, watch as channel};
use tonic::Code;

pub use self::lifecycle::{Identity, Lifecycle, Phase, Status};

pub(crate) use self::certificate::refresh;
pub(crate) use self::control::control;
pub(crate) use self::registration::{Registration, incoming};
pub(crate) use self::watch::watch;

use self::certificate::LeafTimes;
use self::ladder::Ladder;
use crate::error::Error;
use crate::link::{CONNECT_TIMEOUT_MAX, Credentials, Link};
use crate::options::Options;
use crate::registry::{Dependency, Registry};
#[cfg(feature = "tracing-subscriber")]
use crate::telemetry::quietly;
use crate::telemetry::{Load, ReportEnd, Telemetry, report};

/// Lifecycle events a slow listener may be behind before it misses some.
const EVENTS_BUFFERED: usize = 64;

/// Requests that one thread keeps until they are fetched. They are when half of that is used, and
/// the ring they go to holds about a thousand operations.
const HTTP_RECORDS: usize = 1_024;

/// Language told to the runtime; diagnostics only.
const SDK_LANGUAGE: &str = "rust";
const PROTOCOL_VERSION: u32 = 1;

/// Everything the parts of one bridge share.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) clock: Clock,
    pub(crate) mint: IdMint,
    pub(crate) options: Options,
    pub(crate) credentials: Arc<Credentials>,
    /// The connection to the runtime; all its services share it.
    pub(crate) runtime: Link,
    pub(crate) registry: Registry,
    pub(crate) telemetry: Telemetry,
    /// Made when the first HTTP server or layer needs it: it runs a thread.
    recorder: OnceLock<Recorder>,
    /// Everybody whose records are reported, the above included.
    followed: Mutex<Vec<Recorder>>,
    pub(crate) registration: channel::Sender<Registration>,
    progress: channel::Sender<Progress>,
    events: broadcast::Sender<Lifecycle>,
    identity: RwLock<Option<Identity>>,
    /// A key belongs to one service, so this never changes.
    service: OnceLock<ServiceId>,
    leaf: Mutex<Option<LeafTimes>>,
    /// Serialises provisioning and refreshing: an answer for an old identity must not win.
    renewing: tokio::sync::Mutex<()>,
}

/// How far the session has come. Watched, so that waiting for a point never misses it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// Welcomes so far.
    pub(crate) welcomes: u64,
    /// A snapshot has been applied.
    pub(crate) has_snapshot: bool,
    /// The version of the registration the runtime has answered.
    pub(crate) registered: u64,
    /// Certificates so far; wakes the refresh schedule.
    pub(crate) leaves: u64,
    pub(crate) phase: Phase,
    /// Why the session ended for good.
    pub(crate) failure: Option<Error>,
    /// The latest reason for not being connected, for whoever gives up waiting.
    pub(crate) trouble: Option<Error>,
}

impl Session {
    pub(crate) fn new(
        clock: Clock,
        options: Options,
        dependencies: Vec<Dependency>,
        registration: Registration,
        telemetry: Telemetry,
    ) -> Arc<Self> {
        let mint = IdMint::system(&clock);
        let credentials = Arc::new(Credentials::default());
        credentials
            .ca_der
            .store(Arc::new(options.key.ca_cert_der.clone()));
        let endpoint = options.runtime.clone();
        Arc::new(Self {
            runtime: Link::new(endpoint, Peer::Runtime, credentials.clone(), clock.clone()),
            registry: Registry::new(dependencies, credentials.clone(), clock.clone()),
            telemetry,
            recorder: OnceLock::new(),
            followed: Mutex::default(),
            registration: channel::Sender::new(registration),
            progress: channel::Sender::default(),
            events: broadcast::Sender::new(EVENTS_BUFFERED),
            identity: RwLock::default(),
            service: OnceLock::new(),
            leaf: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
            clock,
            mint,
            options,
            credentials,
        })
    }

    /// Where HTTP requests are recorded; what it records is reported.
    pub(crate) fn recorder(&self) -> &Recorder {
        self.recorder.get_or_init(|| {
            let builder = Recorder::builder().clock(&self.clock).mint(&self.mint);
            let builder = builder.sampler(self.options.sampler);
            let recorder = builder.ring_records(HTTP_RECORDS).build();
            self.follow(&recorder);
            recorder
        })
    }

    /// Reports what `recorder` records from now on.
    pub(crate) fn follow(&self, recorder: &Recorder) {
        self.telemetry.follow(recorder);
        self.followed.lock().push(recorder.clone());
    }

    /// Hands over what HTTP requests have left so far.
    pub(crate) fn collect(&self) {
        let followed = self.followed.lock().clone();
        for recorder in followed {
            recorder.flush();
        }
    }

    /// Follows the session's progress.
    pub(crate) fn progress(&self) -> channel::Receiver<Progress> {
        self.progress.subscribe()
    }

    fn advance(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    /// The lifecycle from now on.
    pub(crate) fn events(&self) -> broadcast::Receiver<Lifecycle> {
        self.events.subscribe()
    }

    fn emit(&self, event: Lifecycle) {
        lifecycle::log(&event);
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    /// Who we are, once the runtime has said so.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.identity.read().clone()
    }

    /// The service we are; asked by every call, so it takes no lock.
    pub(crate) fn service(&self) -> Option<ServiceId> {
        self.service.get().copied()
    }

    /// Where the session stands.
    pub(crate) fn status(&self) -> Status {
        let progress = self.progress.borrow();
        Status {
            phase: progress.phase,
            is_ready: progress.has_snapshot && progress.phase.serves(),
            identity: self.identity(),
            last_error: progress
                .failure
                .clone()
                .or_else(|| progress.trouble.clone()),
            operations_dropped: self.telemetry.dropped().operations,
        }
    }

    /// Why the session ended for good, if it did by itself.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.progress.borrow().failure.clone()
    }

    /// Ends the session for good, once.
    pub(crate) fn fail(&self, error: Error) {
        let mut is_first = false;
        self.progress.send_if_modified(|progress| {
            is_first = !progress.phase.is_over();
            if is_first {
                progress.phase = Phase::Stopped;
                progress.failure = Some(error.clone());
            }
            is_first
        });
        if is_first {
            self.emit(Lifecycle::Disconnected { error: Some(error) });
        }
    }

    /// Moves to a phase of stopping, from which nothing leads back.
    pub(crate) fn enter(&self, phase: Phase) {
        let is_later = self.progress.send_if_modified(|progress| {
            let is_later = phase > progress.phase;
            progress.phase = progress.phase.max(phase);
            is_later
        });
        if is_later && phase == Phase::Stopped {
            self.emit(Lifecycle::Disconnected { error: None });
        }
    }

    /// Tells of a call that was denied when it was made.
    pub(crate) fn denied(&self, value: String, reason: String) {
        self.emit(Lifecycle::PolicyViolation {
            declaration: "rpc.call".to_owned(),
            value,
            deny_side: "self_egress".to_owned(),
            reason,
        });
    }

    /// Tells of declarations that policy forbids; stops the session if the user wants that.
    pub(crate) fn violations(&self, violations: Vec<PolicyViolation>) {
        let first = violations
            .first()
            .map(|it| (it.value.clone(), it.reason.clone()));
        for it in violations {
            self.emit(Lifecycle::PolicyViolation {
                declaration: it.declaration,
                value: it.value,
                deny_side: it.deny_side,
                reason: it.reason,
            });
        }
        if let Some((value, reason)) = first
            && self.options.limits.fail_on_policy_violation
        {
            let text =
                format!("policy forbids `{value}`: {reason}; change the rules or the declaration");
            self.fail(Error::new(ErrorCode::AccessDenied, text));
        }
    }

    fn ladder(&self) -> Ladder {
        Ladder::new(self.options.limits.reconnect.interval)
    }
}

/// Reports telemetry for as long as the bridge lives.
pub(crate) async fn telemetry(session: Arc<Session>) {
    #[cfg(feature = "tracing-subscriber")]
    quietly(reporting(&session)).await;
    #[cfg(not(feature = "tracing-subscriber"))]
    reporting(&session).await;
}

async fn reporting(session: &Session) {
    let mut progress = session.progress();
    let mut failures = 0;
    loop {
        // Without a welcome there is nobody to report to.
        if progress.wait_for(|it| it.welcomes > 0).await.is_err() {
            return;
        }
        session.telemetry.enabled().await;
        let instance = session.identity().map(|it| it.instance_id.to_string());
        if let Ok(channel) = session.runtime.channel(CONNECT_TIMEOUT_MAX).await {
            let instance = instance.unwrap_or_default();
            let on_ack = |load| {
                failures = 0;
                if load == Load::Busy {
                    session.collect();
                }
            };
            let end = report(&session.telemetry, channel, instance, on_ack).await;
            if let ReportEnd::Lost(status) = end {
                tracing::debug!(error = %status, "telemetry stream lost");
            }
        }
        let pause = session.ladder().pause(failures, fastrand::f64());
        failures = failures.saturating_add(1);
        // A new session means the runtime is back: no reason to wait any longer.
        progress.mark_unchanged();
        let welcomes = progress.borrow().welcomes;
        tokio::select! {
            () = session.clock.sleep(pause) => {}
            _ = progress.wait_for(|it| it.welcomes != welcomes) => {}
        }
    }
}

/// Whether a status of the control plane means "never try again".
fn is_terminal(code: Code) -> bool {
    matches!(
        code,
        Code::Unauthenticated
            | Code::PermissionDenied
            | Code::NotFound
            | Code::InvalidArgument
            | Code::FailedPrecondition
    )
}

/// What a control-plane status means to a person.
fn refusal(what: &str, status: &tonic::Status) -> Error {
    let (code, advice) = match status.code() {
        Code::Unauthenticated => (
            ErrorCode::AccessDenied,
            "create a new key with `bridge service create NAME`",
        ),
        Code::PermissionDenied => (
            ErrorCode::AccessDenied,
            "the service or its key was revoked",
        ),
        Code::NotFound => (
            ErrorCode::AccessDenied,
            "the service was deleted; create it again",
        ),
        Code::InvalidArgument => (
            ErrorCode::Validation,
            "correct the declaration the runtime names",
        ),
        Code::FailedPrecondition => (ErrorCode::Config, "update the older of the two sides"),
        code => (ErrorCode::from_grpc(code as i32), "the bridge keeps trying"),
    };
    let code = if is_terminal(status.code()) {
        code
    } else {
        ErrorCode::Connection
    };
    let said = if status.message().is_empty() {
        status.code().description()
    } else {
        status.message()
    };
    Error::caused(code, format!("{what}: {said}; {advice}"), status.clone())
}

#[cfg(test)]
pub(crate) mod tests;
