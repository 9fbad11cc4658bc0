//! Questions about traces and their answers: filters, summaries, pages. Pure.

use std::fmt;
use std::str::FromStr;

use contract::ids::{ServiceId, TraceId};
use uuid::Uuid;

use super::model::{Channel, Operation, Status};

/// Which traces to list; the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceFilter {
    /// Traces with an operation on one of these; empty for any.
    pub channels: Vec<Channel>,
    /// Traces that stand like this as a whole; empty for any.
    pub statuses: Vec<Status>,
    /// Earliest start, unix milliseconds.
    pub from_ms: Option<i64>,
    /// Latest start, unix milliseconds.
    pub to_ms: Option<i64>,
    /// Traces that this service took part in.
    pub service: Option<ServiceId>,
    /// Traces with an operation that has these words in its subject or business key, whatever the
    /// case; the last one may be the beginning of a word.
    pub text: String,
}

impl TraceFilter {
    /// Whether a time window is all it asks for.
    pub(super) fn takes_all(&self) -> bool {
        let any = self.channels.is_empty() && self.statuses.is_empty() && self.service.is_none();
        any && self.text.is_empty()
    }
}

/// A trace in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSummary {
    /// Its id.
    pub trace: TraceId,
    /// Subject of its root, or of its earliest operation while the root is not known.
    pub root_subject: String,
    /// Who executed that one.
    pub root_service: ServiceId,
    /// What that one went over; `None` when not said.
    pub root_channel: Option<Channel>,
    /// How that one stands.
    pub overall_status: Status,
    /// Unix milliseconds.
    pub started_at_ms: i64,
    /// From the start to the last end so far.
    pub duration_ms: i64,
    /// Operations.
    pub op_count: u32,
    /// Whether one of them is still running.
    pub has_running: bool,
    /// How many of the 10,000 latest failed, ran out of time or were abandoned.
    pub failed: u32,
}

/// A place in an order by time, and by id where times are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) at_ms: i64,
    pub(super) id: Uuid,
}

impl Position {
    /// Before everything.
    pub(super) const LOWEST: Self = Self {
        at_ms: i64::MIN,
        id: Uuid::nil(),
    };
    /// After everything.
    pub(super) const HIGHEST: Self = Self {
        at_ms: i64::MAX,
        id: Uuid::max(),
    };
}

/// Where the next page starts. Opaque to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The slice the last page ended in; 0 where that does not matter.
    pub(super) slice: i64,
    pub(super) at: Position,
}

/// The text is not a cursor of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that an earlier page returned; start again without one")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.slice, self.at.at_ms, self.at.id)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.splitn(3, '.');
        let mut part = || parts.next().ok_or(CursorError);
        let slice = part()?.parse().map_err(|_| CursorError)?;
        let at_ms = part()?.parse().map_err(|_| CursorError)?;
        let id = Uuid::try_parse(part()?).map_err(|_| CursorError)?;
        let at = Position { at_ms, id };
        Ok(Self { slice, at })
    }
}

/// Traces, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracesPage {
    /// Newest first.
    pub traces: Vec<TraceSummary>,
    /// Pass it back for older ones; `None` at the end.
    pub next: Option<Cursor>,
}

/// Operations of one trace by start time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracePage {
    /// Earliest first.
    pub ops: Vec<Operation>,
    /// Pass it back for later ones; `None` at the end.
    pub next: Option<Cursor>,
}
