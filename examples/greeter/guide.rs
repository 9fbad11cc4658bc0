//! The guide's second level, whose code is compiled where its contract is; `tests/guide.rs` holds it to
//! the program. Empty but for tests of documentation.

#[cfg(doctest)]
#[doc = include_str!("../../bridge/guide/2-contracts.md")]
mod pieces {}
