//! The audit trail: every change an operator made, written in the transaction of the change.
//!
//! Refuses to be the only witness: an entry without its change, or a change without its entry,
//! cannot exist, because `append` takes the caller's connection.
//!
//! Invariant: entries are only added; their ids are UUIDv7, so newest first is descending id.

mod model;
mod store;
mod engine;
#[cfg(test)]
mod tests;

pub use engine::list;
pub use model::{Entry, PAGE_MAX, Page};
pub(crate) use store::append;
