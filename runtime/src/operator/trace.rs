//! Traces as an operator reads them: names instead of ids, children under their parents.

use contract::ids::{ServiceId, TraceId};
use schemars::JsonSchema;
use serde::Deserialize;

use super::critical;
use super::engine::{AskError, Operator};
use super::model::{TraceLine, TraceOp, TraceTree, TracesPage};
use crate::telemetry::{
    Branch, Channel, Cursor, OPS_MAX, Status, TRACES_MAX, TraceFilter, TraceSummary, tree,
};

/// Traces on a page when no limit is asked for.
const TRACES_DEFAULT: u32 = 50;
/// Traces looked at for one page of a filter that the store does not know.
const LOOKED_AT_MAX: usize = 5_000;

/// Which traces to list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceQuery {
    /// Most traces to return; 50 when absent, 500 at most.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// Words in a subject or business key of one operation; the last may be the beginning of one.
    #[schemars(length(max = 1000))]
    pub text: Option<String>,
    /// Name of a service that took part.
    #[schemars(length(min = 1, max = 255))]
    pub service: Option<String>,
    /// `http`, `rpc`, `event`, `workflow`, `job` or `user`, several with commas between.
    #[schemars(
        length(max = 255),
        regex(
            pattern = r"^(http|rpc|event|workflow|job|user)(,(http|rpc|event|workflow|job|user))*$"
        )
    )]
    pub channel: Option<String>,
    /// `pending`, `success`, `error`, `timeout` or `abandoned`, several with commas between.
    #[schemars(
        length(max = 255),
        regex(
            pattern = r"^(pending|success|error|timeout|abandoned)(,(pending|success|error|timeout|abandoned))*$"
        )
    )]
    pub status: Option<String>,
    /// Only traces that failed: `error`, `timeout` and `abandoned`.
    pub failed: bool,
    /// Earliest start, unix milliseconds.
    #[schemars(range(min = 0, max = 253_402_300_799_999_i64))]
    pub since: Option<i64>,
    /// Latest start, unix milliseconds.
    #[schemars(range(min = 0, max = 253_402_300_799_999_i64))]
    pub until: Option<i64>,
    /// Shortest duration, milliseconds.
    #[schemars(range(min = 0, max = 2_592_000_000_i64))]
    pub min_duration: Option<i64>,
    /// Longest duration, milliseconds.
    #[schemars(range(min = 0, max = 2_592_000_000_i64))]
    pub max_duration: Option<i64>,
    /// Whether `channel` and `service` mean the first operation alone, not any of the trace.
    pub root_only: bool,
    /// Where an earlier page said that the next one starts.
    #[schemars(length(max = 100))]
    pub cursor: Option<String>,
}

impl Operator {
    /// The newest traces that match.
    ///
    /// # Errors
    ///
    /// [`AskError::Wrong`] names what cannot be looked for; [`AskError::Store`] when the store
    /// cannot be read.
    pub async fn traces(&self, query: &TraceQuery) -> Result<TracesPage, AskError> {
        let cursor: Option<Cursor> = match query.cursor.as_deref() {
            Some(text) => Some(text.parse().map_err(|error| AskError::wrong(&error))?),
            None => None,
        };
        let Some(filter) = filter(self, query)? else {
            return Ok(TracesPage::default());
        };
        list(self, query, &filter, cursor).await
    }

    /// One trace as a tree; `None` when nothing of it is known.
    ///
    /// # Errors
    ///
    /// [`AskError::Store`] when the store cannot be read.
    pub async fn trace(&self, id: &str) -> Result<Option<TraceTree>, AskError> {
        show(self, id).await
    }
}

/// `None` when nothing can match.
fn filter(operator: &Operator, query: &TraceQuery) -> Result<Option<TraceFilter>, AskError> {
    let service = match query.service.as_deref() {
        // A service nobody knows took part in nothing.
        Some(name) => match operator.parts().registry.service_named(name) {
            Some(id) => Some(id),
            None => return Ok(None),
        },
        None => None,
    };
    Ok(Some(TraceFilter {
        channels: channels(query.channel.as_deref())?,
        statuses: statuses(query.status.as_deref(), query.failed)?,
        from_ms: query.since,
        to_ms: query.until,
        service,
        text: query.text.clone().unwrap_or_default(),
    }))
}

async fn list(
    operator: &Operator,
    query: &TraceQuery,
    filter: &TraceFilter,
    mut cursor: Option<Cursor>,
) -> Result<TracesPage, AskError> {
    let limit = query.limit.filter(|it| *it > 0).unwrap_or(TRACES_DEFAULT);
    let limit = usize::try_from(limit.min(TRACES_MAX)).unwrap_or(usize::MAX);
    let fits = |it: &TraceSummary| fits(it, query, filter);
    let mut traces = Vec::new();
    let mut looked_at = 0;
    loop {
        // Never more than still fit, so that a page ends where a page of the store does.
        let room = u32::try_from(limit - traces.len()).unwrap_or(u32::MAX);
        let telemetry = &operator.parts().telemetry;
        let page = telemetry.list_traces(filter, room, cursor).await?;
        looked_at += page.traces.len();
        let found = page.traces.into_iter().filter(fits);
        traces.extend(found.map(|it| summary(operator, it)));
        cursor = page.next;
        if cursor.is_none() || traces.len() >= limit || looked_at >= LOOKED_AT_MAX {
            let next = cursor.map(|it| it.to_string());
            return Ok(TracesPage { traces, next });
        }
    }
}

/// What no index knows: durations, and what the first operation is.
fn fits(it: &TraceSummary, query: &TraceQuery, filter: &TraceFilter) -> bool {
    let root_fits = || {
        let channel = |it| filter.channels.contains(&it);
        (filter.channels.is_empty() || it.root_channel.is_some_and(channel))
            && filter.service.is_none_or(|only| it.root_service == only)
    };
    query
        .min_duration
        .is_none_or(|least| it.duration_ms >= least)
        && query.max_duration.is_none_or(|most| it.duration_ms <= most)
        && (!query.root_only || root_fits())
}

fn summary(operator: &Operator, it: TraceSummary) -> TraceLine {
    TraceLine {
        trace_id: it.trace.to_string(),
        subject: it.root_subject,
        service: operator.service_name(it.root_service),
        started_at_unix_ms: it.started_at_ms,
        duration_ms: it.duration_ms,
        ops: it.op_count,
        status: status_word(it.overall_status).to_owned(),
        running: it.has_running,
        channel: it.root_channel.map_or("", channel_word).to_owned(),
        errors: it.failed,
    }
}

async fn show(operator: &Operator, id: &str) -> Result<Option<TraceTree>, AskError> {
    let Some(trace) = trace_id(id) else {
        return Ok(None);
    };
    let telemetry = &operator.parts().telemetry;
    let page = telemetry.get_trace(trace, OPS_MAX, None).await?;
    if page.ops.is_empty() {
        return Ok(None);
    }
    let mut ops: Vec<_> = tree(&page.ops)
        .into_iter()
        .map(|branch| line(operator, &branch))
        .collect();
    critical::mark(&mut ops);
    Ok(Some(TraceTree {
        trace_id: trace.to_string(),
        ops,
        truncated: page.next.is_some(),
        ..TraceTree::default()
    }))
}

/// A trace id as UUID or as the 32 hex digits of the W3C.
pub(super) fn trace_id(text: &str) -> Option<TraceId> {
    text.parse().ok().or_else(|| {
        let uuid = uuid::Uuid::try_parse(text).ok()?;
        (text.len() == 32).then(|| TraceId::from_uuid(uuid))
    })
}

fn line(operator: &Operator, branch: &Branch<'_>) -> TraceOp {
    let op = branch.op;
    let peer = op.peer_service.parse::<ServiceId>().ok();
    // Stored as objects; whatever else a row holds is shown as nothing.
    let object = |text: &str| serde_json::from_str(text).unwrap_or_default();
    TraceOp {
        op_id: op.op.to_string(),
        depth: branch.depth,
        channel: op.channel.map_or("", channel_word).to_owned(),
        subject: op.subject.clone(),
        service: operator.service_name(op.actor.service),
        instance_id: op.actor.instance.to_string(),
        peer: peer.map(|id| operator.service_name(id)).unwrap_or_default(),
        started_at_unix_ms: op.started_at_ms,
        duration_ms: op.finished_at_ms.map(|end| (end - op.started_at_ms).max(0)),
        status: status_word(op.status).to_owned(),
        message: op.status_message.clone(),
        attempt: op.attempt,
        business_key: op.business_key.clone(),
        critical: false,
        meta: object(&op.meta_json),
        attrs: object(&op.attrs_json),
    }
}

/// Channels by their words; none for any.
pub(super) fn channels(words: Option<&str>) -> Result<Vec<Channel>, AskError> {
    words_of(words, "channel", &Channel::ALL, channel_word)
}

/// Statuses by their words, and those of a failure; none for any.
pub(super) fn statuses(words: Option<&str>, failed: bool) -> Result<Vec<Status>, AskError> {
    let mut statuses = words_of(words, "status", &Status::ALL, status_word)?;
    if failed {
        statuses.extend([Status::Error, Status::Timeout, Status::Abandoned]);
    }
    Ok(statuses)
}

fn words_of<T: Copy>(
    words: Option<&str>,
    what: &str,
    all: &[T],
    word_of: fn(T) -> &'static str,
) -> Result<Vec<T>, AskError> {
    let find = |word: &str| {
        let found = all
            .iter()
            .copied()
            .find(|it| word_of(*it).to_lowercase() == word);
        found.ok_or_else(|| {
            let known: Vec<_> = all.iter().map(|it| word_of(*it).to_lowercase()).collect();
            AskError::Wrong(format!("`{word}` is no {what}; use {}", known.join(", ")))
        })
    };
    words.map_or_else(|| Ok(Vec::new()), |it| it.split(',').map(find).collect())
}

pub(super) fn status_word(status: Status) -> &'static str {
    match status {
        Status::Pending => "PENDING",
        Status::Success => "SUCCESS",
        Status::Error => "ERROR",
        Status::Timeout => "TIMEOUT",
        Status::Abandoned => "ABANDONED",
    }
}

pub(super) fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Http => "http",
        Channel::Rpc => "rpc",
        Channel::Event => "event",
        Channel::Workflow => "workflow",
        Channel::Job => "job",
        Channel::User => "user",
    }
}
