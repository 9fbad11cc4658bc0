//! What the HTTP layers recorded, on its way into the rings: requests as operations, counts as
//! metrics, bodies as payloads.
//!
//! The first two come on the recorder's own thread; what does not fit drops the oldest, as
//! everywhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bridge_tower::capture::{Capture, Direction as Side, PayloadSink};
use bridge_tower::record::Kind as End;
use bridge_tower::recorder::RouteSeries;
use bridge_tower::red::{BOUNDS_SECONDS, Series as Counts, SeriesKey};
use bridge_tower::{Batch, Export, Recorder};
use bytes::Bytes;
use contract::clock::Monotonic;
use contract::headers::TraceContext;

use super::Telemetry;
use super::metrics::metric;
use super::op::Record;
use super::payload::{Direction, Payload};
use super::series::{Kind, Metric};

/// Time between two readings of the counts.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Takes over what one recorder has.
#[derive(Debug)]
pub(super) struct HttpExport {
    telemetry: Telemetry,
    served: Metric,
    sent: Metric,
    active: Metric,
    /// What was read last, so that only the rest is added.
    known: HashMap<SeriesKey, Counts>,
    known_active: usize,
    next: Option<Monotonic>,
}

impl HttpExport {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let seconds = |name| metric(Kind::Histogram, name, "s", &BOUNDS_SECONDS);
        Self {
            telemetry: telemetry.clone(),
            served: seconds("http.server.request.duration"),
            sent: seconds("http.client.request.duration"),
            active: metric(Kind::Gauge, "http.server.active_requests", "{request}", &[]),
            known: HashMap::new(),
            known_active: 0,
            next: None,
        }
    }

    fn read(&mut self, recorder: &Recorder) {
        let now = self.telemetry.0.clock.monotonic();
        let is_due = self.next.is_none_or(|next| now >= next);
        if !is_due && !self.telemetry.is_closing() {
            return;
        }
        self.next = Some(now + READ_EVERY);
        for counted in recorder.totals() {
            let before = self.known.entry(counted.key).or_default();
            let new = counted.total.since(before);
            if new.count == 0 {
                continue;
            }
            before.clone_from(&counted.total);
            let metric = match counted.key.route.kind() {
                End::Server => &self.served,
                End::Client => &self.sent,
            };
            self.add(metric, &counted, &new);
        }
        let active = recorder.active();
        #[allow(clippy::cast_precision_loss)] // requests at the same time are few
        let change = active as f64 - self.known_active as f64;
        self.known_active = active;
        if let Some(series) = self.telemetry.0.series.of(&self.active, &[]) {
            series.shift(change);
        }
    }

    fn add(&self, metric: &Metric, counted: &RouteSeries, new: &Counts) {
        let key = counted.key;
        let status = key.status.to_string();
        let mut labels = vec![("http.request.method", key.verb.as_str())];
        let place = match key.route.kind() {
            End::Server => "http.route",
            End::Client => "server.address",
        };
        labels.extend(counted.route.as_deref().map(|it| (place, it)));
        if key.status != 0 {
            labels.push(("http.response.status_code", &status));
        }
        if key.broken {
            let error = if key.status >= 500 { &status } else { "_OTHER" };
            labels.push(("error.type", error));
        }
        match self.telemetry.0.series.of(metric, &labels) {
            Some(series) => series.merge(&new.buckets, seconds(new.nanos)),
            None => {
                self.telemetry
                    .0
                    .lost_metrics
                    .fetch_add(new.count, Ordering::Relaxed);
            }
        }
    }
}

#[allow(clippy::cast_precision_loss)] // a sum of durations needs no more than 53 bits
fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

impl Export for HttpExport {
    fn export(&mut self, batch: &Batch<'_>) {
        let telemetry = &self.telemetry;
        telemetry
            .0
            .lost_ops
            .fetch_add(batch.dropped, Ordering::Relaxed);
        if !telemetry.is_enabled() {
            return;
        }
        for record in batch.records {
            let route = batch.recorder.route_name(record.route);
            telemetry.push_op(Record::of_request(record, route));
        }
        self.read(batch.recorder);
    }
}

/// Takes over bodies.
#[derive(Debug)]
struct Bodies(Telemetry);

impl PayloadSink for Bodies {
    fn payload(&self, op: TraceContext, direction: Side, bytes: Bytes, original_bytes: u64) {
        let direction = match direction {
            Side::Input => Direction::In,
            Side::Output => Direction::Out,
        };
        let payload = Payload::of_body(op, direction, bytes, original_bytes);
        self.0.push_payload(payload);
    }
}

impl Telemetry {
    /// What the runtime wishes to have of HTTP bodies, and where they go.
    pub(crate) fn capture_http(&self) -> (&Capture, Arc<dyn PayloadSink>) {
        (&self.0.wishes.http, Arc::new(Bodies(self.clone())))
    }
}
