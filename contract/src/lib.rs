//! What a bridge runtime and the services that join it agree on.
//!
//! A leaf: it depends on nothing else in this workspace, and everything else may depend on it.
//! Features keep it small for those who need little: `grpc` adds the generated `servicebridge.v1`
//! messages, `transport` adds mutual TLS and HTTP/2, `schema` adds the contract model and hash,
//! `message` adds message tables with ProtoJSON, `json-schema` their JSON Schema.
//!
//! Invariant: nothing here decides anything about a user's data. It names, formats and parses.

pub mod clock;
pub mod task;
pub mod civil;
pub mod scalar;
pub mod const_text;
pub mod error_code;
pub mod ids;
pub mod w3c;
pub mod headers;
#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(feature = "grpc")]
pub mod key;
#[cfg(feature = "schema")]
pub mod schema;
#[cfg(feature = "schema")]
pub mod hash;
#[cfg(feature = "message")]
pub mod message;
#[cfg(feature = "message")]
pub mod codec;
#[cfg(feature = "transport")]
mod der;
#[cfg(feature = "transport")]
pub mod tls;
#[cfg(feature = "transport")]
pub mod transport;
