//! The live stream: what the console shows without asking again, as server-sent events.
//!
//! ```text
//! registry ─change─┐                    ┌─► stream ─► reader
//! flow ────1 s─────┴─► board (one per window) ─► stream ─► slow reader (skips states)
//! ended operations, stored lines ─broadcast─► each stream's sieve, four times a second
//! ```
//!
//! Refuses a 65th stream (503), and to wait for a reader: what one cannot take is skipped (map,
//! loads) or counted as missed (operations, lines).
//!
//! Invariant: the indexes of a `load` mean the `map` of the same sequence, which was told before.

mod change;
mod board;
mod event;
mod batch;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::{Semaphore, mpsc};

use super::engine::{AskError, Operator};
use super::tail::{OpSieve, TailQuery};
use crate::problem::Problem;
use batch::LineSieve;
use board::Boards;
pub(super) use stream::Ends;
use stream::Follows;

/// Streams at the same time.
const STREAMS_MAX: usize = 64;
/// When to try again after a refusal, in seconds.
const RETRY_SECONDS: u64 = 5;
/// Pieces of a stream that wait for its reader.
const PIECES_MAX: usize = 8;
/// Window of loads when none is asked for.
const WINDOW_DEFAULT: Duration = Duration::from_secs(60);

/// What to tell.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LiveQuery {
    /// `map` (topology and loads), `ops` and `logs`, with commas between.
    #[schemars(
        length(max = 64),
        regex(pattern = r"^((map|ops|logs)(,(map|ops|logs))*)?$")
    )]
    topics: String,
    /// Loads count the last so many milliseconds, rounded up to ten seconds, beyond five minutes
    /// to five minutes; 60000 when absent.
    #[schemars(range(min = 1, max = 3_600_000))]
    window_ms: Option<u64>,
    /// Operations and lines of this service.
    #[schemars(length(min = 1, max = 255))]
    service: Option<String>,
    /// Words in an operation's subject or business key, or in a line's message or fields; the
    /// last may be the beginning of one.
    #[schemars(length(max = 1000))]
    text: Option<String>,
    /// As in `/traces`.
    #[schemars(
        length(max = 255),
        regex(
            pattern = r"^(http|rpc|event|workflow|job|user)(,(http|rpc|event|workflow|job|user))*$"
        )
    )]
    channel: Option<String>,
    /// As in `/traces`.
    #[schemars(
        length(max = 255),
        regex(
            pattern = r"^(pending|success|error|timeout|abandoned)(,(pending|success|error|timeout|abandoned))*$"
        )
    )]
    status: Option<String>,
    /// Only operations that failed.
    failed: bool,
    /// Operations that took at least so many milliseconds.
    #[schemars(range(min = 0, max = 2_592_000_000_i64))]
    min_duration: Option<i64>,
    /// Only operations that are part of no other.
    roots: bool,
    /// Lines of this level and above.
    #[schemars(extend("enum" = ["debug", "info", "warn", "error"]))]
    level: Option<String>,
    /// Lines of this instance.
    #[schemars(length(max = 36))]
    instance: Option<String>,
    /// Lines of this trace.
    #[schemars(length(min = 32, max = 36))]
    trace: Option<String>,
}

/// All live streams of a runtime. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Live {
    operator: Operator,
    boards: Boards,
    room: Arc<Semaphore>,
}

impl Live {
    /// Nobody listens yet.
    pub(super) fn new(operator: &Operator) -> Self {
        Self {
            operator: operator.clone(),
            boards: Boards::new(operator),
            room: Arc::new(Semaphore::new(STREAMS_MAX)),
        }
    }

    /// Begins a stream that ends with its reader, or as `ends` says.
    pub(super) fn open(
        &self,
        query: &LiveQuery,
        ends: Ends,
    ) -> Result<mpsc::Receiver<Bytes>, Problem> {
        let follows = self.follows(query)?;
        let full = || {
            let text = format!("{STREAMS_MAX} live streams are open; close one, or try again");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, text).retry_after(RETRY_SECONDS)
        };
        let place = self.room.clone().try_acquire_owned().map_err(|_| full())?;
        let (pieces, receiver) = mpsc::channel(PIECES_MAX);
        let operator = self.operator.clone();
        tokio::spawn(async move {
            stream::tell(&operator, follows, ends, pieces).await;
            drop(place);
        });
        Ok(receiver)
    }

    fn follows(&self, query: &LiveQuery) -> Result<Follows, AskError> {
        let topics = Topics::of(&query.topics)?;
        let telemetry = &self.operator.parts().telemetry;
        let window = query
            .window_ms
            .map_or(WINDOW_DEFAULT, Duration::from_millis);
        let tail = TailQuery {
            text: query.text.clone(),
            service: query.service.clone(),
            channel: query.channel.clone(),
            status: query.status.clone(),
            failed: query.failed,
            min_duration: query.min_duration,
            roots: query.roots,
        };
        let ops = OpSieve::new(&self.operator, tail)?;
        let lines = LineSieve::new(&self.operator, query)?;
        Ok(Follows {
            map: topics.map.then(|| self.boards.follow(window)),
            ops: topics.ops.then(|| (telemetry.flow().follow(), ops)),
            lines: topics.logs.then(|| (telemetry.logs().follow(), lines)),
        })
    }
}

/// What a stream is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Topics {
    map: bool,
    ops: bool,
    logs: bool,
}

impl Topics {
    fn of(words: &str) -> Result<Self, AskError> {
        let mut topics = Self::default();
        if words.is_empty() {
            return Ok(topics);
        }
        for word in words.split(',') {
            match word {
                "map" => topics.map = true,
                "ops" => topics.ops = true,
                "logs" => topics.logs = true,
                _ => {
                    let text = format!("`{word}` is no topic; use map, ops, logs");
                    return Err(AskError::Wrong(text));
                }
            }
        }
        Ok(topics)
    }
}
