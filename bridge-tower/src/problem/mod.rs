//! Errors as RFC 9457 problem details: one JSON shape for everything that goes wrong.
//!
//! [`Problem`] is the answer of every layer here that answers by itself. [`ProblemLayer`] gives
//! the same shape to errors in plain text, which becomes the `detail`, and to those without a body:
//! what a framework answers (extractor rejections, routes and methods that do not exist, bodies that are
//! too large), and what a handler says with `(StatusCode, String)`.
//!
//! It refuses to guess: whatever has a media type of its own, is streamed, encoded or longer than
//! 64 KiB stays as it is, and so does what a client gets that asks for no JSON.
//!
//! Invariant: status and headers of an answer stay; only its body and what describes the body
//! change.

mod model;
mod grpc;
mod resumed;
mod body;
mod accept;
mod future;
mod layer;

pub use self::body::ProblemBody;
pub use self::future::ResponseFuture;
pub use self::layer::{ProblemLayer, Problems, Untouched};
pub use self::model::{PROBLEM_JSON, Problem};

pub(crate) use self::resumed::Resumed;

#[cfg(feature = "axum")]
pub(crate) use self::future::{Reading, Wanted, head_of_problem};
pub(crate) use self::future::{WasText, says_nothing_of_its_own};
pub(crate) use self::grpc::Asked;

#[cfg(test)]
mod tests;
