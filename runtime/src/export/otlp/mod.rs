//! OTLP over HTTP: traces, metrics and logs of services that know OpenTelemetry and not us.
//!
//! ```text
//! POST /v1/{traces,metrics,logs} ─► body (protobuf or JSON, gzip) ─► who sends ─► as ours ─► stored
//! ```
//!
//! A sender is known by its `service.name` alone: it gets an id of its own, is on the map as
//! *foreign* and cannot be called. Its spans join ours in one trace, because ids mean the same on
//! both sides. Answers follow the public specification: 200 with what was rejected, 400 for what
//! cannot be read, 429 and 503 with `Retry-After` for what should be sent again.
//!
//! Refuses bodies over 4 MiB, packed or unpacked, more items than [`bounds`] allows, and other
//! encodings than gzip.
//!
//! Invariant: 200 means stored, but for what the answer says was rejected.

mod json;
mod message;
mod points;
mod attributes;
mod sender;
mod spans;
mod logs;
mod deltas;
mod metrics;
mod engine;
mod body;
mod bounds;
mod api;
#[cfg(test)]
mod tests;

pub(super) use api::{refusal_in_protobuf, routes};
pub(super) use engine::Otlp;
