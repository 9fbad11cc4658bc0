//! Metrics as an operator reads them: names instead of ids.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::{AskError, Operator};
use super::model::{MetricDot, MetricLine, MetricName, MetricShown};
use crate::telemetry::{self, MetricSeries};

/// Which series of a metric.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricQuery {
    /// Name of the metric.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Name of a service.
    #[schemars(length(min = 1, max = 255))]
    pub service: Option<String>,
    /// UUID of an instance.
    #[schemars(
        length(max = 36),
        regex(pattern = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
    )]
    pub instance: Option<String>,
    /// Labels that a series must have, as a JSON object of strings.
    #[schemars(length(max = 4096))]
    pub labels: Option<String>,
    /// Beginning, unix milliseconds; an hour before the end when absent.
    #[schemars(range(min = 0, max = 253_402_300_799_999_i64))]
    pub since: Option<i64>,
    /// End, unix milliseconds; now when absent.
    #[schemars(range(min = 0, max = 253_402_300_799_999_i64))]
    pub until: Option<i64>,
    /// Length of a step in seconds; what fits the time when absent.
    #[schemars(range(min = 1, max = 2_592_000))]
    pub step_seconds: Option<u32>,
    /// Shares of a histogram from 0 to 1, with commas between.
    #[schemars(length(max = 255))]
    pub quantiles: Option<String>,
}

impl Operator {
    /// Metrics that somebody reports, or one service if it is named.
    ///
    /// # Errors
    ///
    /// [`AskError::Store`] when the store cannot be read.
    pub async fn metric_names(&self, service: Option<&str>) -> Result<Vec<MetricName>, AskError> {
        let service = match service.map(|name| self.parts().registry.service_named(name)) {
            // A service nobody knows reports nothing.
            Some(None) => return Ok(Vec::new()),
            found => found.flatten(),
        };
        let names = self.parts().telemetry.list_metric_names(service).await?;
        let name = |it: telemetry::MetricName| MetricName {
            name: it.name,
            kind: it.kind.word().to_owned(),
            unit: it.unit,
            series: it.series,
        };
        Ok(names.into_iter().map(name).collect())
    }

    /// A metric over time.
    ///
    /// # Errors
    ///
    /// [`AskError::Wrong`] names what cannot be looked for; [`AskError::Store`] when the store
    /// cannot be read.
    pub async fn metric(&self, query: &MetricQuery) -> Result<MetricShown, AskError> {
        let Some(asked) = asked(self, query)? else {
            return Ok(MetricShown::default());
        };
        let page = self.parts().telemetry.query_metrics(&asked).await?;
        Ok(MetricShown {
            step_ms: page.step_ms,
            series: page.series.into_iter().map(|it| line(self, it)).collect(),
            truncated: page.truncated,
        })
    }
}

/// `None` when nothing can match.
fn asked(
    operator: &Operator,
    query: &MetricQuery,
) -> Result<Option<telemetry::MetricQuery>, AskError> {
    let service = match query.service.as_deref() {
        Some(name) => match operator.parts().registry.service_named(name) {
            Some(id) => Some(id),
            None => return Ok(None),
        },
        None => None,
    };
    let instance = query.instance.as_deref().map(str::parse).transpose();
    let labels = query.labels.as_deref().unwrap_or("{}");
    let labels: BTreeMap<String, String> = serde_json::from_str(labels)
        .map_err(|error| AskError::Wrong(format!("labels are an object of strings: {error}")))?;
    let quantiles = query.quantiles.as_deref().unwrap_or_default();
    let quantiles = quantiles.split(',').filter(|it| !it.is_empty());
    let quantile = |text: &str| {
        let share = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
        share.ok_or_else(|| AskError::Wrong(format!("`{text}` is no share from 0 to 1")))
    };
    Ok(Some(telemetry::MetricQuery {
        name: query.name.clone(),
        service,
        instance: instance.map_err(|error| AskError::wrong(&error))?,
        labels,
        from_ms: query.since,
        to_ms: query.until,
        step_seconds: query.step_seconds.unwrap_or(0),
        percentiles: quantiles.map(quantile).collect::<Result<_, _>>()?,
    }))
}

fn line(operator: &Operator, it: MetricSeries) -> MetricLine {
    let points = it.points.iter().map(|point| MetricDot {
        at_unix_ms: point.at_ms,
        value: point.average,
        max: point.peak,
    });
    MetricLine {
        points: points.collect(),
        name: it.name,
        kind: it.kind.word().to_owned(),
        unit: it.unit,
        service: operator.service_name(it.service),
        instance_id: it.instance.to_string(),
        labels: it.labels,
    }
}
