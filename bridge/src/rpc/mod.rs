//! Calls: out to other instances, in from them.
//!
//! ```text
//! Target ──► attempts ──► pick (two choices) ──► direct ──┐
//!                │                                        ├──► reply or error
//!                └── none could be reached ──► proxy ─────┘
//! peer or runtime ──► Inbound: identity, admission, handler ──► answer
//! ```
//!
//! Refuses to guess about outcomes: a call is repeated only when it provably did not reach a
//! handler.

mod balance;
mod outcome;
mod wire;

mod attempts;
mod client;

mod admission;
mod server;

pub use self::client::{Call, CallFuture, Client, Contract, Target};

pub(crate) use self::client::Declared;
pub(crate) use self::server::{Inbound, Method};
