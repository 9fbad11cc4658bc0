//! Answering questions about traces, slice by slice.
//!
//! A list walks the slices newest first, and within a slice by start time. A question that most
//! traces do not match is answered in stretches of [`STRETCH`] traces, so that no single statement
//! runs for long; after [`LOOKED_MAX`] traces the page ends early and says where to go on.

use std::collections::HashSet;

use contract::ids::{OpId, TraceId};

use super::engine::Telemetry;
use super::model::Operation;
use super::placement;
use super::query::{Cursor, Position, TraceFilter, TracePage, TraceSummary, TracesPage};
use super::search::Query;
use super::store;
use super::texts;
use super::traces::store::{Among, Stretch, edge, list};
use crate::db::{Conn, DbError, History, ReadConn};

/// Traces on a page by default, and at most.
pub const TRACES_DEFAULT: u32 = 50;
/// See [`TRACES_DEFAULT`].
pub const TRACES_MAX: u32 = 500;
/// Operations on a page by default, and at most.
pub const OPS_DEFAULT: u32 = 200;
/// See [`OPS_DEFAULT`].
pub const OPS_MAX: u32 = 5_000;

/// Traces that one statement looks at when a filter may leave most of them out.
const STRETCH: i64 = 10_000;
/// Traces that one page looks at.
const LOOKED_MAX: i64 = 200_000;
/// Texts up to which a search goes by them; more are searched trace by trace, newest first.
const TEXTS_MAX: i64 = 1_000;
/// Operations up to which a search collects all that have one of its texts.
const FOUND_MAX: i64 = 5_000;

/// What a search has to look at in one slice.
enum Scope {
    All,
    Nothing,
    These(Vec<TraceId>),
    WithWords(Vec<String>),
}

/// A page in the making.
struct Walk<'f> {
    filter: &'f TraceFilter,
    query: Option<Query>,
    limit: usize,
    seen: HashSet<TraceId>,
    found: Vec<(i64, TraceSummary)>,
    looked: i64,
}

impl Telemetry {
    /// Traces that match, newest first; `limit` 0 means the default. A page may be short and have a
    /// next one all the same: it has looked at enough.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is; `Corrupt` when a row cannot be read back.
    pub async fn list_traces(
        &self,
        filter: &TraceFilter,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<TracesPage, DbError> {
        let mut walk = Walk {
            filter,
            query: Query::new(&filter.text),
            limit: page(limit, TRACES_DEFAULT, TRACES_MAX),
            seen: HashSet::new(),
            found: Vec::new(),
            looked: 0,
        };
        let from = cursor.map_or(i64::MAX, |it| it.slice);
        let slices = self.db().slices(History::Ops);
        for slice in slices.iter().rev().filter(|it| it.id <= from) {
            let cursor = cursor.filter(|it| it.slice == slice.id);
            let after = cursor.map_or(Position::HIGHEST, |it| it.at);
            let Some(mut held) = self.read(slice.id, "list traces").await? else {
                continue;
            };
            let stopped = walk.slice(&mut held.conn(), slice.id, after).await?;
            if let Some(at) = stopped {
                let next = Cursor {
                    slice: slice.id,
                    at,
                };
                return Ok(walk.finish(Some(next)));
            }
            if walk.is_full() {
                break;
            }
        }
        Ok(walk.finish(None))
    }

    /// Operations of a trace by start time; `limit` 0 means the default. An unknown trace is an
    /// empty page.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::list_traces`].
    pub async fn get_trace(
        &self,
        trace: TraceId,
        limit: u32,
        cursor: Option<Cursor>,
    ) -> Result<TracePage, DbError> {
        let limit = page(limit, OPS_DEFAULT, OPS_MAX);
        let after = cursor.map(|it| it.at);
        let slices = self.db().slices(History::Ops);
        let home = placement::own(&slices, trace.as_uuid(), self.now_ms()).map(|it| it.id);
        let mut ops = match home {
            Some(home) => self.trace_in(home, trace, limit, after).await?,
            None => Vec::new(),
        };
        // A trace whose id tells no time, or another than the clock did when it came.
        if ops.is_empty() && cursor.is_none_or(|it| Some(it.slice) != home) {
            for slice in slices.iter().rev().filter(|it| Some(it.id) != home) {
                ops.extend(self.trace_in(slice.id, trace, limit, after).await?);
            }
            ops.sort_by_key(|it| (it.started_at_ms, it.op));
            ops.dedup_by_key(|it| it.op);
            return Ok(trace_page(ops, limit, 0));
        }
        Ok(trace_page(ops, limit, home.unwrap_or(0)))
    }

    /// One row more than the page holds.
    async fn trace_in(
        &self,
        slice: i64,
        trace: TraceId,
        limit: usize,
        after: Option<Position>,
    ) -> Result<Vec<Operation>, DbError> {
        match self.read(slice, "load a trace").await? {
            Some(mut held) => {
                store::get_trace(&mut held.conn(), slice, trace, rows_for(limit), after).await
            }
            None => Ok(Vec::new()),
        }
    }

    /// One operation, `None` when there is none with this id.
    ///
    /// # Errors
    ///
    /// As [`Telemetry::list_traces`].
    pub async fn get_operation(&self, op: OpId) -> Result<Option<Operation>, DbError> {
        let slices = self.db().slices(History::Ops);
        // It is where its trace is, and that began at its time or a little before.
        let home = placement::own(&slices, op.as_uuid(), self.now_ms()).map_or(0, |it| it.id);
        let mut nearest: Vec<i64> = slices.iter().rev().map(|it| it.id).collect();
        nearest.sort_by_key(|id| (*id != home, *id > home));
        for slice in nearest {
            let Some(mut held) = self.read(slice, "load an operation").await? else {
                continue;
            };
            let found = store::get_operation(&mut held.conn(), slice, op).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// A connection to a slice; `None` when it has been dropped in between.
    async fn read(&self, slice: i64, action: &'static str) -> Result<Option<ReadConn>, DbError> {
        match self.db().read_slice(History::Ops, slice, action).await {
            Ok(held) => Ok(Some(held)),
            Err(error) if error.is_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Walk<'_> {
    /// One more than the page holds tells that there is a next one.
    fn is_full(&self) -> bool {
        self.found.len() > self.limit
    }

    fn finish(mut self, next: Option<Cursor>) -> TracesPage {
        let mut next = next;
        if self.is_full() {
            self.found.truncate(self.limit);
            next = self.found.last().map(|(slice, it)| Cursor {
                slice: *slice,
                at: Position {
                    at_ms: it.started_at_ms,
                    id: *it.trace.as_uuid(),
                },
            });
        }
        let traces = self.found.into_iter().map(|(_, it)| it).collect();
        TracesPage { traces, next }
    }

    /// Goes through one slice. Returns where it stopped when it has looked at enough.
    async fn slice(
        &mut self,
        conn: &mut Conn<'_>,
        slice: i64,
        after: Position,
    ) -> Result<Option<Position>, DbError> {
        let whole = Stretch {
            slice,
            after,
            edge: Position::LOWEST,
        };
        match self.scope(conn, slice).await? {
            Scope::Nothing => Ok(None),
            Scope::These(traces) => {
                self.take(conn, whole, Among::These(&traces)).await?;
                Ok(None)
            }
            Scope::All if self.filter.takes_all() => {
                self.take(conn, whole, Among::All).await?;
                Ok(None)
            }
            Scope::All => self.stretches(conn, whole, Among::All).await,
            Scope::WithWords(patterns) => {
                self.stretches(conn, whole, Among::WithWords(&patterns))
                    .await
            }
        }
    }

    async fn scope(&self, conn: &mut Conn<'_>, slice: i64) -> Result<Scope, DbError> {
        let Some(query) = &self.query else {
            let blank = self.filter.text.trim().is_empty();
            return Ok(if blank { Scope::All } else { Scope::Nothing });
        };
        let texts = texts::store::find(conn, slice, query, TEXTS_MAX + 1).await?;
        if texts.is_empty() {
            return Ok(Scope::Nothing);
        }
        if i64::try_from(texts.len()).unwrap_or(i64::MAX) <= TEXTS_MAX {
            let traces = texts::store::traces(conn, slice, &texts, FOUND_MAX + 1).await?;
            if i64::try_from(traces.len()).unwrap_or(i64::MAX) <= FOUND_MAX {
                let traces: HashSet<TraceId> = traces.into_iter().collect();
                return Ok(Scope::These(traces.into_iter().collect()));
            }
        }
        Ok(Scope::WithWords(query.patterns()))
    }

    /// Stretch after stretch until the page is full or the slice ends.
    async fn stretches(
        &mut self,
        conn: &mut Conn<'_>,
        mut stretch: Stretch,
        among: Among<'_>,
    ) -> Result<Option<Position>, DbError> {
        loop {
            let next = edge(conn, stretch, self.filter, STRETCH).await?;
            stretch.edge = next.unwrap_or(Position::LOWEST);
            self.take(conn, stretch, among).await?;
            self.looked += STRETCH;
            let Some(next) = next.filter(|_| !self.is_full()) else {
                return Ok(None);
            };
            if self.looked >= LOOKED_MAX {
                return Ok(Some(next));
            }
            stretch.after = next;
        }
    }

    async fn take(
        &mut self,
        conn: &mut Conn<'_>,
        stretch: Stretch,
        among: Among<'_>,
    ) -> Result<(), DbError> {
        let missing = rows_for(self.limit - self.found.len().min(self.limit));
        for trace in list(conn, stretch, self.filter, among, missing).await? {
            if self.seen.insert(trace.trace) {
                self.found.push((stretch.slice, trace));
            }
        }
        Ok(())
    }
}

fn trace_page(mut ops: Vec<Operation>, limit: usize, slice: i64) -> TracePage {
    let more = ops.len() > limit;
    ops.truncate(limit);
    let next = ops.last().filter(|_| more).map(|it| Cursor {
        slice,
        at: Position {
            at_ms: it.started_at_ms,
            id: *it.op.as_uuid(),
        },
    });
    TracePage { ops, next }
}

fn page(wanted: u32, default: u32, max: u32) -> usize {
    let limit = if wanted == 0 {
        default
    } else {
        wanted.min(max)
    };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// One row more than the page: whether it comes back tells if there is a next page.
fn rows_for(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1
}
