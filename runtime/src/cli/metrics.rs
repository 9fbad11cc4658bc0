//! `bridge metrics`: list and show.

use std::collections::BTreeMap;
use std::process::ExitCode;

use contract::clock::Clock;

use super::args::{MetricQuery, Metrics, Output};
use super::path::Path;
use super::screen::answer;
use super::{AnyError, tables};
use crate::operator::Client;
use crate::operator::draw::{bytes, spark};
use crate::operator::model::{MetricLine, MetricName, MetricShown};

/// Columns of a sparkline.
const SPARK: usize = 40;

pub(super) async fn run(
    client: &Client,
    output: Output,
    command: Metrics,
) -> Result<ExitCode, AnyError> {
    match command {
        Metrics::List { service } => {
            let path = Path::new("/api/v1/metrics").with("service", service);
            let names: Vec<MetricName> = client.get(path.as_str()).await?;
            answer(output, &names, |it| listed(it))?;
        }
        Metrics::Show { name, query } => {
            let shown: MetricShown = client.get(path(&name, query).as_str()).await?;
            answer(output, &shown, |it| drawn(&name, it))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(name: &str, query: MetricQuery) -> Path {
    let clock = Clock::system();
    let labels: BTreeMap<_, _> = query.labels.into_iter().collect();
    let labels = (!labels.is_empty()).then(|| serde_json::json!(labels));
    let quantiles: Vec<_> = query.quantiles.iter().map(f64::to_string).collect();
    // Shorter steps than a second mean one.
    let step = query.step.map(|it| it.as_secs().max(1));
    Path::new("/api/v1/metric")
        .with("name", Some(name))
        .with("service", query.service)
        .with("labels", labels)
        .with("since", query.times.since.map(|it| it.unix_ms(&clock)))
        .with("until", query.times.until.map(|it| it.unix_ms(&clock)))
        .with("step_seconds", step)
        .with_all("quantiles", &quantiles)
}

fn listed(names: &[MetricName]) -> String {
    if names.is_empty() {
        return "no metrics yet; services report them with `bridge.telemetry()`".to_owned();
    }
    let rows = names.iter().map(|it| {
        let (name, kind) = (it.name.clone(), it.kind.clone());
        [name, kind, it.unit.clone(), it.series.to_string()]
    });
    tables::table(["NAME", "KIND", "UNIT", "SERIES"], rows)
}

/// A line per series: last, least and greatest value, and the course between.
fn drawn(name: &str, shown: &MetricShown) -> String {
    if shown.series.is_empty() {
        return format!("no points of {name}; `bridge metrics list` shows what is reported");
    }
    let rows = shown.series.iter().map(|it| {
        let values: Vec<f64> = it.points.iter().map(|point| point.value).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = it.points.iter().map(|point| point.max);
        let most = most.fold(f64::NEG_INFINITY, f64::max);
        [
            it.service.clone(),
            labels(it),
            with_unit(values.last().copied().unwrap_or(f64::NAN), it),
            with_unit(least, it),
            with_unit(most, it),
            spark(&values, SPARK),
        ]
    });
    let first = &shown.series[0];
    let unit = match (&*first.kind, &*first.unit) {
        ("counter", _) => "per second",
        (_, "1" | "") => "",
        (_, unit) => unit,
    };
    let seconds = shown.step_ms / 1_000;
    let mut text = format!("{name}  {} {unit}  a step is {seconds} s\n\n", first.kind);
    text.push_str(&tables::table(
        ["SERVICE", "LABELS", "LAST", "MIN", "MAX", "COURSE"],
        rows,
    ));
    if shown.truncated {
        text.push_str("\n\nthere are more series; narrow them with --service or --label");
    }
    text
}

fn labels(it: &MetricLine) -> String {
    let mut labels: Vec<_> = it
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    // The end of a UUIDv7 tells instances apart, its beginning only when they were made.
    labels.push(format!(
        "…{}",
        &it.instance_id[it.instance_id.len().saturating_sub(6)..]
    ));
    labels.join(" ")
}

/// Seconds and bytes in their usual multiples.
fn with_unit(value: f64, series: &MetricLine) -> String {
    let size = value.abs();
    match (&*series.unit, &*series.kind) {
        _ if !value.is_finite() || value == 0.0 => number(value),
        (_, "counter") => number(value),
        ("s", _) if size < 0.001 => format!("{:.0} µs", value * 1e6),
        ("s", _) if size < 1.0 => format!("{:.1} ms", value * 1e3),
        ("s", _) => format!("{} s", number(value)),
        ("By", _) if value > 0.0 => bytes(value as u64),
        _ => number(value),
    }
}

/// Four digits, and no more than it takes.
fn number(value: f64) -> String {
    let size = value.abs();
    match () {
        () if !value.is_finite() => "-".to_owned(),
        () if value == 0.0 => "0".to_owned(),
        () if size >= 1e9 => format!("{:.2}G", value / 1e9),
        () if size >= 1e6 => format!("{:.2}M", value / 1e6),
        () if size >= 1e4 => format!("{:.1}k", value / 1e3),
        () if size >= 100.0 => format!("{value:.0}"),
        () if size >= 1.0 => format!("{value:.2}"),
        () if size >= 0.001 => format!("{value:.4}"),
        () => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_bytes_are_shown_in_multiples() {
        let shown = |value: f64, unit: &str, kind: &str| {
            let series = MetricLine {
                unit: unit.to_owned(),
                kind: kind.to_owned(),
                ..MetricLine::default()
            };
            with_unit(value, &series)
        };
        assert_eq!(shown(0.000_34, "s", "histogram"), "340 µs");
        assert_eq!(shown(0.0026, "s", "histogram"), "2.6 ms");
        assert_eq!(shown(2.5, "s", "gauge"), "2.50 s");
        assert_eq!(shown(1_572_864.0, "By", "gauge"), "1.5 MiB");
        assert_eq!(shown(0.5, "s", "counter"), "0.5000");
        assert_eq!(shown(f64::NAN, "s", "gauge"), "-");
    }

    #[test]
    fn numbers_are_short() {
        let shown = [
            0.0,
            0.012_34,
            1.5,
            523.0,
            12_345.0,
            3e6,
            2e9,
            1e-7,
            f64::NAN,
        ]
        .map(number);
        let short = [
            "0", "0.0123", "1.50", "523", "12.3k", "3.00M", "2.00G", "1.0e-7", "-",
        ];
        assert_eq!(shown, short);
    }
}
