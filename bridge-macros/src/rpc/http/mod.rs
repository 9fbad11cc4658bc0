//! `#[bridge::rpc(post, "/v1/orders")]` above an axum handler: what it is mounted at, as data.
//!
//! The function is mounted by axum as before; nothing here is in the way of a request. Extractors
//! are the user's own business: what is not known is left alone.
//!
//! Invariant: a handler that axum takes is refused only for what the attribute says about it.

pub(super) mod path;
pub(super) mod header;
pub(super) mod check;
pub(super) mod expand;
