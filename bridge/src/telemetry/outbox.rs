//! What waits to be reported: one ring for each kind, each with a budget of its own, so that a
//! flood of one kind costs nothing of another.

use contract::grpc::v1::telemetry_batch::Kind;
use contract::grpc::v1::{LogBatch, MetricBatch, MetricPoint, OpBatch, PayloadBatch};
use parking_lot::Mutex;

use super::log::Log;
use super::op::Record;
use super::payload::Payload;
use super::ring::{BATCH_ITEMS_MAX, Position, Ring, Weigh};

/// Bytes of operations kept until the runtime has acknowledged them.
pub(super) const OPS_BYTES_MAX: usize = 256 * 1024;
/// Bytes of log entries, likewise.
pub(super) const LOGS_BYTES_MAX: usize = 64 * 1024;
/// Bytes of metric points, likewise.
pub(super) const METRICS_BYTES_MAX: usize = 16 * 1024;
/// Bytes of captured payloads, likewise.
pub(super) const PAYLOADS_BYTES_MAX: usize = 256 * 1024;

/// What a batch is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Ops,
    Logs,
    Metrics,
    Payloads,
}

impl Source {
    pub(super) const ALL: [Self; 4] = [Self::Ops, Self::Logs, Self::Metrics, Self::Payloads];

    /// As the metric of drops has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ops => "ops",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Payloads => "payloads",
        }
    }
}

/// The four rings.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) ops: Mutex<Ring<Record>>,
    pub(super) logs: Mutex<Ring<Log>>,
    pub(super) metrics: Mutex<Ring<MetricPoint>>,
    pub(super) payloads: Mutex<Ring<Payload>>,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            ops: Mutex::new(Ring::new(OPS_BYTES_MAX)),
            logs: Mutex::new(Ring::new(LOGS_BYTES_MAX)),
            metrics: Mutex::new(Ring::new(METRICS_BYTES_MAX)),
            payloads: Mutex::new(Ring::new(PAYLOADS_BYTES_MAX)),
        }
    }

    /// The next batch of `source`, at most `room` items of `instance`, with the position behind
    /// it; `None` when nothing is unsent.
    pub(super) fn batch(
        &self,
        source: Source,
        room: usize,
        instance: &str,
    ) -> Option<(Kind, Position)> {
        // Items are copied under the lock and made text outside of it: those who record wait for
        // the lock.
        match source {
            Source::Ops => {
                let (items, upto) = take(&self.ops, room)?;
                let items = items.iter().map(Record::to_report).collect();
                Some((Kind::Ops(OpBatch { items }), upto))
            }
            Source::Logs => {
                let (items, upto) = take(&self.logs, room)?;
                let items = items.iter().map(|it| it.to_frame(instance)).collect();
                Some((Kind::Logs(LogBatch { items }), upto))
            }
            Source::Metrics => {
                let (mut items, upto) = take(&self.metrics, room)?;
                for item in &mut items {
                    instance.clone_into(&mut item.instance_id);
                }
                Some((Kind::Metrics(MetricBatch { items }), upto))
            }
            Source::Payloads => {
                let (items, upto) = take(&self.payloads, room)?;
                let items = items.iter().map(Payload::to_frame).collect();
                Some((Kind::Payloads(PayloadBatch { items }), upto))
            }
        }
    }

    pub(super) fn acknowledge(&self, source: Source, upto: Position) {
        match source {
            Source::Ops => self.ops.lock().acknowledge(upto),
            Source::Logs => self.logs.lock().acknowledge(upto),
            Source::Metrics => self.metrics.lock().acknowledge(upto),
            Source::Payloads => self.payloads.lock().acknowledge(upto),
        }
    }

    /// Everything that was not acknowledged is unsent again.
    pub(super) fn rewind(&self) {
        self.ops.lock().rewind();
        self.logs.lock().rewind();
        self.metrics.lock().rewind();
        self.payloads.lock().rewind();
    }

    /// Items of all kinds that are under way.
    pub(super) fn in_flight(&self) -> usize {
        self.ops.lock().in_flight()
            + self.logs.lock().in_flight()
            + self.metrics.lock().in_flight()
            + self.payloads.lock().in_flight()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ops.lock().is_empty()
            && self.logs.lock().is_empty()
            && self.metrics.lock().is_empty()
            && self.payloads.lock().is_empty()
    }

    /// Items of `source` that were dropped for lack of room.
    pub(super) fn dropped(&self, source: Source) -> u64 {
        match source {
            Source::Ops => self.ops.lock().dropped(),
            Source::Logs => self.logs.lock().dropped(),
            Source::Metrics => self.metrics.lock().dropped(),
            Source::Payloads => self.payloads.lock().dropped(),
        }
    }
}

fn take<T: Weigh + Clone>(ring: &Mutex<Ring<T>>, room: usize) -> Option<(Vec<T>, Position)> {
    let (items, upto) = ring.lock().take(room.min(BATCH_ITEMS_MAX));
    (!items.is_empty()).then_some((items, upto))
}
