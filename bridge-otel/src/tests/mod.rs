//! The exporter against a collector that is a real server: what arrives there, and what is said
//! when it does not.

mod wire;
mod collector;
mod content;
mod sending;
mod faults;
mod settings;
