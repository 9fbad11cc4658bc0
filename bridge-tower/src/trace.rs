//! Trace context in HTTP headers: read the caller's, write our own.
//!
//! Two spellings carry the same thing. A valid `x-sb-trace` wins over `traceparent`, because it
//! keeps the whole parent id; anything malformed counts as absent.

use contract::headers::{TRACEPARENT, TraceContext, X_SB_TRACE};
use http::{HeaderMap, HeaderValue};

use crate::context;

/// The trace context that `headers` carry. Of a repeated header the first value counts.
pub fn extract(headers: &HeaderMap) -> Option<TraceContext> {
    text(headers, X_SB_TRACE)
        .and_then(TraceContext::parse)
        .or_else(|| text(headers, TRACEPARENT).and_then(TraceContext::from_traceparent))
}

/// Writes the current task's trace context into `headers`, in both spellings, replacing what was
/// there. Does nothing outside of a call: see [`context::current`].
pub fn inject(headers: &mut HeaderMap) {
    let Some(current) = context::current() else {
        return;
    };
    for (name, value) in [
        (X_SB_TRACE, current.trace.to_string()),
        (TRACEPARENT, current.trace.to_traceparent()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SB: &str = "0198c0de-0000-7000-8000-0000000000ab-0198c0de-0000-7000-8000-0000000000cd";
    const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn our_own_header_wins_over_the_w3c_one() {
        let both = headers(&[(TRACEPARENT, W3C), (X_SB_TRACE, SB)]);
        assert_eq!(extract(&both).unwrap().to_string(), SB);
    }

    #[test]
    fn a_malformed_own_header_leaves_the_w3c_one_in_force() {
        let mixed = headers(&[(TRACEPARENT, W3C), (X_SB_TRACE, "nonsense")]);
        assert_eq!(extract(&mixed).unwrap().to_traceparent(), W3C);
        assert_eq!(extract(&headers(&[(X_SB_TRACE, "nonsense")])), None);
    }

    #[tokio::test]
    async fn injected_headers_are_read_back_as_the_same_context() {
        let trace = TraceContext::parse(SB).unwrap();
        let context = context::CallContext {
            trace,
            deadline: None,
        };
        let written = context::scope(context, async {
            let mut written = HeaderMap::new();
            inject(&mut written);
            written
        })
        .await;
        assert_eq!(extract(&written), Some(trace));
        assert_eq!(written.len(), 2);
    }
}
