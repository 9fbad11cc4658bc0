//! Tower layers of bridge: trace context in and out of HTTP, and one recorded operation per
//! request.
//!
//! The crate knows `http` and `tower`, never a runtime: what becomes of an operation is decided
//! by whoever implements [`Recorder`]. It refuses nothing: a malformed trace header reads as
//! "none", and no request is ever answered here.
//!
//! Invariant: an operation that was started is ended exactly once, when the last byte of the
//! response body has been handed over or when nobody can receive it any more.

pub mod context;
pub mod trace;

pub mod recorder;

pub mod observe;

pub use context::{CallContext, Deadline};
pub use observe::{Observe, ObserveLayer};
pub use recorder::{HttpRequest, Outcome, RecordedOp, Recorder};
