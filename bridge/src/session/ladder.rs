//! How long to wait before trying again.

use std::time::Duration;

/// Seconds before attempt 1, 2, …; the last one for ever.
const RUNGS: [u64; 5] = [1, 5, 15, 30, 60];
/// Share of a pause that is random, in both directions, so that a fleet does not return at once.
const JITTER: f64 = 0.2;

/// The pauses between attempts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ladder {
    flat: Option<Duration>,
}

impl Ladder {
    /// The contract's rungs, or one `flat` pause.
    pub(super) fn new(flat: Option<Duration>) -> Self {
        Self { flat }
    }

    /// The pause at `rung`, counted from 0; `random` is in 0..1.
    pub(super) fn pause(self, rung: u32, random: f64) -> Duration {
        if let Some(flat) = self.flat {
            return flat;
        }
        let last = RUNGS.len() - 1;
        let seconds = RUNGS[usize::try_from(rung).unwrap_or(last).min(last)];
        let share = 1.0 - JITTER + 2.0 * JITTER * random;
        Duration::from_millis((seconds as f64 * 1_000.0 * share).round() as u64)
    }
}
