//! Operations on outcomes: begin, renew, settle, release, sweep.
//!
//! Leases go by the wall clock, because they outlive the process: a clock that jumps ahead ends
//! them early.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contract::clock::{Clock, Timestamp};
use contract::ids::ServiceId;

use super::model::{Digest, Found, Full, KEEP, LEASE, ROW_BYTES, UNSETTLED_KEEP, WAIT_MAX};
use super::stock::{OutcomeCounts, Stock, length};
use super::store::{self, NewClaim, Settlement};
use super::upkeep;
use super::waiting::{Waiter, Waiting};
use crate::db::{Db, DbError, Store};
use crate::settings::Settings;

/// Rhythm of the sweep.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Longest wait until somebody who waits looks again: another process may have settled.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Shortest such wait, when a lease has just ended by another clock.
const LOOK_MIN: Duration = Duration::from_millis(20);

/// Why nothing was begun or ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// New work is refused until older outcomes have had their time.
    #[error("{0}")]
    Full(Full),
    /// Too many wait already, of the owner or of all.
    #[error("too many calls wait for the outcome of another one; repeat later")]
    TooManyWait,
    /// The store could not do it.
    #[error("the store cannot answer now; repeat later")]
    Store(#[from] DbError),
}

/// What [`Outcomes`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// Where they are kept.
    pub db: Db,
    /// Leases and waits go by it.
    pub clock: Clock,
    /// Says how much is kept.
    pub settings: Settings,
}

/// Outcomes of this runtime. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outcomes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    clock: Clock,
    stock: Stock,
    waiting: Waiting,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Whose work it is, and whose room it takes.
    pub owner: ServiceId,
    /// The [digest](super::Work::digest) of the work.
    pub work: Digest,
    /// Digest of the request: the same work with another one is a conflict.
    pub request: Digest,
    /// How long the claim lasts; taken within 1 second to 24 hours.
    pub lease: Duration,
    /// How long to wait for somebody else; at most 24 hours.
    pub wait: Duration,
}

/// The right to do a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose work it is.
    pub owner: ServiceId,
    /// Which work.
    pub work: Digest,
    /// Which claim of it.
    pub epoch: i64,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The work.
    Run(Claim),
    /// Nothing: it was done, and this is the outcome; `None` when that was not kept.
    Replay(Option<Vec<u8>>),
    /// Refuse: the key was used for another request.
    Conflict,
    /// Refuse: somebody else still does it.
    Busy,
}

/// What became of an outcome that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is there, synced.
    Kept,
    /// The body was too large, or there was no room for it; that the work was done is there.
    WithoutBody,
    /// The lease had ended and somebody else took over; nothing was stored.
    Lost,
}

impl Outcomes {
    /// Counts what is stored, and gives claims whose lease ended while nobody could renew it
    /// another one.
    ///
    /// # Errors
    ///
    /// `Store` when it cannot be read or written.
    pub async fn open(parts: Parts) -> Result<Self, Error> {
        let Parts {
            db,
            clock,
            settings,
        } = parts;
        upkeep::resume(&db, clock.now()).await?;
        let stock = Stock::new(settings);
        stock.set(upkeep::count(&db).await?);
        Ok(Self(Arc::new(Inner {
            db,
            clock,
            stock,
            waiting: Waiting::default(),
        })))
    }

    /// Says what to do about a piece of work, waiting for whoever does it now.
    ///
    /// # Errors
    ///
    /// Nothing was claimed then, and nothing may be done.
    pub async fn begin(&self, asked: Asked) -> Result<Begun, Error> {
        let clock = &self.0.clock;
        let until = clock.monotonic() + asked.wait.min(WAIT_MAX);
        let mut waiter = None;
        loop {
            let bell = waiter.as_ref().map(|it: &Waiter| it.bell.clone());
            // Listening begins before looking, or an end in between would go unheard.
            let mut heard = bell.as_ref().map(|bell| Box::pin(bell.notified()));
            if let Some(heard) = &mut heard {
                heard.as_mut().enable();
            }
            let held_until = match self.attempt(&asked, waiter.is_some()).await? {
                Ok(begun) => return Ok(begun),
                Err(held_until) => held_until,
            };
            let left = until.since(clock.monotonic());
            if left.is_zero() {
                return Ok(Begun::Busy);
            }
            let Some(heard) = heard else {
                let share = self.0.stock.share();
                let place = self.0.waiting.enter(asked.owner, asked.work, share);
                waiter = Some(place.ok_or(Error::TooManyWait)?);
                continue;
            };
            let look = held_until.since(clock.now()).clamp(LOOK_MIN, LOOK_EVERY);
            // Either is a reason to look again.
            let _ = clock.timeout(left.min(look), heard).await;
        }
    }

    /// One try: what to do, or until when somebody holds it. Whoever waits looks first, which costs
    /// no write; and so does everybody when there is no room for more, but for what is there.
    async fn attempt(
        &self,
        asked: &Asked,
        is_waiting: bool,
    ) -> Result<Result<Begun, Timestamp>, Error> {
        let full = self.0.stock.full(asked.owner);
        let looked = match full {
            None if !is_waiting => Some(Found::Free),
            _ => self.look(asked).await?,
        };
        let found = match (looked, full) {
            (None, Some(full)) => {
                self.0.stock.refuse(full.whose);
                return Err(Error::Full(full));
            }
            (None | Some(Found::Free), _) => match self.claim(asked).await? {
                Ok(epoch) => {
                    let Asked { owner, work, .. } = *asked;
                    let claim = Claim { owner, work, epoch };
                    return Ok(Ok(Begun::Run(claim)));
                }
                Err(found) => found,
            },
            (Some(found), _) => found,
        };
        Ok(match found {
            Found::Held(until) => Err(until),
            // It ended between the claim and the look: try again at once.
            Found::Free => Err(self.0.clock.now()),
            Found::Conflict => Ok(Begun::Conflict),
            Found::Replay(body) => {
                self.0.stock.replayed.fetch_add(1, Ordering::Relaxed);
                Ok(Begun::Replay(body))
            }
        })
    }

    async fn claim(&self, asked: &Asked) -> Result<Result<i64, Found>, DbError> {
        let asked = *asked;
        let now = self.0.clock.now();
        let lease_until = now + asked.lease.clamp(LEASE.0, LEASE.1);
        let new = NewClaim {
            owner: asked.owner,
            digest: asked.work,
            request: asked.request,
            now,
            lease_until,
            expires_at: lease_until + UNSETTLED_KEEP,
            bytes: ROW_BYTES,
        };
        let db = &self.0.db;
        let claimed = db
            .write::<_, DbError, _>(Store::Ledger, "claim idempotent work", move |conn| {
                Box::pin(async move {
                    if let Some(epoch) = store::claim(conn, &new).await? {
                        return Ok(Ok(epoch));
                    }
                    Ok(Err(store::find(conn, &new.digest).await?))
                })
            })
            .await?;
        Ok(match claimed {
            Ok(epoch) => {
                self.0.stock.add(asked.owner, 1, ROW_BYTES);
                Ok(epoch)
            }
            // Nobody has it any more, as PostgreSQL allows between two statements.
            Err(stored) => Err(stored.map_or(Found::Free, |it| it.means(&asked.request, now))),
        })
    }

    async fn look(&self, asked: &Asked) -> Result<Option<Found>, DbError> {
        let mut held = self.0.db.read(Store::Ledger, "find an outcome").await?;
        let row = store::find(&mut held.conn(), &asked.work).await?;
        let now = self.0.clock.now();
        Ok(row.map(|it| it.means(&asked.request, now)))
    }

    /// Makes a claim last for another `lease`. False when somebody else took over.
    ///
    /// # Errors
    ///
    /// `Store`; the claim is as it was.
    pub async fn renew(&self, claim: Claim, lease: Duration) -> Result<bool, Error> {
        let lease_until = self.0.clock.now() + lease.clamp(LEASE.0, LEASE.1);
        let expires_at = lease_until + UNSETTLED_KEEP;
        let action = "renew a claim";
        let renewed = self
            .0
            .db
            .write::<_, DbError, _>(Store::Ledger, action, move |conn| {
                Box::pin(async move {
                    store::renew(conn, (&claim.work, claim.epoch), lease_until, expires_at).await
                })
            });
        Ok(renewed.await?)
    }

    /// Ends a claim with an outcome, kept for `keep`: 1 second to 30 days. Returns once it is
    /// synced; whoever waits for it is woken.
    ///
    /// # Errors
    ///
    /// `Store`; whether it was stored is unknown then, and settling again does no harm.
    pub async fn settle(
        &self,
        claim: Claim,
        body: Option<Vec<u8>>,
        keep: Duration,
    ) -> Result<Settled, Error> {
        let inner = &self.0;
        let wanted = body.is_some();
        let body = body.filter(|it| inner.stock.has_room_for(claim.owner, it.len()));
        let body_bytes = body.as_ref().map_or(0, |it| length(it.len()));
        let kept = body.is_some();
        let end = Arc::new(Settlement {
            digest: claim.work,
            epoch: claim.epoch,
            body,
            bytes: ROW_BYTES + body_bytes,
            expires_at: inner.clock.now() + keep.clamp(KEEP.0, KEEP.1),
        });
        let action = "store an outcome";
        let settling = inner
            .db
            .write::<_, DbError, _>(Store::Ledger, action, move |conn| {
                let end = end.clone();
                Box::pin(async move { store::settle(conn, &end).await })
            });
        if !settling.await? {
            return Ok(Settled::Lost);
        }
        inner.stock.add(claim.owner, 0, body_bytes);
        inner.waiting.wake(&claim.work);
        if wanted && !kept {
            inner.stock.bodies_left_out.fetch_add(1, Ordering::Relaxed);
            return Ok(Settled::WithoutBody);
        }
        Ok(Settled::Kept)
    }

    /// Ends a claim as if it had never been; whoever waits is woken and may claim the work.
    ///
    /// # Errors
    ///
    /// `Store`; then its lease ends it.
    pub async fn release(&self, claim: Claim) -> Result<(), Error> {
        let action = "release a claim";
        let releasing = self
            .0
            .db
            .write::<_, DbError, _>(Store::Ledger, action, move |conn| {
                Box::pin(async move { store::release(conn, &claim.work, claim.epoch).await })
            });
        if releasing.await? {
            self.0.stock.add(claim.owner, -1, -ROW_BYTES);
            self.0.waiting.wake(&claim.work);
        }
        Ok(())
    }

    /// How much there is.
    pub fn counts(&self) -> OutcomeCounts {
        self.0.stock.counts(self.0.waiting.len())
    }

    /// Deletes what has had its time, for ever. Run it as a background task.
    pub async fn sweep_for_ever(self) {
        let mut beats = self.0.clock.interval(SWEEP_EVERY);
        loop {
            beats.tick().await;
            if let Err(error) = self.sweep().await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "outcomes whose time is over could not be deleted");
            }
        }
    }

    /// Deletes what has had its time, and counts what is left.
    pub(super) async fn sweep(&self) -> Result<(), Error> {
        let inner = &self.0;
        upkeep::sweep(&inner.db, inner.clock.now()).await?;
        inner.stock.set(upkeep::count(&inner.db).await?);
        Ok(())
    }
}
