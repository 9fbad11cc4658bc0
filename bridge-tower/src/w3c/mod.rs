//! W3C Trace Context (levels 1 and 2) and W3C Baggage in HTTP headers: our own parsers.
//!
//! Reading is exact and lazy. Which trace a request belongs to is known from two headers, without
//! allocating; `tracestate` and `baggage` are copied only when they are there, and read only when
//! somebody asks or when they go out again. Malformed headers are never an error: a trace header
//! reads as "none", a whole `tracestate` is left out, of `baggage` the bad member alone.
//!
//! Invariant: `tracestate` comes in and goes out only beside the valid `traceparent` it belongs
//! to.

pub(crate) mod list;
mod state;
mod baggage;
mod carried;
mod headers;

pub use contract::w3c::{TRACEPARENT_LEN, TraceFlags, TraceParent};

pub use self::baggage::{Baggage, BaggageError, Member, Property};
pub use self::carried::{CARRIED_BYTES_MAX, Carried};
pub use self::headers::{Incoming, extract, inject};
pub use self::state::{InvalidEntry, TraceState};

pub(crate) use self::headers::Unread;
