//! The map of one window, worked out once a second for all streams that show it.
//!
//! A board lives as long as somebody follows it. Windows are rounded up to the steps of what is
//! counted, so that there are 41 boards at most.
//!
//! A topology that is another one in a few places is told as a change to whoever has the one before:
//! half a megabyte for one instance that drains would cost each page more than all of its loads.
//!
//! Invariant: a topology or a change is told at most once a second; between two of them loads are
//! told by the indexes of the one that was told last.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use contract::clock::Monotonic;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::operator::engine::Operator;
use crate::operator::model::{Change, LinkShape, LiveMap, Load, LoadRow, Loads, Topology};

/// Pause between two loads, and least pause between two topologies.
const BEAT: Duration = Duration::from_secs(1);
/// So many changes are told as such, however small the map.
const CHANGED_MIN: usize = 16;
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
        }
    }

    /// Draws until nobody follows any more.
    async fn keep(mut self, frames: watch::Sender<Frame>) {
        let clock = self.shared.operator.parts().clock.clone();
        let mut changes = self.shared.operator.parts().registry.changes();
        let mut beats = clock.interval(BEAT);
        loop {
            tokio::select! {
                () = beats.tick() => {}
                changed = changes.changed() => {
                    // Of many changes at once the first is shown now and the rest at the beat.
                    if changed.is_err() || !self.may_tell() {
                        beats.tick().await;
                    }
                }
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

    fn may_tell(&self) -> bool {
        let now = self.shared.operator.parts().clock.monotonic();
        self.told.at.is_none_or(|at| now.since(at) >= BEAT)
    }

    fn draw(&mut self) -> Frame {
        let map = self.shared.operator.live_map(self.window);
        let now = self.shared.operator.parts().clock.now();
        let (services, links) = shape(&map);
        let told = &self.told.topology;
        let same = told.services == services && told.links == links;
        if self.told.at.is_none() || (!same && self.may_tell()) {
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

/// What makes one topology of the other; `None` when places differ, or so much that the whole is
/// no longer to read.
fn change(before: &Topology, now: &Topology) -> Option<Change> {
    let places = before.services.len() == now.services.len()
        && before.links.len() == now.links.len()
        && before
            .services
            .iter()
            .zip(&now.services)
            .all(|(a, b)| a.name == b.name)
        && before
            .links
            .iter()
            .zip(&now.links)
            .all(|(a, b)| (&a.from, &a.to) == (&b.from, &b.to));
    if !places || before.sequence == 0 {
        return None;
    }
    let change = Change {
        sequence: now.sequence,
        of: before.sequence,
        services: differing(&before.services, &now.services),
        links: differing(&before.links, &now.links),
    };
    let changed = change.services.len() + change.links.len();
    let all = now.services.len() + now.links.len();
    (changed <= CHANGED_MIN.max(all / 4)).then_some(change)
}

/// What is not as it was, by its index.
fn differing<T: Clone + PartialEq>(before: &[T], now: &[T]) -> Vec<(usize, T)> {
    let all = before.iter().zip(now).enumerate();
    all.filter(|(_, (a, b))| a != b)
        .map(|(at, (_, b))| (at, b.clone()))
        .collect()
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

    fn service(name: &str, instances: u32) -> crate::registry::MapService {
        let json = serde_json::json!({
            "id": "01a1fde0-043c-76a4-98a1-2c3f08487687", "name": name, "status": "active",
            "instances": [], "methods": [{
                "kind": "rpc", "name": "Echo", "contract_hash": "", "instances": instances,
            }],
        });
        serde_json::from_value(json).expect("a service")
    }

    fn topology(sequence: u64, services: &[(&str, u32)]) -> Topology {
        Topology {
            sequence,
            services: services
                .iter()
                .map(|(name, it)| service(name, *it))
                .collect(),
            links: Vec::new(),
        }
    }

    #[test]
    fn a_few_changes_are_told_alone_and_other_places_are_told_whole() {
        let before = topology(7, &[("desk", 1), ("orders", 1)]);
        let now = topology(9, &[("desk", 1), ("orders", 2)]);
        let told = change(&before, &now).expect("a change");
        assert_eq!((told.of, told.sequence), (7, 9));
        assert_eq!(told.services, [(1, service("orders", 2))]);
        assert_eq!(change(&before, &topology(9, &[("desk", 1)])), None);
        let moved = topology(9, &[("orders", 1), ("desk", 1)]);
        assert_eq!(change(&before, &moved), None);
        assert_eq!(change(&Topology::default(), &topology(1, &[])), None);
        let many: Vec<_> = (0..100).map(|at| (format!("s{at:03}"), 1)).collect();
        let all = |count: u32| -> Vec<(&str, u32)> {
            many.iter()
                .map(|(name, it)| (&**name, it + count))
                .collect()
        };
        assert_eq!(change(&topology(1, &all(0)), &topology(2, &all(1))), None);
    }

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
