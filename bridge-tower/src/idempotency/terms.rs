//! What a promise to do work once says besides where its key is.

use std::time::Duration;

use super::store::{KEEP, KEEP_BOUNDS};

/// Whether there has to be a key, and how long an outcome answers repeats.
///
/// ```
/// use std::time::Duration;
/// use bridge_tower::idempotency::Terms;
///
/// let terms = Terms::optional().keep(Duration::from_secs(3600));
/// assert!(!terms.is_required());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    is_required: bool,
    keep: Duration,
}

impl Terms {
    /// Requests without a key are let through, as if nothing had been promised; outcomes are kept
    /// for 24 hours.
    pub const fn optional() -> Self {
        Self {
            is_required: false,
            keep: KEEP,
        }
    }

    /// Refuses requests without a key.
    #[must_use]
    pub const fn required(self) -> Self {
        Self {
            is_required: true,
            ..self
        }
    }

    /// How long an outcome answers repeats, taken within 1 second to 30 days.
    #[must_use]
    pub fn keep(self, span: Duration) -> Self {
        Self {
            keep: span.clamp(KEEP_BOUNDS.0, KEEP_BOUNDS.1),
            ..self
        }
    }

    /// Whether a request without a key is refused.
    pub const fn is_required(&self) -> bool {
        self.is_required
    }

    /// How long an outcome answers repeats.
    pub const fn kept_for(&self) -> Duration {
        self.keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_kept_within_bounds() {
        let keep = |span| Terms::optional().keep(span).kept_for();
        assert_eq!(Terms::optional().kept_for(), KEEP);
        assert_eq!((keep(Duration::ZERO), keep(Duration::MAX)), KEEP_BOUNDS);
    }
}
