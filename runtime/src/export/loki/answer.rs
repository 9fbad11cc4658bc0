//! Answers in the form that Loki's documentation gives them. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::engine::{Lines, Series};
use super::line::Labels;

/// What says in an answer that structured metadata is told apart from labels.
const CATEGORIZE: &str = "categorize-labels";

/// Lines by stream. Without `categorize` structured metadata is part of the stream's labels.
pub(super) fn streams(found: Lines, categorize: bool, forward: bool) -> Value {
    let returned = found.lines.len();
    let mut streams: BTreeMap<Labels, Vec<Value>> = BTreeMap::new();
    for line in found.lines {
        let at = line.at.to_string();
        let mut labels = line.stream;
        let value = if categorize && !line.metadata.is_empty() {
            json!([at, line.text, {"structuredMetadata": line.metadata}])
        } else if categorize {
            json!([at, line.text, {}])
        } else {
            labels.extend(line.metadata);
            json!([at, line.text])
        };
        streams.entry(labels).or_default().push(value);
    }
    let stream =
        |(labels, values): (Labels, Vec<Value>)| json!({"stream": labels, "values": values});
    let result: Vec<Value> = streams.into_iter().map(stream).collect();
    let mut data = json!({
        "resultType": "streams",
        "result": result,
        "stats": stats(found.scanned, returned),
    });
    if categorize {
        data["encodingFlags"] = json!([CATEGORIZE]);
    }
    let mut answer = success(data);
    if found.partial {
        let missing = if forward {
            "the oldest ones may be missing"
        } else {
            "there may be older ones"
        };
        let text = format!(
            "{} lines were looked at, {missing}; ask for a shorter time or select fewer streams",
            found.scanned
        );
        answer["warnings"] = json!([text]);
    }
    answer
}

/// Series over time.
pub(super) fn matrix(series: Vec<Series>, scanned: usize) -> Value {
    let returned = series.iter().map(|it| it.points.len()).sum();
    let one = |it: Series| {
        let values: Vec<Value> = it.points.iter().map(|it| point(*it)).collect();
        json!({"metric": it.labels, "values": values})
    };
    let result: Vec<Value> = series.into_iter().map(one).collect();
    success(json!({
        "resultType": "matrix",
        "result": result,
        "stats": stats(scanned, returned),
    }))
}

/// The values at one moment.
pub(super) fn vector(series: Vec<Series>, scanned: usize) -> Value {
    let one = |it: Series| {
        let last = it.points.last()?;
        Some(json!({"metric": it.labels, "value": point(*last)}))
    };
    let result: Vec<Value> = series.into_iter().filter_map(one).collect();
    let returned = result.len();
    success(json!({
        "resultType": "vector",
        "result": result,
        "stats": stats(scanned, returned),
    }))
}

/// A list of names or of label sets.
pub(super) fn list(items: impl Into<Value>) -> Value {
    success(items.into())
}

fn success(data: Value) -> Value {
    json!({"status": "success", "data": data})
}

/// Seconds and a value as text; whole seconds without a fraction.
fn point((at, value): (i64, f64)) -> Value {
    const SECOND: i64 = 1_000_000_000;
    if at % SECOND == 0 {
        return json!([at / SECOND, value.to_string()]);
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds are what is shown")]
    let seconds = (at / 1_000_000) as f64 / 1e3;
    json!([seconds, value.to_string()])
}

fn stats(scanned: usize, returned: usize) -> Value {
    json!({"summary": {"totalLinesProcessed": scanned, "totalEntriesReturned": returned}})
}

/// Whether a request wants structured metadata told apart.
pub(super) fn is_categorized(flags: &str) -> bool {
    flags.split(',').any(|it| it.trim() == CATEGORIZE)
}
