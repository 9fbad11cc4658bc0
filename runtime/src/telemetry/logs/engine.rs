//! Taking log lines in, and paging through them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::super::search::{self, Query};
use super::super::seen::{Seen, StreamNumber};
use super::model::{
    LogCursor, LogEntry, LogFilter, LogLine, LogsIngested, LogsPage, position, positions, searched,
};
use super::store::{self, Line, Placed};
use crate::db::{Conn, Db, DbError, History, Slice};

/// Lines on a page by default, and at most.
pub const LOGS_DEFAULT: u32 = 200;
/// See [`LOGS_DEFAULT`].
pub const LOGS_MAX: u32 = 5_000;

/// Text on a page after which it ends early, in bytes; what a client takes in one message.
pub(super) const PAGE_BYTES_MAX: usize = 2 << 20;
/// Lines that one statement reads.
const ROWS_MAX: usize = 500;
/// Lines stored in one transaction; larger batches are cut.
pub(super) const LINES_MAX: usize = 1_000;
/// Lines remembered to tell repeats, about 60 bytes each.
const SEEN_MAX: usize = 32_768;
/// Words of a line that a search finds; the first ones.
const WORDS_MAX: usize = 512;
/// Places tried for a line before it is dropped: that many times a million lines of one
/// millisecond.
const TRIES_MAX: i64 = 8;

/// Stored lines that wait for a follower; a slower one misses some, and is told how many.
const FEED_MAX: usize = 4_096;

/// Log lines. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Logs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    seen: Mutex<Seen>,
    feed: broadcast::Sender<Arc<LogLine>>,
}

impl Logs {
    /// In the slices of `db`.
    pub(in super::super) fn new(db: &Db) -> Self {
        Self(Arc::new(Inner {
            db: db.clone(),
            seen: Mutex::new(Seen::new(SEEN_MAX)),
            feed: broadcast::Sender::new(FEED_MAX),
        }))
    }

    /// Every line that is stored from now on, once it is committed.
    pub fn follow(&self) -> broadcast::Receiver<Arc<LogLine>> {
        self.0.feed.subscribe()
    }

    /// Stores lines that arrived on a report stream and returns once they are committed.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`: some of the lines may have been stored; all of them may be
    /// sent again on another stream, which leaves out what is there.
    pub async fn ingest(
        &self,
        stream: StreamNumber,
        entries: Vec<LogEntry>,
    ) -> Result<LogsIngested, DbError> {
        let (digests, repeats) = {
            let seen = self.0.seen.lock();
            let digests: Vec<u64> = entries.iter().map(|it| seen.digest(it)).collect();
            let repeats = seen.repeats(stream, &digests);
            (digests, repeats)
        };
        let mut fresh = Vec::with_capacity(entries.len());
        let mut again = Vec::new();
        for ((entry, digest), repeat) in entries.into_iter().zip(digests).zip(repeats) {
            if repeat {
                again.push(digest);
            } else {
                fresh.push((entry, digest));
            }
        }
        self.0.seen.lock().note(stream, &again);
        let mut ingested = LogsIngested {
            repeats: again.len(),
            ..LogsIngested::default()
        };
        for (slice, lines) in self.by_slice(fresh) {
            let (entries, digests): (Vec<_>, Vec<_>) = lines.into_iter().unzip();
            ingested.lines += self.store(slice, entries).await?;
            self.0.seen.lock().note(stream, &digests);
        }
        Ok(ingested)
    }

    /// Stores lines of the runtime's own and returns once they are committed.
    ///
    /// # Errors
    ///
    /// `QueueFull` and `Unavailable`: some of the lines may have been stored.
    pub async fn write(&self, entries: Vec<LogEntry>) -> Result<usize, DbError> {
        let mut stored = 0;
        let entries = entries.into_iter().map(|it| (it, 0));
        for (slice, lines) in self.by_slice(entries.collect()) {
            let lines = lines.into_iter().map(|(entry, _)| entry);
            stored += self.store(slice, lines.collect()).await?;
        }
        Ok(stored)
    }

    /// Lines by the slice of their time: what is older than all of them belongs to the oldest,
    /// what is not yet to the newest.
    fn by_slice(&self, lines: Vec<(LogEntry, u64)>) -> Vec<(i64, Vec<(LogEntry, u64)>)> {
        let slices = self.0.db.slices(History::Logs);
        let mut groups: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for line in lines {
            let slice = Slice::current(&slices, line.0.at_ms);
            let group = groups.entry(slice.id).or_default();
            group.push(line);
        }
        let cut = |(slice, mut lines): (i64, Vec<_>)| {
            let mut parts = Vec::new();
            while lines.len() > LINES_MAX {
                let rest = lines.split_off(LINES_MAX);
                parts.push((slice, std::mem::replace(&mut lines, rest)));
            }
            parts.push((slice, lines));
            parts
        };
        groups.into_iter().flat_map(cut).collect()
    }

    /// Stores lines in a slice, or in the newest when that one has just been dropped.
    async fn store(&self, slice: i64, entries: Vec<LogEntry>) -> Result<usize, DbError> {
        let lines = prepare(entries);
        match self.write_slice(slice, lines.clone()).await {
            Err(error) if error.is_gone() => {
                self.0.db.refresh_slices().await?;
                let slices = self.0.db.slices(History::Logs);
                let newest = slices.last().map_or(slice, |it| it.id);
                self.write_slice(newest, lines).await
            }
            outcome => outcome,
        }
    }

    async fn write_slice(&self, slice: i64, lines: Arc<[Line]>) -> Result<usize, DbError> {
        let db = &self.0.db;
        let stored = lines.clone();
        let places = db.write_slice(History::Logs, slice, "store log lines", move |conn| {
            let lines = lines.clone();
            Box::pin(async move { insert(conn, slice, &lines).await })
        });
        let places = places.await?;
        if self.0.feed.receiver_count() > 0 {
            for (nth, id) in &places {
                let entry = stored[*nth].entry.clone();
                let position = LogCursor { slice, id: *id };
                // Fails when the last follower has just left.
                let _ = self.0.feed.send(Arc::new(LogLine { position, entry }));
            }
        }
        Ok(places.len())
    }

    /// Lines that match, newest first; `limit` 0 means the default. A page may end early when its
    /// text is long; it has a next one then.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the database is; `Corrupt` when a row cannot be read back.
    pub async fn query(
        &self,
        filter: &LogFilter,
        limit: u32,
        cursor: Option<LogCursor>,
    ) -> Result<LogsPage, DbError> {
        let limit = match limit {
            0 => LOGS_DEFAULT,
            asked => asked.min(LOGS_MAX),
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let words = Query::new(&filter.text);
        let mut page = Page {
            lines: Vec::new(),
            limit,
            bytes: 0,
        };
        let slices = self.0.db.slices(History::Logs);
        let (first, last) = positions(filter.from_ms, filter.to_ms);
        for slice in slices.iter().rev() {
            let last = match cursor {
                Some(cursor) if slice.id > cursor.slice => continue,
                Some(cursor) if slice.id == cursor.slice => last.min(cursor.id - 1),
                _ => last,
            };
            let question = (filter, words.as_ref());
            match self
                .read(slice.id, question, (first, last), &mut page)
                .await
            {
                Err(error) if error.is_gone() => {}
                outcome => outcome?,
            }
            if page.is_full() {
                break;
            }
        }
        Ok(page.end())
    }

    async fn read(
        &self,
        slice: i64,
        question: (&LogFilter, Option<&Query>),
        (first, mut last): (i64, i64),
        page: &mut Page,
    ) -> Result<(), DbError> {
        const ACTION: &str = "list log lines";
        let mut held = self.0.db.read_slice(History::Logs, slice, ACTION).await?;
        while first <= last && !page.is_full() {
            // One more than the page holds: whether it comes tells if there is a next page.
            let rows = (page.limit + 1 - page.lines.len()).min(ROWS_MAX);
            let limit = i64::try_from(rows).unwrap_or(i64::MAX);
            let found =
                store::list(&mut held.conn(), slice, question, (first, last), limit).await?;
            let done = found.len() < rows;
            for (id, entry) in found {
                last = id - 1;
                page.add(LogCursor { slice, id }, entry);
            }
            if done {
                break;
            }
        }
        Ok(())
    }
}

/// A page that is being filled.
struct Page {
    lines: Vec<LogLine>,
    limit: usize,
    bytes: usize,
}

impl Page {
    /// With one line more than it shows, or as much text as it may.
    fn is_full(&self) -> bool {
        self.lines.len() > self.limit || self.bytes > PAGE_BYTES_MAX
    }

    fn add(&mut self, position: LogCursor, entry: LogEntry) {
        if !self.is_full() {
            self.bytes += entry.message.len() + entry.fields_json.len();
            self.lines.push(LogLine { position, entry });
        }
    }

    fn end(mut self) -> LogsPage {
        let more = self.is_full();
        self.lines.truncate(self.limit);
        if self.bytes > PAGE_BYTES_MAX && self.lines.len() > 1 {
            self.lines.pop();
        }
        let next = self.lines.last().filter(|_| more).map(|it| it.position);
        LogsPage {
            lines: self.lines,
            next,
        }
    }
}

/// The words of a line with blanks between them, as they are stored for searches.
pub fn log_words(message: &str, fields_json: &str) -> String {
    search::stored(&searched(message, fields_json), WORDS_MAX)
}

/// Lines in the order of time and then as they came, with their words.
fn prepare(mut entries: Vec<LogEntry>) -> Arc<[Line]> {
    entries.sort_by_key(|it| it.at_ms);
    let line = |entry: LogEntry| Line {
        words: search::stored(&entry.searched(), WORDS_MAX),
        entry,
    };
    entries.into_iter().map(line).collect()
}

/// One transaction: insert, and again elsewhere for those whose place was taken. Which of the lines
/// are stored, and where.
async fn insert(
    conn: &mut Conn<'_>,
    slice: i64,
    lines: &[Line],
) -> Result<Vec<(usize, i64)>, DbError> {
    let mut waiting: Vec<(usize, &Line)> = lines.iter().enumerate().collect();
    let mut places = Vec::with_capacity(lines.len());
    for later_ms in 0..TRIES_MAX {
        let placed = place(&waiting, later_ms);
        let stored = store::insert(conn, slice, &placed).await?;
        let stored: HashSet<i64> = stored.into_iter().collect();
        let (there, left): (Vec<_>, Vec<_>) = waiting
            .iter()
            .zip(&placed)
            .partition(|(_, it)| stored.contains(&it.id));
        places.extend(there.iter().map(|(line, it)| (line.0, it.id)));
        let there: Vec<_> = there.into_iter().map(|(_, it)| *it).collect();
        let left: Vec<_> = left.into_iter().map(|(line, _)| *line).collect();
        store::index(conn, &there).await?;
        waiting = left;
        if waiting.is_empty() {
            break;
        }
    }
    Ok(places)
}

/// Gives lines places, from a start of its own: two batches seldom meet in one millisecond.
fn place<'l>(lines: &[(usize, &'l Line)], later_ms: i64) -> Vec<Placed<'l>> {
    let start = fastrand::u32(..1 << 19);
    let place = |(nth, (_, line)): (usize, &(usize, &'l Line))| Placed {
        id: position(line.entry.at_ms.saturating_add(later_ms), start, nth),
        line,
    };
    lines.iter().enumerate().map(place).collect()
}
