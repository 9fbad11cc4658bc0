//! Operations on their way to the runtime: recorded on the call path, shipped behind it.
//!
//! ```text
//! call ──start/end──► Ring (bounded in bytes) ──every 250 ms──► Report stream ──ack──► forgotten
//! ```
//!
//! Recording copies a few ids under a short lock; text is made when a batch is sent. Refuses to
//! slow a call down: when the ring is full the oldest operation is dropped and counted.
//!
//! Invariant: an operation leaves the ring only when the runtime has acknowledged it, or when
//! there is no room left for a newer one.

mod op;
mod report;
mod ring;

use std::sync::Arc;

use bridge_tower::{HttpRequest, Outcome, RecordedOp, Recorder};
use contract::clock::Clock;
use contract::headers::TraceContext;
use contract::ids::{IdMint, InstanceId, OpId, ServiceId, TraceId};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use self::op::{Ended, RequestId};
pub(crate) use self::report::{ReportEnd, report};

use self::op::{Record, What};
use self::ring::{Ring, Slot};

/// Bytes of operations kept until the runtime has acknowledged them.
const RING_BYTES_MAX: usize = 256 * 1024;

/// Where operations are recorded. Cheap to clone; clones share one ring.
#[derive(Clone, Debug)]
pub(crate) struct Telemetry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Mutex<Ring>,
    clock: Clock,
    mint: IdMint,
    /// Asks for a flush now.
    flush: Notify,
    /// Tells that something was acknowledged.
    acknowledged: Notify,
    enabled: std::sync::atomic::AtomicBool,
}

impl Telemetry {
    pub(crate) fn new(clock: &Clock, mint: &IdMint) -> Self {
        Self(Arc::new(Shared {
            ring: Mutex::new(Ring::new(RING_BYTES_MAX)),
            clock: clock.clone(),
            mint: mint.clone(),
            flush: Notify::new(),
            acknowledged: Notify::new(),
            enabled: std::sync::atomic::AtomicBool::new(true),
        }))
    }

    /// Follows the runtime's switch; what was recorded before stays.
    pub(crate) fn set_enabled(&self, enabled: bool) {
        self.0
            .enabled
            .store(enabled, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.0.enabled.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Operations dropped because the ring was full, since the start of the process.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.ring.lock().dropped()
    }

    /// Starts the one operation of a logical call.
    pub(crate) fn start_call(&self, parent: Option<TraceContext>, call: &CallStart<'_>) -> Op {
        self.start(parent, || What::Call {
            service: call.service.clone(),
            method: call.method,
            request: call.request.clone(),
            key: call.key.cloned(),
            via_proxy: false,
        })
    }

    fn start(&self, parent: Option<TraceContext>, what: impl FnOnce() -> What) -> Op {
        let mint = &self.0.mint;
        let trace = parent.map_or_else(|| TraceId::mint(mint), |it| it.trace);
        let op = OpId::mint(mint);
        let context = TraceContext { trace, parent: op };
        let slot = self.is_enabled().then(|| {
            let started = self.0.clock.now();
            let record = Record::started(context, parent.map(|it| it.parent), what(), started);
            self.0.ring.lock().push(record)
        });
        Op {
            telemetry: self.clone(),
            context,
            slot,
        }
    }

    /// Sends what is there and waits until all of it is acknowledged.
    pub(crate) async fn flush(&self) {
        loop {
            let acknowledged = self.0.acknowledged.notified();
            if self.0.ring.lock().is_empty() {
                return;
            }
            self.0.flush.notify_one();
            acknowledged.await;
        }
    }
}

/// What is known about a call before it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallStart<'c> {
    pub(crate) service: &'c Arc<str>,
    pub(crate) method: &'static str,
    pub(crate) request: &'c RequestId,
    pub(crate) key: Option<&'c Arc<str>>,
}

/// An operation under way. Ended as cancelled when it is dropped before anybody said how.
#[derive(Debug)]
pub(crate) struct Op {
    telemetry: Telemetry,
    context: TraceContext,
    slot: Option<Slot>,
}

/// Who served a call, and how it got there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    pub(crate) attempt: u32,
    pub(crate) service: Option<ServiceId>,
    pub(crate) instance: Option<InstanceId>,
    pub(crate) via_proxy: bool,
}

impl Op {
    /// The context of nested work: this operation is its parent.
    pub(crate) fn context(&self) -> TraceContext {
        self.context
    }

    /// Ends the operation. `message` is made only when the operation is recorded.
    pub(crate) fn end(mut self, ended: Ended, served: Served, message: impl FnOnce() -> String) {
        self.finish(ended, served, message);
    }

    fn finish(&mut self, ended: Ended, served: Served, message: impl FnOnce() -> String) {
        let Some(slot) = self.slot.take() else { return };
        let finished = self.telemetry.0.clock.now();
        let text = if ended == Ended::Success {
            String::new()
        } else {
            message()
        };
        self.telemetry.0.ring.lock().end(slot, |record| {
            record.end(finished, ended, text.into(), served);
        });
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        self.finish(Ended::Error, Served::default(), || {
            "cancelled by the caller".to_owned()
        });
    }
}

/// Records HTTP requests; see [`Bridge::layer`](crate::Bridge::layer).
#[derive(Clone, Debug)]
pub struct HttpRecorder(pub(crate) Telemetry);

/// One HTTP request being served.
#[derive(Debug)]
pub struct HttpOp(Op);

impl Recorder for HttpRecorder {
    type Op = HttpOp;

    fn start(&self, request: HttpRequest<'_>) -> HttpOp {
        HttpOp(self.0.start(request.trace, || What::Http {
            method: request.method.clone(),
            path: request.path.into(),
            key: request.idempotency_key.map(Into::into),
        }))
    }
}

impl RecordedOp for HttpOp {
    fn context(&self) -> TraceContext {
        self.0.context
    }

    fn end(self, outcome: Outcome) {
        let (ended, message) = match outcome {
            Outcome::Answered(status @ ..400) => (Ended::Success, status),
            Outcome::Answered(status) => (Ended::Error, status),
            Outcome::Aborted => (Ended::Timeout, 0),
            Outcome::Failed => (Ended::Error, 0),
        };
        self.0.end(ended, Served::default(), || match outcome {
            Outcome::Answered(_) => format!("HTTP {message}"),
            Outcome::Aborted => "client abort".to_owned(),
            Outcome::Failed => "the response body failed".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests;
