//! A call under construction: its head, and its one message in a frame that is written in place.
//!
//! Every call of ours sends one message, whether one or many come back. Refuses a message whose
//! length its frame cannot say.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::RecvStream;
use http::header::{CONTENT_TYPE, TE};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use tonic::Status;

use super::channel::Channel;
use super::frames::PREFIX_BYTES;
use super::status::{broken, unless_grpc};
use crate::headers::{GRPC_TIMEOUT, grpc_timeout};

/// A request under construction.
#[derive(Debug)]
pub struct GrpcRequest {
    head: Request<()>,
    frame: BytesMut,
}

impl GrpcRequest {
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

    /// The head, and the frame with its length.
    fn into_parts(self) -> Result<(Request<()>, Bytes), Status> {
        let Self { head, mut frame } = self;
        let bytes = u32::try_from(frame.len() - PREFIX_BYTES)
            .map_err(|_| Status::resource_exhausted("the request is larger than 4 GiB"))?;
        frame[1..PREFIX_BYTES].copy_from_slice(&bytes.to_be_bytes());
        Ok((head, frame.freeze()))
    }
}

impl Channel {
    /// Sends `request` and waits until its answer begins, which is gRPC.
    pub(super) async fn begin(&self, request: GrpcRequest) -> Result<(Parts, RecvStream), Status> {
        let (head, frame) = request.into_parts()?;
        let (response, mut stream) = self.open(head, false).map_err(broken)?;
        stream
            .send_data(frame, true)
            .map_err(|error| broken(error.into()))?;
        let response = response.await.map_err(|error| broken(error.into()))?;
        let (head, body) = response.into_parts();
        unless_grpc(&head)?;
        Ok((head, body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_never_says_more_than_is_left() {
        let text = |left| {
            let mut request = GrpcRequest::new(Uri::from_static("https://peer/a/b"), 0);
            request.timeout(left);
            let value = &request.head.headers()[GRPC_TIMEOUT];
            value.to_str().expect("text").to_owned()
        };
        assert_eq!(text(Duration::from_micros(999_999)), "999999u");
        assert_eq!(text(Duration::from_micros(29_999_987)), "29999m");
        assert_eq!(text(Duration::from_secs(100_000)), "100000S");
        assert_eq!(text(Duration::MAX), "99999999S");
    }

    #[test]
    fn the_frame_says_how_long_its_message_is() {
        let mut request = GrpcRequest::new(Uri::from_static("https://peer/a/b"), 3);
        request.message().put_slice(b"abc");
        let (_, frame) = request.into_parts().expect("small");
        assert_eq!(frame, &b"\0\0\0\0\x03abc"[..]);
    }
}
