//! What an operator may ask and change, over HTTP on a Unix socket in the data folder.
//!
//! Who can open the socket (mode 0600) is the operator; nothing else listens there. The command
//! line uses exactly this. Every change is written to the audit trail in its own transaction.

mod api;
mod client;
mod doctor;
pub mod model;
mod trace;

pub use api::{Operator, Parts, serve};
pub use client::{Client, ClientError};

/// File name of the socket in the data folder.
pub const SOCKET_FILE: &str = "operator.sock";
