//! OTLP export of what a bridge [`Recorder`](bridge_tower::Recorder) holds: its records as spans,
//! its counts as metrics, to any OpenTelemetry collector.
//!
//! ```no_run
//! use bridge_otel::OtlpExporter;
//! use bridge_tower::Recorder;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let recorder = Recorder::new();
//! let otlp = OtlpExporter::builder()
//!     .endpoint("http://127.0.0.1:4318")
//!     .service_name("shop")
//!     .read_env()
//!     .build(&recorder)?;
//! // Says what is wrong, if anything is: nobody listens, wrong path, wrong port, wrong key.
//! otlp.check().await?;
//! # Ok(())
//! # }
//! ```
//!
//! ```text
//!  recorder's thread: records ─▶ encoded spans ─▶ queue, bounded in bytes ─▶ this crate's thread ─▶ collector
//!                     counts ──▶ one pending metrics request (the newest)                 │
//!                                          health ◀── every outcome ─────────────────────┘
//! ```
//!
//! # Why no opentelemetry crate
//!
//! The OTLP wire is stable, the Rust crates around it are not: each release is a new set of types,
//! two of them in one process do not see each other, and an exporter that dies says nothing. What
//! is needed of the wire is a dozen messages that are only written, and one small one that is read.
//! So records are encoded straight into the wire's bytes (through an SDK's span data each attribute
//! costs an allocation or two), and the transport is the hyper and rustls that a service has anyway:
//! two small crates come on top, for the certificates of the machine. Looked at: opentelemetry-otlp
//! with the SDK (43 crates more than a bridge service has, and a processor with limits and a thread
//! of its own behind ours), opentelemetry-proto with tonic (its messages come with the SDK's
//! features).
//!
//! # What it refuses
//!
//! It never blocks the recorder, keeps at most [`Builder::queue_bytes`] of unsent spans (the oldest
//! are dropped and counted), repeats only what OTLP says may be repeated, and has no say in
//! sampling. Only ended requests are exported.
//!
//! Invariant: whatever happens to the sending side, [`Otlp::health`] says so, the thread's own
//! death included, and each span is counted as sent, rejected or dropped.

mod proto;
mod endpoint;
mod fault;
mod health;
mod attributes;
mod resource;
mod spans;
mod metrics;
mod queue;
mod reply;
mod connection;
mod worker;
mod exporter;
mod builder;

pub use builder::{BuildError, Builder};
pub use endpoint::{EndpointError, Protocol};
pub use exporter::{Otlp, OtlpExporter};
pub use fault::Fault;
pub use health::{Counts, Health};

#[cfg(test)]
mod tests;
