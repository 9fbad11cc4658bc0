//! The routes of an unchanged axum `Router`: what is mounted, which one a path takes, what of it
//! is declared and what was ever called.
//!
//! ```text
//!  Router ─{:?}─▶ shape (lexer, grammar) ─▶ RouteTable ─▶ Matcher      per request
//!                                                    ├──▶ RouteMap     for people, `map(&router)`
//!                                   declared, called ┴──▶ Audit        for CI
//! ```
//!
//! axum has no way to ask a router for its routes, but its `Debug` output lists every one after
//! `nest` and `merge`. It is read by an exact grammar of what axum 0.8 prints. It refuses to guess:
//! anything else is an [`UnknownShape`], and the caller goes on without a table.
//!
//! Invariant: a table is complete or there is none, and the router is only read.

mod methods;
mod lexer;
mod grammar;
mod shape;
mod matcher;
mod table;
mod map;
mod join;
mod audit;
mod report;

#[cfg(test)]
mod tests;

pub use self::audit::{
    Ambiguous, Audit, CANDIDATES_MAX, Called, Declared, Doubt, Joined, Missing, Served, Strictness,
};
pub use self::map::{RouteMap, map};
pub use self::matcher::Matcher;
pub use self::methods::{Handler, Methods};
pub use self::shape::UnknownShape;
pub use self::table::{Endpoint, Mounted, RouteTable, UnknownName};
