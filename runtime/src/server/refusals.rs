//! Says in the log who was not let in and why, without letting strangers fill the log.

use std::net::SocketAddr;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::transport::Refusal;
use parking_lot::Mutex;

/// Lines per window; the rest is counted.
const LINES_MAX: u32 = 10;
/// Length of a window.
const WINDOW: Duration = Duration::from_secs(10);

/// Logs refusals, at most ten in ten seconds.
#[derive(Debug)]
pub(super) struct RefusalLog {
    clock: Clock,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Monotonic,
    lines: u32,
    left_out: u64,
}

impl RefusalLog {
    pub(super) fn new(clock: &Clock) -> Self {
        let window = Window {
            began: clock.monotonic(),
            lines: 0,
            left_out: 0,
        };
        Self {
            clock: clock.clone(),
            window: Mutex::new(window),
        }
    }

    pub(super) fn note(&self, remote: SocketAddr, refusal: &Refusal) {
        let Some(left_out) = self.may_log() else {
            return;
        };
        tracing::warn!(%remote, reason = %refusal, left_out, "connection refused");
    }

    /// How many were left out since the last line, or `None` to leave out this one.
    fn may_log(&self) -> Option<u64> {
        let now = self.clock.monotonic();
        let mut window = self.window.lock();
        if now.since(window.began) >= WINDOW {
            (window.began, window.lines) = (now, 0);
        }
        if window.lines >= LINES_MAX {
            window.left_out += 1;
            return None;
        }
        window.lines += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

#[cfg(test)]
mod tests {
    use contract::clock::Timestamp;

    use super::*;

    #[test]
    fn a_flood_is_ten_lines_and_a_count() {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        let log = RefusalLog::new(&clock);
        let lines = (0..1_000).filter(|_| log.may_log().is_some()).count();
        assert_eq!(lines, 10);
        hand.advance(WINDOW);
        assert_eq!(log.may_log(), Some(990));
    }
}
