//! Log lines that services report: stored, searched, paged through.
//!
//! ```text
//!  report ──▶ one slice per span of time ──▶ pages, newest first
//! ```
//!
//! A line lies in the slice of its own time, so a resend meets its first copy and old lines go
//! when their slice is dropped. A line's position is its time and a number that tells lines of one
//! millisecond apart; the position is the row id, the order of pages and the cursor in one.
//!
//! Refuses nothing: text is cut, fields that are no object are replaced by a marker, repeats of
//! an earlier stream are left out and counted.
//!
//! Invariant: service and instance come from the certificate; a line's position never changes.

mod model;
mod store;
mod engine;
#[cfg(test)]
mod tests;

pub use engine::{LOGS_DEFAULT, LOGS_MAX, Logs, log_words};
pub use model::{
    FIELDS_BYTES_MAX, Level, LogCursor, LogEntry, LogFilter, LogLine, LogsIngested, LogsPage,
    Origin,
};
