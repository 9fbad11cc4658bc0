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
pub(super) const ROW_BYTES: i64 = 270;
/// The part of the bytes that bodies may take; the rest is for rows that say what was done.
pub(super) const BODIES_PART: (u64, u64) = (3, 4);
/// How long a claim whose lease has ended still makes another request with its key a conflict.
pub(super) const UNSETTLED_KEEP: Duration = Duration::from_secs(24 * 3600);

/// The lease that claims get when a runtime starts: while it was down nobody could renew them, and
/// holders that live have so long to say so.
pub(super) const RESUME_LEASE: Duration = Duration::from_secs(15);
/// How long before that a lease may have ended; older ones have no holder.
pub(super) const RESUME_MAX: Duration = Duration::from_secs(600);

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

/// A bound that has been reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// The setting that says how much.
    pub limit: &'static str,
    /// By whom.
    pub whose: Whose,
}

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let limit = self.limit;
        match self.whose {
            Whose::All => write!(
                f,
                "the runtime keeps as many outcomes as it may ({limit}); repeat later, or raise it"
            ),
            Whose::Owner => write!(
                f,
                "the service has its share of the outcomes that the runtime keeps ({limit}, \
                 outcomes.owner_share_percent); repeat later, or raise them"
            ),
        }
    }
}

/// Whose room is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Everybody's.
    All,
    /// One owner has its share; others may go on.
    Owner,
}

/// Whether one who has `own` may have more, while all together have `all` of `max`.
///
/// One alone gets `share` percent. The more is taken, the less each may have: what one has stays in
/// the same proportion to what is free, so that however many come, none takes the last room.
pub(super) fn room(own: u64, all: u64, max: u64, share: u16) -> Result<(), Whose> {
    let free = match max.checked_sub(all) {
        None | Some(0) => return Err(Whose::All),
        Some(free) => u128::from(free),
    };
    let (own, share) = (u128::from(own), u128::from(share));
    if own * 100_u128.saturating_sub(share) < free * share {
        Ok(())
    } else {
        Err(Whose::Owner)
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

    /// How much each of `owners` gets when they all take what they can, one after the other.
    fn filled(owners: usize, max: u64, share: u16) -> Vec<u64> {
        let mut held = vec![0; owners];
        while let Some(at) = (0..owners)
            .filter(|at| room(held[*at], held.iter().sum(), max, share).is_ok())
            .min_by_key(|at| held[*at])
        {
            held[at] += 1;
        }
        held
    }

    #[test]
    fn one_alone_gets_its_share_and_many_leave_room_for_one_more() {
        assert_eq!(filled(1, 1_000, 75), [750]);
        assert_eq!(filled(2, 700, 75), [300, 300], "a seventh is free");
        for owners in 1..50 {
            let held = filled(owners, 10_000, 75);
            let all: u64 = held.iter().sum();
            assert!(all < 10_000, "{owners} owners fill it");
            assert_eq!(room(0, all, 10_000, 75), Ok(()));
            let (least, most) = (held.iter().min(), held.iter().max());
            assert!(most.unwrap() - least.unwrap() <= 1, "{held:?}");
        }
        assert_eq!(filled(1, 1_000, 100), [1_000]);
        assert_eq!(filled(1, 1, 75), [1]);
    }

    #[test]
    fn room_ends_at_the_bound_and_says_whose() {
        assert_eq!(room(0, 9, 10, 75), Ok(()));
        assert_eq!(room(0, 10, 10, 75), Err(Whose::All));
        assert_eq!(room(10, 11, 10, 100), Err(Whose::All));
        assert_eq!(room(7, 7, 10, 75), Ok(()));
        assert_eq!(room(8, 8, 10, 75), Err(Whose::Owner));
        assert_eq!(room(u64::MAX, 0, u64::MAX, 100), Ok(()));
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
