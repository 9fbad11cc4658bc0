//! What traces promise: merging as pure cases, storing and asking on both databases.

mod asking;
mod keeping;
mod merging;
mod reporting;
mod storing;

use contract::clock::Clock;
use contract::ids::{IdMint, InstanceId, OpId, ServiceId, TraceId};

use super::{Actor, Channel, Frame, Operation, Status};

fn mint() -> IdMint {
    IdMint::system(&Clock::system())
}

fn actor(mint: &IdMint) -> Actor {
    Actor {
        service: ServiceId::mint(mint),
        instance: InstanceId::mint(mint),
    }
}

/// A START frame at `at_ms`.
fn start(mint: &IdMint, trace: TraceId, parent: Option<OpId>, at_ms: i64) -> Frame {
    Frame {
        trace,
        op: OpId::mint(mint),
        parent,
        channel: Some(Channel::Rpc),
        kind: 1,
        subject: "rpc.call:payments/Charge".to_owned(),
        peer_service: "payments".to_owned(),
        peer_instance: String::new(),
        business_key: "order-7".to_owned(),
        attempt: 1,
        started_at_ms: at_ms,
        finished_at_ms: None,
        status: Some(Status::Pending),
        status_message: String::new(),
        meta_json: br#"{"method":"Charge","via_proxy":false}"#.to_vec(),
        attrs_json: br#"{"region":"eu"}"#.to_vec(),
    }
}

/// The END frame of `start`, blank wherever the wire leaves blanks.
fn end(start: &Frame, at_ms: i64, status: Status) -> Frame {
    Frame {
        parent: None,
        subject: String::new(),
        peer_service: String::new(),
        peer_instance: "instance-b".to_owned(),
        business_key: String::new(),
        attempt: 2,
        started_at_ms: 0,
        finished_at_ms: Some(at_ms),
        status: Some(status),
        status_message: "done".to_owned(),
        meta_json: br#"{"via_proxy":true,"requestId":"r1"}"#.to_vec(),
        attrs_json: Vec::new(),
        ..start.clone()
    }
}

fn merged(actor: Actor, frames: &[&Frame]) -> Operation {
    let mut op = Operation::blank(actor, frames[0].trace, frames[0].op);
    for frame in frames {
        op.apply(frame);
    }
    op
}
