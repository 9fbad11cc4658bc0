//! Who may use the console and the API: accounts with a password, their sessions, API tokens.
//!
//! ```text
//! first start ── setup token ─► first admin ── makes ─► accounts, API tokens
//! password ─► session (cookie) ─┐
//! API token (bearer) ───────────┼─► Caller { name, role } ─► operator
//! operator's socket ────────────┘
//! ```
//!
//! Secrets are kept as something they cannot be found from, and appear in no log, error or `Debug`
//! text. Every change is in the audit trail, in its own transaction; wrong tries are counted.
//!
//! Invariant: once there is an admin there always is one; what an account or token could do
//! before its password, role or existence changed, it cannot do afterwards.

mod model;
mod secret;
mod attempts;
mod store;
mod engine;
mod tokens;
mod sessions;
pub(crate) mod wire;
mod api;
#[cfg(test)]
mod tests;

pub(crate) use api::{Remote, cookie, nobody, routes};
pub use engine::{Accounts, Counts, Error, Parts};
pub use model::{Caller, Role, Via};
pub use secret::Secret;
