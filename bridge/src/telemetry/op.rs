//! One recorded operation: compact while it waits, text when it is sent.

use std::fmt;
use std::sync::Arc;

use contract::clock::Timestamp;
use contract::grpc::v1::{Channel, OpReport, Status};
use contract::headers::TraceContext;
use contract::ids::{InstanceId, OpId, ServiceId};
use uuid::Uuid;

use super::Served;

/// `RPC.CALL` and `HTTP.HANDLE`, each the first of its channel.
const KIND_CALL: u32 = 1;
const KIND_HANDLE: u32 = 1;

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

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Success,
    Error,
    Timeout,
}

/// What an operation is about.
#[derive(Clone, Debug)]
pub(super) enum What {
    Call {
        service: Arc<str>,
        method: &'static str,
        request: RequestId,
        key: Option<Arc<str>>,
        via_proxy: bool,
    },
    Http {
        method: http::Method,
        path: Box<str>,
        key: Option<Box<str>>,
    },
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
    served: Served,
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

    pub(super) fn end(
        &mut self,
        finished: Timestamp,
        ended: Ended,
        message: Box<str>,
        served: Served,
    ) {
        if let What::Call { via_proxy, .. } = &mut self.what {
            *via_proxy = served.via_proxy;
        }
        self.end = Some(End {
            finished,
            ended,
            message,
            served,
        });
    }

    /// Bytes it occupies while it waits.
    pub(super) fn bytes(&self) -> usize {
        let text = match &self.what {
            What::Call { .. } => 0,
            What::Http { path, key, .. } => path.len() + key.as_ref().map_or(0, |key| key.len()),
        };
        size_of::<Self>() + text + self.end.as_ref().map_or(0, |end| end.message.len())
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
            attrs_json: b"{}".to_vec(),
            ..OpReport::default()
        };
        self.describe(&mut report);
        if let Some(end) = &self.end {
            report.finished_at_ms = Some(end.finished.as_millis());
            report.status = match end.ended {
                Ended::Success => Status::Success as i32,
                Ended::Error => Status::Error as i32,
                Ended::Timeout => Status::Timeout as i32,
            };
            report.status_message = end.message.to_string();
            report.attempt = i32::try_from(end.served.attempt.max(1)).unwrap_or(i32::MAX);
            report.peer_service_id = id_text(end.served.service.as_ref().map(ServiceId::as_uuid));
            report.peer_instance_id =
                id_text(end.served.instance.as_ref().map(InstanceId::as_uuid));
        }
        report
    }

    fn describe(&self, report: &mut OpReport) {
        match &self.what {
            What::Call {
                service,
                method,
                request,
                key,
                via_proxy,
            } => {
                report.channel = Channel::Rpc as i32;
                report.kind = KIND_CALL;
                report.subject = ["rpc.call:", service, "/", method].concat();
                report.meta_json = call_meta(method, *via_proxy, request, key.as_deref());
            }
            What::Http { method, path, key } => {
                report.channel = Channel::Http as i32;
                report.kind = KIND_HANDLE;
                report.subject = format!("http.handle:{method}/{path}");
                report.business_key = key
                    .as_ref()
                    .map_or_else(|| format!("{method} {path}"), |key| key.to_string());
                report.meta_json = b"{}".to_vec();
            }
        }
    }
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
