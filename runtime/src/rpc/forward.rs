//! A call on its way through the proxy: what it carries, and what can be said when it fails.
//!
//! Invariant: only what provably never reached an instance is refused with the trailer.

use std::time::Duration;

use contract::clock::Monotonic;
use contract::grpc::v1;
use contract::headers::{REPLAYED, STORED, TRACEPARENT, X_SB_TRACE};
use contract::ids::ServiceId;
use contract::transport::{is_not_dispatched, not_dispatched};
use contract::w3c::TraceParent;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Response, Status};

/// A call to forward, as the caller described it and the certificate proved it.
#[derive(Debug)]
pub(super) struct Forward {
    pub(super) caller: ServiceId,
    pub(super) request: v1::InvokeRequest,
    /// The caller's word on whether the trace is recorded, if it said one.
    pub(super) traceparent: Option<TraceParent>,
    pub(super) deadline: Monotonic,
}

/// An answer, and whether it is an earlier call's.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) response: v1::InvokeResponse,
    pub(super) is_replay: bool,
    /// What the instance, or the proxy, says of repeats that may not get it.
    pub(super) stored: Option<&'static str>,
}

/// Repeats will not get the answer.
pub(super) const NOT_STORED: &str = "false";
/// They may, once it is kept; that is still tried.
pub(super) const STORED_LATER: &str = "later";

impl Answered {
    /// What an instance answered, and what it said of it.
    pub(super) fn of(response: Response<v1::CallResponse>) -> Self {
        let metadata = response.metadata();
        let is_replay = metadata.get(REPLAYED).is_some_and(|it| it == "1");
        let said = |word: &&str| metadata.get(STORED).is_some_and(|it| it == *word);
        let stored = [NOT_STORED, STORED_LATER].into_iter().find(said);
        let response = response.into_inner();
        Self {
            response: v1::InvokeResponse {
                payload: response.payload,
                error_code: response.error_code,
                error_message: response.error_message,
            },
            is_replay,
            stored,
        }
    }

    /// Whether it is an error that its instance does not keep: a repeat is to run again.
    pub(super) fn is_not_to_keep(&self) -> bool {
        !self.response.error_code.is_empty() && self.stored == Some(NOT_STORED)
    }
}

impl From<Answered> for Response<v1::InvokeResponse> {
    fn from(answered: Answered) -> Self {
        let mut response = Self::new(answered.response);
        let metadata = response.metadata_mut();
        if answered.is_replay {
            metadata.insert(REPLAYED, MetadataValue::from_static("1"));
        }
        if let Some(stored) = answered.stored {
            metadata.insert(STORED, MetadataValue::from_static(stored));
        }
        response
    }
}

impl Forward {
    /// The call as an instance takes it, with the time that is left for it.
    pub(super) fn call(&self, left: Duration) -> Request<v1::CallRequest> {
        let asked = &self.request;
        let mut request = Request::new(v1::CallRequest {
            method: asked.method.clone(),
            payload: asked.payload.clone(),
            caller_service: self.caller.to_string(),
            request_id: asked.request_id.clone(),
            idempotency_key: asked.idempotency_key.clone(),
            x_sb_trace: asked.x_sb_trace.clone(),
        });
        request.set_timeout(left);
        let metadata = request.metadata_mut();
        if let Ok(trace) = asked.x_sb_trace.parse::<MetadataValue<_>>()
            && !asked.x_sb_trace.is_empty()
        {
            metadata.insert(X_SB_TRACE, trace);
        }
        let parent = self.traceparent.map(|it| it.encode());
        if let Some(Ok(parent)) = parent.as_ref().map(|it| MetadataValue::try_from(&it[..])) {
            metadata.insert(TRACEPARENT, parent);
        }
        request
    }
}

/// Whether a handler may still be at work after this refusal: the call was handed over, and then
/// time or the caller ended it.
pub(super) fn is_unknown(refusal: &Status) -> bool {
    let is_cut_off = matches!(refusal.code(), Code::DeadlineExceeded | Code::Cancelled);
    is_cut_off && !is_not_dispatched(refusal)
}

pub(super) fn overloaded() -> Status {
    not_dispatched(Status::resource_exhausted(
        "the runtime forwards too many calls right now",
    ))
}

/// The time is over, and nothing was sent.
pub(super) fn too_late() -> Status {
    let text = "the deadline passed before the call was sent";
    not_dispatched(Status::deadline_exceeded(text))
}

/// The time is over, and nobody knows how far the instance got.
pub(super) fn unanswered() -> Status {
    Status::deadline_exceeded("the deadline passed before the answer came")
}

pub(super) fn nobody(service: ServiceId, forward: &Forward) -> Status {
    let method = &forward.request.method;
    not_dispatched(Status::unavailable(format!(
        "no instance of service {service} serves method `{method}` with this contract hash"
    )))
}
