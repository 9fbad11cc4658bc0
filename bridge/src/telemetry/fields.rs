//! Fields of spans and events as JSON, and the message among them.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};

use super::log::MESSAGE_BYTES_MAX;
use super::value::{Object, cut};

/// Fields as they are visited.
pub(super) struct Fields {
    pub(super) object: Object,
    pub(super) message: String,
}

impl Fields {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            object: Object::new(bytes_max),
            message: String::new(),
        }
    }

    fn text(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.message = text;
        } else {
            self.object.add_json(field.name(), text);
        }
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, cut(value, MESSAGE_BYTES_MAX).to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Capped(String::new());
        // It fails when the text is longer than anybody wants; its beginning is there.
        let _ = write!(text, "{value:?}");
        self.text(field, text.0);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = Capped(String::new());
        let _ = write!(text, "{value}");
        self.text(field, text.0);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.object.add_json(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.object.add_json(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.object.add_json(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.object.add_json(field.name(), value);
    }
}

/// A text that stops growing.
struct Capped(String);

impl fmt::Write for Capped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MESSAGE_BYTES_MAX - self.0.len();
        self.0.push_str(cut(text, room));
        if text.len() > room {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}
