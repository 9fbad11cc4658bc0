//! Message tables: ProtoJSON both ways, required fields, `Debug` and JSON Schema, on messages with
//! everything that a contract can have.
//!
//! Bytes are checked against an implementation that shares no code with the tables (prost-reflect);
//! the library of another language is the judge of the JSON (python3 is required).

#![cfg(all(feature = "schema", feature = "json-schema"))]

mod world;
mod shown;
mod refused;
mod merged;
mod required;
mod debug;
mod schema;
mod random;
mod reference;
