//! Payloads attached to operations, as far as the runtime asks for them.
//!
//! The runtime's mode says whether none, those of failed operations or all are kept; it changes
//! while calls run. Until the first snapshot nothing is captured. Nothing is masked here: the
//! runtime does that before it stores anything.

use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use bytes::Bytes;
use contract::grpc::v1::{CaptureMode, CaptureModes, PayloadAttachment};
use contract::headers::TraceContext;

use super::ring::Weigh;

/// Bytes kept per direction when the runtime does not say.
const BYTES_MAX_DEFAULT: u32 = 65_536;

/// Whose payload it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// What came in: the request.
    In = 1,
    /// What went out: the answer.
    Out = 2,
}

/// Which payloads are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    None,
    Errors,
    All,
}

impl Mode {
    fn of(wire: i32) -> Self {
        match CaptureMode::try_from(wire) {
            Ok(CaptureMode::All) => Self::All,
            Ok(CaptureMode::Errors) => Self::Errors,
            // Also whatever a later contract adds: no payload leaves by misunderstanding.
            Ok(CaptureMode::None | CaptureMode::Unspecified) | Err(_) => Self::None,
        }
    }
}

/// The runtime's present wishes.
#[derive(Debug)]
pub(crate) struct Capture {
    rpc: AtomicU8,
    http: AtomicU8,
    bytes_max: AtomicU32,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            rpc: AtomicU8::new(Mode::None as u8),
            http: AtomicU8::new(Mode::None as u8),
            bytes_max: AtomicU32::new(BYTES_MAX_DEFAULT),
        }
    }
}

impl Capture {
    /// Follows the runtime.
    pub(crate) fn set(&self, modes: &CaptureModes) {
        self.rpc.store(Mode::of(modes.rpc) as u8, Ordering::Relaxed);
        self.http.store(Mode::of(modes.http) as u8, Ordering::Relaxed);
        let bytes = u32::try_from(modes.payload_max_bytes).ok().filter(|it| *it > 0);
        self.bytes_max.store(bytes.unwrap_or(BYTES_MAX_DEFAULT), Ordering::Relaxed);
    }

    pub(crate) fn rpc(&self) -> Mode {
        mode(&self.rpc)
    }

    pub(crate) fn http(&self) -> Mode {
        mode(&self.http)
    }

    /// Bytes kept per direction.
    pub(crate) fn bytes_max(&self) -> usize {
        usize::try_from(self.bytes_max.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }
}

fn mode(stored: &AtomicU8) -> Mode {
    match stored.load(Ordering::Relaxed) {
        it if it == Mode::All as u8 => Mode::All,
        it if it == Mode::Errors as u8 => Mode::Errors,
        _ => Mode::None,
    }
}

/// One payload of one operation.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    context: TraceContext,
    direction: Direction,
    bytes: Bytes,
    original_bytes: usize,
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
            original_bytes: payload.len(),
            contract_hash,
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
