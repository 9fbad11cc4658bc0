//! History: what is only ever added, read back and dropped by age or size, in slices of time.
//!
//! ```text
//!  slice 11      slice 12         slice 13 (newest)
//!  ├────────────┼────────────────┼──────────▶ time      each slice is dropped whole:
//!  from_ms      from_ms          from_ms                a file on SQLite, partitions on PostgreSQL
//! ```
//!
//! Ids of slices only grow and are never used again; their times need not grow, because a clock
//! may be set back. A moment therefore belongs to the *newest* slice that begins at or before it,
//! which holds whatever the clock did.
//!
//! Refuses to be empty: every kind has at least one slice.

/// The kinds of history, each with slices and limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum History {
    /// Operations and their traces.
    Ops,
    /// Log lines.
    Logs,
    /// Points of metrics.
    Metrics,
    /// Captured payloads.
    Payloads,
}

impl History {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ops, Self::Logs, Self::Metrics, Self::Payloads];

    /// Lowercase name: part of file names on SQLite, key of the catalog on PostgreSQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ops => "ops",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Payloads => "payloads",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// A stretch of history that is kept, measured and dropped as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Grows from slice to slice; never used again.
    pub id: i64,
    /// Its first moment, unix milliseconds.
    pub from_ms: i64,
}

impl Slice {
    /// The slice that holds `at_ms`: the newest that begins at or before it. `None` when all begin
    /// later: what it held has been dropped.
    pub fn holding(slices: &[Self], at_ms: i64) -> Option<Self> {
        slices.iter().rev().copied().find(|it| it.from_ms <= at_ms)
    }

    /// The slice for what happens now; the oldest when the clock stands before all of them.
    ///
    /// # Panics
    ///
    /// When `slices` is empty, which [`Db::slices`](super::Db::slices) never returns.
    pub fn current(slices: &[Self], now_ms: i64) -> Self {
        Self::holding(slices, now_ms).unwrap_or(slices[0])
    }

    /// When the slice at `index` ends: the earliest beginning among newer ones, unix milliseconds.
    /// `None` for the newest.
    pub fn end_ms(slices: &[Self], index: usize) -> Option<i64> {
        slices.get(index + 1..)?.iter().map(|it| it.from_ms).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(starts: &[i64]) -> Vec<Slice> {
        let ids = 1..;
        ids.zip(starts)
            .map(|(id, &from_ms)| Slice { id, from_ms })
            .collect()
    }

    #[test]
    fn a_moment_belongs_to_the_newest_slice_that_begins_before_it() {
        let kept = slices(&[100, 200, 300]);
        let id = |at| Slice::holding(&kept, at).map(|it| it.id);
        assert_eq!(
            [id(99), id(100), id(199), id(200)],
            [None, Some(1), Some(1), Some(2)]
        );
        assert_eq!([id(300), id(i64::MAX)], [Some(3), Some(3)]);
        assert_eq!(Slice::current(&kept, 250).id, 2);
        assert_eq!(
            Slice::current(&kept, 5).id,
            1,
            "the clock stands before all of them"
        );
        assert_eq!(Slice::end_ms(&kept, 0), Some(200));
        assert_eq!(Slice::end_ms(&kept, 2), None);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_every_moment_one_slice() {
        // Slice 2 was begun while the clock stood in the future.
        let kept = slices(&[100, 9_000, 200]);
        let id = |at| Slice::holding(&kept, at).map(|it| it.id);
        assert_eq!([id(150), id(250), id(9_500)], [Some(1), Some(3), Some(3)]);
        assert_eq!(Slice::end_ms(&kept, 0), Some(200));
        assert_eq!(
            Slice::end_ms(&kept, 1),
            Some(200),
            "it ended before it began: long over"
        );
    }
}
