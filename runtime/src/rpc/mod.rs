//! Calls that go through the runtime instead of directly from caller to callee.
//!
//! The proxy forwards bytes it does not understand. A refusal says with a trailer whether any
//! handler could have run; after the request was handed to a callee it never says so again.
//!
//! Invariant: the `caller_service` a callee reads is the one of the caller's certificate.

mod forward;
mod load;
mod peers;
mod chunks;
mod engine;
mod once;
mod api;
#[cfg(test)]
mod tests;

pub use api::InvokeApi;
pub use engine::Proxy;
