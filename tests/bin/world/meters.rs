//! What services count: durations of their requests by route, and what their processes use.
//!
//! Invariant: points carry what happened since the last ones, as the contract has it; bounds and
//! names are those of the SDKs.

use std::collections::BTreeMap;

use contract::grpc::v1::{MetricKind, MetricPoint};
use fastrand::Rng;

use crate::report::Item;

/// Upper bounds of the buckets, seconds.
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Service and instance.
type Who = (usize, usize);
/// Verb, route and status code.
type Series = (String, String, u16);

#[derive(Clone, Debug, Default)]
struct Window {
    counts: [u64; BOUNDS.len() + 1],
    sum: f64,
}

/// All instances' numbers since the last points.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    requests: BTreeMap<(Who, Series), Window>,
}

impl Meters {
    pub(crate) fn request(&mut self, who: Who, route: (&str, &str), millis: i64, failed: bool) {
        let seconds = millis as f64 / 1e3;
        let status = if failed { 500 } else { 200 };
        let series = (route.0.to_owned(), route.1.to_owned(), status);
        let window = self.requests.entry((who, series)).or_default();
        window.counts[BOUNDS.partition_point(|it| *it < seconds)] += 1;
        window.sum += seconds;
    }

    /// The points of everybody who has some, and starts again.
    pub(crate) fn take(&mut self, now_ms: i64) -> Vec<(Who, Item)> {
        let taken = std::mem::take(&mut self.requests).into_iter();
        let point = |((who, (verb, route, status)), window): ((Who, Series), Window)| {
            let labels = [
                ("http.request.method", verb),
                ("http.route", route),
                ("http.response.status_code", status.to_string()),
            ];
            let point = MetricPoint {
                at_unix_ms: now_ms,
                name: "http.server.request.duration".to_owned(),
                kind: MetricKind::Histogram.into(),
                labels: labels.map(|(name, it)| (name.to_owned(), it)).into(),
                value: window.sum,
                unit: "s".to_owned(),
                buckets_json: buckets(&window.counts),
                ..MetricPoint::default()
            };
            (who, Item::Metric(Box::new(point)))
        };
        taken.map(point).collect()
    }
}

/// What the process of an instance uses: it wanders.
pub(crate) fn process(rng: &mut Rng, now_ms: i64) -> [Item; 2] {
    let gauge = |name: &str, unit: &str, value: f64| {
        Item::Metric(Box::new(MetricPoint {
            at_unix_ms: now_ms,
            name: name.to_owned(),
            kind: MetricKind::Gauge.into(),
            value,
            unit: unit.to_owned(),
            ..MetricPoint::default()
        }))
    };
    let memory = (40.0 + rng.f64() * 12.0) * f64::from(1 << 20);
    [
        gauge("process.rss_bytes", "By", memory.round()),
        gauge(
            "process.cpu_percent",
            "%",
            (rng.f64() * 400.0).round() / 10.0,
        ),
    ]
}

/// Cumulative within the window.
fn buckets(counts: &[u64]) -> Vec<u8> {
    let mut sum = 0;
    let bound = |at: usize| {
        BOUNDS
            .get(at)
            .map_or(serde_json::json!("+Inf"), |it| (*it).into())
    };
    let bucket = |(at, count): (usize, &u64)| {
        sum += count;
        serde_json::json!({ "le": bound(at), "count": sum })
    };
    let all: Vec<_> = counts.iter().enumerate().map(bucket).collect();
    serde_json::Value::from(all).to_string().into_bytes()
}
