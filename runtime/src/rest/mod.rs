//! Routes that document themselves: one declaration makes the route, checks what comes with a
//! request, and writes its part of the OpenAPI document.
//!
//! ```text
//! Route (path, words, refusals) ─┐
//! handler (types of P, Q, B, R) ─┼─► router: decode → check against the schema → handler → answer
//! schemars (from those types)   ─┴─► document: parameters, body, answers, limits
//! ```
//!
//! Refuses a route without words, and an answer with a status that its route did not declare
//! (in builds with debug assertions). Limits are enforced from the very schema that is published:
//! what the document says is too long is refused, and nothing else is.
//!
//! Invariant: every route of an [`Api`] is in its document, because there is no other way in.

mod shape;
mod ask;
mod reply;
mod document;
mod route;

pub(crate) use ask::{Ask, Body, NoBody, Nothing, Patience};
pub(crate) use reply::{Done, Download, EVENTS, Headed, LINES, Made, Shown, Stream};
pub(crate) use route::{Api, delete, get, patch, post, put};
