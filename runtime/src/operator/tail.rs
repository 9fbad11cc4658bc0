//! Operations as they end, for whoever follows: filtered here, told as lines of JSON.
//!
//! Invariant: a follower that reads slowly holds nobody up; it is told how many it missed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc, watch};

use super::engine::{AskError, Operator};
use super::model::{EndedOp, TailLine};
use super::trace::{channel_word, channels, status_word, statuses};
use crate::telemetry::{Channel, Ended, Status, Words};

/// Pieces of the answer that wait for a follower to read them.
const PIECES_MAX: usize = 8;
/// Lines of one piece.
const LINES_MAX: usize = 256;
/// A follower hears something at least this often.
const QUIET: Duration = Duration::from_secs(5);

/// Which operations to follow.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TailQuery {
    /// Words in the subject or business key; the last may be the beginning of one.
    #[schemars(length(max = 1000))]
    pub text: Option<String>,
    /// Name of a service that did it or to which it was done.
    #[schemars(length(min = 1, max = 255))]
    pub service: Option<String>,
    /// As in [`TraceQuery`](super::TraceQuery).
    #[schemars(
        length(max = 255),
        regex(
            pattern = r"^(http|rpc|event|workflow|job|user)(,(http|rpc|event|workflow|job|user))*$"
        )
    )]
    pub channel: Option<String>,
    /// As in [`TraceQuery`](super::TraceQuery).
    #[schemars(
        length(max = 255),
        regex(
            pattern = r"^(pending|success|error|timeout|abandoned)(,(pending|success|error|timeout|abandoned))*$"
        )
    )]
    pub status: Option<String>,
    /// As in [`TraceQuery`](super::TraceQuery).
    pub failed: bool,
    /// Shortest duration, milliseconds.
    #[schemars(range(min = 0, max = 2_592_000_000_i64))]
    pub min_duration: Option<i64>,
    /// Only operations that are part of no other.
    pub roots: bool,
}

impl Operator {
    /// Lines of JSON, one [`TailLine`] each, from now until `stopped` or nobody reads them.
    ///
    /// # Errors
    ///
    /// [`AskError::Wrong`] names what cannot be looked for.
    pub fn tail(
        &self,
        query: TailQuery,
        stopped: watch::Receiver<bool>,
    ) -> Result<mpsc::Receiver<Bytes>, AskError> {
        let sieve = OpSieve::new(self, query)?;
        let ended = self.parts().telemetry.flow().follow();
        let (pieces, receiver) = mpsc::channel(PIECES_MAX);
        let clock = self.parts().clock.clone();
        tokio::spawn(async move { tell(ended, sieve, (pieces, stopped), clock).await });
        Ok(receiver)
    }
}

async fn tell(
    mut ended: broadcast::Receiver<Arc<Ended>>,
    sieve: OpSieve,
    (pieces, mut stopped): (mpsc::Sender<Bytes>, watch::Receiver<bool>),
    clock: Clock,
) {
    // The first line says that from here on nothing is missed.
    let mut piece = Vec::new();
    write(&mut piece, &TailLine::Quiet);
    loop {
        let sent = tokio::select! {
            sent = pieces.send(std::mem::take(&mut piece).into()) => sent.is_ok(),
            _ = stopped.wait_for(|stop| *stop) => false,
        };
        if !sent {
            return;
        }
        while piece.is_empty() {
            let next = tokio::select! {
                next = clock.timeout(QUIET, ended.recv()) => next,
                _ = stopped.wait_for(|stop| *stop) => return,
                () = pieces.closed() => return,
            };
            match next {
                Ok(Ok(op)) => take(&sieve, &op, &mut piece),
                Ok(Err(RecvError::Lagged(count))) => {
                    write(&mut piece, &TailLine::Missed { count });
                }
                Ok(Err(RecvError::Closed)) => return,
                Err(_) => write(&mut piece, &TailLine::Quiet),
            }
        }
        for _ in 0..LINES_MAX {
            match ended.try_recv() {
                Ok(op) => take(&sieve, &op, &mut piece),
                Err(TryRecvError::Lagged(count)) => write(&mut piece, &TailLine::Missed { count }),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
    }
}

fn write(piece: &mut Vec<u8>, line: &TailLine) {
    // Plain data, written to memory.
    if serde_json::to_writer(&mut *piece, line).is_ok() {
        piece.push(b'\n');
    }
}

fn take(sieve: &OpSieve, op: &Ended, piece: &mut Vec<u8>) {
    if let Some(op) = sieve.pass(op) {
        write(piece, &TailLine::Op(Box::new(op)));
    }
}

/// What one follower wants to hear.
#[derive(Debug)]
pub(super) struct OpSieve {
    operator: Operator,
    query: TailQuery,
    channels: Vec<Channel>,
    statuses: Vec<Status>,
    words: Words,
}

impl OpSieve {
    pub(super) fn new(operator: &Operator, query: TailQuery) -> Result<Self, AskError> {
        Ok(Self {
            channels: channels(query.channel.as_deref())?,
            statuses: statuses(query.status.as_deref(), query.failed)?,
            words: Words::of(query.text.as_deref().unwrap_or_default()),
            operator: operator.clone(),
            query,
        })
    }

    /// The operation as it is told, if it is.
    pub(super) fn pass(&self, op: &Ended) -> Option<EndedOp> {
        let duration_ms = op.finished_at_ms.saturating_sub(op.started_at_ms).max(0);
        let wanted = (self.channels.is_empty()
            || op.channel.is_some_and(|it| self.channels.contains(&it)))
            && (self.statuses.is_empty() || self.statuses.contains(&op.status))
            && self
                .query
                .min_duration
                .is_none_or(|least| duration_ms >= least)
            && !(self.query.roots && op.parent.is_some())
            && self.words.are_in(op);
        if !wanted {
            return None;
        }
        let line = self.line(op, duration_ms);
        let service = self.query.service.as_deref();
        let is_of = |it: &str| it == line.service || it == line.peer;
        service.is_none_or(is_of).then_some(line)
    }

    fn line(&self, op: &Ended, duration_ms: i64) -> EndedOp {
        let name = |id| self.operator.service_name(id);
        EndedOp {
            trace_id: op.trace.to_string(),
            op_id: op.op.to_string(),
            parent_op_id: op.parent.map(|it| it.to_string()),
            channel: op.channel.map_or("", channel_word).to_owned(),
            subject: op.subject.to_string(),
            service: name(op.actor.service),
            instance_id: op.actor.instance.to_string(),
            peer: op.peer.map(name).unwrap_or_default(),
            business_key: op.business_key.to_string(),
            started_at_unix_ms: op.started_at_ms,
            duration_ms,
            status: status_word(op.status).to_owned(),
            message: op.status_message.clone(),
        }
    }
}
