//! What the types of an axum handler say about it in OpenAPI 3.1: parameters, body, answers.
//!
//! ```text
//!  #[bridge::rpc] fn ──▶ a function from Docs ─┐ one per handler, run when a document is made
//!  #[derive(Error)] enum ──▶ ErrorDocs ────────┴──▶ Docs ──▶ Schemas ──▶ components
//! ```
//!
//! A type is told by what it implements, at the place where it is concrete: with `JsonSchema` it is
//! described, a known extractor without is described without its schema, and any other type is
//! passed over. Nothing is asked of a type that is the handler's own business.
//!
//! Invariant: a component is one type, or one variant of one error. Two of one name are refused with
//! both paths.

mod names;
mod schemas;
mod docs;
mod told;
mod argument;
mod answer;
mod problems;
mod path;

pub use self::answer::{DescribedAnswer, FailedAnswer, KnownAnswer, OpaqueAnswer, Whole};
pub use self::argument::{DescribedArgument, KnownArgument, Present, UnknownArgument};
pub use self::docs::Docs;
pub use self::problems::{DescribedField, ErrorDocs, OpaqueField, Problems};
pub use self::told::{Any, Told};

pub(crate) use self::docs::{Answer, Gathered};
pub(crate) use self::path::{parameters, template};
pub(crate) use self::problems::PROBLEM;
pub(crate) use self::schemas::{Components, Schemas, reference};
