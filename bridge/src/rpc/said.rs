//! What the inbound server reads of a request around its message, and what it says without one.

use std::time::Duration;

use contract::grpc::v1::CallResponse;
use contract::headers::{GRPC_TIMEOUT, TRACEPARENT, parse_grpc_timeout};
use contract::tls::Peer;
use contract::transport::{Connection, not_dispatched};
use contract::w3c::{TraceFlags, TraceParent};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use crate::handler::{Answer, Undecodable};
use crate::registry::Verdict;

pub(super) fn peer_of<T>(request: &Request<T>) -> Peer {
    request
        .extensions()
        .get::<Connection>()
        .map_or(Peer::Unknown, |connection| connection.peer)
}

pub(super) fn accepted(verdict: Verdict, peer: Peer, method: &str) -> Result<(), Status> {
    let peer = || {
        peer.uri()
            .unwrap_or_else(|| "an unidentified peer".to_owned())
    };
    match verdict {
        Verdict::Allowed => Ok(()),
        Verdict::NotReady => Err(not_dispatched(Status::unavailable(
            "the instance is not ready: it has not received its policy yet",
        ))),
        Verdict::Revoked => Err(Status::permission_denied(format!("{} is revoked", peer()))),
        Verdict::Unidentified => Err(Status::permission_denied(format!(
            "`{method}` is open to listed services only, and the peer's certificate names none"
        ))),
        Verdict::Denied => Err(Status::permission_denied(format!(
            "no acceptance rule lets {} call `{method}`",
            peer()
        ))),
    }
}

pub(super) fn draining() -> Status {
    not_dispatched(Status::unavailable("the instance is draining"))
}

pub(super) fn no_such_method(name: &str) -> Status {
    Status::not_found(format!("this instance does not serve `{name}`"))
}

pub(super) fn other_kind(method: &str, answers: &str, kind: &str) -> Status {
    let text = format!("`{method}` answers {answers}; call it as a {kind} method");
    Status::failed_precondition(text)
}

pub(super) fn undecodable(error: Undecodable) -> Status {
    Status::invalid_argument(error.to_string())
}

pub(super) fn respond(answer: Answer) -> CallResponse {
    match answer {
        Ok(payload) => CallResponse {
            payload,
            ..CallResponse::default()
        },
        Err(refusal) => CallResponse {
            error_code: refusal.code.to_owned(),
            error_message: refusal.message,
            ..CallResponse::default()
        },
    }
}

/// The rest of the caller's deadline.
pub(super) fn timeout_of(metadata: &MetadataMap) -> Option<Duration> {
    parse_grpc_timeout(metadata.get(GRPC_TIMEOUT)?.to_str().ok()?)
}

/// Whether the caller records the trace, if it says so.
pub(super) fn flags_of(metadata: &MetadataMap) -> Option<TraceFlags> {
    let read = TraceParent::parse(metadata.get(TRACEPARENT)?.as_bytes())?;
    Some(read.flags())
}
