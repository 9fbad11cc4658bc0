//! One stream: events to one reader, as fast as it takes them.
//!
//! Invariant: a stream that cannot get rid of its events ends all the same when the runtime stops
//! or its session does.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use contract::clock::Clock;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc, watch};

use super::batch::{BATCH_MAX, Batch, LineSieve};
use super::board::Frame;
use super::event::Events;
use crate::operator::engine::Operator;
use crate::operator::model::{Empty, EndedOp, Hello, LogLine, LogsTold, OpsTold};
use crate::operator::tail::OpSieve;
use crate::telemetry::{self, Ended};

/// A reader hears something at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Pause between two events of operations or lines.
const GATHER: Duration = Duration::from_millis(250);
/// Things looked at before something else has its turn.
const TURN_MAX: usize = 4 * BATCH_MAX;

/// What a stream is about.
#[derive(Debug)]
pub(super) struct Follows {
    pub(super) map: Option<watch::Receiver<Frame>>,
    pub(super) ops: Option<(broadcast::Receiver<Arc<Ended>>, OpSieve)>,
    pub(super) lines: Option<(broadcast::Receiver<Arc<telemetry::LogLine>>, LineSieve)>,
}

/// What ends a stream besides its reader.
pub(in crate::operator) struct Ends {
    /// The runtime stops.
    pub(in crate::operator) stopped: watch::Receiver<bool>,
    /// The session or token is gone.
    pub(in crate::operator) expired: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Why a stream ended.
enum End {
    Stopped,
    Expired,
    Gone,
}

pub(super) async fn tell(
    operator: &Operator,
    follows: Follows,
    mut ends: Ends,
    pieces: mpsc::Sender<Bytes>,
) {
    let clock = operator.parts().clock.clone();
    let mut teller = Teller::new(operator, follows);
    let end = tokio::select! {
        biased;
        _ = ends.stopped.wait_for(|stop| *stop) => End::Stopped,
        () = &mut ends.expired => End::Expired,
        () = teller.run(&clock, &pieces) => End::Gone,
    };
    let name = match end {
        End::Stopped => "bye",
        End::Expired => "expired",
        End::Gone => return,
    };
    teller.events.add(name, &Empty {});
    // Whoever reads too slowly for it sees the end itself.
    let _ = pieces.try_send(teller.events.take());
}

struct Teller {
    follows: Follows,
    events: Events,
    sequence: u64,
    ops: Batch<EndedOp>,
    lines: Batch<LogLine>,
}

impl Teller {
    fn new(operator: &Operator, mut follows: Follows) -> Self {
        let (parts, mut events) = (operator.parts(), Events::default());
        events.add(
            "hello",
            &Hello {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started_at_unix_ms: parts.started.0.as_millis(),
                now_unix_ms: parts.clock.now().as_millis(),
                heartbeat_ms: u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX),
            },
        );
        if let Some(map) = &mut follows.map {
            map.mark_changed();
        }
        Self {
            follows,
            events,
            sequence: 0,
            ops: Batch::default(),
            lines: Batch::default(),
        }
    }

    /// Tells until the reader has gone.
    async fn run(&mut self, clock: &Clock, pieces: &mpsc::Sender<Bytes>) {
        let mut gathered = clock.interval(GATHER);
        let gathers = self.follows.ops.is_some() || self.follows.lines.is_some();
        loop {
            // First the room for it: what nobody takes yet is not written either.
            let Ok(room) = pieces.reserve().await else {
                return;
            };
            let quiet_at = clock.monotonic() + HEARTBEAT;
            while self.events.is_empty() {
                tokio::select! {
                    frame = frame(&mut self.follows.map) => self.show(&frame),
                    op = next(&mut self.follows.ops) => self.took_op(op),
                    line = next(&mut self.follows.lines) => self.took_line(line),
                    () = gathered.tick(), if gathers => self.flush(),
                    () = clock.sleep_until(quiet_at) => self.events.add("quiet", &Empty {}),
                    () = pieces.closed() => return,
                }
            }
            room.send(self.events.take());
        }
    }

    fn show(&mut self, frame: &Frame) {
        let (sequence, map) = &frame.map;
        if *sequence != self.sequence {
            match &frame.change {
                Some((of, change)) if *of == self.sequence => {
                    self.events.add_raw("change", change);
                }
                _ => self.events.add_raw("map", map),
            }
            self.sequence = *sequence;
        }
        self.events.add_raw("load", &frame.load);
    }

    fn took_op(&mut self, first: Result<Arc<Ended>, RecvError>) {
        let Some((ended, sieve)) = &mut self.follows.ops else {
            return;
        };
        let batch = &mut self.ops;
        take(first, ended, batch, |it| sieve.pass(it));
    }

    fn took_line(&mut self, first: Result<Arc<telemetry::LogLine>, RecvError>) {
        let Some((lines, sieve)) = &mut self.follows.lines else {
            return;
        };
        let batch = &mut self.lines;
        take(first, lines, batch, |it| sieve.pass(it));
    }

    fn flush(&mut self) {
        if !self.ops.is_empty() {
            let (ops, missed) = self.ops.take();
            self.events.add("ops", &OpsTold { ops, missed });
        }
        if !self.lines.is_empty() {
            let (logs, missed) = self.lines.take();
            self.events.add("logs", &LogsTold { logs, missed });
        }
    }
}

/// The next frame; never without a board.
async fn frame(map: &mut Option<watch::Receiver<Frame>>) -> Frame {
    if let Some(map) = map
        && map.changed().await.is_ok()
    {
        return map.borrow_and_update().clone();
    }
    // Without a board, or when it has gone with the runtime.
    std::future::pending().await
}

/// The next thing of a feed; never without one.
async fn next<T: Clone, S>(feed: &mut Option<(broadcast::Receiver<T>, S)>) -> Result<T, RecvError> {
    match feed {
        Some((feed, _)) => feed.recv().await,
        None => std::future::pending().await,
    }
}

/// Takes what a feed has, up to a bound, into a batch.
fn take<T: Clone, L>(
    first: Result<T, RecvError>,
    feed: &mut broadcast::Receiver<T>,
    batch: &mut Batch<L>,
    pass: impl Fn(&T) -> Option<L>,
) {
    let mut next = match first {
        Ok(it) => Some(it),
        Err(RecvError::Lagged(count)) => {
            batch.miss(count);
            None
        }
        // The runtime is about to say so itself.
        Err(RecvError::Closed) => None,
    };
    for _ in 0..TURN_MAX {
        if let Some(told) = next.take().as_ref().and_then(&pass) {
            batch.add(told);
        }
        match feed.try_recv() {
            Ok(it) => next = Some(it),
            Err(TryRecvError::Lagged(count)) => batch.miss(count),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
    if let Some(told) = next.as_ref().and_then(pass) {
        batch.add(told);
    }
}
