//! Which trace a request belongs to, and the headers that tell the next service.
//!
//! Two spellings carry the same thing. A valid `x-sb-trace` wins, because it keeps the whole
//! parent id; a `traceparent` of the same trace still tells its flags and owns its `tracestate`.

use http::{HeaderMap, HeaderName, HeaderValue};

use contract::headers::{
    BAGGAGE, TRACE_TEXT_LEN, TRACEPARENT, TRACESTATE, TraceContext, X_SB_TRACE,
};
use contract::w3c::{TraceFlags, TraceParent};

use super::carried::Carried;

const OWN: HeaderName = HeaderName::from_static(X_SB_TRACE);
const PARENT: HeaderName = HeaderName::from_static(TRACEPARENT);
const STATE: HeaderName = HeaderName::from_static(TRACESTATE);
const USERS: HeaderName = HeaderName::from_static(BAGGAGE);

/// What the headers of a request say about its trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Incoming {
    /// The trace, and the caller's operation. `None`: a trace begins here.
    pub parent: Option<TraceContext>,
    /// The caller's flags; `None` when there is no valid `traceparent` of this trace.
    pub flags: Option<TraceFlags>,
}

impl Incoming {
    /// Reads the first `x-sb-trace` and the only `traceparent` of a request. A repeated
    /// `traceparent` is as good as none: pass `None` then.
    #[inline]
    pub fn of(own: Option<&HeaderValue>, traceparent: Option<&HeaderValue>) -> Self {
        let own = own.and_then(read_own);
        let read = traceparent.and_then(|value| TraceParent::parse(value.as_bytes()));
        let w3c = read.map(TraceContext::from);
        let is_same = w3c.is_some_and(|w3c| own.is_none_or(|own| own.trace == w3c.trace));
        Self {
            parent: own.or(w3c),
            flags: read.filter(|_| is_same).map(|it| it.flags()),
        }
    }

    /// Whether the caller records the trace; `None` when it does not say.
    pub fn sampled(&self) -> Option<bool> {
        self.flags.map(TraceFlags::is_sampled)
    }

    /// What travels on with the trace. `headers` are those that this was read from.
    pub fn carried(&self, headers: &HeaderMap) -> Option<Carried> {
        Carried::of(headers, self.flags.is_some())
    }
}

/// Apart, because few requests have it and reading the other one is short.
#[inline(never)]
fn read_own(value: &HeaderValue) -> Option<TraceContext> {
    TraceContext::parse(value.to_str().ok()?)
}

/// Reads what `headers` say about their trace.
pub fn extract(headers: &HeaderMap) -> Incoming {
    Incoming::of(headers.get(OWN), only_parent(headers))
}

/// The trace headers of a request that is about to be given away, unread until somebody asks.
#[derive(Clone, Debug)]
pub(crate) struct Unread {
    own: Option<HeaderValue>,
    traceparent: Option<HeaderValue>,
}

impl Unread {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            own: headers.get(OWN).cloned(),
            traceparent: only_parent(headers).cloned(),
        }
    }

    pub(crate) fn read(&self) -> Incoming {
        Incoming::of(self.own.as_ref(), self.traceparent.as_ref())
    }
}

fn only_parent(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut parents = headers.get_all(PARENT).iter();
    parents.next().filter(|_| parents.next().is_none())
}

/// Tells the next service: writes `trace` in both spellings and what travels with it, replacing
/// what was there. A `tracestate` of another trace goes; the user's `baggage` stays when nothing
/// is carried. An id that is zero cannot be told in the W3C's spelling and is left out of it.
pub fn inject(
    headers: &mut HeaderMap,
    trace: &TraceContext,
    flags: TraceFlags,
    carried: Option<&Carried>,
) {
    let mut own = [0; TRACE_TEXT_LEN];
    let own = trace.encode(&mut own).as_bytes();
    set(headers, OWN, HeaderValue::from_bytes(own).ok());
    let parent = trace.traceparent(flags).map(|it| it.encode());
    let is_told = parent.is_some();
    let parent = parent.and_then(|text| HeaderValue::from_bytes(&text).ok());
    set(headers, PARENT, parent);
    let state = carried.filter(|_| is_told).and_then(Carried::state);
    set(headers, STATE, state.map(|it| it.header().clone()));
    let baggage = carried.map(Carried::baggage);
    if let Some(baggage) = baggage.as_ref().and_then(|it| it.header()) {
        headers.insert(USERS, baggage.clone());
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => {
            headers.insert(name, value);
        }
        None => {
            headers.remove(name);
        }
    }
}
