//! From a request to storage: who sends, what it means, and what of it could not be taken.
//!
//! ```text
//! decoded ─► senders and peers (asks) ─► as ours (a thread for long work) ─► queue ─► stored
//! ```
//!
//! Invariant: at most [`TURNS`] requests are unpacked and held as messages at a time; what they
//! become is charged to the queue of telemetry by its size in memory.

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::clock::Clock;
use contract::ids::{OpId, ServiceId, TraceId};
use parking_lot::Mutex;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::deltas::{Deltas, Total};
use super::logs;
use super::message::{LogsRequest, Resource, ResourceSpans, Scope, Span, TracesRequest};
use super::metrics::Reader;
use super::points::MetricsRequest;
use super::sender::sender;
use super::spans::{self, Around, Other, Work};
use crate::db::{DbError, DbErrorKind};
use crate::registry::{AdmitError, Registry};
use crate::settings::{Settings, keys};
use crate::telemetry::{Actor, MaskKeys, OPS_MAX, Outside, OutsideError, Reports, Telemetry};

/// Traces of one request that are looked up to learn who called.
const LOOKED_UP_MAX: usize = 64;
/// Requests that are unpacked and read at the same time.
const TURNS: usize = 2;
/// Longest name and version of a scope, in bytes; the rest is cut.
const SCOPE_BYTES_MAX: usize = 256;

/// Takes OTLP in. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Otlp(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    telemetry: Telemetry,
    reports: Reports,
    registry: Registry,
    settings: Settings,
    clock: Clock,
    hasher: RandomState,
    deltas: Mutex<Deltas>,
    turns: Arc<Semaphore>,
    streams: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
}

/// A request that has its turn: how long it is, unpacked.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) bytes: usize,
    pub(super) turn: OwnedSemaphorePermit,
}

/// What of a request was not taken, though the rest was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) rejected: usize,
    /// Why; empty when nothing was.
    pub(super) why: String,
}

impl Taken {
    fn add(&mut self, rejected: usize, why: impl FnOnce() -> String) {
        if rejected > 0 && self.why.is_empty() {
            self.why = why();
        }
        self.rejected += rejected;
    }
}

/// What has been taken since the process began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OtlpCounters {
    /// Spans, log records and points.
    pub(crate) accepted: u64,
    /// The same, refused.
    pub(crate) rejected: u64,
}

/// A sender that was let in.
#[derive(Clone, Debug)]
struct Admitted {
    actor: Actor,
    name: String,
    /// The other side of each of its spans, in their order.
    others: Vec<Other>,
}

impl Otlp {
    pub(crate) fn new(
        telemetry: &Telemetry,
        reports: &Reports,
        registry: &Registry,
        settings: &Settings,
        clock: &Clock,
    ) -> Self {
        let since = u64::try_from(clock.now().as_micros()).unwrap_or(0);
        Self(Arc::new(Inner {
            telemetry: telemetry.clone(),
            reports: reports.clone(),
            registry: registry.clone(),
            settings: settings.clone(),
            clock: clock.clone(),
            hasher: RandomState::new(),
            deltas: Mutex::new(Deltas::new(since.saturating_mul(1_000))),
            turns: Arc::new(Semaphore::new(TURNS)),
            streams: AtomicU64::new(1),
            accepted: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        }))
    }

    pub(crate) fn counters(&self) -> OtlpCounters {
        OtlpCounters {
            accepted: self.0.accepted.load(Ordering::Relaxed),
            rejected: self.0.rejected.load(Ordering::Relaxed),
        }
    }

    /// Waits until few enough other requests are being read.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.0.turns.clone().acquire_owned().await
    }

    /// Stores spans, and their events as log lines.
    pub(super) async fn traces(
        &self,
        sent: Sent,
        request: TracesRequest,
    ) -> Result<Taken, OutsideError> {
        let mut taken = Taken::default();
        let mut peers = Peers::new(self);
        let mut senders = Vec::with_capacity(request.resource_spans.len());
        for part in &request.resource_spans {
            let all = part.scope_spans.iter().map(|it| it.spans.len()).sum();
            let mut from = self.admit(part.resource.as_ref(), all, &mut taken).await?;
            if let Some(from) = &mut from {
                from.others = peers.all(part, from.actor.service).await?;
            }
            senders.push(from);
        }
        let otlp = self.clone();
        let read = move || otlp.frames(&request, senders, taken);
        let (said, taken) = apart(sent.turn, read).await?;
        let items = said.ops.iter().map(|it| it.1.len()).sum();
        self.take(sent.bytes, said, items, taken).await
    }

    /// Spans as operations and lines.
    fn frames(
        &self,
        request: &TracesRequest,
        senders: Vec<Option<Admitted>>,
        mut taken: Taken,
    ) -> (Outside, Taken) {
        let mut said = self.outside();
        let masks = self.masks();
        let now_ms = self.0.clock.now().as_millis();
        let parts = request.resource_spans.iter().zip(senders);
        for (part, from) in parts.filter_map(|(part, from)| Some((part, from?))) {
            let mut others = from.others.iter();
            let mut frames = Vec::with_capacity(from.others.len());
            for in_scope in &part.scope_spans {
                let scope = cut(in_scope.scope.as_ref());
                let around = from.around(scope.as_ref(), &masks);
                for (span, other) in in_scope.spans.iter().zip(&mut others) {
                    let Some(frame) = spans::frame(span, around, other) else {
                        taken.add(1, || NO_IDS.to_owned());
                        continue;
                    };
                    if let Some((kind, name)) = spans::served(&spans::work(span)) {
                        let service = from.actor.service;
                        self.0.registry.foreign_serves(service, kind, &name);
                    }
                    frames.push(frame);
                    said.logs.extend(spans::lines(span, around, now_ms));
                }
            }
            said.ops.push((from.actor, frames));
        }
        (said, taken)
    }

    /// Stores log records.
    pub(super) async fn logs(
        &self,
        sent: Sent,
        request: LogsRequest,
    ) -> Result<Taken, OutsideError> {
        let mut taken = Taken::default();
        let mut senders = Vec::with_capacity(request.resource_logs.len());
        for part in &request.resource_logs {
            let all = part.scope_logs.iter().map(|it| it.log_records.len()).sum();
            senders.push(self.admit(part.resource.as_ref(), all, &mut taken).await?);
        }
        let otlp = self.clone();
        let said = apart(sent.turn, move || otlp.lines(&request, &senders)).await?;
        let items = said.logs.len();
        self.take(sent.bytes, said, items, taken).await
    }

    /// Log records as lines.
    fn lines(&self, request: &LogsRequest, senders: &[Option<Admitted>]) -> Outside {
        let mut said = self.outside();
        let masks = self.masks();
        let now_ms = self.0.clock.now().as_millis();
        let parts = request.resource_logs.iter().zip(senders);
        for (part, from) in parts.filter_map(|(part, from)| Some((part, from.as_ref()?))) {
            for in_scope in &part.scope_logs {
                let scope = cut(in_scope.scope.as_ref());
                let around = from.around(scope.as_ref(), &masks);
                let records = in_scope.log_records.iter();
                said.logs
                    .extend(records.map(|it| logs::line(it, around, now_ms)));
            }
        }
        said
    }

    /// Stores points of metrics.
    pub(super) async fn metrics(
        &self,
        sent: Sent,
        request: MetricsRequest,
    ) -> Result<Taken, OutsideError> {
        let mut taken = Taken::default();
        let mut senders = Vec::with_capacity(request.resource_metrics.len());
        let mut items: usize = 0;
        for part in &request.resource_metrics {
            let all = part.points();
            let from = self.admit(part.resource.as_ref(), all, &mut taken).await?;
            items += from.as_ref().map_or(0, |_| all);
            senders.push(from);
        }
        let otlp = self.clone();
        let read = move || otlp.points(&request, &senders);
        let (said, totals, rejected) = apart(sent.turn, read).await?;
        taken.add(rejected, || NO_POINT.to_owned());
        let items = items.saturating_sub(rejected);
        let taken = self.take(sent.bytes, said, items, taken).await?;
        let now = self.0.clock.monotonic();
        self.0.deltas.lock().keep(totals, now);
        Ok(taken)
    }

    /// Points as reports, with the totals to remember once they are stored, and how many points
    /// could not be read.
    fn points(
        &self,
        request: &MetricsRequest,
        senders: &[Option<Admitted>],
    ) -> (Outside, HashMap<u64, Total>, usize) {
        let mut said = self.outside();
        let mut rejected = 0;
        let masks = self.masks();
        let mut deltas = self.0.deltas.lock();
        deltas.tidy(self.0.clock.monotonic());
        let mut batch = deltas.batch();
        let parts = request.resource_metrics.iter().zip(senders);
        for (part, from) in parts.filter_map(|(part, from)| Some((part, from.as_ref()?))) {
            let mut reader = Reader {
                instance: from.actor.instance,
                scope: 0,
                masks: &masks,
                hasher: &self.0.hasher,
                batch: &mut batch,
                reports: Vec::new(),
                rejected: 0,
            };
            for in_scope in &part.scope_metrics {
                reader.enter(in_scope.scope.as_ref());
                in_scope.metrics.iter().for_each(|it| reader.read(it));
            }
            rejected += reader.rejected;
            said.metrics.push((from.actor, reader.reports));
        }
        (said, batch.finish(), rejected)
    }

    async fn admit(
        &self,
        resource: Option<&Resource>,
        items: usize,
        taken: &mut Taken,
    ) -> Result<Option<Admitted>, OutsideError> {
        let who = sender(resource);
        match self.0.registry.admit(&who).await {
            Ok((service, instance)) => {
                let name = self.0.registry.service_name(service);
                Ok(Some(Admitted {
                    actor: Actor { service, instance },
                    name: name.unwrap_or(who.service),
                    others: Vec::new(),
                }))
            }
            Err(error @ AdmitError::TooMany) => {
                taken.add(items, || error.to_string());
                Ok(None)
            }
            Err(AdmitError::Store(error)) => Err(OutsideError::Store(error)),
        }
    }

    async fn take(
        &self,
        bytes: usize,
        said: Outside,
        items: usize,
        mut taken: Taken,
    ) -> Result<Taken, OutsideError> {
        let dropped = if self.0.settings.get(keys::TELEMETRY_ENABLE) {
            let dropped = self.0.reports.take(bytes, said).await?;
            // A summary's point is several of ours.
            let points = dropped.points.min(items);
            taken.add(dropped.ops, || TAKEN_IDS.to_owned());
            taken.add(points, || NO_POINT.to_owned());
            dropped.ops + points
        } else {
            taken.add(items, || OFF.to_owned());
            items
        };
        let count = |counter: &AtomicU64, items: usize| {
            counter.fetch_add(items as u64, Ordering::Relaxed);
        };
        count(&self.0.accepted, items - dropped.min(items));
        count(&self.0.rejected, taken.rejected);
        Ok(taken)
    }

    fn outside(&self) -> Outside {
        Outside {
            stream: self.0.streams.fetch_add(1, Ordering::Relaxed),
            ..Outside::default()
        }
    }

    fn masks(&self) -> MaskKeys {
        MaskKeys::new(&self.0.settings.get(keys::TELEMETRY_MASK_KEYS))
    }
}

const NO_IDS: &str =
    "a span needs a trace id of 16 bytes and a span id of 8 that are not zero, and a start time";
const TAKEN_IDS: &str = "a span has the ids of another service's span, or times that are none";
const NO_POINT: &str = "a point needs a name, a finite value and a temporality, a counter must not \
                        fall, buckets need one count more than bounds, of which there may be 256, a \
                        summary may have 16 quantiles, and an instance 10,000 series";
const OFF: &str = "telemetry is switched off (setting telemetry.enable)";

impl Admitted {
    fn around<'a>(&'a self, scope: Option<&'a Scope>, masks: &'a MaskKeys) -> Around<'a> {
        Around {
            actor: self.actor,
            service: &self.name,
            scope,
            masks,
        }
    }
}

/// A scope that is not too long to be kept with everything in it.
fn cut(scope: Option<&Scope>) -> Option<Scope> {
    let cut = |text: &str| text[..text.floor_char_boundary(SCOPE_BYTES_MAX)].to_owned();
    let scope = scope?;
    Some(Scope {
        name: cut(&scope.name),
        version: cut(&scope.version),
    })
}

/// Does what takes long where it holds up nothing else; the turn is over with it.
async fn apart<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OutsideError> {
    let work = move || {
        let done = work();
        drop(turn);
        done
    };
    let lost = |_| {
        let detail = "the task that reads it has ended";
        DbError::new(DbErrorKind::Unavailable, "read telemetry", detail)
    };
    Ok(tokio::task::spawn_blocking(work).await.map_err(lost)?)
}

/// Finds out who is on the other side of a span.
struct Peers<'o> {
    otlp: &'o Otlp,
    by_address: HashMap<String, Option<ServiceId>>,
    /// Of the traces that were looked up: whose each span is.
    by_span: HashMap<TraceId, HashMap<u64, ServiceId>>,
}

impl<'o> Peers<'o> {
    fn new(otlp: &'o Otlp) -> Self {
        Self {
            otlp,
            by_address: HashMap::new(),
            by_span: HashMap::new(),
        }
    }

    /// Of each span, in their order.
    async fn all(&mut self, part: &ResourceSpans, own: ServiceId) -> Result<Vec<Other>, DbError> {
        let mut others = Vec::new();
        for span in part.scope_spans.iter().flat_map(|it| &it.spans) {
            others.push(self.of(&spans::work(span), span, own).await?);
        }
        Ok(others)
    }

    async fn of(&mut self, work: &Work, span: &Span, own: ServiceId) -> Result<Other, DbError> {
        match work {
            Work::HttpClient { .. } | Work::RpcClient { .. } => Ok(self.called(span)),
            Work::HttpServer { .. } | Work::RpcServer { .. } => {
                let id = self.caller(span).await?.filter(|it| *it != own);
                Ok(Other {
                    id,
                    name: String::new(),
                })
            }
            Work::Publish { .. } | Work::Deliver { .. } | Work::Own => Ok(Other::default()),
        }
    }

    /// By the address it called, or by the name that the span has for it.
    fn called(&mut self, span: &Span) -> Other {
        let registry = &self.otlp.0.registry;
        let address = spans::address(span);
        let found = self.by_address.entry(address.clone());
        let found = *found.or_insert_with_key(|it| registry.serving_at(it));
        let said = spans::said_peer(span);
        let id = found.or_else(|| registry.service_named(said));
        let known = id.and_then(|id| registry.service_name(id));
        let otherwise = if said.is_empty() {
            address
        } else {
            said.to_owned()
        };
        Other {
            id,
            name: known.unwrap_or(otherwise),
        }
    }

    /// By whose operation the span's parent is, if that is known already.
    async fn caller(&mut self, span: &Span) -> Result<Option<ServiceId>, DbError> {
        let trace = spans::trace_id(&span.trace_id);
        let Some((trace, parent)) = trace.zip(spans::parent_id(&span.parent_span_id)) else {
            return Ok(None);
        };
        if !self.by_span.contains_key(&trace) {
            if self.by_span.len() >= LOOKED_UP_MAX {
                return Ok(None);
            }
            let telemetry = &self.otlp.0.telemetry;
            let page = telemetry.get_trace(trace, OPS_MAX, None).await?;
            let owner = |op: &crate::telemetry::Operation| (span_of(op.op), op.actor.service);
            let owners = page.ops.iter().map(owner).collect();
            self.by_span.insert(trace, owners);
        }
        let owners = self.by_span.get(&trace);
        Ok(owners.and_then(|it| it.get(&span_of(parent)).copied()))
    }
}

fn span_of(op: OpId) -> u64 {
    op.as_uuid().as_u64_pair().1
}
