//! The query half of Loki's HTTP API over our logs, so that an existing Grafana reads them.
//!
//! | label | what |
//! |---|---|
//! | `service` (or `service_name`) | the service's name |
//! | `instance` | the instance's id |
//! | `level` (or `detected_level`) | `debug`, `info`, `warn`, `error` |
//! | `source` | `sdk`, `console`, `runtime` |
//!
//! The line is the message. `trace_id`, `op_id` and a line's fields are structured metadata: they can
//! be filtered by, the ids in the selector too, and make no streams of their own.
//!
//! Refuses what it cannot answer rightly, with 400 and the part that it does not know: parsers,
//! formatters, other range functions and aggregations than `sum`.
//!
//! Invariant: an answer is exact for what it says it covers; one that had to stop early says so.

mod logql;
mod scan;
mod parse;
mod line;
mod asked;
mod engine;
mod answer;
mod api;
#[cfg(test)]
mod tests;

pub(super) use api::routes;
