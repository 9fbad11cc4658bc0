//! One message out, one message back: the exchange nearly every call is.
//!
//! Does what a generated client does for a unary method, without the machinery that streams
//! need: the request is one frame that was written in place, the reply one piece of memory.
//! Refuses compressed replies, which nobody asked for, and replies beyond the size limit.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use tonic::{Code, Status};

use super::channel::{Channel, ChannelError, data, trailers};
use crate::headers::{GRPC_TIMEOUT, grpc_timeout};

/// Largest reply, in bytes.
const REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes in front of a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// A unary request under construction.
#[derive(Debug)]
pub struct UnaryRequest {
    head: Request<()>,
    frame: BytesMut,
}

impl UnaryRequest {
    /// To `uri`, which is absolute, with room for a message of `bytes_max`.
    pub fn new(uri: Uri, bytes_max: usize) -> Self {
        let mut head = Request::new(());
        *head.method_mut() = Method::POST;
        *head.version_mut() = Version::HTTP_2;
        *head.uri_mut() = uri;
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        *head.headers_mut() = headers;
        let mut frame = BytesMut::with_capacity(PREFIX_BYTES + bytes_max);
        frame.put_bytes(0, PREFIX_BYTES);
        Self { head, frame }
    }

    /// Adds metadata.
    pub fn header(&mut self, name: &'static str, value: HeaderValue) {
        self.head
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }

    /// Tells the peer how long the caller waits; never longer than `left`.
    pub fn timeout(&mut self, left: Duration) {
        if let Ok(value) = HeaderValue::try_from(grpc_timeout(left)) {
            self.header(GRPC_TIMEOUT, value);
        }
    }

    /// Where the encoded message is appended.
    pub fn message(&mut self) -> &mut BytesMut {
        &mut self.frame
    }
}

impl Channel {
    /// Sends `request` and waits for its reply.
    ///
    /// Dropping the future cancels the request, also at the peer.
    ///
    /// # Errors
    ///
    /// The peer's status, or one with a [`ChannelError`] behind it.
    pub async fn unary(&self, request: UnaryRequest) -> Result<Bytes, Status> {
        let UnaryRequest { head, mut frame } = request;
        let bytes = u32::try_from(frame.len() - PREFIX_BYTES)
            .map_err(|_| Status::resource_exhausted("the request is larger than 4 GiB"))?;
        frame[1..PREFIX_BYTES].copy_from_slice(&bytes.to_be_bytes());
        let (response, mut stream) = self.open(head, false).map_err(broken)?;
        stream
            .send_data(frame.freeze(), true)
            .map_err(|error| broken(error.into()))?;
        let response = response.await.map_err(|error| broken(error.into()))?;
        let (head, mut body) = response.into_parts();
        let mut reply = Reply::default();
        while let Some(piece) = data(&mut body).await.map_err(broken)? {
            reply.add(piece)?;
        }
        let trailers = trailers(&mut body).await.map_err(broken)?;
        // A refusal without a message has its status in the head.
        let status = trailers
            .as_ref()
            .and_then(Status::from_header_map)
            .or_else(|| Status::from_header_map(&head.headers));
        match status {
            Some(status) if status.code() == Code::Ok => reply.message(),
            Some(status) => Err(status),
            None => Err(of_http(head.status)),
        }
    }
}

fn broken(error: ChannelError) -> Status {
    Status::from_error(Box::new(error))
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

/// A reply that may come in pieces; nearly always it comes in one.
#[derive(Debug, Default)]
struct Reply {
    first: Bytes,
    all: BytesMut,
}

impl Reply {
    fn add(&mut self, piece: Bytes) -> Result<(), Status> {
        let bytes = self.first.len().max(self.all.len()) + piece.len();
        if bytes > PREFIX_BYTES + REPLY_BYTES_MAX {
            let text = format!("the reply is larger than {REPLY_BYTES_MAX} bytes");
            return Err(Status::out_of_range(text));
        }
        if self.first.is_empty() {
            self.first = piece;
            return Ok(());
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&piece);
        Ok(())
    }

    fn message(self) -> Result<Bytes, Status> {
        let mut frame = if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        };
        let [compressed, length @ ..] = *frame
            .first_chunk::<PREFIX_BYTES>()
            .ok_or_else(|| Status::internal("the reply holds no message"))?;
        if compressed != 0 {
            return Err(Status::unimplemented("the reply is compressed"));
        }
        let message = frame.split_off(PREFIX_BYTES);
        if message.len() == u32::from_be_bytes(length) as usize {
            Ok(message)
        } else {
            Err(Status::internal("the reply is not exactly one message"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(pieces: &[&'static [u8]]) -> Result<Bytes, Status> {
        let mut reply = Reply::default();
        for piece in pieces {
            reply.add(Bytes::from_static(piece))?;
        }
        reply.message()
    }

    #[test]
    fn a_reply_is_the_same_in_one_piece_and_in_many() {
        assert_eq!(reply(&[b"\0\0\0\0\x03abc"]).expect("whole"), "abc");
        assert_eq!(
            reply(&[b"\0\0", b"\0\0\x03", b"a", b"bc"]).expect("whole"),
            "abc"
        );
        assert_eq!(reply(&[b"\0\0\0\0\0"]).expect("whole"), "");
    }

    #[test]
    fn a_reply_that_is_not_exactly_one_message_is_refused() {
        let bad: [&[u8]; 5] = [
            b"",
            b"\0\0\0",
            b"\0\0\0\0\x03ab",
            b"\0\0\0\0\x03abc\0\0\0\0\0",
            b"\x01\0\0\0\x03abc",
        ];
        for frame in bad {
            assert!(reply(&[frame]).is_err(), "{frame:?}");
        }
        let mut large = Reply::default();
        assert!(large.add(vec![0; 4 << 20].into()).is_ok());
        let refused = large.add(vec![0; 6].into()).expect_err("too large");
        assert_eq!(refused.code(), Code::OutOfRange);
    }

    #[test]
    fn a_timeout_never_says_more_than_is_left() {
        let text = |left| {
            let mut request = UnaryRequest::new(Uri::from_static("https://peer/a/b"), 0);
            request.timeout(left);
            let value = &request.head.headers()[GRPC_TIMEOUT];
            value.to_str().expect("text").to_owned()
        };
        assert_eq!(text(Duration::from_micros(999_999)), "999999u");
        assert_eq!(text(Duration::from_micros(29_999_987)), "29999m");
        assert_eq!(text(Duration::from_secs(100_000)), "100000S");
        assert_eq!(text(Duration::MAX), "99999999S");
    }
}
