//! One transaction on one slice: frames of many reporters merged into its operations.
//!
//! ```text
//!  known (a moment ago) ─┐
//!  loaded (END alone) ───┼─▶ apply frames ─▶ save where the revision still fits ─▶ place traces
//!  assumed new ──────────┘         ▲                        │
//!                                  └── load what did not ◀──┘
//! ```
//!
//! Reading first what is nearly always new would double the work, so an operation is taken to be new
//! when its beginning arrives, and to be as it was when this process wrote it last. Each row is
//! written on that condition; where it does not hold, the row is read and the frames are merged
//! again, which gives the same as reading first.
//!
//! Invariant: nothing is merged over a row that was not read in its present revision.

use std::collections::HashMap;

use contract::clock::Timestamp;
use contract::ids::OpId;
use parking_lot::Mutex;

use super::model::{Actor, Frame, Ingested, Operation, Status, Stored};
use super::store;
use super::texts::{self, Looked, Texts};
use super::traces;
use crate::db::{Conn, DbError, DbErrorKind};

/// Rounds of reading and merging again before a transaction gives up: a row that is read stays
/// locked, so the second round is the last unless operations are new to both sides.
const ROUNDS_MAX: usize = 5;

/// Frames for one slice, by operation.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) slice: i64,
    /// How many batches they are from.
    pub(super) batches: usize,
    /// In the order of their ids.
    pub(super) groups: Vec<Group>,
    pub(super) now: Timestamp,
}

/// Frames of one operation, in the order of their arrival.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) op: OpId,
    /// As this process has stored it a moment ago.
    pub(super) known: Option<Stored>,
    pub(super) frames: Vec<Said>,
}

/// A frame, who reported it, and in which batch.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) batch: usize,
    pub(super) actor: Actor,
    pub(super) frame: Frame,
}

/// What a transaction did.
#[derive(Debug)]
pub(super) struct Merged {
    /// Per batch.
    pub(super) ingested: Vec<Ingested>,
    /// Operations that were written, as they are now.
    pub(super) stored: Vec<Stored>,
    /// Texts that are in the dictionary now.
    pub(super) looked: Looked,
}

/// What became of a group's frames.
#[derive(Debug, Default)]
struct Tally {
    /// Per frame: its batch, whether it was merged, whether it came after the operation was given up.
    frames: Vec<(usize, bool, bool)>,
}

/// Frames that fit their operation: of its own service and its own trace.
pub(super) fn fits(op: &Operation, said: &Said) -> bool {
    op.actor.service == said.actor.service && op.trace == said.frame.trace
}

impl Group {
    /// Whether what arrived tells how the operation began, so that it is probably new.
    fn begins(&self) -> bool {
        let begins = |it: &Said| it.frame.finished_at_ms.is_none() || it.frame.started_at_ms > 0;
        self.frames.iter().any(begins)
    }

    /// The operation after its frames, over what is stored of it.
    fn merge(&self, stored: Option<&Stored>) -> (Stored, Tally) {
        let first = &self.frames[0];
        let mut after = stored.cloned().unwrap_or_else(|| Stored {
            op: Operation::blank(first.actor, first.frame.trace, self.op),
            rev: 0,
            text: 0,
        });
        let mut tally = Tally::default();
        for said in &self.frames {
            let taken = fits(&after.op, said);
            let was_abandoned = after.op.status == Status::Abandoned;
            if taken {
                after.op.apply(&said.frame);
            }
            let is_late = was_abandoned && after.op.status != Status::Abandoned;
            tally.frames.push((said.batch, taken, is_late));
        }
        (after, tally)
    }
}

impl Merged {
    fn count(&mut self, tally: &Tally) {
        for (batch, taken, is_late) in &tally.frames {
            let ingested = &mut self.ingested[*batch];
            ingested.frames += usize::from(*taken);
            ingested.refused += usize::from(!*taken);
            ingested.late_ends += usize::from(*is_late);
        }
    }
}

/// Merges and writes; the caller commits.
pub(super) async fn run(
    conn: &mut Conn<'_>,
    work: &Work,
    texts: &Mutex<Texts>,
) -> Result<Merged, DbError> {
    let mut merged = Merged {
        ingested: vec![Ingested::default(); work.batches],
        stored: Vec::with_capacity(work.groups.len()),
        looked: Looked::default(),
    };
    let ended = work.groups.iter();
    let ended = ended.filter(|it| it.known.is_none() && !it.begins());
    let mut read = load(conn, work.slice, ended.map(|it| it.op).collect()).await?;
    let mut groups: Vec<&Group> = work.groups.iter().collect();
    for _ in 0..ROUNDS_MAX {
        let tried = merge(work, &groups, &read, texts, &mut merged);
        if tried.is_empty() {
            return finish(conn, work.slice, merged).await;
        }
        texts::store::add(conn, work.slice, merged.looked.unsaved()).await?;
        merged.looked.saved();
        let rows: Vec<&Stored> = tried.iter().map(|it| &it.1).collect();
        let written = store::save(conn, work.slice, &rows).await?;
        store::note_running(conn, work.slice, &rows).await?;
        if written == u64::try_from(rows.len()).unwrap_or(u64::MAX) {
            for (_, after, tally) in tried {
                merged.count(&tally);
                merged.stored.push(after);
            }
            return finish(conn, work.slice, merged).await;
        }
        let ids = tried.iter().map(|it| it.0.op).collect();
        read = load(conn, work.slice, ids).await?;
        groups = settle(tried, &read, &mut merged);
    }
    let detail = format!(
        "slice {} is written by somebody else all the time",
        work.slice
    );
    Err(DbError::new(
        DbErrorKind::Unavailable,
        "store operations",
        detail,
    ))
}

type Tried<'w> = (&'w Group, Stored, Tally);

/// Merges each group; what it changes nothing about is done, the rest is to be written.
fn merge<'w>(
    work: &Work,
    groups: &[&'w Group],
    read: &HashMap<OpId, Stored>,
    texts: &Mutex<Texts>,
    merged: &mut Merged,
) -> Vec<Tried<'w>> {
    let mut texts = texts.lock();
    let mut tried = Vec::with_capacity(groups.len());
    for group in groups {
        let before = read.get(&group.op).or(group.known.as_ref());
        let (mut after, tally) = group.merge(before);
        if before.is_some_and(|it| it.op == after.op) || tally.frames.iter().all(|it| !it.1) {
            merged.count(&tally);
            continue;
        }
        after.rev += 1;
        let same_text = before.is_some_and(|it| {
            it.op.subject == after.op.subject && it.op.business_key == after.op.business_key
        });
        if !same_text {
            let said = (&*after.op.subject, &*after.op.business_key);
            after.text = texts.look(work.slice, &mut merged.looked, said, work.now);
        }
        tried.push((*group, after, tally));
    }
    tried
}

/// Of what was tried: takes what is stored so now; returns the groups to merge again.
fn settle<'w>(
    tried: Vec<Tried<'w>>,
    read: &HashMap<OpId, Stored>,
    merged: &mut Merged,
) -> Vec<&'w Group> {
    let mut again = Vec::new();
    for (group, after, tally) in tried {
        let is_ours = |it: &Stored| it.rev == after.rev && it.op == after.op;
        if read.get(&group.op).is_some_and(is_ours) {
            merged.count(&tally);
            merged.stored.push(after);
        } else {
            again.push(group);
        }
    }
    again
}

async fn load(
    conn: &mut Conn<'_>,
    slice: i64,
    ops: Vec<OpId>,
) -> Result<HashMap<OpId, Stored>, DbError> {
    if ops.is_empty() {
        return Ok(HashMap::new());
    }
    let stored = store::load(conn, slice, &ops).await?;
    Ok(stored.into_iter().map(|it| (it.op.op, it)).collect())
}

async fn finish(conn: &mut Conn<'_>, slice: i64, merged: Merged) -> Result<Merged, DbError> {
    let placed = traces::places(merged.stored.iter().map(|it| &it.op));
    if !placed.is_empty() {
        traces::store::place(conn, slice, &placed).await?;
    }
    Ok(merged)
}
