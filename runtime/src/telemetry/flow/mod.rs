//! What goes on right now: who called what how often, how fast, with how many errors; and every
//! operation as it ends, for whoever follows. In memory, gone with the process.
//!
//! Frames are noted once they are committed. A START tells what an operation is, its END how it
//! went; the two are joined here by the operation's id. Operations are counted when their END
//! arrives, not when a service's clock says they ended.
//!
//! A request over plain HTTP is its caller's where both sides report: see `callers`.
//!
//! Refuses to grow: 4,096 series of some 10 KiB, 65,536 operations that have not
//! ended, a feed of [`FEED_MAX`] operations for those who follow. What does not fit is counted:
//! as "other", as `given_up`, or to a follower as what it missed.
//!
//! Invariant: noting never waits for a reader, and costs nothing for a feed nobody follows.

mod window;
mod view;
mod remembered;
mod pending;
mod callers;
mod state;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use contract::clock::Clock;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::model::{Actor, Frame, Status};
use pending::Started;
use state::{OTHER, Series, State};
pub use view::{EdgeFlow, Ended, FlowCounters, FlowHistory, FlowSteps, Flows, Words};
pub use window::Tally;
use window::{WINDOW_MAX, covered, steps};

/// Ended operations that wait for a follower; a slower one misses some, and is told how many.
pub(super) const FEED_MAX: usize = 4_096;

/// The present. Cheap to clone; clones share one.
#[derive(Clone, Debug)]
pub struct Flow(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    state: Mutex<State>,
    feed: broadcast::Sender<Arc<Ended>>,
}

impl Flow {
    /// Begins now.
    pub fn new(clock: &Clock) -> Self {
        Self(Arc::new(Shared {
            clock: clock.clone(),
            state: Mutex::new(State::new(clock.monotonic())),
            feed: broadcast::Sender::new(FEED_MAX),
        }))
    }

    /// Notes frames that an instance reported and that are committed.
    pub fn note<'a>(&self, actor: Actor, frames: impl IntoIterator<Item = &'a Frame>) {
        let now = self.0.clock.monotonic();
        let followed = self.0.feed.receiver_count() > 0;
        let mut state = self.0.state.lock();
        state.settle_late(now);
        for frame in frames {
            let Some((ended, started)) = state.note(actor, frame, now, followed) else {
                continue;
            };
            if followed {
                let series = &state.series[started.series as usize];
                // Fails when the last follower has just left.
                let _ = self
                    .0
                    .feed
                    .send(Arc::new(ended_op(actor, frame, ended, started, series)));
            }
        }
    }

    /// What happened in the last `window`: a minute, five minutes, at most an hour.
    pub fn edges(&self, window: Duration) -> Flows {
        let window = window.min(WINDOW_MAX);
        let now = self.0.clock.monotonic();
        let mut state = self.0.state.lock();
        state.settle_late(now);
        let age = now.since(state.begun);
        let edge = |it: &Series| EdgeFlow {
            actor: it.actor,
            peer: it.peer,
            channel: it.channel,
            subject: it.subject.clone(),
            tally: it.windows.sum(age, window),
        };
        let edges = state.series[1..].iter().map(edge);
        let mut edges: Vec<_> = edges.filter(|it| it.tally.count() > 0).collect();
        let other = state.series[OTHER as usize].windows.sum(age, window);
        drop(state);
        edges.sort_by(|a, b| {
            let key = |it: &EdgeFlow| (it.actor, it.peer, it.channel);
            key(a).cmp(&key(b)).then_with(|| a.subject.cmp(&b.subject))
        });
        Flows {
            covered: covered(age, window),
            edges,
            other,
        }
    }

    /// What happened in the last `window` (an hour at most), step by step: steps of ten seconds up
    /// to five minutes, of five minutes beyond.
    pub fn history(&self, window: Duration) -> FlowHistory {
        let window = window.min(WINDOW_MAX);
        let now = self.0.clock.monotonic();
        let (step, most) = steps(window);
        let mut state = self.0.state.lock();
        state.settle_late(now);
        let age = now.since(state.begun);
        let series = state.series[1..].iter().map(|it| FlowSteps {
            actor: it.actor,
            peer: it.peer,
            channel: it.channel,
            subject: it.subject.clone(),
            steps: it.windows.steps(age, window),
        });
        let series = series.filter(|it| !it.steps.is_empty()).collect();
        let (age_ms, step_ms) = (age.as_millis(), step.as_millis());
        let begun = u64::try_from(age_ms % step_ms).unwrap_or(0);
        FlowHistory {
            covered: covered(age, window),
            step,
            steps: u32::try_from(age_ms / step_ms + 1).map_or(most, |it| it.min(most)),
            begun: Duration::from_millis(begun),
            series,
        }
    }

    /// Every operation that ends from now on.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Ended>> {
        self.0.feed.subscribe()
    }

    /// How full it is.
    pub fn counters(&self) -> FlowCounters {
        let state = self.0.state.lock();
        FlowCounters {
            keys: state.series.len() - 1,
            pending: state.pending.len(),
            given_up: state.pending.given_up(),
            unjoined: state.unjoined,
            followers: self.0.feed.receiver_count(),
        }
    }
}

/// How an operation ended, from its END and what was known of it.
fn ended_op(
    actor: Actor,
    frame: &Frame,
    (status, finished_at_ms): (Status, i64),
    started: Started,
    series: &Series,
) -> Ended {
    Ended {
        trace: frame.trace,
        op: frame.op,
        parent: started.parent,
        actor,
        peer: series.peer,
        channel: series.channel,
        subject: series.subject.clone(),
        business_key: started.business_key,
        started_at_ms: started.at_ms,
        finished_at_ms,
        status,
        status_message: frame.status_message.clone(),
    }
}
