//! The status of an answer, and what stands in for one where there is none.

use http::header::CONTENT_TYPE;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use tonic::{Code, Status};

use super::channel::ChannelError;

/// Media type of every answer that is gRPC; what is encoded may follow it.
const GRPC: &[u8] = b"application/grpc";
/// Where the status of an answer without a message is.
const GRPC_STATUS: &str = "grpc-status";
/// What is shown of a media type that nobody expected, in bytes.
const MEDIA_TYPE_BYTES_MAX: usize = 100;

/// The connection failed under the request.
pub(super) fn broken(error: ChannelError) -> Status {
    Status::from_error(Box::new(error))
}

/// Refuses an answer that is not gRPC, before anybody reads its body as if it were: a proxy, a
/// gateway or another server is there.
pub(super) fn unless_grpc(head: &Parts) -> Result<(), Status> {
    let is_grpc = head.status == StatusCode::OK && is_grpc(&head.headers);
    if is_grpc || head.headers.contains_key(GRPC_STATUS) {
        return Ok(());
    }
    Err(of_http(head))
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let said = headers.get(CONTENT_TYPE).map(|it| it.as_bytes());
    said.and_then(|it| it.strip_prefix(GRPC))
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// The status of an answer whose body brought none.
pub(super) fn of_head(head: &Parts) -> Status {
    Status::from_header_map(&head.headers).unwrap_or_else(|| of_http(head))
}

/// What an answer means that is not gRPC, as gRPC maps it.
fn of_http(head: &Parts) -> Status {
    let code = match head.status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    let status = head.status;
    if is_grpc(&head.headers) {
        return Status::new(code, format!("the peer answered {status} without a status"));
    }
    let said = head.headers.get(CONTENT_TYPE);
    let said = said.map_or(&b"no media type"[..], |it| it.as_bytes());
    let said = String::from_utf8_lossy(&said[..said.len().min(MEDIA_TYPE_BYTES_MAX)]);
    let text = format!("what answers there is no gRPC server: {status} with {said}");
    Status::new(code, text)
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    fn head(status: u16, media_type: &str) -> Parts {
        let answer = Response::builder().status(status);
        let answer = match media_type {
            "" => answer,
            said => answer.header(CONTENT_TYPE, said),
        };
        answer.body(()).expect("a head").into_parts().0
    }

    #[test]
    fn only_grpc_is_read_as_grpc() {
        for media_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc; x",
        ] {
            assert!(unless_grpc(&head(200, media_type)).is_ok(), "{media_type}");
        }
        for (status, media_type, code) in [
            (200, "text/html", Code::Unknown),
            (200, "application/grpc-web", Code::Unknown),
            (200, "", Code::Unknown),
            (400, "text/plain", Code::Internal),
            (401, "", Code::Unauthenticated),
            (403, "text/html", Code::PermissionDenied),
            (404, "application/json", Code::Unimplemented),
            (429, "text/html", Code::Unavailable),
            (502, "text/html", Code::Unavailable),
            (503, "application/grpc", Code::Unavailable),
            (504, "", Code::Unavailable),
            (301, "", Code::Unknown),
            (500, "text/html", Code::Unknown),
        ] {
            let refused = unless_grpc(&head(status, media_type)).expect_err("no gRPC");
            assert_eq!(refused.code(), code, "{status} {media_type}");
            let status = status.to_string();
            assert!(refused.message().contains(&status), "{refused}");
            assert!(
                refused.message().contains(media_type) || status == "503",
                "{refused}"
            );
        }
    }

    #[test]
    fn a_status_in_the_head_counts_whatever_else_it_says() {
        let mut odd = head(503, "text/html");
        odd.headers
            .insert(GRPC_STATUS, http::HeaderValue::from_static("5"));
        assert!(unless_grpc(&odd).is_ok());
        assert_eq!(of_head(&odd).code(), Code::NotFound);
    }

    #[test]
    fn a_media_type_is_shown_cut() {
        let long = "x".repeat(5_000);
        let refused = unless_grpc(&head(200, &long)).expect_err("no gRPC");
        assert!(refused.message().len() < 200, "{refused}");
    }
}
