//! A call as bytes, written straight from its parts.
//!
//! The generated `CallRequest` wants five owned strings per call; the parts are static, shared or
//! fixed-size, so they are written without becoming strings first. A test holds the bytes equal
//! to the generated type's.

use std::sync::{Arc, LazyLock};

use bytes::{BufMut, Bytes};
use contract::grpc::v1::InvokeRequest;
use contract::headers::{TRACE_TEXT_LEN, TRACEPARENT, TraceContext, X_SB_TRACE};
use contract::ids::{InstanceId, ServiceId};
use contract::transport::GrpcRequest;
use contract::w3c::TraceFlags;
use http::{HeaderValue, Uri};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::asked::Answered;
use crate::telemetry::RequestId;

/// Where instances take calls, by how they answer. The authority is the same for all of them.
static CALL: LazyLock<[Uri; 2]> = LazyLock::new(|| {
    [
        Uri::from_static("https://servicebridge.peer/servicebridge.v1.Call/Unary"),
        Uri::from_static("https://servicebridge.peer/servicebridge.v1.Call/Stream"),
    ]
});
/// Where the runtime takes them.
static INVOKE: LazyLock<[Uri; 2]> = LazyLock::new(|| {
    [
        Uri::from_static("https://servicebridge.peer/servicebridge.v1.Invoke/Unary"),
        Uri::from_static("https://servicebridge.peer/servicebridge.v1.Invoke/Stream"),
    ]
});

/// The parts of a `CallRequest`.
#[derive(Clone, Debug)]
pub(super) struct CallParts {
    pub(super) method: &'static str,
    pub(super) payload: Bytes,
    pub(super) caller: ServiceId,
    pub(super) request: RequestId,
    pub(super) key: Option<Arc<str>>,
    pub(super) trace: TraceContext,
    pub(super) flags: TraceFlags,
}

impl CallParts {
    /// The call as an instance takes it; its deadline is not in it yet.
    pub(super) fn request(&self, answered: Answered) -> GrpcRequest {
        let uri = CALL[answered as usize].clone();
        let mut request = GrpcRequest::new(uri, self.bytes_max());
        self.write(request.message());
        self.trace(&mut request);
        request
    }

    /// The call as the runtime takes it.
    pub(super) fn invoke(
        &self,
        target: ServiceId,
        contract_hash: &str,
        excluded: &[InstanceId],
    ) -> InvokeRequest {
        InvokeRequest {
            target_service_id: target.to_string(),
            method: self.method.to_owned(),
            payload: self.payload.clone(),
            request_id: self.request.to_string(),
            idempotency_key: self.key.as_deref().unwrap_or_default().to_owned(),
            x_sb_trace: self.trace.to_string(),
            contract_hash: contract_hash.as_bytes().to_vec(),
            exclude_instance_ids: excluded.iter().map(ToString::to_string).collect(),
        }
    }

    /// The same as a request; its deadline is not in it yet.
    pub(super) fn invoke_request(&self, invoke: &InvokeRequest, answered: Answered) -> GrpcRequest {
        let uri = INVOKE[answered as usize].clone();
        let mut request = GrpcRequest::new(uri, invoke.encoded_len());
        invoke.encode_raw(request.message());
        self.trace(&mut request);
        request
    }

    fn trace(&self, request: &mut GrpcRequest) {
        if let Some(value) = trace_header(self.trace) {
            request.header(X_SB_TRACE, value);
        }
        if let Some(value) = flags_header(self.trace, self.flags) {
            request.header(TRACEPARENT, value);
        }
    }

    fn write(&self, buffer: &mut impl BufMut) {
        let mut id = [0; 36];
        text(1, self.method, buffer);
        if !self.payload.is_empty() {
            head(2, self.payload.len(), buffer);
            buffer.put_slice(&self.payload);
        }
        text(
            3,
            self.caller.as_uuid().as_hyphenated().encode_lower(&mut id),
            buffer,
        );
        text(4, self.request.text(&mut [0; 36]), buffer);
        text(5, self.key.as_deref().unwrap_or_default(), buffer);
        text(6, self.trace.encode(&mut [0; TRACE_TEXT_LEN]), buffer);
    }

    /// An upper bound of the encoded size: one tag byte per field, all lengths counted in full.
    fn bytes_max(&self) -> usize {
        let given = match &self.request {
            RequestId::Random(_) => 36,
            RequestId::Given(text) => text.len(),
        };
        [
            self.method.len(),
            self.payload.len(),
            36,
            given,
            self.key.as_deref().map_or(0, str::len),
        ]
        .into_iter()
        .chain([TRACE_TEXT_LEN])
        .map(|len| 1 + encoded_len_varint(len as u64) + len)
        .sum()
    }
}

fn head(tag: u32, len: usize, buffer: &mut impl BufMut) {
    encode_key(tag, WireType::LengthDelimited, buffer);
    encode_varint(len as u64, buffer);
}

/// An empty text is not written, as proto3 wants it.
fn text(tag: u32, text: &str, buffer: &mut impl BufMut) {
    if !text.is_empty() {
        head(tag, text.len(), buffer);
        buffer.put_slice(text.as_bytes());
    }
}

/// The value of the trace header. Marked sensitive: it differs in every call, and as an ordinary
/// header it would push useful ones out of the connection's compression table.
fn trace_header(trace: TraceContext) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(trace.encode(&mut [0; TRACE_TEXT_LEN])).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The value of the W3C header, sent only to say that the trace is not recorded: the own header
/// has no place for that.
fn flags_header(trace: TraceContext, flags: TraceFlags) -> Option<HeaderValue> {
    if flags.is_sampled() {
        return None;
    }
    HeaderValue::from_bytes(&trace.traceparent(flags)?.encode()).ok()
}

#[cfg(test)]
mod tests {
    use contract::clock::Clock;
    use contract::grpc::v1::CallRequest;
    use contract::ids::{IdMint, OpId, TraceId};

    use super::*;

    fn parts(payload: Bytes, request: RequestId, key: Option<Arc<str>>) -> CallParts {
        let mint = IdMint::seeded(1, &Clock::system());
        CallParts {
            method: "Charge",
            payload,
            caller: ServiceId::mint(&mint),
            request,
            key,
            trace: TraceContext {
                trace: TraceId::mint(&mint),
                parent: OpId::mint(&mint),
            },
            flags: TraceFlags::SAMPLED,
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_generated_message() {
        let given = || RequestId::Given("r".repeat(200).into());
        for parts in [
            parts(Bytes::from_static(b"abc"), RequestId::random(), None),
            parts(Bytes::new(), given(), Some("key".into())),
            parts(
                vec![7; 300_000].into(),
                RequestId::Given("".into()),
                Some("".into()),
            ),
        ] {
            let mut written = Vec::new();
            parts.write(&mut written);
            assert!(written.len() <= parts.bytes_max());
            let generated = CallRequest {
                method: parts.method.into(),
                payload: parts.payload.clone(),
                caller_service: parts.caller.to_string(),
                request_id: parts.request.to_string(),
                idempotency_key: parts.key.as_deref().unwrap_or_default().into(),
                x_sb_trace: parts.trace.to_string(),
            };
            assert_eq!(written, generated.encode_to_vec());
        }
    }
}
