//! Maps, traces and series as pictures: text for terminals, SVG for documents. Pure.
//!
//! Refuses to trust a name: whatever comes from a service is escaped for the picture it goes into.

mod words;
mod text;
mod shape;
mod layers;
mod layout;
mod ink;
mod card;
mod svg;
mod spark;
mod tree;
#[cfg(test)]
mod tests;

pub use spark::spark;
pub use svg::svg;
pub use text::{dot, mermaid};
pub use tree::{Look, tree, tree_as};
pub(crate) use words::{bytes, count, load, span, visible};
