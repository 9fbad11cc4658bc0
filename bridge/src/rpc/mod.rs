//! Calls: out to other instances, in from them.
//!
//! ```text
//! Target ──► attempts ──► pick (two choices) ──► direct ──┐
//!                │                                        ├──► reply or error
//!                └── none could be reached ──► proxy ─────┘
//! peer or runtime ──► Inbound: identity, admission, handler ──► answer, or chunks
//! ```
//!
//! Refuses to guess about outcomes: a call is repeated only when it provably did not reach a
//! handler.

mod outcome;
mod reply;
mod until;
mod asked;
mod wire;

mod balance;
mod attempts;
mod opening;
mod mesh;
mod exchange;
mod live;

mod json_path;
mod json_form;
mod web;
mod application;
mod problems;
mod rich;
mod fixed;

mod said;
mod running;
mod promised;
mod inside;

mod target;
mod replies;
mod client;
mod remote;

mod admission;
mod chunks;
mod server;

pub use self::asked::ClientOptions;
pub use self::client::{Call, CallFuture, StreamCall};
pub use self::json_form::JsonForm;
pub use self::remote::Remote;
pub use self::replies::Replies;
pub use self::reply::{Reply, Stored};
pub use self::rich::grpc_details;
pub use self::target::{Client, Contract, Target};

pub(crate) use self::inside::{Found, Inside};
pub(crate) use self::mesh::Declared;
pub(crate) use self::running::Method;
pub(crate) use self::server::Inbound;
