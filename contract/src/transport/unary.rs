//! One message out, one message back: the exchange nearly every call is.
//!
//! Does what a generated client does for a unary method, without the machinery that streams
//! need: the request is one frame that was written in place, the reply one piece of memory.

use bytes::Bytes;
use http::HeaderMap;
use tonic::{Code, Status};

use super::channel::{Channel, data, trailers};
use super::frames::Frames;
use super::request::GrpcRequest;
use super::status::{broken, of_head};

/// What a unary call is answered with.
#[derive(Debug)]
pub struct Reply {
    /// The encoded message.
    pub message: Bytes,
    /// What the peer said in front of it.
    pub metadata: HeaderMap,
}

impl Channel {
    /// Sends `request` and waits for its reply.
    ///
    /// Dropping the future cancels the request, also at the peer.
    ///
    /// # Errors
    ///
    /// The peer's status, or one with a [`ChannelError`](super::ChannelError) behind it.
    pub async fn unary(&self, request: GrpcRequest) -> Result<Reply, Status> {
        let (head, mut body) = self.begin(request).await?;
        let mut reply = Collected::default();
        while let Some(piece) = data(&mut body).await.map_err(broken)? {
            reply.add(piece)?;
        }
        let trailers = trailers(&mut body).await.map_err(broken)?;
        // A refusal without a message has its status in the head.
        let status = trailers
            .as_ref()
            .and_then(Status::from_header_map)
            .unwrap_or_else(|| of_head(&head));
        match status.code() {
            Code::Ok => Ok(Reply {
                message: reply.message()?,
                metadata: head.headers,
            }),
            _ => Err(status),
        }
    }
}

/// A reply that may come in pieces; nearly always it comes in one.
#[derive(Debug, Default)]
struct Collected {
    frames: Frames,
    message: Option<Bytes>,
}

impl Collected {
    fn add(&mut self, piece: Bytes) -> Result<(), Status> {
        self.frames.add(piece);
        while let Some(message) = self.frames.next()? {
            if self.message.replace(message).is_some() {
                return Err(Status::internal("the reply is more than one message"));
            }
        }
        Ok(())
    }

    fn message(self) -> Result<Bytes, Status> {
        match self.message {
            Some(message) if self.frames.is_empty() => Ok(message),
            Some(_) => Err(Status::internal("the reply is more than one message")),
            None => Err(Status::internal("the reply holds no whole message")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(pieces: &[&'static [u8]]) -> Result<Bytes, Status> {
        let mut reply = Collected::default();
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
    }
}
