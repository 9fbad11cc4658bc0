//! Taking a backup: reads the stores as of one moment and hands on the file, piece by piece.
//!
//! Refuses to wait for ever: whoever takes nothing for [`PATIENCE`] gets no backup, because a reader
//! keeps write-ahead logs and old rows from being cleaned up.
//!
//! Invariant: the last frame is written after everything else was handed on; whatever goes wrong
//! before leaves a file without it, which says why if anybody still reads, and whose pieces end with
//! an error.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use contract::clock::Clock;
use tokio::sync::mpsc;
use tokio_stream::Stream;

use super::archive::{FrameKind, Writer, join_file};
use super::authority::AuthorityFiles;
use super::error::BackupError;
use super::manifest::{Authority, Contents, Header, TableCount, TableHead};
use crate::db::Db;
use crate::db::bulk::{Place, RowSink, Snapshot, newest_schemas};

/// Pieces that wait for the reader.
const PIECES_WAITING: usize = 4;
/// Longest time that the reader may take no piece.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a backup is to hold.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Traces, logs, metrics and payloads too.
    pub telemetry: bool,
    /// The authority, unless the operator keeps it elsewhere.
    pub authority: Option<AuthorityFiles>,
}

/// A backup that is being taken.
#[derive(Debug)]
pub struct Taking {
    /// The file, in order. Dropping it ends the backup.
    pub pieces: Pieces,
    /// Bytes that the stores take, with indexes: the backup is smaller.
    pub stores_bytes: u64,
    /// Everything acknowledged before this is inside, unix milliseconds.
    pub taken_at_unix_ms: i64,
}

/// The pieces of a backup. Ends after the last one of a whole backup; of one that was given up,
/// for whatever reason, the last item is an error.
#[derive(Debug)]
pub struct Pieces {
    received: mpsc::Receiver<Bytes>,
    /// Set once the last frame was handed on.
    complete: Arc<AtomicBool>,
    ending: Ending,
}

/// How far the end of a backup that was given up has been told.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Ahead,
    Paused,
    Told,
}

impl Stream for Pieces {
    type Item = Result<Bytes, BackupError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(piece) = ready!(self.received.poll_recv(cx)) {
            return Poll::Ready(Some(Ok(piece)));
        }
        if self.complete.load(Ordering::Acquire) {
            return Poll::Ready(None);
        }
        match self.ending {
            // An answer that breaks takes along what was not sent yet; the frame that says why goes
            // out meanwhile.
            Ending::Ahead => {
                self.ending = Ending::Paused;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Paused => {
                self.ending = Ending::Told;
                Poll::Ready(Some(Err(BackupError::NotEnded)))
            }
            Ending::Told => Poll::Ready(None),
        }
    }
}

/// Begins a backup; it goes on in the background for as long as somebody takes the pieces.
///
/// # Errors
///
/// [`BackupError::Store`] when the store cannot be read, [`BackupError::File`] when the authority
/// cannot.
pub async fn take(db: &Db, clock: &Clock, wanted: Wanted) -> Result<Taking, BackupError> {
    let described = db.describe().await?;
    let files = match &wanted.authority {
        Some(files) => files.read()?,
        None => Vec::new(),
    };
    let snapshot = db.snapshot().await?;
    let header = Header {
        bridge: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at_unix_ms: snapshot.at().as_millis(),
        database: described.kind.to_owned(),
        schemas: newest_schemas(),
        telemetry: wanted.telemetry,
        authority: match wanted.authority {
            Some(_) => Authority::Included,
            None => Authority::External,
        },
    };
    let (send, received) = mpsc::channel(PIECES_WAITING);
    let complete = Arc::new(AtomicBool::new(false));
    let (writer, line) = Writer::begin();
    let mut out = Out {
        clock: clock.clone(),
        send,
        complete: complete.clone(),
        writer,
        contents: Contents::default(),
    };
    let taken_at_unix_ms = header.taken_at_unix_ms;
    // The two stores of one PostgreSQL database share its size.
    let bytes = described.stores.iter().map(|it| it.bytes);
    let stores_bytes = if db.is_shared() {
        bytes.max().unwrap_or(0)
    } else {
        bytes.sum()
    };
    tokio::spawn(async move {
        if out.piece(line).await && out.json(FrameKind::Header, &header).await {
            out.run(snapshot, files, wanted.telemetry).await;
        }
    });
    Ok(Taking {
        pieces: Pieces {
            received,
            complete,
            ending: Ending::Ahead,
        },
        stores_bytes,
        taken_at_unix_ms,
    })
}

/// Where the file goes. Everything says false when nobody wants any more.
struct Out {
    clock: Clock,
    send: mpsc::Sender<Bytes>,
    complete: Arc<AtomicBool>,
    writer: Writer,
    contents: Contents,
}

impl Out {
    async fn run(
        &mut self,
        mut snapshot: Snapshot,
        files: Vec<(&'static str, Vec<u8>)>,
        telemetry: bool,
    ) {
        for (name, content) in files {
            let content = join_file(name, &content);
            if !self.frame(FrameKind::File, &content).await {
                return;
            }
            self.contents.files.push(name.to_owned());
        }
        let mut places = snapshot.places();
        places.retain(|it| telemetry || !it.is_telemetry());
        for place in places {
            match self.place(&mut snapshot, place).await {
                Ok(true) => {}
                Ok(false) => return,
                // Retention has dropped it since: as gone as it is for everybody else.
                Err(BackupError::Store(error)) if error.is_gone() => {}
                Err(error) => {
                    let why = error.to_string();
                    tracing::error!(error = why, "a backup was given up");
                    self.frame(FrameKind::GivenUp, why.as_bytes()).await;
                    return;
                }
            }
        }
        let contents = std::mem::take(&mut self.contents);
        if self.json(FrameKind::End, &contents).await {
            self.complete.store(true, Ordering::Release);
        }
    }

    async fn place(&mut self, snapshot: &mut Snapshot, place: Place) -> Result<bool, BackupError> {
        let mut view = snapshot.view(place).await?;
        for (table, columns) in view.tables().await? {
            let head = TableHead {
                place,
                table: table.to_owned(),
                columns,
            };
            if !self.json(FrameKind::Table, &head).await {
                return Ok(false);
            }
            self.contents.tables.push(TableCount {
                place: place.to_string(),
                table: table.to_owned(),
                rows: 0,
                bytes: 0,
            });
            if !view.copy_out(table, &head.columns, self).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn json(&mut self, kind: FrameKind, value: &impl serde::Serialize) -> bool {
        match serde_json::to_vec(value) {
            Ok(content) => self.frame(kind, &content).await,
            Err(_) => false,
        }
    }

    async fn frame(&mut self, kind: FrameKind, content: &[u8]) -> bool {
        let frame = self.writer.frame(kind, content);
        self.piece(frame).await
    }

    async fn piece(&mut self, piece: Vec<u8>) -> bool {
        let sent = self.clock.timeout(PATIENCE, self.send.send(piece.into()));
        match sent.await {
            Ok(sent) => sent.is_ok(),
            Err(_) => {
                tracing::warn!("a backup was given up: nobody took its next piece for a minute");
                false
            }
        }
    }
}

impl RowSink for Out {
    async fn rows(&mut self, count: u32, encoded: &[u8]) -> bool {
        if let Some(table) = self.contents.tables.last_mut() {
            table.rows += u64::from(count);
            table.bytes += encoded.len() as u64;
        }
        self.frame(FrameKind::Rows, encoded).await
    }
}
