//! What an operator may ask and change, over HTTP on a Unix socket in the data folder.
//!
//! Who can open the socket (mode 0600) is the operator; nothing else listens there. The command
//! line uses exactly this. Every change is written to the audit trail in its own transaction.

pub mod model;
pub mod draw;
mod critical;
mod engine;
mod doctor;
mod map;
mod trace;
mod logs;
mod metrics;
mod routes;
mod payload;
mod tail;
mod refusal;
mod read;
mod api;
mod client;

pub use api::serve;
pub use client::{Client, ClientError, Lines};
pub use engine::{AskError, Operator, Parts};
pub use logs::LogQuery;
pub use metrics::MetricQuery;
pub use routes::RoutesQuery;
pub use tail::TailQuery;
pub use trace::TraceQuery;

/// File name of the socket in the data folder.
pub const SOCKET_FILE: &str = "operator.sock";
