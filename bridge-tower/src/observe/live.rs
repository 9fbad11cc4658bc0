//! A request under way: what is known about it, and the one place where it ends.
//!
//! Invariant: it is counted exactly once and recorded at most once, whichever of its future and
//! its body is dropped first.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use contract::clock::{Monotonic, Timestamp};
use http::{Request, Version};
use tracing::span::Entered;
use tracing::{Level, Span};

use crate::context::{self, CallContext};
use crate::record::{Ending, Kind, Record, Route, Text, Verb};
use crate::recorder::{Recorder, Step, Ticket};
use crate::red::SeriesKey;
use crate::trace::Heard;

/// Target of the spans of requests, to filter them by.
pub const SPAN_TARGET: &str = "bridge::request";

/// Where the inside of a router leaves the route it matched, for a layer outside of it.
#[derive(Clone, Debug)]
pub(crate) struct RouteCell(Arc<AtomicU32>);

impl RouteCell {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU32::new(Route::UNMATCHED.0)))
    }

    pub(crate) fn set(&self, route: Route) {
        self.0.store(route.0, Ordering::Relaxed);
    }
}

/// How the route of a request is known.
#[derive(Debug)]
pub(crate) enum RouteSource {
    Known(Route),
    /// Stamped while the request runs.
    Stamped(RouteCell),
}

impl RouteSource {
    fn route(&self) -> Route {
        match self {
            Self::Known(route) => *route,
            Self::Stamped(cell) => Route(cell.0.load(Ordering::Relaxed)),
        }
    }
}

/// A request that has just arrived.
pub(crate) struct Arrival {
    /// `None` when it is neither recorded nor counted.
    pub(crate) live: Option<Live>,
    /// What its handler runs in.
    pub(crate) context: CallContext,
}

/// A request that has not ended.
#[derive(Debug)]
pub(crate) struct Live {
    recorder: Recorder,
    started: Monotonic,
    pub(crate) response_bytes: u64,
    route: RouteSource,
    pub(crate) status: u16,
    verb: Verb,
    state: State,
    /// What becomes its record; `None` when it leaves none. Apart, because everything else moves
    /// from the future into the body.
    record: Option<Box<Record>>,
    ticket: Option<Ticket>,
    /// `None` unless a subscriber wants one; then the handler and its body run inside.
    span: Option<Box<Span>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody had to wait for it yet.
    Swift,
    /// It can be announced, if there was room.
    Waiting,
    Ended,
}

impl Live {
    /// A request that arrives now.
    #[inline]
    pub(crate) fn arrives<B>(
        recorder: &Recorder,
        request: &Request<B>,
        heard: &Heard<'_>,
        route: impl FnOnce() -> RouteSource,
    ) -> Arrival {
        let inner = &*recorder.0;
        // Nearly always read here, once; and not at all for who is neither counted nor recorded.
        let counted = inner.counts.then(|| inner.clock.monotonic());
        let now = || counted.unwrap_or_else(|| inner.clock.monotonic());
        let step = inner.step(heard, now);
        let carried = heard.carried();
        let live = (step.is_recorded || inner.counts).then(|| {
            let (started, route) = (now(), route());
            let record = step.is_recorded.then(|| {
                let mut record = record(request, heard, &step, inner.wall(started));
                record.route = route.route();
                record.carried.clone_from(&carried);
                record
            });
            let span = span(recorder, request, &step, &route);
            Self {
                recorder: recorder.clone(),
                started,
                response_bytes: 0,
                route,
                status: 0,
                verb: request.method().into(),
                state: State::Swift,
                record,
                ticket: None,
                span,
            }
        });
        Arrival {
            live,
            context: CallContext {
                trace: step.context,
                deadline: context::deadline(),
                flags: step.flags,
                carried,
            },
        }
    }

    /// Whether the request is counted only, which makes the exact moment of its last byte matter
    /// less.
    #[cfg(feature = "axum")]
    pub(crate) fn is_counted_only(&self) -> bool {
        self.record.is_none()
    }

    /// Runs what is inside of the request inside of its span, while it is held.
    #[inline]
    pub(crate) fn entered(&self) -> Option<Entered<'_>> {
        self.span.as_deref().map(Span::enter)
    }

    /// The request has to wait for something: from now on it can be announced as running.
    #[inline]
    pub(crate) fn waits(&mut self) {
        if self.state == State::Swift {
            self.begin_waiting();
        }
    }

    fn begin_waiting(&mut self) {
        self.state = State::Waiting;
        if let Some(record) = &self.record {
            let mut record = record.clone();
            record.route = self.route.route();
            self.ticket = self.recorder.0.waits(record, self.started);
        }
    }

    /// The request has ended; does nothing the second time.
    #[inline]
    pub(crate) fn end(&mut self, ending: Ending) {
        if std::mem::replace(&mut self.state, State::Ended) == State::Ended {
            return;
        }
        if let Some(span) = &self.span {
            span.record("http.response.status_code", self.status);
        }
        let inner = &*self.recorder.0;
        let nanos = inner.clock.monotonic().nanos_since(self.started);
        let key = SeriesKey {
            route: self.route.route(),
            verb: self.verb,
            status: self.status,
            broken: ending != Ending::Answered,
        };
        let record = self.record.take().map(|mut record| {
            record.announced = self.ticket.take().is_some_and(Ticket::redeem);
            record.duration = Duration::from_nanos(nanos);
            record.response_bytes = self.response_bytes;
            record.route = key.route;
            record.status = self.status;
            record.ending = ending;
            record
        });
        inner.ended(key, nanos, self.response_bytes, record);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.end(if std::thread::panicking() {
            Ending::Panicked
        } else {
            Ending::Aborted
        });
    }
}

/// The request's span with the names of the semantic conventions; made only if wanted.
#[inline]
fn span<B>(
    recorder: &Recorder,
    request: &Request<B>,
    step: &Step,
    route: &RouteSource,
) -> Option<Box<Span>> {
    if !tracing::enabled!(target: SPAN_TARGET, Level::INFO) {
        return None;
    }
    let template = || recorder.route_name(route.route());
    let span = tracing::info_span!(
        target: SPAN_TARGET,
        "request",
        otel.kind = "server",
        http.request.method = Verb::from(request.method()).as_str(),
        http.route = template().as_deref(),
        http.response.status_code = tracing::field::Empty,
        url.path = request.uri().path(),
        trace_id = %step.context.trace.as_uuid().simple(),
        span_id = format_args!("{:016x}", step.context.span_id()),
    );
    (!span.is_disabled()).then(|| Box::new(span))
}

/// What is known of a request when it arrives.
fn record<B>(
    request: &Request<B>,
    heard: &Heard<'_>,
    step: &Step,
    started: Timestamp,
) -> Box<Record> {
    Box::new(Record {
        kind: Kind::Server,
        peer: None,
        context: step.context,
        parent: heard.parent.map(|it| it.parent),
        started,
        duration: Duration::ZERO,
        response_bytes: 0,
        route: Route::UNMATCHED,
        status: 0,
        verb: request.method().into(),
        ending: Ending::Running,
        announced: false,
        version: version(request.version()),
        path: Text::new(request.uri().path()),
        idempotency_key: heard.idempotency_key().map(Into::into),
        carried: None,
    })
}

fn version(version: Version) -> u8 {
    match version {
        Version::HTTP_09 => 9,
        Version::HTTP_10 => 10,
        Version::HTTP_2 => 20,
        Version::HTTP_3 => 30,
        _ => 11,
    }
}
