//! Payloads that services capture: masked, cut, stored beside the operation they belong to.
//!
//! ```text
//!  attachment ──read by its schema or as JSON──▶ secrets masked ──▶ cut ──▶ slice of its operation
//! ```
//!
//! A request or answer is masked field by field when its schema is registered, by the names in the
//! text when it is JSON or a form, and kept as it came when it is neither. The schemas lie beside the
//! payloads, so that they can be read after their service has gone.
//!
//! Refuses to show a payload that another service attached to somebody's operation.
//!
//! Invariant: what a schema or JSON names as a secret is never written to storage.

mod schema;
mod decode;
mod model;
mod contracts;
mod store;
mod engine;
#[cfg(test)]
mod tests;

pub use engine::Payloads;
pub use model::{Direction, Payload, PayloadReport, PayloadsIngested, RAW_JSON, Rules};
