//! One event as one line of JSON, written once and in place.
//!
//! Invariant: it is a valid JSON object of at most [`LINE_BYTES_MAX`] bytes whatever the event
//! holds. Values are escaped while they are made, so nothing larger than the line ever exists.

use std::error::Error;
use std::fmt::{self, Write as _};

use contract::clock::Timestamp;
use tracing::Event;
use tracing::field::{Field, Visit};

use super::stamp::rfc3339;
use crate::context;

/// Longest line, in bytes, with its line break.
pub const LINE_BYTES_MAX: usize = 65_536;

/// What closes a line at its longest: the fields, the note that it was cut, the object.
const TAIL: &str = "},\"truncated\":true}\n";

/// A line under way, bounded.
pub(super) struct Line {
    text: String,
    is_in_fields: bool,
    is_cut: bool,
}

impl Line {
    pub(super) fn new(text: String) -> Self {
        Self {
            text,
            is_in_fields: false,
            is_cut: false,
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>, at: Timestamp) {
        let (text, metadata) = (&mut self.text, event.metadata());
        text.push_str("{\"timestamp\":\"");
        rfc3339(at, text);
        text.push_str("\",\"level\":\"");
        text.push_str(metadata.level().as_str());
        text.push_str("\",\"target\":");
        self.string(metadata.target());
        if let Some(call) = context::current() {
            let (trace, span) = (call.trace.trace.as_uuid().simple(), call.trace.span_id());
            let ids = format_args!(",\"trace_id\":\"{trace}\",\"span_id\":\"{span:016x}\"");
            self.raw(ids);
        }
        event.record(&mut Message(self));
        event.record(&mut Fields(self));
    }

    pub(super) fn close(mut self) -> String {
        if self.is_in_fields {
            self.text.push('}');
        }
        if self.is_cut {
            self.text.push_str(",\"truncated\":true");
        }
        self.text.push_str("}\n");
        self.text
    }

    fn room(&self) -> usize {
        (LINE_BYTES_MAX - TAIL.len()).saturating_sub(self.text.len())
    }

    /// Text that needs no escaping and is known to be short.
    fn raw(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.text.write_fmt(text);
    }

    /// Opens a field, unless there is no room for its name and any value.
    fn field(&mut self, name: &str) -> bool {
        const AROUND: usize = ",\"fields\":{\"\":\"\\u0000\"".len() + 32;
        // Each byte of a name takes six at most.
        if self.room() < name.len() * 6 + AROUND {
            self.is_cut = true;
            return false;
        }
        self.text.push_str(if self.is_in_fields {
            ","
        } else {
            ",\"fields\":{"
        });
        self.is_in_fields = true;
        self.string(name);
        self.text.push(':');
        true
    }

    /// A string, as far as there is room.
    fn string(&mut self, value: &str) {
        self.shown(format_args!("{value}"));
    }

    /// A string that is made while it is written, as far as there is room.
    fn shown(&mut self, value: fmt::Arguments<'_>) {
        self.text.push('"');
        // An error ends the making of a value nobody has room for.
        let _ = Escaped(self).write_fmt(value);
        self.text.push('"');
    }
}

/// Escapes into a line, up to the quote that has to follow.
struct Escaped<'l>(&'l mut Line);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let line = &mut *self.0;
        for c in text.chars() {
            let mut code = [b'\\', b'u', b'0', b'0', 0, 0];
            let mut utf8 = [0; 4];
            let escaped = match c {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\0'..='\u{1f}' => {
                    let digits = b"0123456789abcdef";
                    code[4] = digits[usize::from(c as u8 >> 4)];
                    code[5] = digits[usize::from(c as u8 & 15)];
                    std::str::from_utf8(&code).unwrap_or_default()
                }
                _ => c.encode_utf8(&mut utf8),
            };
            if line.room() < escaped.len() + 1 {
                line.is_cut = true;
                return Err(fmt::Error);
            }
            line.text.push_str(escaped);
        }
        Ok(())
    }
}

/// The name under which `tracing` keeps an event's own text.
const MESSAGE: &str = "message";

/// Writes the event's own text.
struct Message<'l>(&'l mut Line);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == MESSAGE {
            self.0.text.push_str(",\"message\":");
            self.0.shown(format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// Writes everything but the event's own text.
struct Fields<'l>(&'l mut Line);

impl Fields<'_> {
    fn plain(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() != MESSAGE && self.0.field(field.name()) {
            self.0.raw(value);
        }
    }

    fn quoted(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if field.name() != MESSAGE && self.0.field(field.name()) {
            self.0.shown(value);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.quoted(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.quoted(field, format_args!("{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, format_args!("{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.plain(field, format_args!("{value:?}"));
        } else {
            // JSON has no such number.
            self.quoted(field, format_args!("{value}"));
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.quoted(field, format_args!("{}", Chain(value)));
    }
}

/// An error and what caused it, in one line.
struct Chain<'e>(&'e (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
