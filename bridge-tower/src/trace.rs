//! Trace context in HTTP headers: read the caller's, write our own.
//!
//! Two spellings carry the same thing. A valid `x-sb-trace` wins over `traceparent`, because it
//! keeps the whole parent id; anything malformed counts as absent. Nothing is parsed that nobody
//! asks for: `tracestate` and `baggage` travel as they came.
//!
//! Invariant: `tracestate` never goes out without the `traceparent` it belongs to.

use std::sync::Arc;

use contract::headers::{
    BAGGAGE, ENVOY_TIMEOUT_MS, GRPC_TIMEOUT, IDEMPOTENCY_KEY, TRACEPARENT, TRACESTATE,
    TraceContext, X_SB_TRACE,
};
use contract::w3c::TraceFlags;
use http::{HeaderMap, HeaderValue};

use crate::context::{self, CallContext};
use crate::w3c::{self, Carried, Incoming};

/// The headers of a request that concern us, found in one pass over all of them.
#[derive(Debug)]
pub(crate) struct Heard<'h> {
    /// The caller's trace and operation.
    pub(crate) parent: Option<TraceContext>,
    /// The caller's flags; `None` without a valid `traceparent` of the same trace.
    pub(crate) flags: Option<TraceFlags>,
    idempotency_key: Option<&'h HeaderValue>,
    /// The first `Accept` header.
    pub(crate) accept: Option<&'h HeaderValue>,
    carries: bool,
    /// Whether a header tells how long the caller waits.
    pub(crate) tells_deadline: bool,
    headers: &'h HeaderMap,
}

impl<'h> Heard<'h> {
    #[inline]
    pub(crate) fn among(headers: &'h HeaderMap) -> Self {
        let mut heard = Self {
            parent: None,
            flags: None,
            idempotency_key: None,
            accept: None,
            carries: false,
            tells_deadline: false,
            headers,
        };
        let (mut own, mut traceparent, mut is_repeated) = (None, None, false);
        // One pass over all costs less than looking each of ours up. The lengths tell nearly all
        // names apart without reading them.
        for (name, value) in headers {
            let name = name.as_str();
            match name.len() {
                6 if name == "accept" => heard.accept = heard.accept.or(Some(value)),
                7 if name == BAGGAGE => heard.carries = true,
                10 if name == X_SB_TRACE => own = own.or(Some(value)),
                10 if name == TRACESTATE => heard.carries = true,
                11 if name == TRACEPARENT => {
                    is_repeated |= traceparent.is_some();
                    traceparent = Some(value);
                }
                12 if name == GRPC_TIMEOUT => heard.tells_deadline = true,
                30 if name == ENVOY_TIMEOUT_MS => heard.tells_deadline = true,
                15 if name == IDEMPOTENCY_KEY => {
                    heard.idempotency_key = heard.idempotency_key.or(Some(value));
                }
                _ => {}
            }
        }
        // A repeated `traceparent` is as good as none.
        let incoming = Incoming::of(own, traceparent.filter(|_| !is_repeated));
        heard.parent = incoming.parent;
        heard.flags = incoming.flags;
        heard
    }

    pub(crate) fn idempotency_key(&self) -> Option<&'h str> {
        self.idempotency_key?.to_str().ok()
    }

    /// What travels on with the trace.
    pub(crate) fn carried(&self) -> Option<Arc<Carried>> {
        if !self.carries {
            return None;
        }
        Carried::of(self.headers, self.flags.is_some()).map(Arc::new)
    }
}

/// The trace context that `headers` carry.
pub fn extract(headers: &HeaderMap) -> Option<TraceContext> {
    Heard::among(headers).parent
}

/// Writes the current task's trace context into `headers`, in both spellings, replacing what was
/// there, and sends along what its caller sent. Does nothing outside of a call: see
/// [`context::current`].
pub fn inject(headers: &mut HeaderMap) {
    if let Some(current) = context::current() {
        inject_context(&current, headers);
    }
}

/// Writes `context` into `headers`, as [`inject`] does with the current one.
pub fn inject_context(context: &CallContext, headers: &mut HeaderMap) {
    w3c::inject(
        headers,
        &context.trace,
        context.flags,
        context.carried.as_deref(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::w3c::Baggage;

    const SB: &str = "0198c0de-0000-7000-8000-0000000000ab-0198c0de-0000-7000-8000-0000000000cd";
    const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                name.parse().expect("a name"),
                HeaderValue::from_static(value),
            )
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            let name: http::HeaderName = name;
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn our_own_header_wins_over_the_w3c_one() {
        let both = headers(&[(TRACEPARENT, W3C), (X_SB_TRACE, SB)]);
        assert_eq!(extract(&both).map(|it| it.to_string()).as_deref(), Some(SB));
    }

    #[test]
    fn a_malformed_own_header_leaves_the_w3c_one_in_force() {
        let mixed = headers(&[(TRACEPARENT, W3C), (X_SB_TRACE, "nonsense")]);
        let read = extract(&mixed).expect("the other one");
        assert_eq!(read.to_traceparent(true), W3C);
        assert_eq!(extract(&headers(&[(X_SB_TRACE, "nonsense")])), None);
    }

    #[test]
    fn the_flag_says_whether_the_caller_records() {
        for (flags, sampled) in [("00", false), ("01", true), ("0a", false), ("ff", true)] {
            let text: &'static str = format!("{}{flags}", &W3C[..53]).leak();
            let heard = headers(&[(TRACEPARENT, text)]);
            let read = Heard::among(&heard).flags.expect("valid");
            assert_eq!(read.is_sampled(), sampled, "{flags}");
        }
        assert_eq!(Heard::among(&headers(&[(X_SB_TRACE, SB)])).flags, None);
    }

    #[test]
    fn what_travels_along_needs_its_parent() {
        let state = [(TRACESTATE, "a=1"), (TRACESTATE, "b=2"), (BAGGAGE, "k=v")];
        let alone = headers(&state);
        let carried = Heard::among(&alone).carried().expect("baggage");
        assert_eq!(carried.state(), None);
        assert_eq!(carried.baggage().get("k").as_deref(), Some("v"));
        let mut whole = headers(&state);
        whole.append(TRACEPARENT, HeaderValue::from_static(W3C));
        let carried = Heard::among(&whole).carried().expect("both");
        assert_eq!(carried.state().expect("valid").header(), "a=1,b=2");
        whole.append(TRACEPARENT, HeaderValue::from_static(W3C));
        assert_eq!(extract(&whole), None, "repeated");
    }

    #[tokio::test]
    async fn injected_headers_are_read_back_as_the_same_context() {
        let trace = TraceContext::parse(SB).expect("valid");
        let mut context = CallContext::new(trace);
        context.flags = TraceFlags::RANDOM;
        let mut carried = Carried::default();
        carried.set_baggage(&Baggage::read(&HeaderValue::from_static("k=v")));
        context.carried = Some(Arc::new(carried));
        let written = context::scope(context, async {
            let mut written = headers(&[(BAGGAGE, "old=1")]);
            inject(&mut written);
            written
        })
        .await;
        assert_eq!(extract(&written), Some(trace));
        let heard = Heard::among(&written);
        assert_eq!(heard.flags, Some(TraceFlags::RANDOM));
        let carried = heard.carried().expect("baggage");
        assert_eq!(carried.baggage().get("k").as_deref(), Some("v"));
    }
}
