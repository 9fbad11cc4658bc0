//! One recorded operation: compact while it waits, text when it is sent.

use std::fmt;
use std::sync::Arc;

use contract::clock::Timestamp;
use contract::grpc::v1::{Channel, OpReport, Status};
use contract::headers::TraceContext;
use contract::ids::{InstanceId, OpId, ServiceId};
use uuid::Uuid;

use super::ended::Ended;
use super::request::Request;
use super::ring::{Due, Position, Ring, Weigh};

/// `RPC.CALL`
const KIND_CALL: u32 = 1;
/// `USER.SUBOP`
const KIND_SUBOP: u32 = 1;

/// Correlates the attempts of one logical call.
#[derive(Clone, Debug)]
pub(crate) enum RequestId {
    /// Made by us; kept as bits until somebody reads it.
    Random(Uuid),
    /// Given by the user.
    Given(Arc<str>),
}

impl RequestId {
    pub(crate) fn random() -> Self {
        let bytes = fastrand::u128(..).to_be_bytes();
        Self::Random(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The text, without allocating.
    pub(crate) fn text<'b>(&'b self, buffer: &'b mut [u8; 36]) -> &'b str {
        match self {
            Self::Random(uuid) => uuid.as_hyphenated().encode_lower(buffer),
            Self::Given(text) => text,
        }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; 36]))
    }
}

/// Who served a call, and how it got there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    pub(crate) attempt: u32,
    pub(crate) service: Option<ServiceId>,
    pub(crate) instance: Option<InstanceId>,
    pub(crate) via_proxy: bool,
}

/// What an operation is about.
#[derive(Clone, Debug)]
pub(super) enum What {
    Call {
        service: Arc<str>,
        method: &'static str,
        request: RequestId,
        key: Option<Arc<str>>,
        served: Served,
    },
    Http(Request),
    User(Box<Named>),
}

/// An operation that the user named.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) subject: Box<str>,
    pub(super) key: Box<str>,
    /// A JSON object.
    pub(super) attrs: Box<[u8]>,
}

/// An operation with everything known about it. An end carries the start along, so that a start
/// the ring had to drop is not missed.
#[derive(Clone, Debug)]
pub(super) struct Record {
    context: TraceContext,
    parent: Option<OpId>,
    what: What,
    started: Timestamp,
    end: Option<End>,
}

#[derive(Clone, Debug)]
struct End {
    finished: Timestamp,
    ended: Ended,
    message: Box<str>,
}

impl Record {
    pub(super) fn started(
        context: TraceContext,
        parent: Option<OpId>,
        what: What,
        started: Timestamp,
    ) -> Self {
        Self {
            context,
            parent,
            what,
            started,
            end: None,
        }
    }

    /// An HTTP request that the layer recorded.
    pub(super) fn of_request(record: &bridge_tower::Record, route: Option<Arc<str>>) -> Self {
        let request = Request::of(record, route);
        let end = request.ended().map(|ended| End {
            finished: record.started + record.duration,
            ended,
            message: Box::default(),
        });
        Self {
            context: record.context,
            parent: record.parent,
            what: What::Http(request),
            started: record.started,
            end,
        }
    }

    pub(super) fn end(&mut self, finished: Timestamp, ended: Ended, message: Box<str>) {
        self.end = Some(End {
            finished,
            ended,
            message,
        });
    }

    /// Says who served the call that this operation is.
    pub(super) fn served(&mut self, by: Served) {
        if let What::Call { served, .. } = &mut self.what {
            *served = by;
        }
    }

    /// Replaces the attributes of an operation that the user named.
    pub(super) fn attrs(&mut self, attrs: Box<[u8]>) {
        if let What::User(named) = &mut self.what {
            named.attrs = attrs;
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.context.parent == other.context.parent
    }

    /// The frame: a start without an end, else the whole.
    pub(super) fn to_report(&self) -> OpReport {
        let mut report = OpReport {
            trace_id: id_text(Some(self.context.trace.as_uuid())),
            op_id: id_text(Some(self.context.parent.as_uuid())),
            parent_op_id: id_text(self.parent.as_ref().map(OpId::as_uuid)),
            started_at_ms: self.started.as_millis(),
            status: Status::Pending as i32,
            attempt: 1,
            meta_json: b"{}".to_vec(),
            attrs_json: b"{}".to_vec(),
            ..OpReport::default()
        };
        if let Some(end) = &self.end {
            report.finished_at_ms = Some(end.finished.as_millis());
            report.status = end.ended.on_wire() as i32;
            report.status_message = end.message.to_string();
        }
        self.describe(&mut report);
        report
    }

    fn describe(&self, report: &mut OpReport) {
        match &self.what {
            What::Call {
                service,
                method,
                request,
                key,
                served,
            } => {
                report.channel = Channel::Rpc as i32;
                report.kind = KIND_CALL;
                report.subject = ["rpc.call:", service, "/", method].concat();
                report.meta_json = call_meta(method, served.via_proxy, request, key.as_deref());
                if self.end.is_some() {
                    report.attempt = i32::try_from(served.attempt.max(1)).unwrap_or(i32::MAX);
                    report.peer_service_id =
                        id_text(served.service.as_ref().map(ServiceId::as_uuid));
                    report.peer_instance_id =
                        id_text(served.instance.as_ref().map(InstanceId::as_uuid));
                }
            }
            What::Http(request) => request.describe(report),
            What::User(named) => {
                report.channel = Channel::User as i32;
                report.kind = KIND_SUBOP;
                report.subject = named.subject.to_string();
                report.business_key = named.key.to_string();
                report.attrs_json = named.attrs.to_vec();
            }
        }
    }
}

impl Weigh for Record {
    fn bytes(&self) -> usize {
        let apart = match &self.what {
            What::Call { .. } => 0,
            What::Http(request) => request.bytes_apart(),
            What::User(named) => {
                size_of::<Named>() + named.subject.len() + named.key.len() + named.attrs.len()
            }
        };
        size_of::<Self>() + apart + self.end.as_ref().map_or(0, |end| end.message.len())
    }
}

/// Names a started operation until it ends.
#[derive(Debug)]
pub(super) struct Slot {
    at: Position,
    /// The start, in case the ring has to drop or send it before the end comes.
    start: Record,
}

/// Adds a started operation to the ring.
pub(super) fn start(ring: &mut Ring<Record>, record: Record) -> (Slot, Due) {
    let (at, start) = (ring.next(), record.clone());
    let due = ring.push(record);
    (Slot { at, start }, due)
}

/// Ends the operation of `slot`: in place while nobody has sent its start, else as a frame of its
/// own.
pub(super) fn end(ring: &mut Ring<Record>, slot: Slot, end: impl FnOnce(&mut Record)) -> Due {
    let Slot {
        at,
        start: mut record,
    } = slot;
    let mut end = Some(end);
    ring.edit(at, |kept| {
        let end = if kept.is_same(&record) {
            end.take()
        } else {
            None
        };
        if let Some(end) = end {
            end(kept);
        }
    });
    let Some(end) = end else { return Due::Later };
    end(&mut record);
    ring.push(record)
}

/// The JSON object of a call, written in one go: this runs once per recorded call.
fn call_meta(method: &str, via_proxy: bool, request: &RequestId, key: Option<&str>) -> Vec<u8> {
    let mut meta = Vec::with_capacity(META_BYTES);
    meta.extend_from_slice(b"{\"method\":");
    quote(method, &mut meta);
    meta.extend_from_slice(b",\"via_proxy\":");
    meta.extend_from_slice(if via_proxy { b"true" } else { b"false" });
    meta.extend_from_slice(b",\"requestId\":");
    quote(request.text(&mut [0; 36]), &mut meta);
    meta.extend_from_slice(b",\"idempotencyKey\":");
    quote(key.unwrap_or_default(), &mut meta);
    meta.push(b'}');
    meta
}

/// Usual size of a call's JSON.
const META_BYTES: usize = 160;

fn quote(text: &str, json: &mut Vec<u8>) {
    // Writing text to memory cannot fail.
    let _ = serde_json::to_writer(json, text);
}

fn id_text(id: Option<&Uuid>) -> String {
    let mut text = [0; 36];
    id.map(|id| id.as_hyphenated().encode_lower(&mut text).to_owned())
        .unwrap_or_default()
}
