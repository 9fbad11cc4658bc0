//! Who called over plain HTTP. The called service reports a request and the span it came from, the
//! caller reports that span: two reporters, in either order, seconds apart.
//!
//! Refuses to wait: a request is counted when it ended, as from outside or as from whoever called
//! that route before. What its caller says within [`CLAIM_WITHIN`] puts it right; if nobody says
//! anything, it was from outside.
//!
//! Invariant: [`SPANS_MAX`] spans of each side at most, and nothing at all is remembered of
//! requests while nobody reports calls.

use std::time::Duration;

use contract::ids::{OpId, ServiceId, TraceId};

use super::remembered::Remembered;

/// Spans of each side that are remembered.
pub(super) const SPANS_MAX: usize = 16_384;
/// How long after a request its caller may say that it was the caller; exporters gather for five
/// seconds, and some try again.
pub(super) const CLAIM_WITHIN: Duration = Duration::from_secs(30);
/// For how long a report of a call lets requests be remembered.
const LISTENS_FOR: Duration = Duration::from_secs(600);
/// How subjects of calls begin, and of requests.
const CALL: &str = "http.call:";
const REQUEST: &str = "http.handle:";

/// A span as both sides know it: its trace, and the low half of its operation's id.
pub(super) type Span = (TraceId, u64);

pub(super) fn span(trace: TraceId, op: OpId) -> Span {
    (trace, op.as_uuid().as_u64_pair().1)
}

pub(super) fn is_call(subject: &str) -> bool {
    subject.starts_with(CALL)
}

pub(super) fn is_request(subject: &str) -> bool {
    subject.starts_with(REQUEST)
}

/// A request that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// Where it is counted now, and where it is if it was from outside.
    pub(super) series: u32,
    pub(super) outside: u32,
    /// When, after the beginning of time.
    pub(super) age: Duration,
    pub(super) duration_ms: u64,
    pub(super) failed: bool,
}

#[derive(Debug)]
pub(super) struct Callers {
    calls: Remembered<Span, ServiceId>,
    requests: Remembered<Span, Request>,
    /// When a call was reported last.
    heard: Option<Duration>,
}

impl Callers {
    pub(super) fn new() -> Self {
        Self {
            calls: Remembered::new(SPANS_MAX),
            requests: Remembered::new(SPANS_MAX),
            heard: None,
        }
    }

    /// Remembers whose call a span is; gives back the request that it led to, if that is known.
    pub(super) fn called(&mut self, span: Span, by: ServiceId, age: Duration) -> Option<Request> {
        self.heard = Some(age);
        self.calls.insert(span, by);
        self.requests.take(span)
    }

    /// Whose call a span is.
    pub(super) fn caller(&self, span: Span) -> Option<ServiceId> {
        self.calls.get(span).copied()
    }

    /// Whether anybody reports calls.
    pub(super) fn listens(&self, age: Duration) -> bool {
        let lately = |heard| age.saturating_sub(heard) < LISTENS_FOR;
        self.heard.is_some_and(lately)
    }

    /// Remembers a request whose caller is not known; gives back one that nobody will claim.
    pub(super) fn wait(&mut self, span: Span, request: Request) -> Option<Request> {
        self.requests.insert(span, request)
    }

    /// The oldest request that has not been claimed in time.
    pub(super) fn unclaimed(&mut self, age: Duration) -> Option<Request> {
        let late = |it: &Request| age.saturating_sub(it.age) > CLAIM_WITHIN;
        self.requests.take_oldest_if(late)
    }

    /// Counts everything elsewhere from now on.
    pub(super) fn recount(&mut self, series: impl Fn(u32) -> u32) {
        for request in self.requests.values_mut() {
            request.series = series(request.series);
            request.outside = series(request.outside);
        }
    }
}
