//! What an operator may ask and change, over HTTP on a Unix socket in the data folder.
//!
//! Who can open the socket (mode 0600) is the operator; nothing else listens there. The command
//! line uses exactly this. Every change is written to the audit trail in its own transaction.

pub mod model;
pub mod draw;
mod engine;
mod doctor;
mod trace;
mod api;
mod client;

pub use api::serve;
pub use client::{Client, ClientError};
pub use engine::{Operator, Parts, TraceQuery};

/// File name of the socket in the data folder.
pub const SOCKET_FILE: &str = "operator.sock";
