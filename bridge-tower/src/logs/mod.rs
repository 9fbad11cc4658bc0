//! Log lines that say which trace they belong to: one JSON object per `tracing` event.
//!
//! ```json
//! {"timestamp":"2026-01-02T03:04:05.000678Z","level":"INFO","target":"shop::orders","trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","message":"paid","fields":{"order":7}}
//! ```
//!
//! `trace_id` and `span_id` are those of the call that the current task works for, in the W3C's
//! spelling; outside of a call they are absent. `fields` is absent when there are none.
//!
//! Invariant: a line is one valid JSON object of at most [`LINE_BYTES_MAX`] bytes, written at
//! once. What does not fit is cut and said so with `"truncated":true`. A line that cannot be
//! written is counted, and nothing else happens.

mod stamp;
mod line;

use std::cell::Cell;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::clock::Clock;
use parking_lot::Mutex;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

pub use self::line::LINE_BYTES_MAX;

use self::line::Line;

/// Writes lines to standard output.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// let subscriber = tracing_subscriber::registry().with(bridge_tower::logs::json());
/// # let _ = subscriber;
/// ```
pub fn json() -> Json<std::io::Stdout> {
    Json::to(std::io::stdout(), &Clock::system())
}

/// A layer that writes each event as one line. Put a filter beside it, as beside any other.
#[derive(Debug)]
pub struct Json<W> {
    out: Mutex<W>,
    clock: Clock,
    lost: Arc<AtomicU64>,
}

impl<W> Json<W> {
    /// Writes lines to `out`, each with one call. Who logs waits for it.
    pub fn to(out: W, clock: &Clock) -> Self {
        Self {
            out: Mutex::new(out),
            clock: clock.clone(),
            lost: Arc::default(),
        }
    }

    /// Counts the lines that could not be written.
    pub fn lost(&self) -> Arc<AtomicU64> {
        self.lost.clone()
    }
}

thread_local! {
    /// The line under way. Taken while in use, so that a value that logs while it is shown gets
    /// another one.
    static LINE: Cell<String> = const { Cell::new(String::new()) };
}

impl<S: Subscriber, W: Write + 'static> Layer<S> for Json<W>
where
    Self: Send + Sync,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = LINE.take();
        text.clear();
        let mut line = Line::new(text);
        line.event(event, self.clock.now());
        let text = line.close();
        // One call, under one lock: lines of several threads never mix.
        if self.out.lock().write_all(text.as_bytes()).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        LINE.set(text);
    }
}

#[cfg(test)]
mod tests;
