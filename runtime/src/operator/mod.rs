//! What an operator may ask and change, over HTTP on a Unix socket in the data folder.
//!
//! Who can open the socket (mode 0600) is the operator; nothing else listens there. The command
//! line uses exactly this. Every change is written to the audit trail in its own transaction.

pub mod model;
pub mod draw;
mod critical;
mod engine;
mod doctor;
mod refusal;
mod map;
mod trace;
mod logs;
mod metrics;
mod red;
mod service;
mod about;
mod routes;
mod payload;
mod tail;
mod live;
mod change;
mod backup;
mod read;
mod api;
mod reach;
mod client;

pub(crate) use api::{api, serve};
pub use backup::{STORES_BYTES, TakeBackup};
pub use client::{Client, ClientError, Lines, Pieces};
pub use engine::{AskError, Operator, Parts};
pub use logs::LogQuery;
pub use metrics::MetricQuery;
pub use reach::AddressError;
pub use red::RedQuery;
pub use routes::RoutesQuery;
pub use tail::TailQuery;
pub use trace::TraceQuery;

/// File name of the socket in the data folder.
pub const SOCKET_FILE: &str = "operator.sock";
