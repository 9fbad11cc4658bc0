//! Names of headers and metadata, and the trace context that travels in them.
//!
//! One mapping joins the two worlds: a trace id is the same 16 bytes as UUID and as W3C hex, and
//! a W3C span id is the low 64 bits of an operation id. Malformed context is never an error: it
//! reads as "none", and the reader starts a new trace.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use crate::ids::{OpId, TraceId};
use crate::w3c::{TraceFlags, TraceParent};

/// Trace context of this contract, as HTTP header and as gRPC metadata.
pub const X_SB_TRACE: &str = "x-sb-trace";
/// Trace context of the W3C.
pub const TRACEPARENT: &str = "traceparent";
/// What tracing systems add to [`TRACEPARENT`], each under a key of its own.
pub const TRACESTATE: &str = "tracestate";
/// What users send along with a trace.
pub const BAGGAGE: &str = "baggage";
/// Trailer of a refusal that was made before any handler ran. Its value is `1`.
pub const NOT_DISPATCHED: &str = "x-sb-not-dispatched";

/// Set to `1` on answers that were kept from an earlier call with the same idempotency key; no
/// handler ran for this one.
pub const REPLAYED: &str = "x-bridge-replayed";
/// Set on answers to calls with an idempotency key that repeats may not get: `false` when they will
/// not, `later` when the answer is not kept yet and its service goes on trying.
pub const STORED: &str = "x-bridge-stored";
/// The standard gRPC deadline.
pub const GRPC_TIMEOUT: &str = "grpc-timeout";
/// What Envoy tells the services behind it: whole milliseconds until it gives up.
pub const ENVOY_TIMEOUT_MS: &str = "x-envoy-expected-rq-timeout-ms";
/// Names a repeatable HTTP request.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Length of the text form of a [`TraceContext`].
pub const TRACE_TEXT_LEN: usize = 73;

/// Which trace work belongs to, and the operation it hangs under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace: TraceId,
    /// The operation that caused this work.
    pub parent: OpId,
}

impl TraceContext {
    /// Reads `<trace id>-<parent operation id>`; anything but exactly 73 valid characters is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != TRACE_TEXT_LEN || text.as_bytes()[36] != b'-' {
            return None;
        }
        let trace = TraceId::from_str(text.get(..36)?).ok()?;
        let parent = OpId::from_str(text.get(37..)?).ok()?;
        Some(Self { trace, parent })
    }

    /// Reads a W3C `traceparent`. The parent's unknown high half is zero.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        TraceParent::parse(text.as_bytes()).map(Self::from)
    }

    /// The W3C form, with these flags. `None` when an id is zero, which no mint makes.
    pub fn traceparent(&self, flags: TraceFlags) -> Option<TraceParent> {
        TraceParent::new(self.trace.as_uuid().as_u128(), self.span_id(), flags)
    }

    /// The text of the W3C form, with the flag that says whether the trace is recorded.
    pub fn to_traceparent(&self, sampled: bool) -> String {
        let form = self.traceparent(TraceFlags::NONE.sampled(sampled));
        let text = form.map(|it| it.encode().to_vec()).unwrap_or_default();
        String::from_utf8(text).unwrap_or_default()
    }

    /// The W3C span id of the parent.
    pub fn span_id(&self) -> u64 {
        self.parent.as_uuid().as_u64_pair().1
    }

    /// The 73 characters without allocating.
    pub fn encode<'b>(&self, buffer: &'b mut [u8; TRACE_TEXT_LEN]) -> &'b str {
        self.trace
            .as_uuid()
            .as_hyphenated()
            .encode_lower(&mut buffer[..36]);
        buffer[36] = b'-';
        self.parent
            .as_uuid()
            .as_hyphenated()
            .encode_lower(&mut buffer[37..]);
        std::str::from_utf8(buffer).unwrap_or_default()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encode(&mut [0; TRACE_TEXT_LEN]))
    }
}

impl From<TraceParent> for TraceContext {
    /// The parent's unknown high half is zero.
    #[inline]
    fn from(read: TraceParent) -> Self {
        Self {
            trace: TraceId::from_uuid(Uuid::from_u128(read.trace())),
            parent: OpId::from_uuid(Uuid::from_u64_pair(0, read.span())),
        }
    }
}

/// The value of [`GRPC_TIMEOUT`] that tells a peer how long the caller waits. From one second on in
/// whole milliseconds, so that the text is mostly the same; never longer than `left`.
pub fn grpc_timeout(left: Duration) -> String {
    let millis = left.as_millis();
    match millis {
        0..1_000 => format!("{}u", left.as_micros()),
        1_000..100_000_000 => format!("{millis}m"),
        _ => format!("{}S", left.as_secs().min(99_999_999)),
    }
}

/// Reads the value of [`GRPC_TIMEOUT`]: one to eight digits and a unit of `HMSmun`.
pub fn parse_grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3_600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0198c0de-0000-7000-8000-0000000000ab-0198c0de-0000-7000-8000-0000000000cd";

    #[test]
    fn only_exactly_73_valid_characters_are_a_trace() {
        assert_eq!(TraceContext::parse(TEXT).expect("valid").to_string(), TEXT);
        assert!(TraceContext::parse(&TEXT.to_uppercase()).is_some());
        for bad in [
            "",
            &TEXT[1..],
            &format!("{TEXT}0"),
            &TEXT.replace('8', "g"),
            &"é".repeat(37),
        ] {
            assert_eq!(TraceContext::parse(bad), None, "{bad}");
        }
        let no_separator = format!("{}_{}", &TEXT[..36], &TEXT[37..]);
        assert_eq!(TraceContext::parse(&no_separator), None);
    }

    #[test]
    fn a_w3c_parent_keeps_trace_and_span() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = TraceContext::from_traceparent(text).expect("valid");
        assert_eq!(
            context.trace.to_string(),
            "0af76519-16cd-43dd-8448-eb211c80319c"
        );
        assert_eq!(
            context.parent.to_string(),
            "00000000-0000-0000-b7ad-6b7169203331"
        );
        assert_eq!(context.to_traceparent(true), text);
    }

    #[test]
    fn malformed_w3c_parents_are_ignored() {
        for bad in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-é",
        ] {
            assert_eq!(TraceContext::from_traceparent(bad), None, "{bad}");
        }
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more";
        assert!(TraceContext::from_traceparent(later).is_some());
    }

    #[test]
    fn a_grpc_timeout_is_digits_and_a_unit() {
        assert_eq!(parse_grpc_timeout("4S"), Some(Duration::from_secs(4)));
        assert_eq!(
            parse_grpc_timeout("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3_600))
        );
        for bad in ["", "S", "1", "-1S", "+1S", "123456789S", "1x", "1é"] {
            assert_eq!(parse_grpc_timeout(bad), None, "{bad}");
        }
    }
}
