//! The status of an answer, and what stands in for one where there is none.

use http::StatusCode;
use http::response::Parts;
use tonic::{Code, Status};

use super::channel::ChannelError;

/// The connection failed under the request.
pub(super) fn broken(error: ChannelError) -> Status {
    Status::from_error(Box::new(error))
}

/// The status of an answer whose body brought none.
pub(super) fn of_head(head: &Parts) -> Status {
    Status::from_header_map(&head.headers).unwrap_or_else(|| of_http(head.status))
}

/// What an answer means that is not gRPC: there is something else between us and the peer.
fn of_http(status: StatusCode) -> Status {
    let code = match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("the peer answered {status} without a status"))
}
