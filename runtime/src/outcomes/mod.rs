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
//! Refuses new work beyond `outcomes.entries_max` and `outcomes.bytes_max`, and beyond its owner's
//! share of them (`outcomes.owner_share_percent`), before anything ran: what one service has stays in
//! proportion to what is free, so a busy one leaves room for the others. A body beyond
//! `outcomes.body_bytes_max`, or beyond three quarters of the bytes, is not kept, only that the work
//! was done.
//!
//! A lease that ended while the runtime was down is given back for 15 seconds when it starts, because
//! a holder that lives could not renew it.
//!
//! Invariant: at any time at most one claim of a piece of work is valid, and only its holder
//! settles it; what was settled is synced before its holder hears so.

mod model;
pub(crate) mod store;
mod upkeep;
mod stock;
mod waiting;
mod engine;
mod api;
#[cfg(test)]
mod tests;

pub use api::OutcomesApi;
pub use engine::{Asked, Begun, Claim, Error, Outcomes, Parts, Settled};
pub use model::{Digest, Full, Whose, Work};
pub use stock::{Held, OutcomeCounts};
