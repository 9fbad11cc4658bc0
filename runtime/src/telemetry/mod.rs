//! Traces: operations that services report, merged, stored and asked for.
//!
//! ```text
//!            START                END
//!  (nothing) ─────▶ PENDING ───────────────▶ SUCCESS · ERROR · TIMEOUT
//!      │               │ instance gone            ▲
//!      │               └────────────▶ ABANDONED ──┘ late END
//!      └────────────── END first ─────────────────┘ then START fills the blanks
//! ```
//!
//! Frames arrive at least once, START and END in any order; [`Operation::apply`] gives the
//! same operation. The actor of an operation is whoever's certificate reported it.
//!
//! Refuses frames that another service's operation would pay for, and kinds that only the runtime
//! writes. Oversized or broken JSON is replaced, never a reason to fail the stream.
//!
//! Invariants: a terminal operation never becomes pending again; a blank never replaces a value.

mod model;
mod query;
mod tree;
mod store;
mod engine;
mod sweep;
mod api;
#[cfg(test)]
mod tests;

pub use api::TelemetryApi;
pub use engine::{OPS_DEFAULT, OPS_MAX, TRACES_DEFAULT, TRACES_MAX, Telemetry};
pub use model::{Actor, Channel, Frame, Ingested, Operation, Status};
pub use query::{Cursor, CursorError, TraceFilter, TracePage, TraceSummary, TracesPage};
pub use tree::{Branch, tree};
