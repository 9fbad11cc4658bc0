//! Metrics that services report: counters, gauges and histograms, kept by windows of 10 seconds.
//!
//! ```text
//!  points ──fold──▶ windows of a series ──▶ its slice ──▶ buckets of a question: average, peak
//! ```
//!
//! A series is a name, its labels, its service and its instance; each slice has its own list of
//! series, so a dropped slice leaves nothing behind. A window adds up what came in its 10 seconds:
//! deltas of a counter, the course of a gauge, the counted buckets of a histogram.
//!
//! Refuses points without a name or kind, values that are no number, buckets that make no sense,
//! and series beyond the limit of an instance; each is counted.
//!
//! Invariant: service and instance come from the certificate; a delta counts once.

mod histogram;
mod model;
mod answer;
mod totals;
mod store;
mod engine;
mod asking;
#[cfg(test)]
mod tests;

pub use answer::{MetricSample, MetricSeries, MetricsPage};
pub use asking::{POINTS_MAX, SERIES_MAX};
pub use engine::Metrics;
pub use histogram::Histogram;
pub use model::{MetricKind, MetricName, MetricQuery, MetricReport, MetricsIngested};
pub use totals::{MetricTotal, SAMPLES_MAX, TotalsCounters};
