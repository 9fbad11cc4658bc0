//! What a service reports about one operation: its START, its END, lines, payloads. Pure.
//!
//! Invariant: an END carries nothing that its START said, as the contract has it.

use contract::grpc::v1::{
    Channel, Log, LogLevel, MetricPoint, OpReport, PayloadAttachment, Status, telemetry_batch::Kind,
};
use contract::ids::{OpId, TraceId};
use prost::Message as _;

/// Bytes that came in, and that went out.
const IN: u32 = 1;
const OUT: u32 = 2;
const REGIONS: [&str; 3] = ["eu-west", "us-east", "ap-south"];

/// One item for the report stream of an instance.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Op(Box<OpReport>),
    Log(Box<Log>),
    Metric(Box<MetricPoint>),
    Payload(Box<PayloadAttachment>),
}

/// What is done.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A request to a route, as verb and path.
    Route(String, String),
    /// A call of a method of a service.
    Call {
        service: String,
        service_id: String,
        method: String,
        hash: String,
    },
    /// Work of its own.
    Work(String),
}

/// Where an operation is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) trace: TraceId,
    pub(crate) op: OpId,
    pub(crate) parent: Option<OpId>,
}

/// The message that [`crate::plan::SCHEMA`] describes.
#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    note: String,
    #[prost(int64, tag = "3")]
    amount_cents: i64,
    #[prost(string, tag = "4")]
    card_token: String,
}

pub(crate) fn start(place: Place, what: &What, number: u64, at_ms: i64) -> Item {
    let mut report = OpReport {
        trace_id: place.trace.to_string(),
        op_id: place.op.to_string(),
        parent_op_id: place.parent.map(|it| it.to_string()).unwrap_or_default(),
        kind: 1,
        attempt: 1,
        started_at_ms: at_ms,
        status: Status::Pending.into(),
        meta_json: b"{}".to_vec(),
        attrs_json: b"{}".to_vec(),
        ..OpReport::default()
    };
    match what {
        What::Route(verb, path) => {
            report.channel = Channel::Http.into();
            report.subject = format!("http.handle:{verb}/{path}");
            report.business_key = format!("{verb} {}", path.replace("{id}", &number.to_string()));
        }
        What::Call {
            service,
            service_id,
            method,
            ..
        } => {
            report.channel = Channel::Rpc.into();
            report.subject = format!("rpc.call:{service}/{method}");
            report.peer_service_id = service_id.clone();
            let meta = serde_json::json!({
                "method": method, "via_proxy": false, "requestId": format!("{number:016x}"),
            });
            report.meta_json = meta.to_string().into_bytes();
        }
        What::Work(subject) => {
            report.channel = Channel::User.into();
            report.subject = subject.clone();
            report.business_key = format!("run-{number}");
            let attrs = serde_json::json!({ "batch": number % 17, "note": subject });
            report.attrs_json = attrs.to_string().into_bytes();
        }
    }
    Item::Op(Box::new(report))
}

pub(crate) fn end(
    place: Place,
    what: &What,
    peer_instance: &str,
    at_ms: i64,
    said: Option<&str>,
) -> Item {
    let channel = match what {
        What::Route(..) => Channel::Http,
        What::Call { .. } => Channel::Rpc,
        What::Work(_) => Channel::User,
    };
    let status = match said {
        None => Status::Success,
        Some("TIMEOUT") => Status::Timeout,
        Some(_) => Status::Error,
    };
    Item::Op(Box::new(OpReport {
        trace_id: place.trace.to_string(),
        op_id: place.op.to_string(),
        channel: channel.into(),
        kind: 1,
        attempt: 1,
        finished_at_ms: Some(at_ms),
        status: status.into(),
        status_message: said.unwrap_or_default().to_owned(),
        peer_instance_id: peer_instance.to_owned(),
        ..OpReport::default()
    }))
}

pub(crate) fn line(place: Place, at_ms: i64, level: LogLevel, message: &str, number: u64) -> Item {
    let region = REGIONS[(number % 3) as usize];
    let fields = serde_json::json!({
        "order": number, "region": region,
        "said": message,
    });
    Item::Log(Box::new(Log {
        at_unix_ms: at_ms,
        level: level.into(),
        message: message.to_owned(),
        fields_json: fields.to_string().into_bytes(),
        trace_id: place.trace.to_string(),
        op_id: place.op.to_string(),
        instance_id: String::new(),
        source: "sdk".to_owned(),
    }))
}

/// What came in and what went out: JSON of a route, a message of a call, nothing of other work.
pub(crate) fn payloads(place: Place, what: &What, note: &str, number: u64) -> Vec<Item> {
    let (bytes, hash) = match what {
        What::Route(..) => {
            let body = serde_json::json!({
                "order_id": number, "note": note, "card_token": "tok_4242",
                "items": [{ "sku": "A-17", "count": 2 }, { "sku": note, "count": 1 }],
            });
            (body.to_string().into_bytes(), String::new())
        }
        What::Call { hash, .. } => {
            let message = Message {
                id: format!("o-{number}"),
                note: note.to_owned(),
                amount_cents: 1_990,
                card_token: "tok_4242".to_owned(),
            };
            (message.encode_to_vec(), hash.clone())
        }
        What::Work(_) => return Vec::new(),
    };
    let attached = |direction| {
        Item::Payload(Box::new(PayloadAttachment {
            trace_id: place.trace.to_string(),
            op_id: place.op.to_string(),
            direction,
            original_size: i32::try_from(bytes.len()).unwrap_or(i32::MAX),
            bytes: bytes.clone(),
            contract_hash: hash.clone(),
        }))
    };
    vec![attached(IN), attached(OUT)]
}

/// Batches of one kind each, at most `max` items long, in the order of the kinds.
pub(crate) fn batches(items: Vec<Item>, max: usize) -> Vec<Kind> {
    let (mut ops, mut logs) = (Vec::new(), Vec::new());
    let (mut metrics, mut payloads) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Op(it) => ops.push(*it),
            Item::Log(it) => logs.push(*it),
            Item::Metric(it) => metrics.push(*it),
            Item::Payload(it) => payloads.push(*it),
        }
    }
    let ops = ops
        .chunks(max)
        .map(|it| Kind::Ops(contract::grpc::v1::OpBatch { items: it.to_vec() }));
    let logs = logs
        .chunks(max)
        .map(|it| Kind::Logs(contract::grpc::v1::LogBatch { items: it.to_vec() }));
    let payloads = payloads
        .chunks(max)
        .map(|it| Kind::Payloads(contract::grpc::v1::PayloadBatch { items: it.to_vec() }));
    let metrics = metrics
        .chunks(max)
        .map(|it| Kind::Metrics(contract::grpc::v1::MetricBatch { items: it.to_vec() }));
    ops.chain(logs).chain(metrics).chain(payloads).collect()
}
