//! Messages at run time: constant tables of what they look like, and what walks encoded bytes by
//! them. Generated code has one table and a few one-line calls for each message, instead of code.
//!
//! ```text
//!                  ┌─▶ to_json, Json, bytes_to_json     ProtoJSON out
//! bytes + table ───┼─▶ check_required                   what is missing, with the way to it
//!                  └─▶ fmt_debug                        what a person reads, cut
//! table ─────────────▶ json_schema                      (feature `json-schema`)
//! table + JSON ──────▶ from_json, Read, json_to_bytes   ProtoJSON in
//! descriptors ───────▶ Pool                             tables at run time (feature `schema`)
//! tables of types that are declared in Rust ──Files──▶ descriptors
//! ```
//!
//! Refuses groups, and nesting deeper than 100. What a walk costs is bounded by its input.
//! Invariant: a walk keeps of a message what a decoder keeps, so that no way of sending it (in
//! pieces, out of order, packed or not) changes what is seen.

mod path;
mod table;
mod wire;
pub mod well_known;
mod level;
mod required;
mod debug;
mod text;
mod options;
mod write;
mod read;
mod json;
mod decode;
mod descriptors;
mod files;
#[cfg(feature = "schema")]
mod pool;
#[cfg(feature = "json-schema")]
mod schema;

#[doc(hidden)]
pub use ::prost;
#[cfg(feature = "json-schema")]
#[doc(hidden)]
pub use ::schemars;
#[doc(hidden)]
pub use ::serde;

pub use debug::{ELEMENTS_MAX, SHOWN_DEPTH_MAX, TEXT_BYTES_MAX, VALUES_MAX, fmt_debug};
#[doc(hidden)]
pub use debug::{debug_bytes, debug_text};
pub use decode::decode_checked;
pub use files::{Files, FilesError};
pub use json::{Json, JsonError, Read, bytes_to_json, from_json, json_to_bytes, to_json};
pub use options::JsonOptions;
#[cfg(feature = "schema")]
pub use pool::{Pool, PoolError};
pub use required::{Violation, check_required};
#[cfg(feature = "json-schema")]
pub use schema::json_schema;
pub use table::{Described, EnumTable, FieldTable, Form, Kind, Label, MessageTable, Scalar};
