//! Work that is done once, however often it is asked for.
//!
//! ```text
//! call with a key ─▶ Outcomes: run ─▶ handler, on a task of its own ─▶ kept ─▶ answer
//!                       ├─ replay ──▶ the kept answer, marked x-bridge-replayed: 1; ALREADY_EXISTS
//!                       │             where only that the work was done is kept
//!                       ├─ conflict ▶ FAILED_PRECONDITION: the key was used for another request
//!                       └─ busy ────▶ waits for the first one, within its deadline
//! ```
//!
//! Outcomes are kept by the runtime: durable, and one truth for all instances of a service. Where
//! there is no runtime they are kept in the memory of the process, bounded, and **not durable**: a
//! repeat after a restart, or at another instance, does the work again.
//!
//! An answer is kept with the hash of its contract. A repeat that meets one of another version of the
//! contract is told that the work was done: the answer is not read as something that it is not, and the
//! work is not done again.
//!
//! A handler whose caller gives up runs to its end, because a repeat beside a half-done first try
//! is what nobody wants; for ten minutes, unless the builder says otherwise. When its process dies,
//! the claim's lease (15 seconds) ends, and the next repeat does the work **again**: then it was
//! done at least once. So it is in the other cases that
//! [the layer](bridge_tower::idempotency) names.
//!
//! A runtime that goes away while a handler runs holds nobody up: the answer says
//! `x-bridge-stored: later`, and is kept once the runtime is back.
//!
//! Refuses to run without asking: while the runtime is away, calls with a key are refused as
//! retryable, before the handler runs, and marked `x-bridge-about-key: 1`: the instance is well, and
//! its callers' breakers do not count them.

mod remote;
mod outcomes;
mod measure;
mod hold;
mod kept;
mod once;

pub(crate) use self::hold::Hold;
pub(crate) use self::measure::measure as measure_works;
pub(crate) use self::once::{ABOUT_KEY, Answered, Asked, Ended, Replay, once};
pub use self::outcomes::Outcomes;
