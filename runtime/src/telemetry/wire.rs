//! Logs, metrics and payloads between the wire and the types of this room. Pure.
//!
//! Refuses nothing that only lacks something; attachments without an operation are left out, for
//! there is nothing to attach them to.

use contract::grpc::v1;
use contract::ids::{InstanceId, OpId, ParseIdError, TraceId};
use tonic::Status;

use super::logs::{Level, LogCursor, LogEntry, LogFilter, LogLine, Origin};
use super::metrics::{MetricKind, MetricQuery, MetricReport, MetricSeries};
use super::model::Actor;
use super::payloads::{Direction, Payload, PayloadReport};
use super::query::CursorError;

/// Percentiles one question may ask for.
const PERCENTILES_MAX: usize = 10;

/// A line as `actor` sent it. It is taken to be of another instance only when that one is of the
/// same service: lines from before a renewed identity keep their instance.
pub(super) fn log_entry(
    actor: Actor,
    line: v1::Log,
    now_ms: i64,
    is_sibling: impl Fn(InstanceId) -> bool,
) -> LogEntry {
    let level = Level::from_number(line.level).unwrap_or(Level::Info);
    let said: Option<InstanceId> = line.instance_id.parse().ok();
    let instance = said.filter(|it| *it != actor.instance && is_sibling(*it));
    let actor = Actor {
        instance: instance.unwrap_or(actor.instance),
        ..actor
    };
    let mut entry = LogEntry::new(actor, line.at_unix_ms, now_ms, level, &line.message);
    entry = entry.with_fields(&line.fields_json);
    entry.origin = Origin::of_service(&line.source);
    entry.trace = line
        .trace_id
        .parse()
        .ok()
        .filter(|it: &TraceId| !it.as_uuid().is_nil());
    entry.op = line.op_id.parse().ok().filter(|it| *it != OpId::NONE);
    entry
}

/// A point as a service sent it.
pub(super) fn metric_report(point: v1::MetricPoint) -> MetricReport {
    MetricReport {
        at_ms: point.at_unix_ms,
        kind: MetricKind::from_number(point.kind),
        name: point.name,
        labels: point.labels.into_iter().collect(),
        value: point.value,
        unit: point.unit,
        buckets_json: point.buckets_json,
    }
}

/// A payload as a service sent it; `None` when it says no operation or direction.
pub(super) fn payload_report(attached: v1::PayloadAttachment) -> Option<PayloadReport> {
    let op: OpId = attached.op_id.parse().ok()?;
    Some(PayloadReport {
        trace: attached.trace_id.parse().ok()?,
        op: Some(op).filter(|op| *op != OpId::NONE)?,
        direction: Direction::from_number(attached.direction)?,
        bytes: attached.bytes,
        original_size: attached.original_size,
        contract_hash: attached.contract_hash,
    })
}

/// What a request for log lines asks.
pub(super) fn log_filter(asked: &v1::QueryLogsRequest) -> Result<LogFilter, Status> {
    let min_level = match asked.min_level {
        0 => None,
        number => Some(Level::from_number(number).ok_or_else(|| {
            Status::invalid_argument(format!("min_level: {number} is not a level"))
        })?),
    };
    Ok(LogFilter {
        service: id("service_id", &asked.service_id)?,
        instance: id("instance_id", &asked.instance_id)?,
        from_ms: (asked.from_unix_ms != 0).then_some(asked.from_unix_ms),
        to_ms: (asked.to_unix_ms != 0).then_some(asked.to_unix_ms),
        min_level,
        trace: id("trace_id", &asked.trace_id)?,
        text: asked.text_query.clone(),
    })
}

/// Where a request for log lines goes on.
pub(super) fn log_cursor(text: &str) -> Result<Option<LogCursor>, Status> {
    let parsed = (!text.is_empty()).then(|| text.parse()).transpose();
    parsed.map_err(|error: CursorError| Status::invalid_argument(error.to_string()))
}

/// A line as it is shown.
pub(super) fn log_line(line: LogLine) -> v1::Log {
    let entry = line.entry;
    v1::Log {
        at_unix_ms: entry.at_ms,
        level: entry.level.number(),
        message: entry.message,
        fields_json: entry.fields_json.into_bytes(),
        trace_id: entry.trace.map(|id| id.to_string()).unwrap_or_default(),
        op_id: entry.op.map(|id| id.to_string()).unwrap_or_default(),
        instance_id: entry.instance.to_string(),
        source: entry.origin.word().to_owned(),
    }
}

/// What a request for a metric asks.
pub(super) fn metric_query(asked: v1::QueryMetricsRequest) -> Result<MetricQuery, Status> {
    if asked.name.is_empty() {
        return Err(Status::invalid_argument(
            "name: say which metric, such as process.rss_bytes",
        ));
    }
    let is_share = |it: &f64| (0.0..=1.0).contains(it);
    if asked.percentiles.len() > PERCENTILES_MAX || !asked.percentiles.iter().all(is_share) {
        return Err(Status::invalid_argument(format!(
            "percentiles: up to {PERCENTILES_MAX} numbers from 0 to 1, such as 0.95"
        )));
    }
    Ok(MetricQuery {
        service: id("service_id", &asked.service_id)?,
        instance: id("instance_id", &asked.instance_id)?,
        name: asked.name,
        labels: asked.label_filters.into_iter().collect(),
        from_ms: (asked.from_unix_ms != 0).then_some(asked.from_unix_ms),
        to_ms: (asked.to_unix_ms != 0).then_some(asked.to_unix_ms),
        step_seconds: asked.step_seconds,
        percentiles: asked.percentiles,
    })
}

/// A series as it is shown.
pub(super) fn metric_series(series: MetricSeries) -> v1::MetricSeries {
    v1::MetricSeries {
        name: series.name,
        labels: series.labels.into_iter().collect(),
        instance_id: series.instance.to_string(),
        ts_unix_ms: series.points.iter().map(|it| it.at_ms).collect(),
        values: series.points.iter().map(|it| it.average).collect(),
        max_values: series.points.iter().map(|it| it.peak).collect(),
    }
}

/// Which payload a request asks for.
pub(super) fn payload_key(
    asked: &v1::GetPayloadRequest,
) -> Result<(Option<TraceId>, OpId, Direction), Status> {
    let op = id("op_id", &asked.op_id)?;
    let op = op.ok_or_else(|| Status::invalid_argument("op_id: say which operation"))?;
    let direction = Direction::from_number(asked.direction).ok_or_else(|| {
        Status::invalid_argument("direction: 1 for what came in, 2 for what went out")
    })?;
    Ok((id("trace_id", &asked.trace_id)?, op, direction))
}

/// A payload as it is shown.
pub(super) fn payload(payload: Payload) -> v1::GetPayloadResponse {
    v1::GetPayloadResponse {
        raw_bytes: payload.bytes,
        decoded_bytes: payload.json.unwrap_or_default(),
        original_size: i32::try_from(payload.original_size).unwrap_or(i32::MAX),
        contract_hash: payload.contract_hash,
        schema_drift: payload.schema_drift,
    }
}

fn id<T>(field: &str, text: &str) -> Result<Option<T>, Status>
where
    T: std::str::FromStr<Err = ParseIdError>,
{
    let parsed = (!text.is_empty()).then(|| text.parse()).transpose();
    parsed.map_err(|error| Status::invalid_argument(format!("{field}: {error}")))
}
