//! Slices of history on SQLite: a file each, in the folder `telemetry` of the data folder.
//!
//! `ops-00000012-1732160000000.db` is slice 12 of the operations and begins at that unix
//! millisecond. The folder is the catalog: a slice is there when its file is, and dropping it
//! unlinks the file. A file that a crash left half made gets its schema when the store opens; one
//! that is no database is set aside under another name and said so, and the rest still opens.
//!
//! Refuses to hold every file open: at most [`OPEN_MAX`] per kind, the least recently used goes.
//! Readers and writers that are at work keep what they hold; they may even finish on a file that
//! has been dropped.
//!
//! Invariant: a file's name is never used again, so nothing can be replayed into the wrong one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use parking_lot::{Mutex, RwLock};
use sqlx::sqlite::SqliteSynchronous;
use sqlx::{Connection as _, Sqlite, SqlitePool, pool::PoolConnection};

use super::commits::Commits;
use super::error::{DbError, DbErrorKind};
use super::history::{History, Slice};
use super::opener::Opener;
use super::sqlite::{migrate_alone, readers};
use super::writer::Writer;

/// Slices of one kind that are open at the same time: as many as retention usually leaves, so that a
/// question that goes through all of them does not open files each time.
pub(super) const OPEN_MAX: usize = 16;
/// Connections that read one slice at the same time.
const READERS_MAX: u32 = 2;
/// Pages that one of them keeps, as SQLite counts it: negative for KiB. The rest is the system's.
const READER_CACHE: &str = "-1024";
/// Time after which a reader's connection that nobody uses is closed.
const READER_IDLE: Duration = Duration::from_secs(30);
/// Time after which a slice that nobody uses is closed, and with it its write-ahead log.
const SLICE_IDLE: Duration = Duration::from_secs(60);
/// Folder of the files inside the data folder.
const FOLDER: &str = "telemetry";

/// The files of all kinds.
#[derive(Debug)]
pub(super) struct SqliteSlices {
    folder: PathBuf,
    clock: Clock,
    commits: Commits,
    kinds: [Kind; History::ALL.len()],
    closed: AtomicBool,
}

#[derive(Debug)]
struct Kind {
    slices: RwLock<Arc<[Slice]>>,
    /// Least recently used first.
    open: Mutex<Vec<(Monotonic, Arc<OpenSlice>)>>,
    /// Held while files come and go.
    changing: tokio::sync::Mutex<()>,
}

/// An open file. What is dropped without being closed is closed in the background.
#[derive(Debug)]
struct OpenSlice {
    slice: Slice,
    opener: Opener,
    readers: SqlitePool,
    /// Opened with the first write.
    writer: tokio::sync::Mutex<Option<Arc<Writer>>>,
}

impl SqliteSlices {
    /// Opens the folder in `data`, finishing what a crash left half done.
    pub(super) async fn open(
        data: &Path,
        clock: &Clock,
        commits: &Commits,
    ) -> Result<Self, DbError> {
        let folder = data.join(FOLDER);
        create_private(&folder).map_err(|error| cannot_use(&folder, &error))?;
        let kind = |_| Kind {
            slices: RwLock::new(Arc::new([])),
            open: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        };
        let clock = clock.clone();
        let slices = Self {
            folder,
            clock,
            commits: commits.clone(),
            kinds: History::ALL.map(kind),
            closed: AtomicBool::new(false),
        };
        for history in History::ALL {
            slices.refresh(history).await?;
            if slices.list(history).is_empty() {
                slices.add(history, slices.clock.now().as_millis()).await?;
            }
        }
        Ok(slices)
    }

    pub(super) fn list(&self, history: History) -> Arc<[Slice]> {
        self.kind(history).slices.read().clone()
    }

    fn kind(&self, history: History) -> &Kind {
        &self.kinds[history.index()]
    }

    /// Looks at the folder again: files that another process added or removed.
    pub(super) async fn refresh(&self, history: History) -> Result<(), DbError> {
        let kind = self.kind(history);
        let _changing = kind.changing.lock().await;
        let known = self.list(history);
        let mut found = Vec::new();
        for slice in files(&self.folder, history)? {
            if known.contains(&slice) || self.finish(history, slice).await? {
                found.push(slice);
            }
        }
        kind.publish(found);
        Ok(())
    }

    /// Makes sure that the file has its schema. False when it was set aside as damaged.
    async fn finish(&self, history: History, slice: Slice) -> Result<bool, DbError> {
        let path = path(&self.folder, history, slice);
        match self.migrate(history, &path).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == DbErrorKind::Corrupt => {
                let aside = path.with_extension("db.damaged");
                std::fs::rename(&path, &aside).map_err(|error| cannot_use(&path, &error))?;
                remove_companions(&path);
                let (error, aside) = (error.to_string(), aside.display().to_string());
                tracing::error!(
                    error,
                    aside,
                    "a file of telemetry is damaged and was set aside; delete it if nobody needs it"
                );
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn migrate(&self, history: History, path: &Path) -> Result<(), DbError> {
        let opener = Opener::create(path, SqliteSynchronous::Normal)?;
        let mut conn = opener.connect(&self.clock).await?;
        let migrated = migrate_alone(&mut conn, history.schema(), &self.clock).await;
        let closed = conn.close().await;
        migrated?;
        closed.map_err(|source| DbError::from_sqlx(format!("close {}", path.display()), source))
    }

    pub(super) async fn add(&self, history: History, from_ms: i64) -> Result<i64, DbError> {
        self.refresh(history).await?;
        let kind = self.kind(history);
        let _changing = kind.changing.lock().await;
        let known = self.list(history);
        let id = known.last().map_or(1, |newest| newest.id + 1);
        let slice = Slice {
            id,
            from_ms: from_ms.max(0),
        };
        self.migrate(history, &path(&self.folder, history, slice))
            .await?;
        kind.publish(known.iter().copied().chain([slice]).collect());
        Ok(id)
    }

    pub(super) async fn drop_slice(&self, history: History, id: i64) -> Result<(), DbError> {
        let kind = self.kind(history);
        let _changing = kind.changing.lock().await;
        let known = self.list(history);
        let Some(slice) = known.iter().copied().find(|it| it.id == id) else {
            return Ok(());
        };
        kind.publish(known.iter().copied().filter(|it| it.id != id).collect());
        kind.open.lock().retain(|(_, it)| it.slice.id != id);
        let path = path(&self.folder, history, slice);
        // Unlinking a large file takes a while.
        let unlinked = tokio::task::spawn_blocking(move || {
            // The file before its log: a log without a file is nothing, a file without its log is
            // an older state of itself.
            let unlinked = std::fs::remove_file(&path);
            remove_companions(&path);
            unlinked.map_err(|error| cannot_use(&path, &error))
        });
        let lost = |_| DbError::closed("drop a slice of history");
        unlinked.await.map_err(lost)?
    }

    pub(super) fn bytes(&self, history: History, id: i64) -> u64 {
        let slices = self.list(history);
        let Some(slice) = slices.iter().find(|it| it.id == id) else {
            return 0;
        };
        let path = path(&self.folder, history, *slice);
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
        size(&path) + size(&companion(&path, "-wal"))
    }

    /// The writer of a slice.
    pub(super) async fn writer(
        &self,
        history: History,
        id: i64,
        action: &'static str,
    ) -> Result<Arc<Writer>, DbError> {
        let open = self.open_slice(history, id, action).await?;
        let mut writer = open.writer.lock().await;
        if let Some(writer) = &*writer {
            return Ok(writer.clone());
        }
        let conn = open.opener.connect(&self.clock).await;
        let conn = conn.map_err(|error| self.gone_or(error, history, id, action))?;
        let (opener, times) = (open.opener.clone(), self.commits.history(history).clone());
        let opened = Arc::new(Writer::spawn(conn, opener, self.clock.clone(), times));
        *writer = Some(opened.clone());
        Ok(opened)
    }

    /// A connection to read a slice with.
    pub(super) async fn reader(
        &self,
        history: History,
        id: i64,
        action: &'static str,
    ) -> Result<PoolConnection<Sqlite>, DbError> {
        let open = self.open_slice(history, id, action).await?;
        let acquired = open.readers.acquire().await;
        acquired
            .map_err(|source| self.gone_or(DbError::from_sqlx(action, source), history, id, action))
    }

    /// Opening a file that was dropped in between fails in many ways; the caller needs one.
    fn gone_or(&self, error: DbError, history: History, id: i64, action: &'static str) -> DbError {
        if self.list(history).iter().any(|it| it.id == id) {
            error
        } else {
            DbError::gone(action, history.name(), id)
        }
    }

    async fn open_slice(
        &self,
        history: History,
        id: i64,
        action: &'static str,
    ) -> Result<Arc<OpenSlice>, DbError> {
        let find = || self.list(history).iter().copied().find(|it| it.id == id);
        let mut slice = find();
        if slice.is_none() {
            self.refresh(history).await?;
            slice = find();
        }
        let slice = slice.ok_or_else(|| DbError::gone(action, history.name(), id))?;
        if self.closed.load(Ordering::Acquire) {
            return Err(DbError::closed(action));
        }
        let now = self.clock.monotonic();
        let (found, evicted) = self.kind(history).touch(slice, now, || {
            let path = path(&self.folder, history, slice);
            let opener = Opener::existing(&path, SqliteSynchronous::Normal);
            OpenSlice {
                slice,
                readers: readers(
                    &opener.with_cache(READER_CACHE),
                    READERS_MAX,
                    Some(READER_IDLE),
                ),
                opener,
                writer: tokio::sync::Mutex::default(),
            }
        });
        drop(evicted); // Not under the lock: it may be the last to hold connections.
        Ok(found)
    }

    /// Closes what has not been used for a while, and with it the write-ahead logs.
    pub(super) fn rest(&self) {
        let now = self.clock.monotonic();
        for kind in &self.kinds {
            let is_idle = |it: &mut (Monotonic, _)| now.since(it.0) > SLICE_IDLE;
            let idle: Vec<_> = kind.open.lock().extract_if(.., is_idle).collect();
            drop(idle);
        }
    }

    /// Finishes the queued writes, refuses new ones and closes every file.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        for kind in &self.kinds {
            let open = std::mem::take(&mut *kind.open.lock());
            for (_, slice) in open {
                slice.readers.close().await;
                let writer = slice.writer.lock().await.take();
                if let Some(writer) = writer {
                    writer.close().await;
                }
            }
        }
    }
}

impl Kind {
    fn publish(&self, mut slices: Vec<Slice>) {
        slices.sort_unstable_by_key(|it| it.id);
        *self.slices.write() = slices.into();
    }

    /// The open slice, opened by `open` if need be, now the most recently used; and the one that
    /// had to make room.
    fn touch(
        &self,
        slice: Slice,
        now: Monotonic,
        open: impl FnOnce() -> OpenSlice,
    ) -> (Arc<OpenSlice>, Option<(Monotonic, Arc<OpenSlice>)>) {
        let mut slices = self.open.lock();
        let place = slices.iter().position(|(_, it)| it.slice == slice);
        let found = match place {
            Some(place) => slices.remove(place).1,
            None => Arc::new(open()),
        };
        let evicted = (slices.len() == OPEN_MAX).then(|| slices.remove(0));
        slices.push((now, found.clone()));
        (found, evicted)
    }
}

/// Where a slice of the data folder `data` goes; its folder is made.
pub(super) fn file_for(data: &Path, history: History, slice: Slice) -> Result<PathBuf, DbError> {
    let folder = data.join(FOLDER);
    create_private(&folder).map_err(|error| cannot_use(&folder, &error))?;
    Ok(path(&folder, history, slice))
}

fn path(folder: &Path, history: History, slice: Slice) -> PathBuf {
    folder.join(format!(
        "{}-{:08}-{}.db",
        history.name(),
        slice.id,
        slice.from_ms
    ))
}

/// The slice whose file is called so.
fn parse(name: &str) -> Option<(History, Slice)> {
    let mut parts = name.strip_suffix(".db")?.splitn(3, '-');
    let history = History::from_name(parts.next()?)?;
    let id = parts.next()?.parse().ok()?;
    let from_ms = parts.next()?.parse().ok()?;
    Some((history, Slice { id, from_ms }))
}

/// Slices that have a file, by id; and removes logs that have lost theirs.
fn files(folder: &Path, history: History) -> Result<Vec<Slice>, DbError> {
    let fault = |error: std::io::Error| cannot_use(folder, &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        let name = entry.map_err(fault)?.file_name();
        let Some(name) = name.to_str() else { continue };
        let of_log = ["-wal", "-shm"].iter().find_map(|it| name.strip_suffix(it));
        match (parse(name), of_log) {
            (Some((kind, slice)), _) if kind == history => found.push(slice),
            (None, Some(file)) if parse(file).is_some() && !folder.join(file).exists() => {
                remove_companions(&folder.join(file));
            }
            _ => {}
        }
    }
    found.sort_unstable_by_key(|it| it.id);
    found.dedup_by_key(|it| it.id);
    Ok(found)
}

fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a file's log and its index; what is not there is fine.
fn remove_companions(path: &Path) {
    for suffix in ["-wal", "-shm"] {
        let path = companion(path, suffix);
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            let path = path.display().to_string();
            tracing::warn!(error = %error, path, "a leftover of telemetry was not removed");
        }
    }
}

fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn cannot_use(path: &Path, error: &std::io::Error) -> DbError {
    let action = format!("use {}", path.display());
    let detail = format!("{error}; check the data folder");
    DbError::new(DbErrorKind::Unavailable, action, detail)
}
