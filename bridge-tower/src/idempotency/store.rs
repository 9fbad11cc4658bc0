//! Where outcomes are kept: what a store promises to whoever runs work once.
//!
//! A store decides who does a piece of work and hands its outcome to everybody else. What an
//! outcome means is not its affair.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// Longest operation, scope and key, in bytes each.
pub const TEXT_BYTES_MAX: usize = 256;
/// How long an outcome is kept unless told otherwise: 24 hours.
pub const KEEP: Duration = Duration::from_secs(24 * 3600);
/// Shortest and longest time an outcome is kept: 1 second and 30 days.
pub const KEEP_BOUNDS: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(30 * 24 * 3600));

/// What a store's operations give.
pub type Answering<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Names a piece of work: the same three texts are the same work. Each has at most
/// [`TEXT_BYTES_MAX`] bytes; operation and key are not empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Work {
    /// What is done, as `POST /v1/orders`.
    pub operation: String,
    /// Within which keys are unique, such as the caller; may be empty.
    pub scope: String,
    /// The idempotency key.
    pub key: String,
}

/// What somebody wants to do.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The work.
    pub work: Arc<Work>,
    /// Digest of the request; the same work with another one is a conflict.
    pub digest: [u8; 32],
    /// How long the claim lasts without being renewed.
    pub lease: Duration,
    /// How long to wait for somebody who does it now.
    pub wait: Duration,
}

/// The right to do a piece of work, until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which work.
    pub work: Arc<Work>,
    /// Which claim of it: no two claims of one work have the same.
    pub epoch: u64,
}

/// What to do about a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Begun {
    /// Do it, then settle or release.
    Run(Claim),
    /// Answer this: it was done. `None` when only that was kept.
    Replay(Option<Bytes>),
    /// Refuse: the key was used for another request.
    Conflict,
    /// Refuse: somebody else still does it, and the wait is over.
    Busy,
}

/// What became of an outcome that was to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// It is kept.
    Kept,
    /// It was too large; that the work was done is kept.
    WithoutBody,
    /// The lease had ended, and somebody else took over. Nothing is kept.
    Lost,
}

/// Why a store could not answer. Nothing was claimed then; asking again later may work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It holds as much as it may.
    #[error("{0}")]
    Full(String),
    /// It cannot be reached.
    #[error("{0}")]
    Unavailable(String),
}

/// Keeps claims and outcomes. Every operation is safe to repeat.
///
/// At any time at most one claim of a work is valid. A claim whose lease ended is given to the
/// next one who asks for the same; a claim that was released is as if it had never been.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Says what to do about a piece of work; waits for whoever does it now, as long as asked.
    fn begin(&self, ask: Ask) -> Answering<Begun>;

    /// Makes a claim last for another `lease`. False when somebody else took over.
    fn renew(&self, claim: &Claim, lease: Duration) -> Answering<bool>;

    /// Ends a claim with an outcome that answers repeats for `keep`; with `None` repeats learn
    /// only that the work was done.
    fn settle(&self, claim: &Claim, outcome: Option<Bytes>, keep: Duration) -> Answering<Settled>;

    /// Ends a claim without an outcome: the next one who asks does the work.
    fn release(&self, claim: &Claim) -> Answering<()>;
}
