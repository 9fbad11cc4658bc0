//! Log lines, their levels and positions, and the questions about them. Pure.

use std::fmt;
use std::str::FromStr;

use contract::ids::{InstanceId, OpId, ServiceId, TraceId};
use serde_json::Value;

use super::super::bounded;
use super::super::model::Actor;
use super::super::query::CursorError;

/// Longest message, in bytes; the rest is cut.
pub(super) const MESSAGE_BYTES_MAX: usize = 16_384;
/// Largest fields of a line, in bytes of JSON.
pub const FIELDS_BYTES_MAX: usize = 8_192;
/// Longest text made of a line's fields for searching, in bytes.
const SEARCHED_BYTES_MAX: usize = MESSAGE_BYTES_MAX + FIELDS_BYTES_MAX;

/// Bits of a position that tell lines of one millisecond apart.
const COUNTER_BITS: u32 = 20;
/// The latest time a position can hold, in unix milliseconds: in the year 2248.
const AT_MS_MAX: i64 = (1 << (63 - COUNTER_BITS)) - 1;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For developers.
    Debug = 1,
    /// The normal course.
    Info = 2,
    /// Worth a look.
    Warn = 3,
    /// A failure.
    Error = 4,
}

impl Level {
    /// All of them, by number.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// From the number of the wire contract; `None` for 0 and unknown ones.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The number of the wire contract.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Its lowercase word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// From its word, whatever the case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|it| it.word().eq_ignore_ascii_case(word))
    }
}

/// Where a line was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Written through the SDK's logger.
    Sdk = 1,
    /// Caught from the console of a service.
    Console = 2,
    /// Written by the runtime itself; never taken from a service.
    Runtime = 3,
}

impl Origin {
    const ALL: [Self; 3] = [Self::Sdk, Self::Console, Self::Runtime];

    /// Its word in the wire contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sdk => "sdk",
            Self::Console => "console",
            Self::Runtime => "runtime",
        }
    }

    /// What a service's `source` stands for: anything but `console` is the SDK.
    pub fn of_service(source: &str) -> Self {
        if source == Self::Console.word() {
            Self::Console
        } else {
            Self::Sdk
        }
    }

    pub(super) const fn number(self) -> i64 {
        self as i64
    }

    pub(super) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogEntry {
    /// When it was written, unix milliseconds.
    pub at_ms: i64,
    /// How much it matters.
    pub level: Level,
    /// Where it was caught.
    pub origin: Origin,
    /// Its service.
    pub service: ServiceId,
    /// The instance that wrote it.
    pub instance: InstanceId,
    /// The trace it was written in.
    pub trace: Option<TraceId>,
    /// The operation it was written in.
    pub op: Option<OpId>,
    /// Text.
    pub message: String,
    /// A JSON object.
    pub fields_json: String,
}

impl LogEntry {
    /// A line of `actor` with everything within its limits. A time of 0 or before becomes
    /// `now_ms`.
    pub fn new(actor: Actor, at_ms: i64, now_ms: i64, level: Level, message: &str) -> Self {
        let at_ms = if at_ms > 0 { at_ms } else { now_ms };
        Self {
            at_ms: at_ms.clamp(0, AT_MS_MAX),
            level,
            origin: Origin::Sdk,
            service: actor.service,
            instance: actor.instance,
            trace: None,
            op: None,
            message: bounded::text(message, MESSAGE_BYTES_MAX),
            fields_json: "{}".to_owned(),
        }
    }

    /// With these fields; a marker takes their place when they are too large or no object.
    #[must_use]
    pub fn with_fields(mut self, json: &[u8]) -> Self {
        self.fields_json = bounded::json_object(json, FIELDS_BYTES_MAX);
        self
    }

    /// Everything of the line that a search looks through: the message and the values of fields.
    pub(in super::super) fn searched(&self) -> String {
        searched(&self.message, &self.fields_json)
    }
}

/// What a search looks through in a line of this message and these fields.
pub(super) fn searched(message: &str, fields_json: &str) -> String {
    let mut text = message.to_owned();
    if fields_json != "{}"
        && let Ok(fields) = serde_json::from_str(fields_json)
    {
        add_values(&fields, &mut text);
    }
    bounded::text(&text, SEARCHED_BYTES_MAX)
}

fn add_values(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => members.values().for_each(|it| add_values(it, text)),
        Value::Array(items) => items.iter().for_each(|it| add_values(it, text)),
        Value::String(word) => {
            text.push(' ');
            text.push_str(word);
        }
        Value::Number(number) => {
            text.push(' ');
            text.push_str(&number.to_string());
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Where a line is: its slice, and its time with a number inside. Text is opaque to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogCursor {
    pub(super) slice: i64,
    pub(super) id: i64,
}

/// The position of the `nth` line of a batch at `at_ms`, from a start drawn per batch.
pub(super) fn position(at_ms: i64, start: u32, nth: usize) -> i64 {
    let counters = 1 << COUNTER_BITS;
    let nth = i64::try_from(nth).unwrap_or(0);
    let counter = (i64::from(start) + nth) % counters;
    (at_ms.clamp(0, AT_MS_MAX) << COUNTER_BITS) | counter
}

/// The time in a position.
pub(super) fn time_of(id: i64) -> i64 {
    id >> COUNTER_BITS
}

/// First and last position from `from_ms` to `to_ms`, both included.
pub(super) fn positions(from_ms: Option<i64>, to_ms: Option<i64>) -> (i64, i64) {
    let first = from_ms.map_or(0, |at| position(at, 0, 0));
    let last = to_ms.map_or(i64::MAX, |at| position(at, 0, (1 << COUNTER_BITS) - 1));
    (first, last)
}

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slice, self.id)
    }
}

impl FromStr for LogCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (slice, id) = text.split_once('.').ok_or(CursorError)?;
        let slice = slice.parse().map_err(|_| CursorError)?;
        let id = id.parse().map_err(|_| CursorError)?;
        Ok(Self { slice, id })
    }
}

/// Which lines to list; the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Lines of this service.
    pub service: Option<ServiceId>,
    /// Lines of this instance.
    pub instance: Option<InstanceId>,
    /// Earliest time, unix milliseconds.
    pub from_ms: Option<i64>,
    /// Latest time, unix milliseconds.
    pub to_ms: Option<i64>,
    /// Lines of this level and above.
    pub min_level: Option<Level>,
    /// Lines written in this trace.
    pub trace: Option<TraceId>,
    /// Lines with all of these words in message or field values; the last word may be the
    /// beginning of one.
    pub text: String,
}

/// A stored line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where it is; no other line is there.
    pub position: LogCursor,
    /// The line.
    pub entry: LogEntry,
}

impl LogLine {
    /// Its time in unix nanoseconds, with its place among the lines of its millisecond inside.
    pub fn nanos(&self) -> i64 {
        let within = self.position.id & ((1 << COUNTER_BITS) - 1);
        time_of(self.position.id) * 1_000_000 + ((within * 1_000_000) >> COUNTER_BITS)
    }
}

/// Lines, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsPage {
    /// Newest first.
    pub lines: Vec<LogLine>,
    /// Pass it back for older ones; `None` at the end.
    pub next: Option<LogCursor>,
}

/// What became of a batch of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogsIngested {
    /// Stored and committed.
    pub lines: usize,
    /// Left out, because an earlier stream brought them.
    pub repeats: usize,
}
