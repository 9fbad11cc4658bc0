//! The bridge runtime: who may join, who serves what, calls between services, and their traces,
//! from one process on SQLite or PostgreSQL.
//!
//! The order of the modules is the order of dependency: a module uses those above it only.

pub mod config;
pub mod tasks;
pub mod db;
pub mod audit;
pub mod settings;
pub mod identity;
pub mod policy;
pub mod registry;
pub mod outcomes;
pub mod rpc;
pub mod telemetry;
pub mod problem;
pub(crate) mod rest;
mod port;
pub mod accounts;
pub mod backup;
pub mod operator;
pub mod http;
pub mod export;
pub mod server;
pub mod cli;
