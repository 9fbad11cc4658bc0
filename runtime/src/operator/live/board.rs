//! The map of one window, worked out once a second for all streams that show it.
//!
//! A board lives as long as somebody follows it. Windows are rounded up to the steps of what is
//! counted, so that there are 41 boards at most.
//!
//! A topology that is another one in a few places is told as a change to whoever has the one before:
//! half a megabyte for one instance that drains would cost each page more than all of its loads.
//!
//! Invariant: a topology or a change is told no sooner than [`PAUSE`] after the one before; between
//! two of them loads are told by the indexes of the one that was told last.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use contract::clock::Monotonic;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::change::change;
use crate::operator::engine::Operator;
use crate::operator::model::{LinkShape, LiveMap, Load, LoadRow, Loads, Topology};

/// Pause between two loads.
const BEAT: Duration = Duration::from_secs(1);
/// Least pause between two topologies: what is registered right after something else is still seen
/// within a second.
const PAUSE: Duration = Duration::from_millis(700);
/// Steps of windows up to [`FINE_MAX`], and beyond.
const FINE: Duration = Duration::from_secs(10);
const FINE_MAX: Duration = Duration::from_secs(300);
const WINDOW_MAX: Duration = Duration::from_secs(3_600);

/// What is shown now.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Which topology, and its event's data.
    pub(super) map: (u64, Bytes),
    /// Which topology became that one by a change, and its event's data.
    pub(super) change: Option<(u64, Bytes)>,
    /// The data of the event of its loads.
    pub(super) load: Bytes,
}

/// The boards that somebody follows. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Boards(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    operator: Operator,
    boards: Mutex<HashMap<Duration, watch::Sender<Frame>>>,
    sequence: AtomicU64,
}

impl Boards {
    pub(super) fn new(operator: &Operator) -> Self {
        Self(Arc::new(Inner {
            operator: operator.clone(),
            boards: Mutex::default(),
            sequence: AtomicU64::new(0),
        }))
    }

    /// The frames of a window, the first at once.
    pub(super) fn follow(&self, window: Duration) -> watch::Receiver<Frame> {
        let window = rounded(window);
        let mut boards = self.0.boards.lock();
        if let Some(board) = boards.get(&window) {
            return board.subscribe();
        }
        let mut board = Board::new(self.0.clone(), window);
        let (frames, follower) = watch::channel(board.draw());
        boards.insert(window, frames.clone());
        drop(boards);
        tokio::spawn(async move { board.keep(frames).await });
        follower
    }
}

/// The step's multiple that a window becomes.
fn rounded(window: Duration) -> Duration {
    let step = if window <= FINE_MAX { FINE } else { FINE_MAX };
    let steps = window
        .min(WINDOW_MAX)
        .as_millis()
        .div_ceil(step.as_millis());
    step * u32::try_from(steps.max(1)).unwrap_or(u32::MAX)
}

#[derive(Debug)]
struct Board {
    shared: Arc<Inner>,
    window: Duration,
    told: Told,
    /// Something has changed that could not be told yet.
    owes: bool,
}

/// The topology that was told last.
#[derive(Debug, Default)]
struct Told {
    topology: Topology,
    data: Bytes,
    change: Option<(u64, Bytes)>,
    at: Option<Monotonic>,
    services: HashMap<String, usize>,
    links: HashMap<(String, String), usize>,
}

impl Board {
    fn new(shared: Arc<Inner>, window: Duration) -> Self {
        Self {
            shared,
            window,
            told: Told::default(),
            owes: false,
        }
    }

    /// Draws until nobody follows any more.
    async fn keep(mut self, frames: watch::Sender<Frame>) {
        let clock = self.shared.operator.parts().clock.clone();
        let mut changes = self.shared.operator.parts().registry.changes();
        let mut beats = clock.interval(BEAT);
        loop {
            let due = self.tells_from();
            tokio::select! {
                () = beats.tick() => {}
                changed = changes.changed(), if !self.owes => {
                    if changed.is_err() {
                        beats.tick().await;
                    } else if !self.may_tell() {
                        // Of many changes at once the first is shown now, the rest together.
                        self.owes = true;
                        continue;
                    }
                }
                () = clock.sleep_until(due), if self.owes => {}
                () = frames.closed() => {}
            }
            if self.is_over(&frames) {
                return;
            }
            changes.mark_unchanged();
            frames.send_replace(self.draw());
        }
    }

    /// Whether nobody follows any more; nobody can begin to, then.
    fn is_over(&self, frames: &watch::Sender<Frame>) -> bool {
        let mut boards = self.shared.boards.lock();
        let over = frames.receiver_count() == 0;
        if over {
            boards.remove(&self.window);
        }
        over
    }

    /// When the next topology may be told.
    fn tells_from(&self) -> Monotonic {
        let now = || self.shared.operator.parts().clock.monotonic();
        self.told.at.map_or_else(now, |at| at + PAUSE)
    }

    fn may_tell(&self) -> bool {
        self.shared.operator.parts().clock.monotonic() >= self.tells_from()
    }

    fn draw(&mut self) -> Frame {
        let map = self.shared.operator.live_map(self.window);
        let now = self.shared.operator.parts().clock.now();
        let (services, links) = shape(&map);
        let told = &self.told.topology;
        let same = told.services == services && told.links == links;
        let tells = self.told.at.is_none() || (!same && self.may_tell());
        self.owes = !same && !tells;
        if tells {
            let sequence = self.shared.sequence.fetch_add(1, Ordering::Relaxed) + 1;
            self.tell(Topology {
                sequence,
                services,
                links,
            });
        }
        let sequence = self.told.topology.sequence;
        let loads = Loads {
            sequence,
            at_unix_ms: now.as_millis(),
            window_ms: map.window_ms,
            services: rows(map.services.iter().map(|it| {
                let at = self.told.services.get(&it.service.name);
                (at.copied(), it.served)
            })),
            links: rows(map.links.iter().map(|it| {
                let at = self.told.links.get(&(it.from.clone(), it.to.clone()));
                (at.copied(), it.load)
            })),
        };
        Frame {
            map: (sequence, self.told.data.clone()),
            change: self.told.change.clone(),
            // Plain data, written to memory.
            load: serde_json::to_vec(&loads).unwrap_or_default().into(),
        }
    }

    fn tell(&mut self, topology: Topology) {
        let services = topology.services.iter().enumerate();
        let links = topology.links.iter().enumerate();
        let change = change(&self.told.topology, &topology).map(|change| {
            let data = serde_json::to_vec(&change).unwrap_or_default();
            (change.of, data.into())
        });
        self.told = Told {
            change,
            data: serde_json::to_vec(&topology).unwrap_or_default().into(),
            at: Some(self.shared.operator.parts().clock.monotonic()),
            services: services.map(|(at, it)| (it.name.clone(), at)).collect(),
            links: links
                .map(|(at, it)| ((it.from.clone(), it.to.clone()), at))
                .collect(),
            topology,
        };
    }
}

/// What a map looks like without anything going on.
fn shape(map: &LiveMap) -> (Vec<crate::registry::MapService>, Vec<LinkShape>) {
    let services = map.services.iter().map(|it| it.service.clone());
    let links = map.links.iter().map(|it| LinkShape {
        from: it.from.clone(),
        to: it.to.clone(),
        methods: it.methods.clone(),
        declared: it.declared,
        live: it.live,
    });
    (services.collect(), links.collect())
}

fn rows(all: impl Iterator<Item = (Option<usize>, Option<Load>)>) -> Vec<LoadRow> {
    let row = |(at, load): (Option<usize>, Option<Load>)| {
        let (at, it) = (at?, load?);
        let (speed, p50, p95, p99) = (it.per_second, it.p50_ms, it.p95_ms, it.p99_ms);
        Some((at, it.count, it.errors, speed, p50, p95, p99))
    };
    all.filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_rounded_up_to_few() {
        let seconds = Duration::from_secs;
        for (asked, kept) in [
            (0, 10),
            (10, 10),
            (11, 20),
            (300, 300),
            (301, 600),
            (9_999, 3_600),
        ] {
            assert_eq!(rounded(seconds(asked)), seconds(kept));
        }
        let mut all: Vec<_> = (0..=3_600).map(|it| rounded(seconds(it))).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 41);
    }
}
