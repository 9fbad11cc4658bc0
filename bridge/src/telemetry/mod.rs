//! Operations, metrics, logs and payloads on their way to the runtime: recorded where they
//! happen, shipped behind it.
//!
//! ```text
//! call, request, `op` ─────────► ring of operations ─┐
//! `log`, `tracing` events ─────► ring of entries ────┤──every 250 ms──► Report stream ──ack──► forgotten
//! counters, gauges ─► cells ───► ring of points ─────┤
//! payloads ────────────────────► ring of payloads ───┘
//! ```
//!
//! Recording copies little under a short lock; text is made when a batch is sent. Refuses to slow
//! anybody down: each ring is bounded in bytes, and a full one drops its oldest and counts it.
//!
//! Invariant: what was recorded leaves a ring only when the runtime has acknowledged it, or when
//! there is no room left for something newer.

mod value;
mod ring;
mod ended;
mod request;
mod op;
mod scope;
mod log;
mod payload;
mod series;
mod outbox;
mod running;
mod metrics;
mod user;
mod http;
mod process;
#[cfg(feature = "tracing-subscriber")]
mod quiet;
#[cfg(feature = "tracing-subscriber")]
mod fields;
#[cfg(feature = "tracing-subscriber")]
mod layer;
mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bridge_tower::Recorder;
use contract::clock::{Clock, Timestamp};
use contract::grpc::v1::CaptureModes;
use contract::ids::IdMint;
use parking_lot::Mutex;
use tokio::sync::Notify;

#[cfg(feature = "tracing-subscriber")]
pub use self::layer::Tracing;
pub use self::log::{Level, LogEntry};
pub use self::metrics::{BoundCounter, BoundGauge, BoundHistogram, Counter, Gauge, Histogram};
#[cfg(feature = "tracing-subscriber")]
pub(crate) use self::quiet::quietly;
pub use self::user::{OpBuilder, UserOp};
pub use self::value::Value;

pub(crate) use self::ended::Ended;
pub(crate) use self::op::{RequestId, Served};
pub(crate) use self::payload::Direction;
pub(crate) use self::process::measure;
pub(crate) use self::report::{Load, ReportEnd, report};
pub(crate) use self::running::{CallStart, Op};
pub(crate) use self::scope::current;

use self::http::HttpExport;
use self::log::Entry;
use self::metrics::metric;
use self::op::Record;
use self::outbox::{Outbox, Source};
use self::payload::{Payload, Wishes};
use self::ring::Due;
use self::series::{AllSeries, Kind};

/// What a service tells the runtime about its work. Cheap to clone; clones share everything.
///
/// Use it before the bridge has started, too: what is recorded then waits for the connection.
#[derive(Clone, Debug)]
pub struct Telemetry(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    outbox: Outbox,
    series: AllSeries,
    wishes: Wishes,
    clock: Clock,
    mint: IdMint,
    /// Asks for a flush now.
    flush: Notify,
    /// Tells that something was acknowledged.
    acknowledged: Notify,
    enabled: AtomicBool,
    /// Tells that the runtime wants telemetry again.
    switched_on: Notify,
    /// The bridge is stopping: nothing waits for the end of its window any more.
    closing: AtomicBool,
    /// Requests that a recorder dropped before they came here.
    lost_ops: AtomicU64,
    /// Numbers that no series could take.
    lost_metrics: AtomicU64,
    /// Items that the runtime said it had to drop.
    lost_by_runtime: AtomicU64,
    /// How pressed the runtime said it is.
    pressure: AtomicU64,
    /// Drops that the metric of drops has counted.
    told: Mutex<[u64; Source::ALL.len()]>,
}

/// What was dropped since the start of the process, in items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// Operations: calls, requests and those that the user named.
    pub operations: u64,
    /// Log entries.
    pub logs: u64,
    /// Numbers that were added to metrics: not finite, or of a series or with labels beyond the
    /// limits.
    pub metrics: u64,
    /// Captured payloads.
    pub payloads: u64,
    /// Items that arrived at the runtime, which could not keep them.
    pub by_runtime: u64,
}

/// How pressed the runtime is, as it says itself. Nothing here is slowed down by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// It keeps up.
    #[default]
    Normal,
    /// Its queue is more than half full.
    Slow,
    /// Its queue is nearly full; items may be dropped there.
    Pause,
}

impl Telemetry {
    pub(crate) fn new(clock: &Clock, mint: &IdMint) -> Self {
        Self(Arc::new(Shared {
            outbox: Outbox::new(),
            series: AllSeries::default(),
            wishes: Wishes::default(),
            clock: clock.clone(),
            mint: mint.clone(),
            flush: Notify::new(),
            acknowledged: Notify::new(),
            enabled: AtomicBool::new(true),
            switched_on: Notify::new(),
            closing: AtomicBool::new(false),
            lost_ops: AtomicU64::new(0),
            lost_metrics: AtomicU64::new(0),
            lost_by_runtime: AtomicU64::new(0),
            pressure: AtomicU64::new(0),
            told: Mutex::default(),
        }))
    }

    /// What was dropped since the start of the process because there was no room for it. The
    /// runtime is told as well: metric `sb_sdk_telemetry_dropped_total`, by `source`.
    pub fn dropped(&self) -> Dropped {
        Dropped {
            operations: self.dropped_of(Source::Ops),
            logs: self.dropped_of(Source::Logs),
            metrics: self.dropped_of(Source::Metrics),
            payloads: self.dropped_of(Source::Payloads),
            by_runtime: self.0.lost_by_runtime.load(Ordering::Relaxed),
        }
    }

    /// How pressed the runtime was when it answered last.
    pub fn pressure(&self) -> Pressure {
        match self.0.pressure.load(Ordering::Relaxed) {
            0 => Pressure::Normal,
            1 => Pressure::Slow,
            _ => Pressure::Pause,
        }
    }

    fn dropped_of(&self, source: Source) -> u64 {
        let before = match source {
            Source::Ops => self.0.lost_ops.load(Ordering::Relaxed),
            Source::Metrics => self.0.lost_metrics.load(Ordering::Relaxed),
            Source::Logs | Source::Payloads => 0,
        };
        before + self.0.outbox.dropped(source)
    }

    /// Follows the runtime's wishes; what was recorded before stays.
    pub(crate) fn follow_runtime(&self, enabled: bool, modes: Option<&CaptureModes>) {
        if let Some(modes) = modes {
            self.0.wishes.set(modes);
        }
        let was_enabled = self.0.enabled.swap(enabled, Ordering::Relaxed);
        if enabled && !was_enabled {
            self.0.switched_on.notify_waiters();
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.0.enabled.load(Ordering::Relaxed)
    }

    /// Resolves when the runtime wants telemetry.
    pub(crate) async fn enabled(&self) {
        loop {
            let switched_on = self.0.switched_on.notified();
            if self.is_enabled() {
                return;
            }
            switched_on.await;
        }
    }

    /// Reports what `recorder` records from now on.
    pub(crate) fn follow(&self, recorder: &Recorder) {
        if let Err(error) = recorder.attach(HttpExport::new(self)) {
            tracing::warn!(%error, "HTTP requests are not reported: no thread can be started");
        }
    }

    /// Adds an operation that others have timed.
    fn push_op(&self, record: Record) {
        let due = self.0.outbox.ops.lock().push(record);
        self.flush_if(due);
    }

    fn push_log(&self, entry: Entry) {
        if self.is_enabled() {
            let due = self.0.outbox.logs.lock().push(entry.into());
            self.flush_if(due);
        }
    }

    fn push_payload(&self, payload: Payload) {
        let due = self.0.outbox.payloads.lock().push(payload);
        self.flush_if(due);
    }

    fn flush_if(&self, due: Due) {
        if due == Due::Now {
            self.0.flush.notify_one();
        }
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn is_closing(&self) -> bool {
        self.0.closing.load(Ordering::Relaxed)
    }

    /// Makes points of the metrics whose window is over, as far as there is room.
    fn pump(&self) {
        self.tell_drops();
        let now = (self.0.clock.monotonic(), self.now());
        let is_closing = self.is_closing();
        self.0.series.pump(&self.0.outbox.metrics, now, is_closing);
    }

    fn tell_drops(&self) {
        let mut told = self.0.told.lock();
        for (told, source) in told.iter_mut().zip(Source::ALL) {
            let dropped = self.dropped_of(source);
            let new = dropped.saturating_sub(*told);
            if new == 0 {
                continue;
            }
            let counter = metric(Kind::Counter, "sb_sdk_telemetry_dropped_total", "1", &[]);
            if let Some(series) = self.0.series.of(&counter, &[("source", source.name())]) {
                #[allow(clippy::cast_precision_loss)] // a count of items since the last look
                series.put(new as f64);
            }
            *told = dropped;
        }
    }

    /// From now on nothing waits for the end of its window: the bridge is stopping.
    pub(crate) fn close(&self) {
        self.0.closing.store(true, Ordering::Relaxed);
    }

    /// Sends what is there and waits until all of it is acknowledged.
    pub(crate) async fn flush(&self) {
        self.pump();
        loop {
            let acknowledged = self.0.acknowledged.notified();
            if self.0.outbox.is_empty() && !self.0.series.is_pumping() {
                return;
            }
            self.0.flush.notify_one();
            acknowledged.await;
        }
    }
}

#[cfg(test)]
mod tests;
