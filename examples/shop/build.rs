//! Makes messages and typed clients from the contracts. A fault in one of them is a build error
//! with file, line and column.
//!
//! Invariant: what is generated depends on `contracts/` only.

fn main() {
    bridge_codegen::contracts("contracts/").compile();
}
