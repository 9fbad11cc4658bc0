//! The sending thread: one request after the other, patiently, until nothing more comes.
//!
//! ```text
//!  self-test ─▶ ┌─▶ what waits? ─▶ send ─▶ taken: count
//!               │                    ├──▶ later: pause (doubling, or as told) and send again
//!               └────────────────────┴──▶ no: count as lost, say why once
//! ```
//!
//! Invariant: however the thread ends, a panic included, the health says so and what waits is
//! counted as dropped.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Monotonic;

use crate::connection::Connection;
use crate::endpoint::Signal;
use crate::fault::Fault;
use crate::health::{Health, Hook, add};
use crate::queue::{Next, Shared, Spans};
use crate::reply::{self, Taken};
use crate::resource::Preamble;

/// Spans wait for this long to become a larger request.
const LINGER: Duration = Duration::from_secs(1);
/// First pause before a request is sent again; it doubles up to the longest.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// Longest pause a collector may ask for.
const PAUSE_ASKED_MAX: Duration = Duration::from_secs(300);
/// A request that has failed for this long is given up.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the thread works with.
pub(crate) struct Worker {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connection: Connection,
    pub(crate) preamble: Preamble,
    /// Longest wait for one answer, connecting included.
    pub(crate) timeout: Duration,
    pub(crate) hook: Option<Hook>,
}

/// Says that the thread has ended when it is dropped, which a panic does too.
struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() {
            "its thread panicked"
        } else {
            "its recorder is gone"
        };
        self.0.end(reason);
        if std::thread::panicking() {
            tracing::error!("the OTLP exporter is dead: {reason}; nothing is exported any more");
        }
    }
}

/// How far one request got.
enum Fate {
    Taken(Taken),
    /// The collector does not want it.
    Refused(Fault),
    /// The collector was away for too long.
    GivenUp(Fault),
}

/// What ended a pause.
enum Pause {
    Over,
    /// Somebody waits for an outcome, or nothing more comes.
    Urgent,
}

impl Worker {
    /// Works until the queue is closed and empty.
    pub(crate) async fn run(mut self) {
        let alive = Alive(self.shared.clone());
        // The self-test: a request without spans, which a collector takes like any other.
        let _ = self.attempt(Signal::Traces, self.empty()).await;
        let mut sent_at = self.shared.clock.monotonic();
        loop {
            let due = sent_at + LINGER;
            let is_due = self.shared.clock.monotonic() >= due;
            let next = self.shared.waiting.lock().next(is_due);
            match next {
                Next::Check => self.check().await,
                Next::Metrics(content) => self.metrics(&content).await,
                Next::Spans(spans) => {
                    self.spans(spans).await;
                    sent_at = self.shared.clock.monotonic();
                }
                Next::Linger => self.linger(due).await,
                Next::Rest => self.shared.wake.notified().await,
                Next::End => break,
            }
        }
        drop(alive);
    }

    fn empty(&self) -> Bytes {
        self.preamble.request(&[]).into()
    }

    async fn linger(&self, until: Monotonic) {
        tokio::select! {
            () = self.shared.clock.sleep_until(until) => {}
            () = self.shared.wake.notified() => {}
        }
    }

    async fn check(&mut self) {
        let outcome = self.attempt(Signal::Traces, self.empty()).await;
        let outcome = outcome.map(|_| ());
        self.shared.waiting.lock().answer_checks(&outcome);
    }

    async fn metrics(&mut self, content: &[u8]) {
        let request = self.preamble.request(content).into();
        // Metrics that nobody takes now are better sent anew than again: the next ones say more.
        let outcome = self.attempt(Signal::Metrics, request).await;
        let counters = &self.shared.counters;
        match outcome {
            Ok(taken) => {
                add(&counters.metrics_sent, 1);
                add(&counters.metrics_rejected, taken.rejected);
            }
            Err(fault) => {
                add(&counters.metrics_rejected, 1);
                self.shared.waiting.lock().answer_flushes(&Err(fault));
            }
        }
    }

    async fn spans(&mut self, spans: Spans) {
        let request = self.preamble.request(&spans.bytes).into();
        let fate = self.deliver(request).await;
        let counters = &self.shared.counters;
        match fate {
            Fate::Taken(taken) => {
                let rejected = taken.rejected.min(spans.count);
                add(&counters.sent, spans.count - rejected);
                add(&counters.rejected, rejected);
            }
            Fate::Refused(fault) => {
                add(&counters.rejected, spans.count);
                self.shared.waiting.lock().answer_flushes(&Err(fault));
            }
            Fate::GivenUp(fault) => {
                add(&counters.dropped, spans.count);
                self.shared.waiting.lock().answer_flushes(&Err(fault));
            }
        }
    }

    /// Sends spans, again and again while that may help.
    async fn deliver(&mut self, request: Bytes) -> Fate {
        let begun = self.shared.clock.monotonic();
        let mut pause = PAUSE_MIN;
        loop {
            let outcome = self.attempt(Signal::Traces, request.clone()).await;
            let fault = match outcome {
                Ok(taken) => return Fate::Taken(taken),
                Err(fault) if !fault.is_passing() => return Fate::Refused(fault),
                Err(fault) => fault,
            };
            self.answer(&Err(fault.clone()));
            if self.shared.waiting.lock().is_closed {
                // The process is ending: what is left would fail the same way, one by one.
                self.shared.drop_spans();
                return Fate::GivenUp(fault);
            }
            if self.shared.clock.monotonic().since(begun) >= PATIENCE {
                return Fate::GivenUp(fault);
            }
            self.pause(&fault, pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Everybody who waits for an outcome gets this one.
    fn answer(&self, outcome: &Result<(), Fault>) {
        let mut waiting = self.shared.waiting.lock();
        waiting.answer_checks(outcome);
        waiting.answer_flushes(outcome);
    }

    /// Waits before the next attempt: as long as the collector wants, else about `usual`, unless
    /// somebody waits for an outcome.
    async fn pause(&self, fault: &Fault, usual: Duration) {
        let clock = &self.shared.clock;
        if let Some(asked) = fault.again_in() {
            // Whoever is in a hurry hears that the collector is not.
            let until = clock.monotonic() + asked.min(PAUSE_ASKED_MAX);
            while let Pause::Urgent = self.wait(until).await {
                self.answer(&Err(fault.clone()));
                if self.shared.waiting.lock().is_closed {
                    return;
                }
            }
            return;
        }
        // Senders that failed together do not come back together.
        let share = 0.5 + fastrand::f64() / 2.0;
        self.wait(clock.monotonic() + usual.mul_f64(share)).await;
    }

    async fn wait(&self, until: Monotonic) -> Pause {
        let mut over = std::pin::pin!(self.shared.clock.sleep_until(until));
        loop {
            tokio::select! {
                () = &mut over => return Pause::Over,
                () = self.shared.wake.notified() => {
                    if self.shared.waiting.lock().is_urgent() {
                        return Pause::Urgent;
                    }
                }
            }
        }
    }

    /// Sends one request once, and notes how that went.
    async fn attempt(&mut self, signal: Signal, request: Bytes) -> Result<Taken, Fault> {
        // Boxed: handshakes are large, and most futures here hold one.
        let posting = Box::pin(self.connection.post(signal, request));
        let answer = self.shared.clock.timeout(self.timeout, posting).await;
        let endpoint = &self.connection.endpoint;
        let outcome = match answer {
            Ok(Ok(answer)) => reply::read(&answer, endpoint, signal),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::Timeout {
                url: endpoint.url(signal),
                within: self.timeout,
            }),
        };
        if let Ok(taken) = &outcome
            && !taken.words.is_empty()
        {
            let (rejected, words) = (taken.rejected, &taken.words);
            tracing::warn!(rejected, "the OTLP collector says: {words}");
        }
        let beat = outcome.as_ref().map(|_| ()).map_err(Fault::clone);
        self.note(&beat);
        outcome
    }

    fn note(&self, outcome: &Result<(), Fault>) {
        let Some(health) = self.shared.pulse.beat(outcome, self.shared.clock.now()) else {
            return;
        };
        match &health {
            Health::Degraded { reason, .. } => tracing::warn!("OTLP export fails: {reason}"),
            _ => tracing::info!("OTLP export works"),
        }
        if let Some(hook) = &self.hook {
            hook(&health);
        }
    }
}
