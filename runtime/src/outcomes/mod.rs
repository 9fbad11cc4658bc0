//! What became of work that must not be done twice.
//!
//! ```text
//!             ┌──────────── lease ends, same request asked ───────────┐
//!             ▼                                                       │
//!  begin ─► claimed (epoch, lease) ──settle──► settled (body or none) ─┴─ keep ends ─► gone
//!   │         │  ▲ └─renew                        │
//!   │         │  └──────────── others wait ◄──────┤ replay
//!   │         └──release, keep ends──► gone       │
//!   └── same key, other request: conflict ◄───────┘
//! ```
//!
//! Two users: a service asks for its own work over `bridge.v1.Outcomes`, and the proxy for calls
//! that carry an idempotency key. Each names its work with texts of its own; neither can name the
//! other's. What was done is remembered across restarts; a holder that dies leaves a lease that
//! ends, and then the work is done **again** by the next one who asks.
//!
//! Refuses new work beyond `outcomes.entries_max` and `outcomes.bytes_max`, before anything ran.
//! A body beyond `outcomes.body_bytes_max` is not kept, only that the work was done.
//!
//! Invariant: at any time at most one claim of a piece of work is valid, and only its holder
//! settles it; what was settled is synced before its holder hears so.

mod model;
pub(crate) mod store;
mod stock;
mod waiting;
mod engine;
mod api;
#[cfg(test)]
mod tests;

pub use api::OutcomesApi;
pub use engine::{Asked, Begun, Claim, Error, Outcomes, Parts, Settled};
pub use model::{Digest, Work};
pub use stock::OutcomeCounts;
