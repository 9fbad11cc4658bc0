//! Where requests leave their records and counts, and where exporters pick them up.
//!
//! ```text
//!  request ends ─▶ its thread's shard: ring of records + cells ──every 250 ms, or half full──▶ exporters
//!                  (one short lock nobody else wants)              by one thread of our own
//! ```
//!
//! The request's path never waits for an exporter: a full ring drops its oldest record and counts
//! it, and exporting happens on a plain thread that a blocked async runtime cannot hold up.
//!
//! Invariants: a record is handed to every exporter once, or counted as dropped; without an
//! exporter none is kept. A request that runs longer than [`ANNOUNCE_AFTER`] is announced once,
//! before its end. Counts are never dropped.

mod shard;
mod builder;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Thread;
use std::time::Duration;

use contract::clock::{Clock, Monotonic, Timestamp};
use contract::headers::TraceContext;
use contract::ids::{IdMint, OpId, TraceId};
use contract::w3c::TraceFlags;
use parking_lot::{Mutex, RwLock};

pub use self::builder::Builder;
pub(crate) use self::shard::{Shard, Ticket};

use self::shard::Waiting;
use crate::record::{Kind, Record, Route};
use crate::red::{Series, SeriesKey};
use crate::sample::Decider;
use crate::trace::Heard;

/// Records one thread keeps for the exporters by default.
pub const RING_RECORDS: usize = 2_048;
/// Age at which a running request is announced.
pub const ANNOUNCE_AFTER: Duration = Duration::from_millis(250);
/// Routes a recorder tells apart; further ones are [`Route::UNMATCHED`].
pub const ROUTES_MAX: usize = 16_384;
/// Peers a recorder tells apart; further ones are [`Route::OTHER_PEER`].
pub const PEERS_MAX: usize = 1_024;
/// Requests one thread can announce as running at the same time; further ones are recorded at
/// their end only.
pub const RUNNING_MAX: usize = 16_384;
/// Pause between two exports of a process that is not busy.
const EXPORT_EVERY: Duration = Duration::from_millis(250);

/// Takes records away. Called on the recorder's own thread, one batch at a time.
pub trait Export: Send + 'static {
    /// Takes over what `batch` holds. It must not wait for a network: records pile up meanwhile,
    /// and the oldest are dropped.
    fn export(&mut self, batch: &Batch<'_>);
}

/// What an exporter is handed.
#[derive(Debug)]
pub struct Batch<'b> {
    /// Ended requests, and running ones that are announced.
    pub records: &'b [Record],
    /// Records that were dropped since the previous batch.
    pub dropped: u64,
    /// Knows the names of routes, and the counts.
    pub recorder: &'b Recorder,
}

/// The counts of one route (or peer), method and status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSeries {
    /// What was counted.
    pub key: SeriesKey,
    /// Template of the route; `None` for requests that matched none. Of requests sent, the peer;
    /// `None` for peers there was no room for.
    pub route: Option<Arc<str>>,
    /// The counts since the start.
    pub total: Series,
}

/// Keeps records and counts of requests. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Recorder(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    id: u64,
    pub(crate) clock: Clock,
    pub(crate) mint: IdMint,
    pub(crate) decider: Decider,
    origin: Monotonic,
    /// Wall time at `origin`, in microseconds, as of the last look at the wall clock.
    wall_at_origin: AtomicI64,
    /// Whether requests are counted.
    pub(crate) counts: bool,
    ring_records: usize,
    routes: RwLock<Routes>,
    peers: RwLock<Routes>,
    shards: Mutex<Vec<Arc<Shard>>>,
    /// Takes in what threads that are gone, or going, have to leave.
    common: Arc<Shard>,
    collecting: AtomicBool,
    exporters: Mutex<Vec<Box<dyn Export>>>,
    thread: OnceLock<Thread>,
    dropped: AtomicU64,
}

impl std::fmt::Debug for dyn Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Export")
    }
}

#[derive(Debug, Default)]
struct Routes {
    names: Vec<Arc<str>>,
    by_name: HashMap<Arc<str>, Route>,
}

/// Where a request is in its trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// What nested work runs in.
    pub(crate) context: TraceContext,
    pub(crate) flags: TraceFlags,
    pub(crate) is_recorded: bool,
}

thread_local! {
    /// The shards of this thread, by recorder.
    static SHARDS: RefCell<Vec<(u64, Arc<Shard>)>> = const { RefCell::new(Vec::new()) };
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// With the defaults: the system's clock, every trace that its caller did not leave out.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// To say what differs from the defaults.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Hands every record from now on to `exporter` too, from a thread that the first call starts.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn attach(&self, exporter: impl Export) -> std::io::Result<()> {
        self.0.exporters.lock().push(Box::new(exporter));
        self.0.collecting.store(true, Ordering::Relaxed);
        if self.0.thread.get().is_some() {
            return Ok(());
        }
        let weak = Arc::downgrade(&self.0);
        let started = std::thread::Builder::new()
            .name("bridge-export".to_owned())
            .spawn(move || export_while(&weak))?;
        // Of two threads that race here the second exports as well, which harms nobody.
        let _ = self.0.thread.set(started.thread().clone());
        Ok(())
    }

    /// Exports what is there now, on this thread.
    pub fn flush(&self) {
        let mut exporters = self.0.exporters.lock();
        let mut records = Vec::new();
        let dropped = self.drain(&mut records);
        for exporter in exporters.iter_mut() {
            exporter.export(&Batch {
                records: &records,
                dropped,
                recorder: self,
            });
        }
    }

    /// Records dropped because exporters did not keep up, since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// The number of the route with this template, a new one if there is room.
    pub fn route(&self, template: &str) -> Route {
        let number = number_of(&self.0.routes, template, ROUTES_MAX);
        number.map_or(Route::UNMATCHED, Route)
    }

    /// The number of the peer with this address, a new one if there is room.
    pub fn peer(&self, address: &str) -> Route {
        let number = number_of(&self.0.peers, address, PEERS_MAX);
        number.map_or(Route::OTHER_PEER, |it| Route(Route::PEERS + it))
    }

    /// The template of a route or the address of a peer; `None` for [`Route::UNMATCHED`] and
    /// [`Route::OTHER_PEER`].
    pub fn route_name(&self, route: Route) -> Option<Arc<str>> {
        let (names, number) = match route.kind() {
            Kind::Server => (&self.0.routes, route.0),
            Kind::Client => (&self.0.peers, route.0 - Route::PEERS),
        };
        let index = usize::try_from(number).ok()?;
        names.read().names.get(index).cloned()
    }

    /// The counts since the start, in a stable order.
    pub fn totals(&self) -> Vec<RouteSeries> {
        let mut sums = HashMap::new();
        for shard in self.0.shards.lock().iter() {
            shard.0.lock().cells.merge_into(&mut sums);
        }
        let name = |(key, total): (SeriesKey, Series)| RouteSeries {
            route: self.route_name(key.route),
            key,
            total,
        };
        let mut all: Vec<_> = sums.into_iter().map(name).collect();
        all.sort_by_key(|it| it.key);
        all
    }

    /// Requests that wait for something right now.
    pub fn active(&self) -> usize {
        let shards = self.0.shards.lock();
        let waiting = |shard: &Arc<Shard>| {
            let state = shard.0.lock();
            state.running.len() - state.free.len()
        };
        shards.iter().map(waiting).sum()
    }

    /// Takes what is there and looks at the wall clock. Returns the records dropped since the
    /// previous call.
    fn drain(&self, into: &mut Vec<Record>) -> u64 {
        let now = self.0.clock.monotonic();
        let passed = i64::try_from(now.since(self.0.origin).as_micros()).unwrap_or(i64::MAX);
        let wall = self.0.clock.now().as_micros().saturating_sub(passed);
        self.0.wall_at_origin.store(wall, Ordering::Relaxed);
        let mut dropped = 0;
        self.0.shards.lock().retain(|shard| {
            let mut state = shard.0.lock();
            dropped += std::mem::take(&mut state.dropped);
            into.extend(state.ended.drain(..));
            for waiting in state.running.iter_mut().flatten() {
                let due = now.since(waiting.since) >= ANNOUNCE_AFTER;
                if due && !waiting.record.announced {
                    waiting.record.announced = true;
                    into.push(Record::clone(&waiting.record));
                }
            }
            // Its thread has ended and no request of it is left.
            let is_left = Arc::strong_count(shard) == 1;
            if is_left {
                self.0.common.0.lock().cells.absorb(&state.cells);
            }
            !is_left
        });
        self.0.dropped.fetch_add(dropped, Ordering::Relaxed);
        dropped
    }
}

impl Inner {
    /// Wall time at a point of this recorder's clock.
    #[inline]
    pub(crate) fn wall(&self, at: Monotonic) -> Timestamp {
        let passed = i64::try_from(at.since(self.origin).as_micros()).unwrap_or(i64::MAX);
        let origin = self.wall_at_origin.load(Ordering::Relaxed);
        Timestamp::from_micros(origin.saturating_add(passed))
    }

    /// Where a request that arrives is in its trace. Who leaves no record is no step of it: then
    /// nested work hangs under the caller.
    #[inline]
    pub(crate) fn step(&self, heard: &Heard<'_>, now: impl Fn() -> Monotonic) -> Step {
        let decided = heard.flags.map(TraceFlags::is_sampled);
        let samples = |trace: TraceId| {
            let random = trace.as_uuid().as_u64_pair().1;
            self.decider.records(decided, random)
        };
        let Some(parent) = heard.parent else {
            let context = self.root(now());
            let sampled = samples(context.trace);
            return Step {
                context,
                flags: TraceFlags::RANDOM.sampled(sampled),
                is_recorded: sampled && self.is_collecting(),
            };
        };
        let sampled = samples(parent.trace);
        let mut step = Step {
            context: parent,
            // Whoever is no step of a trace has nothing to say about it.
            flags: heard.flags.unwrap_or(TraceFlags::NONE.sampled(sampled)),
            is_recorded: sampled && self.is_collecting(),
        };
        if step.is_recorded {
            step.flags = step.flags.sampled(true);
            step.context.parent = OpId::mint_at(&self.mint, self.wall(now()));
        }
        step
    }

    fn root(&self, now: Monotonic) -> TraceContext {
        let wall = self.wall(now);
        TraceContext {
            trace: TraceId::mint_at(&self.mint, wall),
            parent: OpId::mint_at(&self.mint, wall),
        }
    }

    /// Whether anybody would take a record.
    pub(crate) fn is_collecting(&self) -> bool {
        self.collecting.load(Ordering::Relaxed)
    }

    /// Counts an ended request and keeps its record, if it has one.
    #[inline]
    pub(crate) fn ended(
        &self,
        key: SeriesKey,
        nanos: u64,
        bytes: u64,
        mut record: Option<Box<Record>>,
    ) {
        let waiting = self.with_shard(|shard| {
            let mut state = shard.0.lock();
            state.cells.add(key, nanos, bytes);
            let Some(record) = record.take() else {
                return 0;
            };
            if state.ended.len() >= self.ring_records {
                state.ended.pop_front();
                state.dropped += 1;
            }
            state.ended.push_back(*record);
            state.ended.len()
        });
        if waiting == self.ring_records / 2
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Notes a request that has to wait, so that it can be announced.
    pub(crate) fn waits(&self, record: Box<Record>, since: Monotonic) -> Option<Ticket> {
        let mut waiting = Some(Waiting { record, since });
        self.with_shard(|shard| {
            let mut state = shard.0.lock();
            let waiting = waiting.take();
            let at = if let Some(at) = state.free.pop() {
                *state.running.get_mut(usize::try_from(at).ok()?)? = waiting;
                at
            } else {
                let at = u32::try_from(state.running.len()).ok()?;
                if state.running.len() >= RUNNING_MAX {
                    return None;
                }
                state.running.push(waiting);
                at
            };
            let shard = shard.clone();
            Some(Ticket { shard, at })
        })
    }

    /// Runs `body` on this thread's shard, once.
    #[inline]
    fn with_shard<T>(&self, mut body: impl FnMut(&Arc<Shard>) -> T) -> T {
        let done = SHARDS.try_with(|shards| {
            // Taken while it is in use only by a drop inside `body`, which locks nothing twice.
            let mut shards = shards.try_borrow_mut().ok()?;
            let at = shards.iter().position(|(id, _)| *id == self.id);
            let at = at.unwrap_or_else(|| {
                let shard = Arc::new(Shard::default());
                self.shards.lock().push(shard.clone());
                shards.push((self.id, shard));
                shards.len() - 1
            });
            Some(body(&shards[at].1))
        });
        match done {
            Ok(Some(done)) => done,
            // The thread is going away and has no shard any more.
            _ => body(&self.common),
        }
    }
}

fn number_of(names: &RwLock<Routes>, name: &str, names_max: usize) -> Option<u32> {
    if let Some(Route(number)) = names.read().by_name.get(name) {
        return Some(*number);
    }
    let mut names = names.write();
    let next = u32::try_from(names.names.len()).ok()?;
    if let Some(Route(number)) = names.by_name.get(name) {
        // Somebody was faster with the same name.
        return Some(*number);
    }
    if names.names.len() >= names_max {
        return None;
    }
    let name: Arc<str> = name.into();
    names.by_name.insert(name.clone(), Route(next));
    names.names.push(name);
    Some(next)
}

/// Exports until nobody holds the recorder.
fn export_while(recorder: &Weak<Inner>) {
    loop {
        std::thread::park_timeout(EXPORT_EVERY);
        let Some(inner) = recorder.upgrade() else {
            return;
        };
        Recorder(inner).flush();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests;
