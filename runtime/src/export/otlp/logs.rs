//! Log records as log lines. Pure.

use serde_json::json;

use super::attributes::{self, Bag};
use super::message::LogRecord;
use super::spans::{Around, millis, op_id, parent_id, trace_id};
use crate::telemetry::{FIELDS_BYTES_MAX, Level, LogEntry};

/// A record as a line. It is of its span, when it says one.
pub(super) fn line(record: &LogRecord, around: Around<'_>, now_ms: i64) -> LogEntry {
    let observed = millis(record.observed_time_unix_nano).unwrap_or(0);
    let at_ms = millis(record.time_unix_nano).filter(|it| *it > 0);
    let said = attributes::body(record.body.as_ref(), around.masks);
    let message = if said.is_empty() {
        &record.event_name
    } else {
        &said
    };
    let level = level(record.severity_number, &record.severity_text);
    let at_ms = at_ms.unwrap_or(observed);
    let mut entry = LogEntry::new(around.actor, at_ms, now_ms, level, message);
    entry.trace = trace_id(&record.trace_id);
    entry.op = match entry.trace {
        Some(trace) => op_id(trace, &record.span_id),
        None => parent_id(&record.span_id),
    };
    let mut bag = Bag::new(FIELDS_BYTES_MAX, around.masks);
    bag.add("event", json!(record.event_name));
    bag.extend(&record.attributes);
    if let Some(scope) = around.scope {
        bag.add("logger", json!(scope.name));
    }
    entry.with_fields(&bag.finish())
}

/// Four numbers a level: trace and debug, info, warn, error and fatal. The text counts where there
/// is no number.
fn level(number: i32, text: &str) -> Level {
    match number {
        1..=8 => Level::Debug,
        9..=12 => Level::Info,
        13..=16 => Level::Warn,
        17..=24 => Level::Error,
        _ => match text.to_ascii_lowercase().as_str() {
            "trace" | "debug" => Level::Debug,
            "warn" | "warning" => Level::Warn,
            "error" | "err" | "fatal" | "critical" | "panic" => Level::Error,
            _ => Level::Info,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_become_the_four_levels() {
        for (number, text, expected) in [
            (1, "", Level::Debug),
            (8, "", Level::Debug),
            (9, "ERROR", Level::Info),
            (13, "", Level::Warn),
            (24, "", Level::Error),
            (0, "Warning", Level::Warn),
            (0, "FATAL", Level::Error),
            (99, "what", Level::Info),
        ] {
            assert_eq!(level(number, text), expected, "{number} {text}");
        }
    }
}
