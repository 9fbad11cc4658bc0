//! The examples of the macros' documentation, compiled here: `bridge-macros` does not know this crate.
//! For tests of documentation alone.

#[doc = include_str!("../../bridge-macros/docs/rpc_messages.md")]
mod rpc_messages {}

#[doc = include_str!("../../bridge-macros/docs/rpc_http.md")]
mod rpc_http {}

#[doc = include_str!("../../bridge-macros/docs/service.md")]
mod service {}

#[doc = include_str!("../../bridge-macros/docs/error.md")]
mod error {}

#[doc = include_str!("../../bridge-macros/docs/message.md")]
mod message {}

#[doc = include_str!("../../bridge-macros/docs/oneof.md")]
mod oneof {}

#[doc = include_str!("../../bridge-macros/docs/enumeration.md")]
mod enumeration {}
