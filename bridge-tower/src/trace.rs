//! Trace context in HTTP headers: read the caller's, write our own.
//!
//! Two spellings carry the same thing. A valid `x-sb-trace` wins over `traceparent`, because it
//! keeps the whole parent id; anything malformed counts as absent. Nothing is parsed that nobody
//! asks for: `tracestate` and `baggage` travel as they came.
//!
//! Invariant: `tracestate` never goes out without the `traceparent` it belongs to.

use std::sync::Arc;

use contract::headers::{
    BAGGAGE, IDEMPOTENCY_KEY, TRACE_TEXT_LEN, TRACEPARENT, TRACESTATE, TraceContext,
    X_SB_TRACE,
};
use contract::w3c::{TraceFlags, TraceParent};
use http::{HeaderMap, HeaderValue};

use crate::context::{self, CallContext, Carried};

/// The headers of a request that concern us, found in one pass over all of them.
#[derive(Debug)]
pub(crate) struct Heard<'h> {
    /// The caller's trace and operation.
    pub(crate) parent: Option<TraceContext>,
    /// The caller's flags; `None` without a valid `traceparent`.
    pub(crate) flags: Option<TraceFlags>,
    idempotency_key: Option<&'h HeaderValue>,
    carries: bool,
    headers: &'h HeaderMap,
}

impl<'h> Heard<'h> {
    pub(crate) fn among(headers: &'h HeaderMap) -> Self {
        let mut heard = Self {
            parent: None,
            flags: None,
            idempotency_key: None,
            carries: false,
            headers,
        };
        let (mut own, mut traceparent, mut is_repeated) = (None, None, false);
        // One pass over all costs less than looking each of ours up. The lengths tell nearly all
        // names apart without reading them.
        for (name, value) in headers {
            let name = name.as_str();
            match name.len() {
                7 if name == BAGGAGE => heard.carries = true,
                10 if name == X_SB_TRACE => own = own.or(Some(value)),
                10 if name == TRACESTATE => heard.carries = true,
                11 if name == TRACEPARENT => {
                    is_repeated |= traceparent.is_some();
                    traceparent = Some(value);
                }
                15 if name == IDEMPOTENCY_KEY => {
                    heard.idempotency_key = heard.idempotency_key.or(Some(value));
                }
                _ => {}
            }
        }
        // A repeated `traceparent` is as good as none.
        if let Some(value) = traceparent.filter(|_| !is_repeated) {
            heard.read_w3c(value);
        }
        if let Some(own) = own.and_then(|value| TraceContext::parse(value.to_str().ok()?)) {
            heard.parent = Some(own);
        }
        heard
    }

    #[inline]
    fn read_w3c(&mut self, value: &HeaderValue) {
        if let Some(read) = TraceParent::parse(value.as_bytes()) {
            self.parent = Some(read.into());
            self.flags = Some(read.flags());
        }
    }

    pub(crate) fn idempotency_key(&self) -> Option<&'h str> {
        self.idempotency_key?.to_str().ok()
    }

    /// What travels on with the trace.
    pub(crate) fn carried(&self) -> Option<Arc<Carried>> {
        if !self.carries {
            return None;
        }
        let all = |name| self.headers.get_all(name).iter().cloned().collect();
        let is_w3c = self.flags.is_some();
        Some(Arc::new(Carried {
            tracestate: if is_w3c { all(TRACESTATE) } else { Vec::new() },
            baggage: all(BAGGAGE),
        }))
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
    let mut own = [0; TRACE_TEXT_LEN];
    if let Ok(value) = HeaderValue::from_str(context.trace.encode(&mut own)) {
        headers.insert(X_SB_TRACE, value);
    }
    let traceparent = context.trace.traceparent(context.flags);
    if let Some(value) = traceparent.and_then(|it| HeaderValue::from_bytes(&it.encode()).ok()) {
        headers.insert(TRACEPARENT, value);
    }
    if let Some(carried) = &context.carried {
        replace(headers, TRACESTATE, &carried.tracestate);
        replace(headers, BAGGAGE, &carried.baggage);
    }
}

fn replace(headers: &mut HeaderMap, name: &'static str, values: &[HeaderValue]) {
    if !values.is_empty() {
        headers.remove(name);
    }
    for value in values {
        headers.append(name, value.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SB: &str = "0198c0de-0000-7000-8000-0000000000ab-0198c0de-0000-7000-8000-0000000000cd";
    const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().expect("a name"), HeaderValue::from_static(value))
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
        assert!(carried.tracestate.is_empty());
        assert_eq!(carried.baggage, ["k=v"]);
        let mut whole = headers(&state);
        whole.append(TRACEPARENT, HeaderValue::from_static(W3C));
        let carried = Heard::among(&whole).carried().expect("both");
        assert_eq!(carried.tracestate, ["a=1", "b=2"]);
        whole.append(TRACEPARENT, HeaderValue::from_static(W3C));
        assert_eq!(extract(&whole), None, "repeated");
    }

    #[tokio::test]
    async fn injected_headers_are_read_back_as_the_same_context() {
        let trace = TraceContext::parse(SB).expect("valid");
        let mut context = CallContext::new(trace);
        context.flags = TraceFlags::RANDOM;
        context.carried = Some(Arc::new(Carried {
            tracestate: vec![HeaderValue::from_static("a=1")],
            baggage: vec![HeaderValue::from_static("k=v")],
        }));
        let written = context::scope(context, async {
            let mut written = headers(&[(BAGGAGE, "old=1")]);
            inject(&mut written);
            written
        })
        .await;
        assert_eq!(extract(&written), Some(trace));
        let heard = Heard::among(&written);
        assert_eq!(heard.flags, Some(TraceFlags::RANDOM));
        assert_eq!(heard.carried().expect("both").baggage, ["k=v"]);
    }
}
