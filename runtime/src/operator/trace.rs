//! Traces as an operator reads them: names instead of ids, children under their parents.

use contract::ids::{ServiceId, TraceId};

use super::engine::{Operator, TraceQuery};
use super::model::{TraceLine, TraceOp, TraceTree};
use crate::db::DbError;
use crate::telemetry::{Branch, OPS_MAX, Status, TraceFilter, tree};

impl Operator {
    /// The newest traces that match.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn traces(&self, query: &TraceQuery) -> Result<Vec<TraceLine>, DbError> {
        list(self, query).await
    }

    /// One trace as a tree; `None` when nothing of it is known.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn trace(&self, id: &str) -> Result<Option<TraceTree>, DbError> {
        show(self, id).await
    }
}

async fn list(operator: &Operator, query: &TraceQuery) -> Result<Vec<TraceLine>, DbError> {
    let parts = operator.parts();
    let named = |name: &str| parts.registry.service_named(name);
    let service = match query.service.as_deref() {
        // A service nobody knows took part in nothing.
        Some(name) => match named(name) {
            Some(id) => Some(id),
            None => return Ok(Vec::new()),
        },
        None => None,
    };
    let statuses = if query.failed {
        vec![Status::Error, Status::Timeout, Status::Abandoned]
    } else {
        vec![]
    };
    let filter = TraceFilter {
        statuses,
        service,
        text: query.text.clone().unwrap_or_default(),
        ..TraceFilter::default()
    };
    let page = parts
        .telemetry
        .list_traces(&filter, query.limit.unwrap_or(0), None)
        .await?;
    let line = |it: crate::telemetry::TraceSummary| TraceLine {
        trace_id: it.trace.to_string(),
        subject: it.root_subject,
        service: service_name(operator, it.root_service),
        started_at_unix_ms: it.started_at_ms,
        duration_ms: it.duration_ms,
        ops: it.op_count,
        status: status(it.overall_status).to_owned(),
        running: it.has_running,
    };
    Ok(page.traces.into_iter().map(line).collect())
}

async fn show(operator: &Operator, id: &str) -> Result<Option<TraceTree>, DbError> {
    let Some(trace) = trace_id(id) else {
        return Ok(None);
    };
    let page = operator
        .parts()
        .telemetry
        .get_trace(trace, OPS_MAX, None)
        .await?;
    if page.ops.is_empty() {
        return Ok(None);
    }
    let ops = tree(&page.ops)
        .into_iter()
        .map(|branch| line(operator, &branch))
        .collect();
    Ok(Some(TraceTree {
        trace_id: trace.to_string(),
        ops,
        truncated: page.next.is_some(),
    }))
}

/// A trace id as UUID or as the 32 hex digits of the W3C.
fn trace_id(text: &str) -> Option<TraceId> {
    text.parse().ok().or_else(|| {
        let uuid = uuid::Uuid::try_parse(text).ok()?;
        (text.len() == 32).then(|| TraceId::from_uuid(uuid))
    })
}

fn line(operator: &Operator, branch: &Branch<'_>) -> TraceOp {
    let op = branch.op;
    let peer = op.peer_service.parse::<ServiceId>().ok();
    TraceOp {
        op_id: op.op.to_string(),
        depth: branch.depth,
        channel: op.channel.map_or("", channel).to_owned(),
        subject: op.subject.clone(),
        service: service_name(operator, op.actor.service),
        instance_id: op.actor.instance.to_string(),
        peer: peer
            .map(|id| service_name(operator, id))
            .unwrap_or_default(),
        started_at_unix_ms: op.started_at_ms,
        duration_ms: op.finished_at_ms.map(|end| (end - op.started_at_ms).max(0)),
        status: status(op.status).to_owned(),
        message: op.status_message.clone(),
        attempt: op.attempt,
    }
}

fn service_name(operator: &Operator, id: ServiceId) -> String {
    operator
        .parts()
        .registry
        .service_name(id)
        .unwrap_or_else(|| id.to_string())
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "PENDING",
        Status::Success => "SUCCESS",
        Status::Error => "ERROR",
        Status::Timeout => "TIMEOUT",
        Status::Abandoned => "ABANDONED",
    }
}

fn channel(channel: crate::telemetry::Channel) -> &'static str {
    use crate::telemetry::Channel;
    match channel {
        Channel::Http => "http",
        Channel::Rpc => "rpc",
        Channel::Event => "event",
        Channel::Workflow => "workflow",
        Channel::Job => "job",
        Channel::User => "user",
    }
}
