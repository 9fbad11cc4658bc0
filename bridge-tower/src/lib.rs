//! Tower layers of bridge: trace context in and out of HTTP, one record and one count per request.
//!
//! The crate knows `http` and `tower`, never a runtime: what becomes of a record is decided by
//! whoever implements [`Export`]. A malformed trace header reads as "none".
//!
//! Invariant: a request that was started is ended exactly once, when the last byte of the response
//! body has been handed over or when nobody can receive it any more.

pub mod w3c;
pub mod context;
pub mod trace;
pub mod problem;

pub mod record;
pub mod red;
pub mod sample;
pub mod recorder;

#[cfg(feature = "axum")]
pub mod routes;

pub mod observe;

pub mod deadline;
pub mod limit;
pub mod catch_panic;
pub mod capture;
pub mod idempotency;

#[cfg(feature = "axum")]
pub mod app;

pub mod client;

#[cfg(feature = "logs")]
pub mod logs;

#[cfg(feature = "axum")]
pub use app::{Observed, observe};
pub use context::{CallContext, Deadline};
pub use observe::{Observe, ObserveLayer, StampLayer};
pub use record::Record;
pub use recorder::{Batch, Export, Recorder};
pub use sample::Sampler;
pub use w3c::{Baggage, Carried, TraceState};
