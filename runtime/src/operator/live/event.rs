//! Server-sent events as bytes. Pure.
//!
//! Invariant: an event's data is one line, because JSON escapes line ends; ids grow by one.

use std::io::Write as _;

use serde::Serialize;

/// Writes the events of one stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    last: u64,
    piece: Vec<u8>,
}

impl Events {
    /// An event with data of its own.
    pub(super) fn add(&mut self, name: &str, data: &impl Serialize) {
        // Plain data, written to memory.
        let data = serde_json::to_vec(data).unwrap_or_else(|_| b"{}".to_vec());
        self.add_raw(name, &data);
    }

    /// An event whose data was made for several streams.
    pub(super) fn add_raw(&mut self, name: &str, data: &[u8]) {
        self.last += 1;
        // Writing to memory cannot fail.
        let _ = write!(self.piece, "id: {}\nevent: {name}\ndata: ", self.last);
        self.piece.extend_from_slice(data);
        self.piece.extend_from_slice(b"\n\n");
    }

    pub(super) fn is_empty(&self) -> bool {
        self.piece.is_empty()
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> axum::body::Bytes {
        std::mem::take(&mut self.piece).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_numbered_and_their_data_is_one_line() {
        let mut events = Events::default();
        events.add("logs", &json!({ "message": "two\nlines\r" }));
        events.add_raw("quiet", b"{}");
        let text = "id: 1\nevent: logs\ndata: {\"message\":\"two\\nlines\\r\"}\n\n\
                    id: 2\nevent: quiet\ndata: {}\n\n";
        assert_eq!(events.take(), text);
        assert!(events.is_empty());
    }
}
