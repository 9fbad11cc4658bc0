//! What the present looks like from outside. Pure.

use std::sync::Arc;
use std::time::Duration;

use contract::ids::{OpId, ServiceId, TraceId};

use super::window::Tally;
use crate::telemetry::logs::LogEntry;
use crate::telemetry::model::{Actor, Channel, Status};
use crate::telemetry::search::tokens;

/// What one kind of operation did in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeFlow {
    /// Who executed it.
    pub actor: ServiceId,
    /// The service on the other side, if it is known.
    pub peer: Option<ServiceId>,
    /// What it went over; `None` when not said.
    pub channel: Option<Channel>,
    /// What was done: `rpc.call:desk/Echo`, `http.handle:GET//users/{id}`.
    pub subject: Arc<str>,
    /// How often, how well, how fast.
    pub tally: Tally,
}

/// Everything that happened in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flows {
    /// The time that is counted: the window asked for, up to one slot more, or less when the
    /// runtime is younger.
    pub covered: Duration,
    /// By actor, peer, channel and subject.
    pub edges: Vec<EdgeFlow>,
    /// Operations beyond the 4,096 series that are told apart.
    pub other: Tally,
}

/// What one kind of operation did, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowSteps {
    /// As in [`EdgeFlow`].
    pub actor: ServiceId,
    /// As in [`EdgeFlow`].
    pub peer: Option<ServiceId>,
    /// As in [`EdgeFlow`].
    pub channel: Option<Channel>,
    /// As in [`EdgeFlow`].
    pub subject: Arc<str>,
    /// How many steps ago, the present one 0; those alone in which something ended.
    pub steps: Vec<(u32, Tally)>,
}

/// Everything that happened in a window, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowHistory {
    /// The time that is counted, as in [`Flows`].
    pub covered: Duration,
    /// Length of a step.
    pub step: Duration,
    /// Steps there have been, the present one included.
    pub steps: u32,
    /// How long the present step goes on already.
    pub begun: Duration,
    /// In no order.
    pub series: Vec<FlowSteps>,
}

/// An operation that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its trace.
    pub trace: TraceId,
    /// The operation.
    pub op: OpId,
    /// What it is part of; `None` for a root.
    pub parent: Option<OpId>,
    /// Who executed it.
    pub actor: Actor,
    /// The service on the other side, if it is known.
    pub peer: Option<ServiceId>,
    /// What it went over; `None` when not said.
    pub channel: Option<Channel>,
    /// What was done.
    pub subject: Arc<str>,
    /// Correlation or idempotency key; empty when it has none.
    pub business_key: Box<str>,
    /// Unix milliseconds, by the clock of its service.
    pub started_at_ms: i64,
    /// Unix milliseconds.
    pub finished_at_ms: i64,
    /// How it ended.
    pub status: Status,
    /// What went wrong.
    pub status_message: String,
}

/// Words to look for; none match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// The words of `text`, of which the last may be the beginning of one.
    pub fn of(text: &str) -> Self {
        Self(tokens(text).collect())
    }

    /// Whether all of them are in the subject and business key of `op`.
    pub fn are_in(&self, op: &Ended) -> bool {
        self.are_among(|| tokens(&op.subject).chain(tokens(&op.business_key)))
    }

    /// Whether all of them are in the message and field values of `line`.
    pub fn are_in_line(&self, line: &LogEntry) -> bool {
        self.are_among(|| tokens(&line.searched()).collect::<Vec<_>>().into_iter())
    }

    fn are_among<I: Iterator<Item = String>>(&self, there: impl FnOnce() -> I) -> bool {
        let Some((last, whole)) = self.0.split_last() else {
            return true;
        };
        let there: Vec<_> = there().collect();
        whole.iter().all(|it| there.contains(it)) && there.iter().any(|it| it.starts_with(last))
    }
}

/// How full the present is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounters {
    /// Series that are told apart.
    pub keys: usize,
    /// Operations that have begun and not ended.
    pub pending: usize,
    /// Operations whose START was forgotten before their END came.
    pub given_up: u64,
    /// ENDs without a START: resent ones, and those whose START was forgotten.
    pub unjoined: u64,
    /// Followers.
    pub followers: usize,
}
