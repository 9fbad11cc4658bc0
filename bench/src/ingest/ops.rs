//! Operations as services report them: traces of one request and three calls, each START and END.

use std::collections::VecDeque;

use contract::clock::Clock;
use contract::grpc::v1::{Channel, OpBatch, OpReport, Status};
use contract::ids::{IdMint, OpId, TraceId};

/// Operations of one trace: the request and the calls it makes.
const OPS_PER_TRACE: u64 = 4;
/// Different routes and methods.
const SUBJECTS: u64 = 40;
/// One in so many fails.
const FAILURE_EVERY: u64 = 200;

/// A source of items for one report stream.
pub(super) struct Ops {
    clock: Clock,
    mint: IdMint,
    made: u64,
    trace: TraceId,
    root: OpId,
    running: VecDeque<(TraceId, OpId, u64)>,
    /// ENDs sent in the batch of their START, and in a later one.
    pub(super) ends: Ends,
}

/// Where ENDs went.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    pub(super) with_start: u64,
    pub(super) later: u64,
}

impl Ops {
    pub(super) fn new(clock: &Clock) -> Self {
        let mint = IdMint::system(clock);
        Self {
            clock: clock.clone(),
            made: 0,
            trace: TraceId::mint(&mint),
            root: OpId::NONE,
            running: VecDeque::new(),
            ends: Ends::default(),
            mint,
        }
    }

    /// The next `items`: as many STARTs as ENDs, once `running` operations have begun and not ended.
    pub(super) fn batch(&mut self, items: usize, running: usize) -> OpBatch {
        let now = self.clock.now();
        let first = self.made;
        let mut batch = OpBatch::default();
        batch.items.reserve(items);
        while batch.items.len() < items {
            if self.running.len() > running
                && let Some(oldest) = self.running.pop_front()
            {
                let here = oldest.2 >= first;
                self.ends.with_start += u64::from(here);
                self.ends.later += u64::from(!here);
                batch.items.push(end(oldest, now.as_millis()));
                continue;
            }
            let op = OpId::mint_at(&self.mint, now);
            let number = self.made;
            self.made += 1;
            if number.is_multiple_of(OPS_PER_TRACE) {
                self.trace = TraceId::mint_at(&self.mint, now);
                self.root = OpId::NONE;
            }
            let place = (self.trace, op, self.root);
            batch.items.push(start(place, number, now.as_millis()));
            if self.root == OpId::NONE {
                self.root = op;
            }
            self.running.push_back((self.trace, op, number));
        }
        batch
    }
}

fn start((trace, op, root): (TraceId, OpId, OpId), number: u64, now_ms: i64) -> OpReport {
    let subject = number % SUBJECTS;
    let common = OpReport {
        trace_id: trace.to_string(),
        op_id: op.to_string(),
        kind: 1,
        attempt: 1,
        started_at_ms: now_ms,
        status: Status::Pending.into(),
        attrs_json: b"{}".to_vec(),
        ..OpReport::default()
    };
    if root == OpId::NONE {
        return OpReport {
            channel: Channel::Http.into(),
            subject: format!("http.handle:GET//shops/{{shop}}/orders/{subject}"),
            business_key: format!("GET /shops/eu-west/orders/{number}"),
            meta_json: b"{}".to_vec(),
            ..common
        };
    }
    OpReport {
        parent_op_id: root.to_string(),
        channel: Channel::Rpc.into(),
        subject: format!("rpc.call:payments/Charge{subject}"),
        peer_service_id: "0198c0de-0000-7000-8000-000000000001".to_owned(),
        meta_json: format!(
            r#"{{"method":"Charge{subject}","via_proxy":false,"requestId":"{number:016x}"}}"#
        )
        .into_bytes(),
        ..common
    }
}

fn end((trace, op, number): (TraceId, OpId, u64), now_ms: i64) -> OpReport {
    let failed = number.is_multiple_of(FAILURE_EVERY);
    let status = if failed {
        Status::Error
    } else {
        Status::Success
    };
    let is_call = !number.is_multiple_of(OPS_PER_TRACE);
    let (channel, peer) = if is_call {
        (
            Channel::Rpc,
            "0198c0de-0000-7000-8000-000000000002".to_owned(),
        )
    } else {
        (Channel::Http, String::new())
    };
    OpReport {
        trace_id: trace.to_string(),
        op_id: op.to_string(),
        channel: channel.into(),
        kind: 1,
        attempt: 1,
        finished_at_ms: Some(now_ms + 3),
        status: status.into(),
        status_message: if failed {
            "HTTP 500".to_owned()
        } else {
            String::new()
        },
        peer_instance_id: peer,
        ..OpReport::default()
    }
}
