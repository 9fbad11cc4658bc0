//! What goes on right now: who called what how often, how fast, with how many errors; and every
//! operation as it ends, for whoever follows. In memory, gone with the process.
//!
//! Frames are noted once they are committed. A START tells what an operation is, its END how it
//! went; the two are joined here by the operation's id. Operations are counted when their END
//! arrives, not when a service's clock says they ended.
//!
//! Refuses to grow: [`KEYS_MAX`] series of some 10 KiB, [`PENDING_MAX`] operations that have not
//! ended, a feed of [`FEED_MAX`] operations for those who follow. What does not fit is counted:
//! as "other", as `given_up`, or to a follower as what it missed.
//!
//! Invariant: noting never waits for a reader, and costs nothing for a feed nobody follows.

mod window;
mod view;
mod pending;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::{Clock, Monotonic};
use contract::ids::ServiceId;
use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::model::{Actor, Channel, Frame, Status};
use pending::{Pending, Started};
pub use view::{EdgeFlow, Ended, FlowCounters, FlowHistory, FlowSteps, Flows, Words};
pub use window::Tally;
use window::{WINDOW_MAX, Windows, covered, steps};

/// Series that are told apart; operations of further ones are counted as "other".
pub(super) const KEYS_MAX: usize = 4_096;
/// Operations that have begun and not ended, of which their START is remembered.
pub(super) const PENDING_MAX: usize = 65_536;
/// Ended operations that wait for a follower; a slower one misses some, and is told how many.
pub(super) const FEED_MAX: usize = 4_096;
/// Longest subject that is told apart, in bytes; the rest is cut.
const SUBJECT_BYTES_MAX: usize = 256;
/// Pause between two searches for series that have gone idle.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// The present. Cheap to clone; clones share one.
#[derive(Clone, Debug)]
pub struct Flow(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: Clock,
    state: Mutex<State>,
    feed: broadcast::Sender<Arc<Ended>>,
}

#[derive(Debug)]
struct State {
    begun: Monotonic,
    /// Per actor, peer and channel: where each subject is counted.
    index: HashMap<Place, HashMap<Arc<str>, u32>>,
    series: Vec<Series>,
    pending: Pending,
    swept: Monotonic,
    unjoined: u64,
}

/// Actor, peer and number of the channel.
type Place = (ServiceId, Option<ServiceId>, i32);

/// The first one is "other".
const OTHER: u32 = 0;

#[derive(Debug)]
struct Series {
    actor: ServiceId,
    peer: Option<ServiceId>,
    channel: Option<Channel>,
    subject: Arc<str>,
    windows: Windows,
}

impl Flow {
    /// Begins now.
    pub fn new(clock: &Clock) -> Self {
        let begun = clock.monotonic();
        let other = Series {
            actor: ServiceId::from_uuid(uuid::Uuid::nil()),
            peer: None,
            channel: None,
            subject: "".into(),
            windows: Windows::new(),
        };
        let state = State {
            begun,
            index: HashMap::new(),
            series: vec![other],
            pending: Pending::new(PENDING_MAX),
            swept: begun,
            unjoined: 0,
        };
        Self(Arc::new(Shared {
            clock: clock.clone(),
            state: Mutex::new(state),
            feed: broadcast::Sender::new(FEED_MAX),
        }))
    }

    /// Notes frames that an instance reported and that are committed.
    pub fn note<'a>(&self, actor: Actor, frames: impl IntoIterator<Item = &'a Frame>) {
        let now = self.0.clock.monotonic();
        let followed = self.0.feed.receiver_count() > 0;
        let mut state = self.0.state.lock();
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
        let state = self.0.state.lock();
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
        let state = self.0.state.lock();
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

impl State {
    /// Counts an END; says what it ended and when it began.
    fn note(
        &mut self,
        actor: Actor,
        frame: &Frame,
        now: Monotonic,
        followed: bool,
    ) -> Option<((Status, i64), Started)> {
        let Some((finished_at_ms, status)) = frame.finished_at_ms.zip(frame.status) else {
            let started = self.started(actor, frame, now, followed);
            self.pending.insert(frame.op, started);
            return None;
        };
        let begun = self.pending.remove(frame.op);
        let Some(started) = begun.or_else(|| {
            // A reporter that says everything at the end.
            let whole = !frame.subject.is_empty() && frame.started_at_ms > 0;
            whole.then(|| self.started(actor, frame, now, followed))
        }) else {
            self.unjoined += 1;
            return None;
        };
        let duration_ms = finished_at_ms.saturating_sub(started.at_ms);
        let failed = status != Status::Success;
        self.series[started.series as usize].windows.add(
            now.since(self.begun),
            u64::try_from(duration_ms).unwrap_or(0),
            failed,
        );
        Some(((status, finished_at_ms), started))
    }

    fn started(&mut self, actor: Actor, frame: &Frame, now: Monotonic, followed: bool) -> Started {
        let business_key = if followed { &*frame.business_key } else { "" };
        Started {
            series: self.series_of(actor.service, frame, now),
            at_ms: frame.started_at_ms,
            parent: frame.parent,
            business_key: business_key.into(),
        }
    }

    fn series_of(&mut self, actor: ServiceId, frame: &Frame, now: Monotonic) -> u32 {
        let peer = frame.peer_service.parse().ok();
        let channel = frame.channel.map_or(0, Channel::number);
        let subject = cut(&frame.subject);
        let known = self.index.get(&(actor, peer, channel));
        if let Some(known) = known.and_then(|it| it.get(subject)) {
            return *known;
        }
        if self.series.len() > KEYS_MAX && !self.sweep(now) {
            return OTHER;
        }
        let Ok(at) = u32::try_from(self.series.len()) else {
            return OTHER;
        };
        let subject: Arc<str> = subject.into();
        self.series.push(Series {
            actor,
            peer,
            channel: frame.channel,
            subject: subject.clone(),
            windows: Windows::new(),
        });
        let place = self.index.entry((actor, peer, channel)).or_default();
        place.insert(subject, at);
        at
    }

    /// Forgets series in which nothing happened for the longest window; says whether there are
    /// any less. Searches at most once in [`SWEEP_EVERY`].
    fn sweep(&mut self, now: Monotonic) -> bool {
        if now.since(self.swept) < SWEEP_EVERY {
            return false;
        }
        self.swept = now;
        let age = now.since(self.begun);
        let mut moved = Vec::with_capacity(self.series.len());
        let mut kept = OTHER;
        for (at, it) in self.series.iter().enumerate() {
            let stays = at > 0 && !it.windows.is_idle(age);
            kept += u32::from(stays);
            moved.push(if stays { kept } else { OTHER });
        }
        let mut at = 0;
        self.series.retain(|_| {
            at += 1;
            at == 1 || moved[at - 1] != OTHER
        });
        for known in self.index.values_mut() {
            known.retain(|_, at| {
                *at = moved[*at as usize];
                *at != OTHER
            });
        }
        self.index.retain(|_, known| !known.is_empty());
        self.pending.recount(|at| moved[at as usize]);
        self.series.len() <= KEYS_MAX
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

fn cut(subject: &str) -> &str {
    &subject[..subject.floor_char_boundary(SUBJECT_BYTES_MAX)]
}
