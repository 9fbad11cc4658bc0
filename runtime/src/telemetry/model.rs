//! Operations, the frames that build them, and the rules of merging. Pure.

use contract::ids::{InstanceId, OpId, ServiceId, TraceId};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::bounded::{self, TRUNCATED};

/// Largest `meta` of an operation, in bytes of JSON, also after merging.
pub const META_BYTES_MAX: usize = 8_192;
/// Largest `attrs` of an operation, in bytes of JSON.
pub const ATTRS_BYTES_MAX: usize = 2_048;
/// Longest subject, business key or status message, in bytes; the rest is cut.
pub(super) const TEXT_BYTES_MAX: usize = 2_048;

/// What an operation went over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// An HTTP request.
    Http = 1,
    /// A call between services.
    Rpc = 2,
    /// A durable event.
    Event = 3,
    /// A workflow run or one of its waits.
    Workflow = 4,
    /// A job execution.
    Job = 5,
    /// Whatever the user measures.
    User = 6,
}

impl Channel {
    /// All of them, by number.
    pub const ALL: [Self; 6] = [
        Self::Http,
        Self::Rpc,
        Self::Event,
        Self::Workflow,
        Self::Job,
        Self::User,
    ];

    /// From the number of the wire contract; `None` for 0 and unknown ones.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The number of the wire contract.
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// How an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Running.
    Pending = 1,
    /// Done.
    Success = 2,
    /// Failed.
    Error = 3,
    /// Ran out of time.
    Timeout = 4,
    /// Its instance disappeared before it ended.
    Abandoned = 5,
}

impl Status {
    /// All of them, by number.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Success,
        Self::Error,
        Self::Timeout,
        Self::Abandoned,
    ];

    /// From the number of the wire contract; `None` for 0 and unknown ones.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// The number of the wire contract.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Whether an operation in it has ended.
    pub fn is_terminal(self) -> bool {
        self != Self::Pending
    }
}

/// Who reports: from the certificate, never from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Its service.
    pub service: ServiceId,
    /// Its instance.
    pub instance: InstanceId,
}

/// One report about one operation: START without `finished_at_ms`, END with it. Blank text, zero
/// and `None` mean "not said".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its trace.
    pub trace: TraceId,
    /// The operation.
    pub op: OpId,
    /// What it is part of; `None` for a root.
    pub parent: Option<OpId>,
    /// `None` when not said.
    pub channel: Option<Channel>,
    /// Per channel; 0 when not said.
    pub kind: u32,
    /// `<channel>.<kind>:<parts>`.
    pub subject: String,
    /// The service on the other side.
    pub peer_service: String,
    /// The instance that served the call.
    pub peer_instance: String,
    /// Correlation or idempotency key.
    pub business_key: String,
    /// From 1 on; 0 when not said.
    pub attempt: i32,
    /// Unix milliseconds.
    pub started_at_ms: i64,
    /// Unix milliseconds; present on END frames only.
    pub finished_at_ms: Option<i64>,
    /// Of an END frame: how it ended. A START frame's is ignored.
    pub status: Option<Status>,
    /// What went wrong.
    pub status_message: String,
    /// A JSON object; merged into what is known.
    pub meta_json: Vec<u8>,
    /// A JSON object.
    pub attrs_json: Vec<u8>,
}

impl Frame {
    /// Whether only the runtime itself writes operations of this kind.
    pub fn is_runtime_owned(&self) -> bool {
        matches!(
            self.channel,
            Some(Channel::Event | Channel::Workflow | Channel::Job)
        )
    }

    /// Whether the frame makes sense: an END says how the operation ended.
    pub fn is_sound(&self) -> bool {
        self.finished_at_ms.is_none() || self.status.is_some_and(Status::is_terminal)
    }
}

/// An operation: everything its frames have said so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The operation.
    pub op: OpId,
    /// Its trace.
    pub trace: TraceId,
    /// What it is part of; `None` for a root or when not yet known.
    pub parent: Option<OpId>,
    /// `None` when not yet known.
    pub channel: Option<Channel>,
    /// Per channel; 0 when not yet known.
    pub kind: u32,
    /// Empty when not yet known.
    pub subject: String,
    /// Who executed it.
    pub actor: Actor,
    /// The service on the other side, if there is one.
    pub peer_service: String,
    /// The instance that served the call, if it is known.
    pub peer_instance: String,
    /// Correlation or idempotency key.
    pub business_key: String,
    /// The highest seen.
    pub attempt: i32,
    /// Unix milliseconds; 0 when not yet known.
    pub started_at_ms: i64,
    /// Unix milliseconds, once an END came.
    pub finished_at_ms: Option<i64>,
    /// How it stands.
    pub status: Status,
    /// What went wrong.
    pub status_message: String,
    /// A JSON object.
    pub meta_json: String,
    /// A JSON object.
    pub attrs_json: String,
}

impl Operation {
    /// An operation of which only the ids are known.
    pub fn blank(actor: Actor, trace: TraceId, op: OpId) -> Self {
        Self {
            op,
            trace,
            parent: None,
            channel: None,
            kind: 0,
            subject: String::new(),
            actor,
            peer_service: String::new(),
            peer_instance: String::new(),
            business_key: String::new(),
            attempt: 0,
            started_at_ms: 0,
            finished_at_ms: None,
            status: Status::Pending,
            status_message: String::new(),
            meta_json: "{}".to_owned(),
            attrs_json: "{}".to_owned(),
        }
    }

    /// Merges a frame in. Frames may come in any order and more than once.
    pub fn apply(&mut self, frame: &Frame) {
        self.fill_blanks(frame);
        self.attempt = self.attempt.max(frame.attempt);
        let ended = frame
            .status
            .filter(|status| status.is_terminal())
            .zip(frame.finished_at_ms);
        let Some((status, finished_at_ms)) = ended else {
            // A START that comes late knows less than the END did: what is there stays on top.
            self.meta_json = merge(
                &json_object(&frame.meta_json, META_BYTES_MAX),
                &self.meta_json,
            );
            if !self.status.is_terminal() && !frame.peer_instance.is_empty() {
                self.peer_instance = text(&frame.peer_instance);
            }
            return;
        };
        self.status = status;
        self.finished_at_ms = Some(finished_at_ms);
        self.status_message = text(&frame.status_message);
        if !frame.peer_instance.is_empty() {
            self.peer_instance = text(&frame.peer_instance);
        }
        self.meta_json = merge(
            &self.meta_json,
            &json_object(&frame.meta_json, META_BYTES_MAX),
        );
    }

    fn fill_blanks(&mut self, frame: &Frame) {
        self.parent = self.parent.or(frame.parent);
        self.channel = self.channel.or(frame.channel);
        if self.kind == 0 {
            self.kind = frame.kind;
        }
        if self.started_at_ms == 0 {
            self.started_at_ms = frame.started_at_ms.max(0);
        }
        if self.attrs_json == "{}" {
            self.attrs_json = json_object(&frame.attrs_json, ATTRS_BYTES_MAX);
        }
        for (known, said) in [
            (&mut self.subject, &frame.subject),
            (&mut self.peer_service, &frame.peer_service),
            (&mut self.peer_instance, &frame.peer_instance),
            (&mut self.business_key, &frame.business_key),
        ] {
            if known.is_empty() {
                *known = text(said);
            }
        }
    }

    /// Its place in time: the start, or the end while the start is not known.
    pub fn placed_at_ms(&self) -> i64 {
        if self.started_at_ms == 0 {
            self.finished_at_ms.unwrap_or(0)
        } else {
            self.started_at_ms
        }
    }
}

/// An operation as it lies in its slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) op: Operation,
    /// How often its row was written: 1 when new.
    pub(super) rev: i64,
    /// Its words in the dictionary.
    pub(super) text: i64,
}

/// Text as an operation keeps it.
fn text(said: &str) -> String {
    bounded::text(said, TEXT_BYTES_MAX)
}

/// The JSON object in `bytes`, as it came; a marker when it is too large or no object.
fn json_object(bytes: &[u8], bytes_max: usize) -> String {
    if bytes.is_empty() || bytes == b"{}" {
        return "{}".to_owned();
    }
    if bytes.len() > bytes_max {
        return TRUNCATED.to_owned();
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
    // Read through, not built: most objects are stored as they came and never looked into.
    let is_json = text.starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok();
    if is_json { text } else { TRUNCATED }.to_owned()
}

/// The members of both, those of `over` winning.
fn merge(under: &str, over: &str) -> String {
    match (under, over) {
        ("{}", other) | (other, "{}") => return other.to_owned(),
        (same, other) if same == other => return same.to_owned(),
        _ => {}
    }
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok();
    let merged = object(under).zip(object(over)).map(|(mut under, over)| {
        under.extend(over);
        Value::Object(under).to_string()
    });
    // What nests too deeply to be merged is let go like what is too large.
    merged
        .filter(|it| it.len() <= META_BYTES_MAX)
        .unwrap_or_else(|| TRUNCATED.to_owned())
}

/// What became of a batch of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Frames merged and committed.
    pub frames: usize,
    /// Frames dropped on purpose: unsound, of a kind the runtime owns, or about an operation that
    /// belongs to another service.
    pub refused: usize,
    /// ENDs of operations that had been given up as abandoned.
    pub late_ends: usize,
}
