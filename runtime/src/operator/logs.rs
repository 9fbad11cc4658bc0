//! Logs as an operator reads them: names instead of ids.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::{AskError, Operator};
use super::model::{LogLine, LogsPage};
use super::trace::trace_id;
use crate::telemetry::{self, Level, LogCursor, LogFilter};

/// Lines that are shown inside a trace.
const IN_TRACE_MAX: usize = 2_000;

/// Which lines to list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogQuery {
    /// Most lines to return; 200 when absent, 5,000 at most.
    #[schemars(range(min = 1, max = 5000))]
    pub limit: Option<u32>,
    /// Name of a service.
    #[schemars(length(min = 1, max = 255))]
    pub service: Option<String>,
    /// UUID of an instance.
    #[schemars(
        length(max = 36),
        regex(pattern = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
    )]
    pub instance: Option<String>,
    /// `debug`, `info`, `warn` or `error`: lines of it and above.
    #[schemars(extend("enum" = ["debug", "info", "warn", "error"]))]
    pub level: Option<String>,
    /// Earliest time, unix milliseconds.
    #[schemars(range(min = 0, max = 253_402_300_799_999_i64))]
    pub since: Option<i64>,
    /// Latest time, unix milliseconds.
    #[schemars(range(min = 0, max = 253_402_300_799_999_i64))]
    pub until: Option<i64>,
    /// Trace the lines were written in.
    #[schemars(length(min = 1, max = 64))]
    pub trace: Option<String>,
    /// Words in message or fields; the last may be the beginning of one.
    #[schemars(length(max = 1000))]
    pub text: Option<String>,
    /// Where an earlier page said that the next one starts.
    #[schemars(length(max = 100))]
    pub cursor: Option<String>,
}

impl Operator {
    /// The newest lines that match.
    ///
    /// # Errors
    ///
    /// [`AskError::Wrong`] names what cannot be looked for; [`AskError::Store`] when the store
    /// cannot be read.
    pub async fn logs(&self, query: &LogQuery) -> Result<LogsPage, AskError> {
        let cursor: Option<LogCursor> = match query.cursor.as_deref() {
            Some(text) => Some(text.parse().map_err(|error| AskError::wrong(&error))?),
            None => None,
        };
        let Some(filter) = filter(self, query)? else {
            return Ok(LogsPage::default());
        };
        page(self, &filter, query.limit.unwrap_or(0), cursor).await
    }

    /// What was logged in a trace, earliest first, and whether there is more.
    pub(super) async fn logs_of(&self, trace: &str) -> Result<(Vec<LogLine>, bool), AskError> {
        let filter = LogFilter {
            trace: trace_id(trace),
            ..LogFilter::default()
        };
        let (mut logs, mut cursor) = (Vec::new(), None);
        loop {
            let page = self
                .parts()
                .telemetry
                .query_logs(&filter, 0, cursor)
                .await?;
            logs.extend(page.lines.into_iter().map(|it| line(self, it)));
            cursor = page.next;
            if cursor.is_none() || logs.len() >= IN_TRACE_MAX {
                break;
            }
        }
        logs.truncate(IN_TRACE_MAX);
        logs.reverse();
        Ok((logs, cursor.is_some()))
    }
}

/// `None` when nothing can match.
pub(super) fn filter(operator: &Operator, query: &LogQuery) -> Result<Option<LogFilter>, AskError> {
    let service = match query.service.as_deref() {
        Some(name) => match operator.parts().registry.service_named(name) {
            Some(id) => Some(id),
            // A service nobody knows wrote nothing.
            None => return Ok(None),
        },
        None => None,
    };
    let instance = query.instance.as_deref().map(str::parse).transpose();
    let level = |word: &str| {
        let unknown = || format!("`{word}` is no level; use debug, info, warn or error");
        Level::from_word(word).ok_or_else(|| AskError::Wrong(unknown()))
    };
    let trace = |id: &str| {
        let wrong = || format!("`{id}` is no trace; use a UUID or 32 hex digits");
        trace_id(id).ok_or_else(|| AskError::Wrong(wrong()))
    };
    Ok(Some(LogFilter {
        service,
        instance: instance.map_err(|error| AskError::wrong(&error))?,
        from_ms: query.since,
        to_ms: query.until,
        min_level: query.level.as_deref().map(level).transpose()?,
        trace: query.trace.as_deref().map(trace).transpose()?,
        text: query.text.clone().unwrap_or_default(),
    }))
}

async fn page(
    operator: &Operator,
    filter: &LogFilter,
    limit: u32,
    cursor: Option<LogCursor>,
) -> Result<LogsPage, AskError> {
    let telemetry = &operator.parts().telemetry;
    let page = telemetry.query_logs(filter, limit, cursor).await?;
    Ok(LogsPage {
        logs: page
            .lines
            .into_iter()
            .map(|it| line(operator, it))
            .collect(),
        next: page.next.map(|it| it.to_string()),
    })
}

pub(super) fn line(operator: &Operator, it: telemetry::LogLine) -> LogLine {
    let entry = it.entry;
    LogLine {
        id: it.position.to_string(),
        at_unix_ms: entry.at_ms,
        level: entry.level.word().to_owned(),
        service: operator.service_name(entry.service),
        instance_id: entry.instance.to_string(),
        source: entry.origin.word().to_owned(),
        message: entry.message,
        fields: serde_json::from_str(&entry.fields_json).unwrap_or_default(),
        trace_id: entry.trace.map(|it| it.to_string()).unwrap_or_default(),
        op_id: entry.op.map(|it| it.to_string()).unwrap_or_default(),
    }
}
