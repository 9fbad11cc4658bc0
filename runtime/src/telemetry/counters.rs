//! What the intake of telemetry has done since the process began.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::model::Ingested;

/// Bytes of reports that may wait to be stored.
pub(super) const QUEUE_BYTES_MAX: usize = 16 << 20;

/// Counts as they stand. Everything but the queue only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames of operations that were merged and committed.
    pub frames: u64,
    /// Items that were dropped on purpose: unsound, of a kind the runtime owns, about somebody
    /// else's operation, or more than a limit allows.
    pub refused: u64,
    /// ENDs of operations that had been given up as abandoned
    /// (`sb_telemetry_late_end_after_abandoned_total`).
    pub late_ends: u64,
    /// Batches that found the queue full; their streams were ended.
    pub turned_away: u64,
    /// Bytes of reports that wait to be stored.
    pub queue_bytes: usize,
    /// 0 below half of the queue, 1 up to nine tenths, 2 above.
    pub level: u32,
}

/// The counters at work.
#[derive(Debug, Default)]
pub(super) struct Counting {
    frames: AtomicU64,
    refused: AtomicU64,
    late_ends: AtomicU64,
    turned_away: AtomicU64,
    queue_bytes: AtomicUsize,
}

impl Counting {
    pub(super) fn read(&self) -> Counters {
        let queue_bytes = self.queue_bytes.load(Ordering::Relaxed);
        Counters {
            frames: self.frames.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            late_ends: self.late_ends.load(Ordering::Relaxed),
            turned_away: self.turned_away.load(Ordering::Relaxed),
            queue_bytes,
            level: level(queue_bytes),
        }
    }

    /// Adds what became of operations.
    pub(super) fn add(&self, ingested: Ingested) {
        let add = |counter: &AtomicU64, count: usize| {
            counter.fetch_add(count as u64, Ordering::Relaxed);
        };
        add(&self.frames, ingested.frames);
        add(&self.late_ends, ingested.late_ends);
        self.refuse(ingested.refused);
    }

    /// Adds items that were dropped on purpose.
    pub(super) fn refuse(&self, items: usize) {
        self.refused.fetch_add(items as u64, Ordering::Relaxed);
    }

    /// Takes room in the queue for a batch; false, and counted, when there is none. A batch larger
    /// than the whole queue is let into an empty one.
    pub(super) fn enter(&self, bytes: usize) -> bool {
        let fits = |waiting: usize| {
            let after = waiting.saturating_add(bytes);
            (waiting == 0 || after <= QUEUE_BYTES_MAX).then_some(after)
        };
        let entered = self
            .queue_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if entered.is_err() {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        entered.is_ok()
    }

    /// Gives the room back.
    pub(super) fn leave(&self, bytes: usize) {
        self.queue_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

const fn level(queue_bytes: usize) -> u32 {
    if queue_bytes < QUEUE_BYTES_MAX / 2 {
        0
    } else if queue_bytes <= QUEUE_BYTES_MAX / 10 * 9 {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_rises_at_half_and_nine_tenths() {
        let tenth = QUEUE_BYTES_MAX / 10;
        assert_eq!(level(QUEUE_BYTES_MAX / 2 - 1), 0);
        assert_eq!(level(QUEUE_BYTES_MAX / 2), 1);
        assert_eq!(level(tenth * 9), 1);
        assert_eq!(level(tenth * 9 + 1), 2);
    }

    #[test]
    fn what_does_not_fit_is_turned_away_and_counted() {
        let counting = Counting::default();
        assert!(counting.enter(QUEUE_BYTES_MAX - 1));
        assert!(counting.enter(1));
        assert!(!counting.enter(1));
        let counters = counting.read();
        assert_eq!((counters.queue_bytes, counters.level), (QUEUE_BYTES_MAX, 2));
        assert_eq!(counters.turned_away, 1);
        counting.leave(QUEUE_BYTES_MAX);
        assert!(
            counting.enter(QUEUE_BYTES_MAX * 2),
            "an empty queue takes any batch"
        );
        assert!(!counting.enter(0), "and is full then");
    }
}
