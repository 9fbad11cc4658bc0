//! What is recorded, through the frames that go out.

mod logs;
mod metrics;
mod ops;
mod payloads;
mod user;
#[cfg(feature = "tracing-subscriber")]
mod spans;

use contract::clock::ManualClock;
use contract::grpc::v1::telemetry_batch::Kind as Sent;
use contract::grpc::v1::{Log, MetricPoint, OpReport, PayloadAttachment};

use bridge_tower::CallContext;
use bridge_tower::capture::Mode;
use contract::headers::TraceContext;
use contract::ids::{OpId, TraceId};

use super::op::Record;
use super::*;

const INSTANCE: &str = "0198c0de-0000-7000-8000-00000000000a";

fn telemetry() -> (Telemetry, ManualClock) {
    let (clock, hand) = Clock::manual(Timestamp::from_millis(5_000));
    (Telemetry::new(&clock, &IdMint::seeded(1, &clock)), hand)
}

fn sent(telemetry: &Telemetry, source: Source) -> Option<Sent> {
    let batch = telemetry.0.outbox.batch(source, 256, INSTANCE);
    batch.map(|(sent, upto)| {
        telemetry.0.outbox.acknowledge(source, upto);
        sent
    })
}

/// The operations that would go out now.
fn ops(telemetry: &Telemetry) -> Vec<OpReport> {
    match sent(telemetry, Source::Ops) {
        Some(Sent::Ops(batch)) => batch.items,
        Some(other) => panic!("not operations: {other:?}"),
        None => Vec::new(),
    }
}

/// The log entries that would go out now.
fn logs(telemetry: &Telemetry) -> Vec<Log> {
    match sent(telemetry, Source::Logs) {
        Some(Sent::Logs(batch)) => batch.items,
        Some(other) => panic!("not log entries: {other:?}"),
        None => Vec::new(),
    }
}

/// The points that would go out now, by name and labels.
fn points(telemetry: &Telemetry) -> Vec<MetricPoint> {
    telemetry.pump();
    let mut points = match sent(telemetry, Source::Metrics) {
        Some(Sent::Metrics(batch)) => batch.items,
        Some(other) => panic!("not points: {other:?}"),
        None => Vec::new(),
    };
    let key = |point: &MetricPoint| {
        let mut labels: Vec<_> = point.labels.clone().into_iter().collect();
        labels.sort();
        (point.name.clone(), labels)
    };
    points.sort_by_key(key);
    points
}

/// The payloads that would go out now.
fn payloads(telemetry: &Telemetry) -> Vec<PayloadAttachment> {
    match sent(telemetry, Source::Payloads) {
        Some(Sent::Payloads(batch)) => batch.items,
        Some(other) => panic!("not payloads: {other:?}"),
        None => Vec::new(),
    }
}

fn call(telemetry: &Telemetry, parent: Option<&CallContext>) -> Op {
    let (service, request) = ("payments".into(), RequestId::Given("r-1".into()));
    let call = CallStart {
        service: &service,
        method: "Charge",
        request: &request,
        key: None,
    };
    telemetry.start_call(parent, &call)
}

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).expect("valid JSON")
}
