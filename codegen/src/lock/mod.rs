//! The contract gate: what is accepted, what is there, what breaks, and who.
//!
//! ```text
//!  .proto, .schema.json ─▶ Lock (present) ─┐
//!  bridge.lock ──────────▶ Lock (accepted) ┴▶ Report ─┐
//!  bridge map -o json ───▶ ServiceMap ────────────────┴▶ Gate: verdicts with names
//! ```
//!
//! A method is routed by its contract hash. A new field changes the hash and breaks nothing on the
//! wire, yet callers of the build before reach only instances of the build before. The two are told
//! apart: a [`Change`] breaks or does not, a [`Rerouted`] rpc needs its callers deployed anew.
//!
//! What is told of grows: match on a [`Verdict`] or on what a change [`Breaks`] with an arm for what
//! comes later.
//!
//! ```compile_fail,E0004
//! use bridge_codegen::lock::Verdict;
//!
//! fn is_release_stopped(verdict: Verdict) -> bool {
//!     match verdict {
//!         Verdict::Major => true,
//!         Verdict::Minor | Verdict::Patch => false,
//!         // `_ => true` is missing.
//!     }
//! }
//! ```
//!
//! Invariant: the same contract gives the same lock, byte for byte, on every machine.

mod entry;
mod canonical;
mod alternatives;
mod shape;
mod access;
mod model;
mod text;
mod entries;
mod parse;
mod change;
mod read;
mod openapi;
mod alike;
mod reserved;
mod fields;
mod constants;
mod writing;
mod reach;
mod routes;
mod bindings;
mod diff;
mod consumers;
mod gate;

#[cfg(test)]
mod document_tests;
#[cfg(test)]
mod route_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod format_tests;
#[cfg(test)]
mod field_tests;
#[cfg(test)]
mod enum_tests;
#[cfg(test)]
mod binding_tests;
#[cfg(test)]
mod name_tests;
#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod consumer_tests;

pub use access::Access;
pub use change::{Breaks, Change, Places, Report, Rerouted, Verdict};
pub use consumers::{Consumer, MAP_BYTES_MAX, ServiceMap};
pub use diff::compare;
pub use entry::{Entry, Shape};
pub use gate::Gate;
pub use model::{Bodies, Enum, Field, Idempotency, Label, Lock, Message, Route, Rpc, Type};
pub use openapi::routes;
pub use parse::LOCK_BYTES_MAX;
pub(crate) use read::read;
pub use shape::{DEPTH_MAX, ENTRIES_MAX};
