//! Headers that travel with a trace, unread until somebody asks.
//!
//! Invariant: they are copies of their own. A header of a request usually shares the buffer that
//! its connection reads into, which would stay alive as long as the trace.

use http::{HeaderMap, HeaderValue};

use contract::headers::{BAGGAGE, TRACESTATE};

use super::baggage::Baggage;
use super::state::TraceState;

/// Bytes of each of the two headers that are copied; what is behind the last comma before is left
/// out. Twice what is handed on, so that spaces and bad members have room.
pub const CARRIED_BYTES_MAX: usize = 16_384;

/// `tracestate` and `baggage` of a caller, or of the user's own making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    state: Option<HeaderValue>,
    baggage: Option<HeaderValue>,
}

impl Carried {
    /// Copies what `headers` carry; `None` when that is nothing. `is_traced` says whether there is
    /// a valid `traceparent` of this trace, without which its state means nothing.
    pub fn of(headers: &HeaderMap, is_traced: bool) -> Option<Self> {
        let state = if is_traced {
            combined(headers, TRACESTATE)
        } else {
            None
        };
        let baggage = combined(headers, BAGGAGE);
        (state.is_some() || baggage.is_some()).then_some(Self { state, baggage })
    }

    /// What tracing systems added; `None` when that is nothing, or not valid.
    pub fn state(&self) -> Option<TraceState> {
        self.state.as_ref().and_then(TraceState::read)
    }

    /// What users sent along.
    pub fn baggage(&self) -> Baggage {
        self.baggage.as_ref().map(Baggage::read).unwrap_or_default()
    }

    /// Replaces what tracing systems added.
    pub fn set_state(&mut self, state: Option<&TraceState>) {
        self.state = state.map(|it| it.header().clone());
    }

    /// Replaces what users sent along.
    pub fn set_baggage(&mut self, baggage: &Baggage) {
        self.baggage = baggage.header().cloned();
    }
}

/// The values of a header as one, in their order.
fn combined(headers: &HeaderMap, name: &str) -> Option<HeaderValue> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let first = values.next()?;
    let Some(second) = values.next() else {
        return HeaderValue::from_bytes(cut(first)).ok();
    };
    let mut all = [first, second].join(&b',');
    for value in values {
        if all.len() > CARRIED_BYTES_MAX {
            break;
        }
        all.push(b',');
        all.extend(value);
    }
    HeaderValue::from_bytes(cut(&all)).ok()
}

fn cut(value: &[u8]) -> &[u8] {
    if value.len() <= CARRIED_BYTES_MAX {
        return value;
    }
    let kept = &value[..=CARRIED_BYTES_MAX];
    let end = kept.iter().rposition(|byte| *byte == b',').unwrap_or(0);
    &value[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).expect("a value"));
        }
        headers
    }

    #[test]
    fn repeated_headers_are_one_in_their_order() {
        let sent = headers(&[
            (TRACESTATE, "foo=1,bar=2"),
            (BAGGAGE, "k=v"),
            (TRACESTATE, ""),
            (TRACESTATE, "baz=3"),
            (BAGGAGE, "l=w;p"),
        ]);
        let carried = Carried::of(&sent, true).expect("both");
        assert_eq!(
            carried.state().expect("valid").header(),
            "foo=1,bar=2,baz=3"
        );
        assert_eq!(carried.baggage().header().expect("valid"), "k=v,l=w;p");
    }

    #[test]
    fn what_is_too_long_is_cut_between_members() {
        let member = format!("{}=1", "k".repeat(200));
        let many = vec![member.as_str(); 100].join(",");
        for sent in [
            vec![(BAGGAGE, many.as_str())],
            vec![(BAGGAGE, member.as_str()); 100],
        ] {
            let carried = Carried::of(&headers(&sent), false).expect("baggage");
            let copied = carried.baggage.as_ref().expect("baggage");
            assert_eq!(copied.len(), 80 * (member.len() + 1) - 1);
            assert!(carried.baggage().members().all(|it| it.key().len() == 200));
        }
        let endless = "x".repeat(CARRIED_BYTES_MAX + 1);
        let carried = Carried::of(&headers(&[(BAGGAGE, &endless)]), false);
        assert!(carried.is_some_and(|it| it.baggage().is_empty()));
    }

    #[test]
    fn a_copy_shares_no_memory_with_the_request() {
        let sent = headers(&[(BAGGAGE, "k=v")]);
        let carried = Carried::of(&sent, false).expect("baggage");
        let copied = carried.baggage.as_ref().map(|it| it.as_bytes().as_ptr());
        assert_ne!(copied, sent.get(BAGGAGE).map(|it| it.as_bytes().as_ptr()));
    }

    #[test]
    fn nothing_carried_is_none() {
        assert_eq!(Carried::of(&headers(&[]), true), None);
        assert_eq!(Carried::of(&headers(&[(TRACESTATE, "a=1")]), false), None);
    }
}
