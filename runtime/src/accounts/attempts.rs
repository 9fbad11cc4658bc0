//! How often somebody may try a password: a bucket per account name and one per remote address.
//!
//! A try is taken before the password is looked at and given back when it was right, so tries at
//! the same time count too. Names nobody has are counted like the others.
//!
//! An address that an account has logged in from has a bucket of its own for that account, so that
//! strangers who try its name keep out nobody but themselves. Known addresses are forgotten with the
//! process.
//!
//! Refuses to grow: each table has a bound; when one is full, buckets that have recovered go
//! first, then the one that is nearest to it; of the known addresses the one that logged in least
//! lately.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use contract::clock::Monotonic;
use parking_lot::Mutex;

/// Buckets one table holds.
const BUCKETS_MAX: usize = 4_096;
/// Tries in a row for one account, and the time after which one more is allowed.
const ACCOUNT: Rate = Rate {
    burst: 10,
    every: Duration::from_secs(10),
};
/// The same for one remote address.
const REMOTE: Rate = Rate {
    burst: 30,
    every: Duration::from_secs(2),
};

/// Time an address stays known after a login.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 3_600);

#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u32,
    every: Duration,
}

/// Which bucket of an account a try was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bucket {
    /// The one that all strangers share.
    Shared,
    /// The address's own: the account has logged in from there.
    Own,
}

/// All tries of late.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    accounts: Table<String>,
    remotes: Table<IpAddr>,
    /// Of accounts at addresses they have logged in from.
    own: Table<(String, IpAddr)>,
    /// Until when an account is known at an address.
    known: Table<(String, IpAddr)>,
}

/// When each bucket will have recovered wholly.
#[derive(Debug)]
struct Table<K>(HashMap<K, Monotonic>);

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl Attempts {
    /// Takes a try, or says how long to wait for the next one. Without a remote address (the
    /// operator's socket) only the account counts.
    pub(super) fn take(
        &self,
        username: &str,
        remote: Option<IpAddr>,
        now: Monotonic,
    ) -> Result<Bucket, Duration> {
        let mut tables = self.0.lock();
        let remote = remote.map(network);
        let here = remote.map(|it| (username.to_owned(), it));
        let here = here.filter(|it| tables.known.holds(it, now));
        let account_wait = match &here {
            Some(here) => tables.own.wait(here, ACCOUNT, now),
            None => tables.accounts.wait(username, ACCOUNT, now),
        };
        let remote_wait = remote.and_then(|it| tables.remotes.wait(&it, REMOTE, now));
        // Both are looked at before either is charged: a refused try costs nothing.
        if let Some(wait) = account_wait.max(remote_wait) {
            return Err(wait);
        }
        if let Some(remote) = remote {
            tables.remotes.charge(remote, REMOTE, now);
        }
        match here {
            Some(here) => {
                tables.own.charge(here, ACCOUNT, now);
                Ok(Bucket::Own)
            }
            None => {
                tables.accounts.charge(username.to_owned(), ACCOUNT, now);
                Ok(Bucket::Shared)
            }
        }
    }

    /// The try taken from `bucket` was right: as if it had not been one. The address is known from
    /// here on.
    pub(super) fn give_back(
        &self,
        bucket: Bucket,
        username: &str,
        remote: Option<IpAddr>,
        now: Monotonic,
    ) {
        let mut tables = self.0.lock();
        let here = remote.map(|it| (username.to_owned(), network(it)));
        match (bucket, &here) {
            (Bucket::Own, Some(here)) => tables.own.refund(here, ACCOUNT, now),
            _ => tables.accounts.refund(username, ACCOUNT, now),
        }
        if let Some(here) = here {
            tables.remotes.refund(&here.1, REMOTE, now);
            tables.known.set(here, now + KNOWN_FOR, now);
        }
    }
}

impl<K: Clone + Eq + Hash> Table<K> {
    fn wait<Q>(&self, key: &Q, rate: Rate, now: Monotonic) -> Option<Duration>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let debt = self.0.get(key)?.since(now);
        let allowed = rate.every * (rate.burst - 1);
        debt.checked_sub(allowed).filter(|wait| !wait.is_zero())
    }

    fn holds(&self, key: &K, now: Monotonic) -> bool {
        self.0.get(key).is_some_and(|until| *until > now)
    }

    fn charge(&mut self, key: K, rate: Rate, now: Monotonic) {
        let recovered = self.0.get(&key).copied().unwrap_or(now);
        self.set(key, recovered.max(now) + rate.every, now);
    }

    fn set(&mut self, key: K, until: Monotonic, now: Monotonic) {
        if self.0.len() >= BUCKETS_MAX && !self.0.contains_key(&key) {
            self.make_room(now);
        }
        self.0.insert(key, until);
    }

    fn refund<Q>(&mut self, key: &Q, rate: Rate, now: Monotonic)
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(recovered) = self.0.get_mut(key) else {
            return;
        };
        let debt = recovered.since(now).saturating_sub(rate.every);
        *recovered = now + debt;
        if debt.is_zero() {
            self.0.remove(key);
        }
    }

    fn make_room(&mut self, now: Monotonic) {
        self.0.retain(|_, recovered| *recovered > now);
        if self.0.len() < BUCKETS_MAX {
            return;
        }
        let nearest = self.0.iter().min_by_key(|(_, recovered)| **recovered);
        if let Some(key) = nearest.map(|(key, _)| key.clone()) {
            self.0.remove(&key);
        }
    }
}

/// What one household has: an IPv4 address, or the 64 bits an IPv6 customer chooses from freely.
fn network(remote: IpAddr) -> IpAddr {
    match remote.to_canonical() {
        IpAddr::V6(it) => {
            let [a, b, c, d, ..] = it.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use contract::clock::{Clock, ManualClock, Timestamp};

    use super::*;

    fn setup() -> (Attempts, Clock, ManualClock) {
        let (clock, hand) = Clock::manual(Timestamp::EPOCH);
        (Attempts::default(), clock, hand)
    }

    fn address(number: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from(number).into())
    }

    #[test]
    fn an_account_is_tried_ten_times_then_once_in_ten_seconds() {
        let (attempts, clock, hand) = setup();
        for number in 0..10 {
            let taken = attempts.take("ada", address(number), clock.monotonic());
            assert_eq!(taken, Ok(Bucket::Shared), "try {number}");
        }
        let wait = attempts.take("ada", address(77), clock.monotonic());
        assert_eq!(
            wait,
            Err(Duration::from_secs(10)),
            "from a fresh address too"
        );
        hand.advance(Duration::from_secs(4));
        let wait = attempts.take("ada", address(78), clock.monotonic());
        assert_eq!(wait, Err(Duration::from_secs(6)));
        assert_eq!(
            attempts.take("bob", address(77), clock.monotonic()),
            Ok(Bucket::Shared)
        );
        hand.advance(Duration::from_secs(6));
        assert_eq!(
            attempts.take("ada", address(77), clock.monotonic()),
            Ok(Bucket::Shared)
        );
        assert!(
            attempts
                .take("ada", address(77), clock.monotonic())
                .is_err()
        );
    }

    #[test]
    fn an_address_tries_thirty_names_and_its_neighbours_count_with_it() {
        let (attempts, clock, _hand) = setup();
        let at = |host: u16| Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, host).into());
        for number in 0..30 {
            let taken = attempts.take(&format!("name{number}"), at(number), clock.monotonic());
            assert_eq!(taken, Ok(Bucket::Shared), "try {number}");
        }
        let wait = attempts.take("another", at(999), clock.monotonic());
        assert_eq!(wait, Err(Duration::from_secs(2)));
        let elsewhere = Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1).into());
        assert_eq!(
            attempts.take("another", elsewhere, clock.monotonic()),
            Ok(Bucket::Shared)
        );
    }

    #[test]
    fn a_right_password_is_no_try() {
        let (attempts, clock, _hand) = setup();
        for _ in 0..1_000 {
            let now = clock.monotonic();
            let bucket = attempts
                .take("ada", address(1), now)
                .expect("never refused");
            attempts.give_back(bucket, "ada", address(1), now);
        }
        let tables = attempts.0.lock();
        assert!(tables.accounts.0.is_empty() && tables.remotes.0.is_empty());
        assert!(tables.own.0.is_empty());
    }

    #[test]
    fn a_flood_of_names_stays_in_its_bounds_and_frees_nobody() {
        let (attempts, clock, _hand) = setup();
        let now = clock.monotonic();
        while attempts.take("ada", None, now).is_ok() {}
        for number in 0..(2 * BUCKETS_MAX) {
            let name = format!("name{number}");
            attempts.take(&name, None, now).expect("a name of its own");
        }
        assert_eq!(attempts.0.lock().accounts.0.len(), BUCKETS_MAX);
        assert!(attempts.take("ada", None, now).is_err(), "is remembered");
    }

    #[test]
    fn strangers_lock_an_account_for_strangers_and_not_where_it_has_logged_in() {
        let (attempts, clock, hand) = setup();
        let (home, office, now) = (address(1), address(2), clock.monotonic());
        let bucket = attempts.take("ada", home, now).expect("the first");
        attempts.give_back(bucket, "ada", home, now);
        for number in 100.. {
            if attempts.take("ada", address(number), now).is_err() {
                break;
            }
        }
        assert!(attempts.take("ada", office, now).is_err(), "a stranger too");
        assert!(attempts.take("ada", None, now).is_err());
        for _ in 0..10 {
            let taken = attempts.take("ada", home, now);
            assert_eq!(taken, Ok(Bucket::Own));
        }
        let wait = attempts.take("ada", home, now);
        assert_eq!(wait, Err(Duration::from_secs(10)), "bounded there too");
        assert_eq!(attempts.take("bob", home, now), Ok(Bucket::Shared));
        hand.advance(KNOWN_FOR);
        let taken = attempts.take("ada", home, clock.monotonic());
        assert_eq!(taken, Ok(Bucket::Shared), "is forgotten after its time");
    }

    #[test]
    fn known_addresses_are_bounded_and_the_one_that_was_there_last_stays() {
        let (attempts, clock, hand) = setup();
        for number in 0..=u32::try_from(BUCKETS_MAX).expect("fits") {
            let now = clock.monotonic();
            let bucket = attempts.take("ada", address(number), now).expect("is free");
            attempts.give_back(bucket, "ada", address(number), now);
            hand.advance(Duration::from_secs(1));
        }
        assert_eq!(attempts.0.lock().known.0.len(), BUCKETS_MAX);
        let now = clock.monotonic();
        let (first, second) = (address(0), address(1));
        assert_eq!(attempts.take("ada", first, now), Ok(Bucket::Shared));
        assert_eq!(attempts.take("ada", second, now), Ok(Bucket::Own));
    }
}
