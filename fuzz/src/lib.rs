//! What must hold for whatever bytes a stranger hands to the readers of contracts, of JSON and of
//! the lock. Each function takes bytes and returns, or panics with what does not hold.
//!
//! ```text
//! corpus/TARGET/* ──▶ tests/corpus.rs ─┐
//!                                      ├──▶ proto, schema_json, … ──▶ what users call
//! libFuzzer ────────▶ engine/ ─────────┘
//! ```
//!
//! `engine/` is a workspace of its own, so that no ordinary build sees a fuzzing engine; `cargo
//! xtask soak fuzz` runs it. The corpus is what it kept, minimised, and every ordinary test run
//! goes through it.
//!
//! Refuses nothing: any bytes are an input. Invariant: the same bytes are judged the same way,
//! whatever came before them.

mod room;
mod judge;

mod loaders;
mod lock;
mod proto_json;

pub use loaders::{descriptor_set, proto, schema_json};
pub use lock::lock;
pub use proto_json::proto_json;

/// Judges bytes; panics with what does not hold.
pub type Judge = fn(&[u8]);

/// Every target by the name of its folder in `corpus/`.
pub const TARGETS: [(&str, Judge); 5] = [
    ("proto", proto),
    ("schema_json", schema_json),
    ("descriptor_set", descriptor_set),
    ("proto_json", proto_json),
    ("lock", lock),
];
