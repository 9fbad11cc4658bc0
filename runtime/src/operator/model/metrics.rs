//! Metrics as they are listed and shown.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A metric somebody reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetricName {
    /// Name.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// UCUM: `s`, `By`, `1`.
    pub unit: String,
    /// Series that are told apart by their labels.
    pub series: u64,
}

/// One metric over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricShown {
    /// Length of a step, milliseconds.
    pub step_ms: i64,
    /// Its series.
    pub series: Vec<MetricLine>,
    /// Whether there are more series than one answer carries.
    pub truncated: bool,
}

/// One series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricLine {
    /// Name of the metric.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// UCUM: `s`, `By`, `1`.
    pub unit: String,
    /// Name of the service.
    pub service: String,
    /// Instance that reported it.
    pub instance_id: String,
    /// What tells it apart.
    pub labels: BTreeMap<String, String>,
    /// Earliest first.
    pub points: Vec<MetricDot>,
}

/// What a metric was in a step of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricDot {
    /// Beginning of the step, unix milliseconds.
    pub at_unix_ms: i64,
    /// The average; a rate per second for a counter.
    pub value: f64,
    /// The peak.
    pub max: f64,
}
