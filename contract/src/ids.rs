//! Ids: one newtype per thing that has one, all UUIDs, and the mint that makes new ones.
//!
//! New ids are UUIDv7, so they sort by the time they were made. A mint never repeats an id and
//! never hands out one that sorts before an earlier one of the same process, even when the wall
//! clock jumps back.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use uuid::Uuid;

use crate::clock::{Clock, Timestamp};

/// The text was not a UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a {kind} id; expected a UUID such as 0198c0de-0000-7000-8000-000000000000"
)]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
}

/// Makes UUIDv7 ids. Cheap to clone; clones share one sequence.
#[derive(Clone)]
pub struct IdMint(Arc<Shared>);

struct Shared {
    clock: Clock,
    /// Milliseconds and counter of the last id, as they stand in it: 48 and 12 bits.
    last: AtomicU64,
    /// `None`: each thread's own generator, which no other thread waits for.
    random: Option<Mutex<fastrand::Rng>>,
}

/// Bits of the counter that tells ids of one millisecond apart.
const COUNTER_BITS: u32 = 12;

/// Values of the counter below which a fresh millisecond starts, so that a burst inside one
/// millisecond has room to count up.
const COUNTER_START_MAX: u64 = 0x07ff;

impl IdMint {
    /// A mint seeded from the operating system.
    pub fn system(clock: &Clock) -> Self {
        Self::with_random(clock, None)
    }

    /// A mint whose random part follows from `seed`: the same seed and clock give the same ids.
    pub fn seeded(seed: u64, clock: &Clock) -> Self {
        Self::with_random(clock, Some(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    fn with_random(clock: &Clock, random: Option<Mutex<fastrand::Rng>>) -> Self {
        Self(Arc::new(Shared {
            clock: clock.clone(),
            last: AtomicU64::new(0),
            random,
        }))
    }

    /// The next id.
    pub fn v7(&self) -> Uuid {
        self.v7_at(self.0.clock.now())
    }

    /// The next id, for a caller that knows the time already.
    pub fn v7_at(&self, now: Timestamp) -> Uuid {
        let random = |bits: u64| match &self.0.random {
            Some(seeded) => seeded.lock().u64(0..=bits),
            None => fastrand::u64(0..=bits),
        };
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(0);
        let fresh = (now_ms << COUNTER_BITS) | random(COUNTER_START_MAX);
        // A counter that runs over carries into the milliseconds: when the millisecond is used up
        // (or the wall clock stands or went back) the id borrows the next one.
        let next = |last: u64| fresh.max(last + 1);
        let last = self
            .0
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(next(last))
            });
        let stamp = next(last.unwrap_or_else(|last| last));
        let (ms, counter) = (stamp >> COUNTER_BITS, stamp & ((1 << COUNTER_BITS) - 1));
        let high = (ms << 16) | 0x7000 | counter;
        Uuid::from_u64_pair(high, random(0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000)
    }
}

impl fmt::Debug for IdMint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdMint")
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later than every earlier one of this mint.
            pub fn mint(mint: &IdMint) -> Self {
                Self(mint.v7())
            }

            /// A new id, for a caller that knows the time already.
            pub fn mint_at(mint: &IdMint, now: Timestamp) -> Self {
                Self(mint.v7_at(now))
            }

            /// Wraps a UUID that is known to be such an id.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// The 16 bytes, most significant first.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 36];
                f.write_str(self.0.as_hyphenated().encode_lower(&mut text))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Reads the 36-character hyphenated form, either case.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let error = || ParseIdError { kind: $kind, text: text.chars().take(64).collect() };
                if text.len() != 36 {
                    return Err(error());
                }
                Uuid::try_parse(text).map(Self).map_err(|_| error())
            }
        }
    };
}

id!(
    /// A service: what a key belongs to. Survives restarts and renames.
    ServiceId, "service"
);
id!(
    /// One process of a service. New with every provisioning, kept over certificate refreshes.
    InstanceId, "instance"
);
id!(
    /// One control session of an instance. New with every reconnect.
    SessionId, "session"
);
id!(
    /// A trace: the same 16 bytes as a W3C trace id.
    TraceId, "trace"
);
id!(
    /// One operation of a trace. Its low 64 bits are its W3C span id.
    OpId, "operation"
);

impl OpId {
    /// "No parent" on the wire, besides the empty string.
    pub const NONE: Self = Self(Uuid::nil());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_making_even_when_the_wall_clock_goes_back() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let mint = IdMint::seeded(7, &clock);
        let mut last = mint.v7();
        for round in 0..20_000 {
            if round == 10_000 {
                hand.jump_wall(Timestamp::from_millis(1_600_000_000_000));
            }
            let next = mint.v7();
            assert!(next > last, "{next} after {last}");
            assert_eq!(next.get_version_num(), 7);
            last = next;
        }
    }

    #[test]
    fn the_same_seed_and_clock_give_the_same_ids() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(5));
        assert_eq!(
            IdMint::seeded(1, &clock).v7(),
            IdMint::seeded(1, &clock).v7()
        );
        assert_ne!(
            IdMint::seeded(1, &clock).v7(),
            IdMint::seeded(2, &clock).v7()
        );
    }

    #[test]
    fn only_the_hyphenated_form_is_read() {
        let text = "0198c0de-0000-7000-8000-0000000000ab";
        assert_eq!(text.parse::<TraceId>().expect("parses").to_string(), text);
        assert!(
            "0198c0de000070008000000000000000"
                .parse::<TraceId>()
                .is_err()
        );
        assert!("".parse::<TraceId>().is_err());
        let upper = text.to_uppercase().parse::<TraceId>().expect("either case");
        assert_eq!(upper.to_string(), text);
    }
}
