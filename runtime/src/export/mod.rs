//! The open doors on port 14446, for the tools that people have already: health, Prometheus,
//! OTLP/HTTP and Loki.
//!
//! ```text
//! door (connections, heads) ─► guard (token, how many at once) ─► /metrics · /v1/… · /loki/…
//!                           └► /healthz · /readyz
//! ```
//!
//! Refuses everybody without a token where it listens beyond loopback, or where a token is
//! configured; health alone never needs one. It changes nothing: what comes in is telemetry.
//!
//! Invariant: a slow, greedy or malicious client costs a bounded amount of memory and files.

mod parts;
mod health;
mod otlp;
mod prometheus;
mod loki;
mod guard;
mod door;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_bounds;
#[cfg(test)]
mod tests_room;
#[cfg(test)]
mod tests_totals;

pub use door::serve;
pub use guard::{ScrapeToken, TokenError};
pub use parts::Parts;
