//! What names a piece of work, its bounds, and what a stored row means to whoever asks. Pure.

use std::time::Duration;

use contract::clock::Timestamp;
use sha2::{Digest as _, Sha256};

/// Longest operation, scope and key, in bytes each.
pub(super) const TEXT_BYTES_MAX: usize = 256;
/// Shortest and longest lease.
pub(super) const LEASE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(24 * 3600));
/// Shortest and longest time an outcome is kept.
pub(super) const KEEP: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(30 * 24 * 3600));
/// Longest wait for somebody else's outcome.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);
/// What a row takes besides its body, in bytes, roughly: counted, so that many small rows count.
pub(super) const ROW_BYTES: i64 = 200;
/// How long a claim whose lease has ended still makes another request with its key a conflict.
pub(super) const UNSETTLED_KEEP: Duration = Duration::from_secs(24 * 3600);

/// SHA-256 of something.
pub type Digest = [u8; 32];

/// A piece of work, as its owner names it.
#[derive(Clone, Copy, Debug)]
pub struct Work<'w> {
    /// Who names works of this kind; different kinds never meet.
    pub kind: &'static str,
    /// Whose work it is, such as the service.
    pub owner: &'w str,
    /// What is done.
    pub operation: &'w str,
    /// Within which keys are unique.
    pub scope: &'w str,
    /// The idempotency key.
    pub key: &'w str,
}

impl Work<'_> {
    /// What the work is stored under: equal only if every text is.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for text in [self.kind, self.owner, self.operation, self.scope, self.key] {
            hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }

    /// What is wrong with the texts, if something is.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let too_long = |text: &str| text.len() > TEXT_BYTES_MAX;
        if self.operation.is_empty() || too_long(self.operation) {
            return Some("work.operation takes 1 to 256 bytes");
        }
        if too_long(self.scope) {
            return Some("work.scope takes up to 256 bytes");
        }
        if self.key.is_empty() || too_long(self.key) {
            return Some("work.key, the idempotency key, takes 1 to 256 bytes");
        }
        None
    }
}

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) request: Vec<u8>,
    /// `None` once it is settled.
    pub(crate) lease_until: Option<Timestamp>,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) expires_at: Timestamp,
}

/// What a row means to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It can be claimed: its time is over, or its holder let the lease end.
    Free,
    Replay(Option<Vec<u8>>),
    Conflict,
    /// Somebody does it, at least until then.
    Held(Timestamp),
}

impl Row {
    /// The same that `claim.sql` decides.
    pub(super) fn means(self, request: &Digest, now: Timestamp) -> Found {
        if self.expires_at <= now {
            return Found::Free;
        }
        if self.request != request {
            return Found::Conflict;
        }
        match self.lease_until {
            Some(until) if until <= now => Found::Free,
            Some(until) => Found::Held(until),
            None => Found::Replay(self.body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Work<'static> = Work {
        kind: "k",
        owner: "o",
        operation: "op",
        scope: "",
        key: "1",
    };

    #[test]
    fn no_two_works_share_a_digest_by_moving_letters() {
        let same = WORK.digest();
        assert_eq!(same, WORK.digest());
        let others = [
            Work {
                operation: "o",
                scope: "p",
                ..WORK
            },
            Work {
                scope: "1",
                key: "",
                ..WORK
            },
            Work {
                kind: "ko",
                owner: "",
                ..WORK
            },
        ];
        for other in others {
            assert_ne!(same, other.digest(), "{other:?}");
        }
    }

    #[test]
    fn texts_are_refused_at_their_bounds_and_by_name() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        let fits = &long[1..];
        assert_eq!(
            Work {
                operation: fits,
                scope: fits,
                key: fits,
                ..WORK
            }
            .fault(),
            None
        );
        let faults = [
            (
                Work {
                    operation: "",
                    ..WORK
                },
                "operation",
            ),
            (
                Work {
                    operation: &long,
                    ..WORK
                },
                "operation",
            ),
            (
                Work {
                    scope: &long,
                    ..WORK
                },
                "scope",
            ),
            (Work { key: "", ..WORK }, "key"),
            (Work { key: &long, ..WORK }, "key"),
        ];
        for (work, named) in faults {
            assert!(work.fault().is_some_and(|it| it.contains(named)), "{named}");
        }
    }
}
