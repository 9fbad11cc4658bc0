//! A request that was sent: what goes into its headers, and the one place where it ends.
//!
//! Invariant: it is counted exactly once and recorded at most once, whichever of its future and
//! its body is dropped first.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::clock::Monotonic;
use contract::headers::{IDEMPOTENCY_KEY, TraceContext};
use contract::ids::{OpId, TraceId};
use contract::w3c::TraceFlags;
use http::{HeaderMap, Version};

use super::Outgoing;
use super::target::Target;
use crate::context::{self, CallContext, Deadline};
use crate::deadline;
use crate::record::{Ending, Kind, Record, Route, Text, Verb};
use crate::recorder::Recorder;
use crate::red::SeriesKey;
use crate::trace;

type Hook = Arc<dyn Fn(Outgoing<'_>) + Send + Sync>;

/// What all requests of one client have in common.
#[derive(Clone)]
pub(super) struct Caller {
    recorder: Recorder,
    hook: Option<Hook>,
    writes_headers: bool,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

/// The deadline had passed before the request was sent.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) peer: Arc<str>,
}

impl Caller {
    pub(super) fn new(recorder: &Recorder) -> Self {
        Self {
            recorder: recorder.clone(),
            hook: None,
            writes_headers: true,
        }
    }

    pub(super) fn tell(&mut self, hook: impl Fn(Outgoing<'_>) + Send + Sync + 'static) {
        self.hook = Some(Arc::new(hook));
    }

    pub(super) fn keep_headers(&mut self) {
        self.writes_headers = false;
    }

    /// A request that is sent now, unless nobody would wait for its answer.
    pub(super) fn departs(
        &self,
        out: Outgoing<'_>,
        target: &Target<'_>,
        headers: &mut HeaderMap,
    ) -> Result<Call, Refused> {
        if let Some(hook) = &self.hook {
            hook(out);
        }
        let (mut call, context) = self.call(out, target, headers);
        let is_late = context.deadline.as_ref().is_some_and(Deadline::has_passed);
        if is_late {
            call.end(Ending::Aborted);
            return Err(Refused { peer: call.peer() });
        }
        if self.writes_headers {
            trace::inject_context(&context, headers);
            if let Some(left) = &context.deadline {
                deadline::inject(headers, left);
            }
        }
        call.deadline = context.deadline;
        Ok(call)
    }

    /// The call, and the context that the other side is told.
    fn call(
        &self,
        out: Outgoing<'_>,
        target: &Target<'_>,
        headers: &HeaderMap,
    ) -> (Call, CallContext) {
        let inner = &*self.recorder.0;
        let started = inner.clock.monotonic();
        let wall = inner.wall(started);
        let current = context::current();
        let parent = current.as_ref().map(|it| it.trace.parent);
        let mint = || OpId::mint_at(&inner.mint, wall);
        let mut context = current.unwrap_or_else(|| {
            let trace = TraceId::mint_at(&inner.mint, wall);
            let random = trace.as_uuid().as_u64_pair().1;
            let parent = mint();
            let mut root = CallContext::new(TraceContext { trace, parent });
            root.flags = TraceFlags::NONE.sampled(inner.decider.records(None, random));
            root
        });
        let is_recorded = context.flags.is_sampled() && inner.is_collecting();
        // Who leaves no record is not a step of the trace.
        if is_recorded && parent.is_some() {
            context.trace.parent = mint();
        }
        let peer = self.recorder.peer(out.peer);
        let key = headers.get(IDEMPOTENCY_KEY).and_then(|it| it.to_str().ok());
        let template = |it| self.recorder.route(it);
        let record = is_recorded.then(|| {
            Box::new(Record {
                kind: Kind::Client,
                context: context.trace,
                parent,
                started: wall,
                duration: Duration::ZERO,
                response_bytes: 0,
                route: out.template.map_or(Route::UNMATCHED, template),
                status: 0,
                verb: out.method.into(),
                ending: Ending::Running,
                announced: false,
                version: 0,
                path: Text::new(&target.url()),
                peer: self.recorder.route_name(peer),
                idempotency_key: key.map(Into::into),
                carried: context.carried.clone(),
            })
        });
        let call = Call {
            recorder: self.recorder.clone(),
            started,
            peer,
            deadline: None,
            response_bytes: 0,
            status: 0,
            version: 0,
            verb: out.method.into(),
            is_open: true,
            record,
        };
        (call, context)
    }
}

/// A request that was sent and has not ended.
#[derive(Debug)]
pub(super) struct Call {
    recorder: Recorder,
    started: Monotonic,
    peer: Route,
    pub(super) deadline: Option<Deadline>,
    pub(super) response_bytes: u64,
    status: u16,
    version: u8,
    verb: Verb,
    is_open: bool,
    /// What becomes its record; `None` when it leaves none.
    record: Option<Box<Record>>,
}

impl Call {
    /// Whom it went to.
    pub(super) fn peer(&self) -> Arc<str> {
        let name = self.recorder.route_name(self.peer);
        name.unwrap_or_else(|| "the peer".into())
    }

    /// The head of the answer is there.
    pub(super) fn answered(&mut self, status: u16, version: Version) {
        self.status = status;
        self.version = match version {
            Version::HTTP_09 => 9,
            Version::HTTP_10 => 10,
            Version::HTTP_2 => 20,
            Version::HTTP_3 => 30,
            _ => 11,
        };
    }

    /// The request has ended; does nothing the second time.
    pub(super) fn end(&mut self, ending: Ending) {
        if !std::mem::replace(&mut self.is_open, false) {
            return;
        }
        let inner = &*self.recorder.0;
        let nanos = inner.clock.monotonic().nanos_since(self.started);
        let key = SeriesKey {
            route: self.peer,
            verb: self.verb,
            status: self.status,
            broken: ending != Ending::Answered,
        };
        let record = self.record.take().map(|mut record| {
            record.duration = Duration::from_nanos(nanos);
            record.response_bytes = self.response_bytes;
            record.status = self.status;
            record.version = self.version;
            record.ending = ending;
            record
        });
        inner.ended(key, nanos, self.response_bytes, record);
    }
}

impl Drop for Call {
    /// Who has the head and drops the body has seen enough: the status tells how it went.
    fn drop(&mut self) {
        self.end(if self.status == 0 {
            Ending::Aborted
        } else {
            Ending::Answered
        });
    }
}
