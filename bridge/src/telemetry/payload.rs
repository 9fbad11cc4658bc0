//! Payloads attached to operations, as far as the runtime asks for them.
//!
//! The runtime's mode says whether none, those of failed operations or all are kept; it changes
//! while calls run. Until the first snapshot nothing is captured. Payloads of calls are masked by
//! the runtime, which knows their contract, before it stores anything.

use bridge_tower::capture::{CAPTURE_BYTES_MAX, Capture, MARKER, Mode};
use bytes::Bytes;
use contract::grpc::v1::{CaptureMode, CaptureModes, PayloadAttachment};
use contract::headers::TraceContext;

use super::ring::Weigh;

/// Whose payload it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// What came in: the request.
    In = 1,
    /// What went out: the answer.
    Out = 2,
}

/// The runtime's present wishes.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// What is kept of calls.
    pub(super) rpc: Capture,
    /// What is kept of HTTP requests.
    pub(super) http: Capture,
}

impl Wishes {
    /// Follows the runtime.
    pub(super) fn set(&self, modes: &CaptureModes) {
        let bytes = usize::try_from(modes.payload_max_bytes)
            .ok()
            .filter(|it| *it > 0);
        for (capture, wire) in [(&self.rpc, modes.rpc), (&self.http, modes.http)] {
            capture.set(mode(wire));
            capture.set_bytes_max(bytes.unwrap_or(CAPTURE_BYTES_MAX));
        }
    }
}

fn mode(wire: i32) -> Mode {
    match CaptureMode::try_from(wire) {
        Ok(CaptureMode::All) => Mode::All,
        Ok(CaptureMode::Errors) => Mode::Errors,
        // Also whatever a later contract adds: no payload leaves by misunderstanding.
        Ok(CaptureMode::None | CaptureMode::Unspecified) | Err(_) => Mode::None,
    }
}

/// One payload of one operation.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    context: TraceContext,
    direction: Direction,
    bytes: Bytes,
    original_bytes: u64,
    contract_hash: &'static str,
}

impl Payload {
    /// Keeps the first `bytes_max` bytes.
    pub(super) fn cut(
        context: TraceContext,
        direction: Direction,
        payload: &[u8],
        bytes_max: usize,
        contract_hash: &'static str,
    ) -> Self {
        // Copied, because a part of a large buffer would keep all of it in memory.
        let kept = Bytes::copy_from_slice(&payload[..payload.len().min(bytes_max)]);
        Self {
            context,
            direction,
            bytes: kept,
            original_bytes: payload.len() as u64,
            contract_hash,
        }
    }

    /// A body that the HTTP layer kept a part of.
    pub(super) fn of_body(
        context: TraceContext,
        direction: Direction,
        bytes: Bytes,
        original_bytes: u64,
    ) -> Self {
        Self {
            context,
            direction,
            bytes,
            original_bytes,
            contract_hash: MARKER,
        }
    }

    pub(super) fn to_frame(&self) -> PayloadAttachment {
        PayloadAttachment {
            trace_id: self.context.trace.to_string(),
            op_id: self.context.parent.to_string(),
            direction: self.direction as u32,
            bytes: self.bytes.to_vec(),
            original_size: i32::try_from(self.original_bytes).unwrap_or(i32::MAX),
            contract_hash: self.contract_hash.to_owned(),
        }
    }
}

impl Weigh for Payload {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes.len()
    }
}
