//! The one writer of a SQLite store: group commit without a timer.
//!
//! ```text
//!  callers ──try_send──▶ queue (QUEUE_MAX) ──drain ≤ BATCH_MAX──▶ BEGIN · run each · COMMIT ──▶ answers
//! ```
//!
//! Whatever waits when the writer becomes free is one transaction and one sync, so the batch grows
//! with the load and a lone write waits for nobody. The first pass runs the batch as it is; if any
//! item fails, the transaction is rolled back and a second pass runs each item in a savepoint, so
//! a bad item fails alone and the good ones pay for savepoints only then.
//!
//! Refuses more than [`QUEUE_MAX`] waiting writes: the caller gets a typed error at once.
//!
//! Invariants: nobody is answered before the commit of its transaction has returned; items take
//! effect in the order they were queued; a panic inside an item fails that item and nothing else.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use contract::clock::Clock;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use super::commits::CommitTimes;
use super::conn::{Conn, Driver};
use super::error::{DbError, DbErrorKind};
use super::opener::Opener;
use super::sql::{Sql, sql};

/// Writes that may wait for one store's writer.
pub(super) const QUEUE_MAX: usize = 4_096;

/// Writes that share one transaction at most; bounds how long a commit takes to come around.
pub(super) const BATCH_MAX: usize = 256;

const BEGIN: Sql = sql!("db/begin_write.sqlite.sql");

/// The future a write's body returns; see [`Db::write`](super::Db::write).
pub type Work<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Where writes queue up.
#[derive(Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Item>>,
    closing: watch::Sender<bool>,
    closed: watch::Receiver<bool>,
}

impl Writer {
    /// Starts the writer task on an open, migrated connection.
    pub(super) fn spawn(
        conn: SqliteConnection,
        opener: Opener,
        clock: Clock,
        times: CommitTimes,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let (closing, close_wanted) = watch::channel(false);
        let (close_done, closed) = watch::channel(false);
        let task = Task {
            conn: Some(conn),
            opener,
            clock,
            times,
            waiting,
        };
        tokio::spawn(async move {
            task.run(close_wanted).await;
            close_done.send_replace(true);
        });
        Self {
            queue,
            closing,
            closed,
        }
    }

    /// Queues a write and waits for its commit.
    pub(super) async fn write<T, E, F>(&self, action: &'static str, body: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: for<'a> Fn(&'a mut Conn<'_>) -> Work<'a, T, E> + Send + Sync + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let item = TypedItem {
            action,
            body,
            outcome: None,
            reply,
        };
        self.queue
            .try_send(Box::new(item))
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => DbError::queue_full(action, QUEUE_MAX),
                mpsc::error::TrySendError::Closed(_) => DbError::closed(action),
            })?;
        // No answer means that the task went away with the queue: nothing was acknowledged.
        answer.await.map_err(|_| DbError::closed(action))?
    }

    /// Refuses new writes, finishes the queued ones and closes the connection.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let mut closed = self.closed.clone();
        // An error means that the task is gone already, which is as closed as it gets.
        let _ = closed.wait_for(|closed| *closed).await;
    }
}

/// A queued write with its types erased.
trait Item: Send {
    fn action(&self) -> &'static str;

    /// Runs the body, keeps the outcome, and says whether it may be committed.
    fn run<'a>(&'a mut self, conn: Conn<'a>) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

    /// Hands the outcome to the caller: the body's own error, or what became of the commit.
    fn answer(self: Box<Self>, committed: Result<(), DbError>);
}

struct TypedItem<T, E, F> {
    action: &'static str,
    body: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Item for TypedItem<T, E, F>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
    F: for<'a> Fn(&'a mut Conn<'_>) -> Work<'a, T, E> + Send + Sync + 'static,
{
    fn action(&self) -> &'static str {
        self.action
    }

    fn run<'a>(
        &'a mut self,
        mut conn: Conn<'a>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            let outcome = run_caught(self.action, &self.body, &mut conn).await;
            let outcome = outcome.and_then(|value| match conn.into_failure() {
                Some(failure) => Err(failure.into()),
                None => Ok(value),
            });
            self.outcome.insert(outcome).is_ok()
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), DbError>) {
        let answer = match (self.outcome, committed) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(DbError::closed(self.action).into()),
        };
        // The caller may have stopped waiting; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// Runs `body`, turning a panic into an error of the write that panicked.
pub(super) async fn run_caught<T, E, F>(
    action: &'static str,
    body: &F,
    conn: &mut Conn<'_>,
) -> Result<T, E>
where
    E: From<DbError>,
    F: for<'a> Fn(&'a mut Conn<'_>) -> Work<'a, T, E>,
{
    // The call itself is inside the future too: a body may panic before it returns one.
    let mut work = std::pin::pin!(async move { body(conn).await });
    std::future::poll_fn(move |cx| {
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(progress) => progress,
            Err(panic) => Poll::Ready(Err(panicked(action, panic.as_ref()).into())),
        }
    })
    .await
}

fn panicked(action: &'static str, panic: &(dyn Any + Send)) -> DbError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(
        action,
        panic = text,
        "a database write panicked; it was rolled back"
    );
    DbError::new(
        DbErrorKind::Other,
        action,
        format!("the code that does it panicked: {text}"),
    )
}

struct Task {
    conn: Option<SqliteConnection>,
    opener: Opener,
    clock: Clock,
    times: CommitTimes,
    waiting: mpsc::Receiver<Box<dyn Item>>,
}

impl Task {
    async fn run(mut self, mut close_wanted: watch::Receiver<bool>) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        let mut closing = false;
        loop {
            let taken = tokio::select! {
                taken = self.waiting.recv_many(&mut batch, BATCH_MAX) => taken,
                // Also when the last handle is gone: what is queued is still written.
                _ = close_wanted.wait_for(|wanted| *wanted), if !closing => {
                    closing = true;
                    self.waiting.close();
                    continue;
                }
            };
            if taken == 0 {
                break;
            }
            self.commit(&mut batch).await;
        }
        if let Some(conn) = self.conn.take()
            && let Err(error) = conn.close().await
        {
            tracing::warn!(%error, "the database file was not closed cleanly; it will be recovered");
        }
    }

    /// Commits one batch and answers all of it. A broken connection is replaced for the next one.
    async fn commit(&mut self, batch: &mut Vec<Box<dyn Item>>) {
        let times = self.times.clone();
        let committed = match self.connection().await {
            Ok(conn) => commit(conn, batch, &times).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &committed {
            let writes = batch.len();
            tracing::warn!(error = %chain(error), writes, "a group of writes was not committed");
            self.conn = None;
        }
        for item in batch.drain(..) {
            let committed = committed
                .clone()
                .map_err(|error| error.during(item.action()));
            item.answer(committed);
        }
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, DbError> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.opener.connect(&self.clock).await?,
        };
        Ok(self.conn.insert(conn))
    }
}

async fn commit(
    conn: &mut SqliteConnection,
    batch: &mut [Box<dyn Item>],
    times: &CommitTimes,
) -> Result<(), DbError> {
    if run_together(conn, batch, times).await? || batch.len() == 1 {
        // A lone item that failed was rolled back and knows its error: nothing to repeat.
        return Ok(());
    }
    run_apart(conn, batch, times).await
}

/// The first pass. False when an item failed; then nothing of the batch took effect.
async fn run_together(
    conn: &mut SqliteConnection,
    batch: &mut [Box<dyn Item>],
    times: &CommitTimes,
) -> Result<bool, DbError> {
    let mut tx = conn
        .begin_with(BEGIN.sqlite)
        .await
        .map_err(|e| DbError::from_sqlx("begin a write", e))?;
    for item in batch {
        if !item.run(Conn::new(Driver::Sqlite(&mut tx))).await {
            tx.rollback()
                .await
                .map_err(|e| DbError::from_sqlx("roll a write back", e))?;
            return Ok(false);
        }
    }
    times
        .time(tx.commit())
        .await
        .map_err(|e| DbError::from_sqlx("commit a write", e))?;
    Ok(true)
}

/// The second pass: a savepoint around each item, so that a bad one takes only itself down.
async fn run_apart(
    conn: &mut SqliteConnection,
    batch: &mut [Box<dyn Item>],
    times: &CommitTimes,
) -> Result<(), DbError> {
    let mut tx = conn
        .begin_with(BEGIN.sqlite)
        .await
        .map_err(|e| DbError::from_sqlx("begin a write", e))?;
    for item in batch {
        let mut savepoint = tx
            .begin()
            .await
            .map_err(|e| DbError::from_sqlx("begin a savepoint", e))?;
        if item.run(Conn::new(Driver::Sqlite(&mut savepoint))).await {
            savepoint
                .commit()
                .await
                .map_err(|e| DbError::from_sqlx("end a savepoint", e))?;
        } else {
            savepoint
                .rollback()
                .await
                .map_err(|e| DbError::from_sqlx("undo a savepoint", e))?;
        }
    }
    times
        .time(tx.commit())
        .await
        .map_err(|e| DbError::from_sqlx("commit a write", e))
}

/// The whole chain of causes in one line, for the one place where it is logged.
fn chain(error: &DbError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
