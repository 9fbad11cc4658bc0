//! The bridge runtime: who may join, who serves what, calls between services, and their traces,
//! from one process on SQLite or PostgreSQL.
//!
//! The order of the modules is the order of dependency: a module uses those above it only.

pub mod audit;
pub mod cli;
pub mod config;
pub mod db;
pub mod identity;
pub mod operator;
pub mod policy;
pub mod registry;
pub mod rpc;
pub mod server;
pub mod settings;
pub mod tasks;
pub mod telemetry;
