//! The console's door: the API for browsers and programs over TCP, and the console's own files.
//!
//! ```text
//! listen ─► /api/…  gate: who is it, may it, is it its own page asking ─► operator and accounts
//!        └► else    assets: the files of the console, from the binary
//! every answer ─► headers that keep pages of others out
//! ```
//!
//! Refuses TLS (a proxy in front speaks it), slow and endless requests, and every request of the
//! API without a caller, known path or not, but for the four with which one becomes a caller.
//!
//! Invariant: a handler behind this door runs only with the right `Caller` in the request's
//! extensions, or on an open route.

mod headers;
mod assets;
mod origin;
mod gate;
mod listen;
#[cfg(test)]
mod tests;

pub use listen::Console;
