//! How much time a request says its caller has, and how ours tell it.

use std::time::Duration;

pub use contract::headers::ENVOY_TIMEOUT_MS;
use contract::headers::{GRPC_TIMEOUT, grpc_timeout, parse_grpc_timeout};
use http::{HeaderMap, HeaderValue};

use crate::context::Deadline;

/// The time that `headers` say is left; of two that say something the shorter one. Zero means
/// that it is up. `None` when they say nothing that could be read.
pub fn time_left(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let grpc = text(GRPC_TIMEOUT).and_then(parse_grpc_timeout);
    // Envoy leaves the header out when it has no timeout, and never sends a zero.
    let envoy = text(ENVOY_TIMEOUT_MS)
        .and_then(parse_millis)
        .filter(|left| !left.is_zero());
    match (grpc, envoy) {
        (Some(grpc), Some(envoy)) => Some(grpc.min(envoy)),
        (grpc, envoy) => grpc.or(envoy),
    }
}

/// Tells a peer how much time is left until `deadline`, in `grpc-timeout`. Zero when it has
/// passed: such a request is better not sent.
pub fn inject(headers: &mut HeaderMap, deadline: &Deadline) {
    if let Ok(left) = HeaderValue::try_from(grpc_timeout(deadline.remaining())) {
        headers.insert(GRPC_TIMEOUT, left);
    }
}

fn parse_millis(text: &str) -> Option<Duration> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    // `parse` alone would also take a sign.
    is_number
        .then(|| text.parse().ok())?
        .map(Duration::from_millis)
}
