//! What the live stream tells: one JSON object an event.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EndedOp, LogLine};
use crate::registry::MapService;

/// The first event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// Version of the runtime.
    pub version: String,
    /// When it started, unix milliseconds.
    pub started_at_unix_ms: i64,
    /// Its clock now, unix milliseconds.
    pub now_unix_ms: i64,
    /// A stream is never silent for longer, milliseconds.
    pub heartbeat_ms: u64,
}

/// Services and who calls whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Topology {
    /// Which topology it is; loads name it.
    pub sequence: u64,
    /// By name.
    pub services: Vec<MapService>,
    /// By caller and target.
    pub links: Vec<LinkShape>,
}

/// What changed in a topology in which nothing came, went or has another place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Which topology it makes; loads name it.
    pub sequence: u64,
    /// Which topology it changes: the one that was told last.
    pub of: u64,
    /// Indexes of services and what they are now.
    pub services: Vec<(usize, MapService)>,
    /// Indexes of links and what they are now.
    pub links: Vec<(usize, LinkShape)>,
}

/// One service calling another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkShape {
    /// Name of the caller; empty when it is not known: somebody outside.
    pub from: String,
    /// Name of the target.
    pub to: String,
    /// Methods, as `kind name`.
    pub methods: Vec<String>,
    /// Whether something of it was declared.
    pub declared: bool,
    /// Whether everything that was declared can be called now.
    pub live: bool,
}

/// What goes on in a topology: index, count, errors, per second, p50, p95 and p99 in milliseconds.
pub type LoadRow = (usize, u64, u64, f64, f64, f64, f64);

/// What goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Loads {
    /// The topology whose services and links the indexes mean.
    pub sequence: u64,
    /// Unix milliseconds.
    pub at_unix_ms: i64,
    /// The time that was counted.
    pub window_ms: u64,
    /// Services that served something.
    pub services: Vec<LoadRow>,
    /// Links over which something was called.
    pub links: Vec<LoadRow>,
}

/// Operations that ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpsTold {
    /// In the order of their ends.
    pub ops: Vec<EndedOp>,
    /// How many more ended and could not be told.
    pub missed: u64,
}

/// Lines that were logged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogsTold {
    /// In the order in which they were stored.
    pub logs: Vec<LogLine>,
    /// How many more there were that could not be told.
    pub missed: u64,
}

/// Nothing more to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// What the data of an event is, by the event's name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LiveEvents {
    /// First.
    pub hello: Hello,
    /// At first, and when services or links came or went; with `change` at most three times in two
    /// seconds.
    pub map: Topology,
    /// When something of the map changed that was told last.
    pub change: Change,
    /// Each second, and with each `map` and `change`.
    pub load: Loads,
    /// At most four times a second.
    pub ops: OpsTold,
    /// At most four times a second.
    pub logs: LogsTold,
    /// When nothing else was told for a while.
    pub quiet: Empty,
    /// Last, when the session or token has ended.
    pub expired: Empty,
    /// Last, when the runtime stops.
    pub bye: Empty,
}
