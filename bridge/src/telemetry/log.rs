//! Log entries: written by hand or by the `tracing` layer, reported with the trace they belong to.

use std::fmt;
use std::sync::Arc;

use contract::clock::Timestamp;
use contract::grpc::v1::{Log as Frame, LogLevel};
use contract::headers::TraceContext;
use contract::ids::OpId;

use super::Telemetry;
use super::ring::Weigh;
use super::value::{Object, Value, cut};

/// Longest message, in bytes; the rest is cut.
pub(super) const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Largest object of fields, in bytes.
pub(super) const FIELDS_BYTES_MAX: usize = 8 * 1024;
/// Explicit entries, as opposed to captured output and to the runtime's own.
const SOURCE: &str = "sdk";

/// How much an entry matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For developers.
    Debug,
    /// Something ordinary happened.
    Info,
    /// Something to look at.
    Warn,
    /// Something failed.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        })
    }
}

/// One entry. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Entry>);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) level: Level,
    pub(super) message: Box<str>,
    pub(super) fields: Box<[u8]>,
    /// The trace and the operation it was written in.
    pub(super) context: Option<TraceContext>,
}

impl From<Entry> for Log {
    fn from(entry: Entry) -> Self {
        Self(Arc::new(entry))
    }
}

impl Weigh for Log {
    fn bytes(&self) -> usize {
        size_of::<Entry>() + self.0.message.len() + self.0.fields.len()
    }
}

impl Log {
    pub(super) fn to_frame(&self, instance: &str) -> Frame {
        let entry = &*self.0;
        let level = match entry.level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        let op = entry
            .context
            .map(|it| it.parent)
            .filter(|it| *it != OpId::NONE);
        Frame {
            at_unix_ms: entry.at.as_millis(),
            level: level as i32,
            message: entry.message.to_string(),
            fields_json: entry.fields.to_vec(),
            trace_id: entry
                .context
                .map(|it| it.trace.to_string())
                .unwrap_or_default(),
            op_id: op.as_ref().map(OpId::to_string).unwrap_or_default(),
            instance_id: instance.to_owned(),
            source: SOURCE.to_owned(),
        }
    }
}

/// A log entry under construction; see [`Telemetry::log`].
#[derive(Debug)]
#[must_use = "an entry is written by `send`"]
pub struct LogEntry<'t> {
    telemetry: &'t Telemetry,
    level: Level,
    message: String,
    fields: Object,
}

impl LogEntry<'_> {
    /// Adds a field. Fields of more than 8 KiB altogether are left out, and the entry says so.
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.add(name, &value.into());
        self
    }

    /// Writes the entry. It never waits: when the ring of entries is full the oldest is dropped.
    pub fn send(self) {
        let context = super::scope::current().map(|it| it.trace);
        self.telemetry.push_log(Entry {
            at: self.telemetry.now(),
            level: self.level,
            message: cut(&self.message, MESSAGE_BYTES_MAX).into(),
            fields: self.fields.finish().into(),
            context,
        });
    }
}

impl Telemetry {
    /// A log entry of this service, reported with the trace and operation of the current task.
    /// A message is cut to 16 KiB.
    ///
    /// ```no_run
    /// # fn example(bridge: &bridge::Bridge) {
    /// use bridge::telemetry::Level;
    ///
    /// let telemetry = bridge.telemetry();
    /// telemetry.log(Level::Warn, "stock is low").field("sku", "coffee").field("left", 3).send();
    /// # }
    /// ```
    pub fn log(&self, level: Level, message: impl Into<String>) -> LogEntry<'_> {
        LogEntry {
            telemetry: self,
            level,
            message: message.into(),
            fields: Object::new(FIELDS_BYTES_MAX),
        }
    }
}
