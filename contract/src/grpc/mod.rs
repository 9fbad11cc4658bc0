//! The wire types of `servicebridge.v1`: messages, clients and servers, as generated.
//! Refuses hand-written code: meaning and validation belong to the rooms that use them.
//! Invariant: `v1` is exactly what `cargo xtask codegen` makes of `proto/`.

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
