//! The wire types of `servicebridge.v1` and `bridge.v1`: messages, clients and servers, as generated.
//! Refuses hand-written code: meaning and validation belong to the rooms that use them.
//! Invariant: both are exactly what `cargo xtask codegen` makes of `proto/`.

/// Package `servicebridge.v1`.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_debug_implementations,
    unreachable_pub,
    rustdoc::all
)]
pub mod v1 {
    include!("servicebridge.v1.rs");
}

/// Package `bridge.v1`: what this runtime offers beyond `servicebridge.v1`.
#[allow(
    clippy::all,
    clippy::pedantic,
    missing_debug_implementations,
    unreachable_pub,
    rustdoc::all
)]
pub mod bridge {
    include!("bridge.v1.rs");
}
