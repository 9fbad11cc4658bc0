//! Operations under way: calls, steps that users name, spans.
//!
//! Invariant: each is ended exactly once, by whoever knows how or by being dropped.

use std::sync::Arc;

use bridge_tower::CallContext;
use bridge_tower::capture::Mode;
use contract::headers::TraceContext;
use contract::ids::{OpId, TraceId};

use super::Telemetry;
use super::ended::Ended;
use super::op::{self, Record, RequestId, Served, Slot, What};
use super::payload::{Direction, Payload};

/// What is known about a call before it is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallStart<'c> {
    pub(crate) service: &'c Arc<str>,
    pub(crate) method: &'static str,
    pub(crate) request: &'c RequestId,
    pub(crate) key: Option<&'c Arc<str>>,
}

/// An operation under way. It has failed when it is dropped before anybody said how it ended.
#[derive(Debug)]
pub(crate) struct Op {
    pub(super) telemetry: Telemetry,
    context: TraceContext,
    /// `None` when it leaves no record, or has ended.
    slot: Option<Slot>,
    when_dropped: &'static str,
}

impl Op {
    /// The context of nested work: this operation is its parent.
    pub(crate) fn context(&self) -> TraceContext {
        self.context
    }

    /// Ends the call that it is. `message` is made only when the operation is recorded.
    pub(crate) fn end(mut self, ended: Ended, served: Served, message: impl FnOnce() -> String) {
        let message = || message().into_boxed_str();
        self.finish(ended, message, |record| record.served(served));
    }

    /// Whether it leaves a record.
    #[cfg(feature = "tracing-subscriber")]
    pub(super) fn is_recorded(&self) -> bool {
        self.slot.is_some()
    }

    /// Attaches what was sent or received, as far as the runtime wants it.
    pub(crate) fn attach(&self, direction: Direction, payload: &[u8], hash: &'static str) {
        if self.slot.is_none() || payload.is_empty() {
            return;
        }
        let bytes_max = self.telemetry.0.wishes.rpc.bytes_max();
        let payload = Payload::cut(self.context, direction, payload, bytes_max, hash);
        self.telemetry.push_payload(payload);
    }

    /// Which payloads of calls are kept now.
    pub(crate) fn capture(&self) -> Mode {
        self.telemetry.0.wishes.rpc.mode()
    }

    pub(super) fn finish(
        &mut self,
        ended: Ended,
        message: impl FnOnce() -> Box<str>,
        change: impl FnOnce(&mut Record),
    ) {
        let Some(slot) = self.slot.take() else { return };
        let finished = self.telemetry.now();
        let text = match ended {
            Ended::Success => Box::default(),
            Ended::Error | Ended::Timeout => message(),
        };
        let due = op::end(&mut self.telemetry.0.outbox.ops.lock(), slot, |record| {
            change(record);
            record.end(finished, ended, text);
        });
        self.telemetry.flush_if(due);
    }
}

impl Drop for Op {
    fn drop(&mut self) {
        let message = self.when_dropped;
        self.finish(Ended::Error, || message.into(), |_| {});
    }
}

impl Telemetry {
    /// Starts the one operation of a logical call.
    pub(crate) fn start_call(&self, parent: Option<&CallContext>, call: &CallStart<'_>) -> Op {
        self.start(parent, "cancelled by the caller", || What::Call {
            service: call.service.clone(),
            method: call.method,
            request: call.request.clone(),
            key: call.key.cloned(),
            served: Served::default(),
        })
    }

    pub(super) fn start(
        &self,
        parent: Option<&CallContext>,
        when_dropped: &'static str,
        what: impl FnOnce() -> What,
    ) -> Op {
        let is_sampled = parent.is_none_or(|it| it.flags.is_sampled());
        let is_recorded = is_sampled && self.is_enabled();
        let started = self.now();
        let context = match parent {
            // What leaves no record is not a step of the trace.
            Some(parent) if !is_recorded => parent.trace,
            Some(parent) => TraceContext {
                trace: parent.trace.trace,
                parent: OpId::mint_at(&self.0.mint, started),
            },
            None => TraceContext {
                trace: TraceId::mint_at(&self.0.mint, started),
                parent: OpId::mint_at(&self.0.mint, started),
            },
        };
        let slot = is_recorded.then(|| {
            let parent = parent.map(|it| it.trace.parent);
            let record = Record::started(context, parent, what(), started);
            let (slot, due) = op::start(&mut self.0.outbox.ops.lock(), record);
            self.flush_if(due);
            slot
        });
        Op {
            telemetry: self.clone(),
            context,
            slot,
            when_dropped,
        }
    }
}
