//! Whole systems: the runtime and services as processes, killed, frozen, restarted, attacked.
//!
//! Everything listens on loopback and lives in a temporary folder. `BRIDGE_TEST_POSTGRES` adds
//! PostgreSQL (see `cargo xtask pg`); `BRIDGE_SOAK=1` takes the full counts.
//! Invariant: a test ends with every process it started, whether it passes or not.

#![allow(clippy::print_stdout, clippy::print_stderr)] // measured times, and what processes said

mod contracts;

mod harness;

mod abuse;
mod attribution;
mod backup;
mod calls;
mod idempotency;
mod idempotency_http;
mod console;
mod console_recovery;
mod console_security;
mod console_walks;
mod console_world;
mod console_hostile;
mod command_line;
mod command_line_audit;
mod command_line_telemetry;
mod crash;
mod declared_edges;
mod handshake;
mod keys;
mod privacy;
mod python;
mod clients;
mod protojson;
mod annotated;
mod documents;
mod otel;
mod open_doors;
mod packaging;
mod api;
mod api_live;
mod registry_stream;
mod restart;
mod revocation;
mod streams;
mod rotation;
mod shutdown;
mod telemetry;
mod telemetry_logs;
mod telemetry_slices;
mod upgrade;
