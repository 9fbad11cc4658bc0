//! One message out, many back.
//!
//! The reader sets the pace: a piece is asked for when the messages of the last one are used up,
//! and only then may the peer send as much again. Dropping the reader cancels the stream at the
//! peer.
//!
//! Invariant: after an error or the end, nothing follows.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::response::Parts;
use tonic::{Code, Status};

use super::channel::{Channel, poll_data, poll_trailers};
use super::frames::Frames;
use super::request::GrpcRequest;
use super::status::{broken, of_head};

/// The answer to a streaming call, message by message.
#[derive(Debug)]
pub struct Messages {
    /// `None` once it is over.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    head: Parts,
    body: RecvStream,
    frames: Frames,
    /// All of the body has come; its trailers have not.
    is_read: bool,
}

impl Channel {
    /// Sends `request` and waits until the peer begins to answer.
    ///
    /// Dropping the future, or the messages it gives, cancels the request, also at the peer.
    ///
    /// # Errors
    ///
    /// The status of a peer that refuses, or one with a [`ChannelError`](super::ChannelError)
    /// behind it.
    pub async fn stream(&self, request: GrpcRequest) -> Result<Messages, Status> {
        let (head, body) = self.begin(request).await?;
        if !body.is_end_stream() {
            let (frames, is_read) = (Frames::default(), false);
            let open = Open {
                head,
                body,
                frames,
                is_read,
            };
            return Ok(Messages { open: Some(open) });
        }
        // Nothing follows the head, so it holds the status.
        let status = of_head(&head);
        match status.code() {
            Code::Ok => Ok(Messages { open: None }),
            _ => Err(status),
        }
    }
}

impl Messages {
    /// The next message; `None` after the last one.
    ///
    /// # Errors
    ///
    /// The peer's status, or one with a [`ChannelError`](super::ChannelError) behind it.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Status>>> {
        let Some(open) = &mut self.open else {
            return Poll::Ready(None);
        };
        let next = ready!(open.poll_next(cx)).transpose();
        if !matches!(next, Some(Ok(_))) {
            self.open = None;
        }
        Poll::Ready(next)
    }
}

impl Open {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Status>> {
        while !self.is_read {
            if let Some(message) = self.frames.next()? {
                return Poll::Ready(Ok(Some(message)));
            }
            match ready!(poll_data(&mut self.body, cx)).transpose() {
                Ok(Some(piece)) => self.frames.add(piece),
                Ok(None) => self.is_read = true,
                Err(error) => return Poll::Ready(Err(broken(error))),
            }
        }
        let trailers = ready!(poll_trailers(&mut self.body, cx)).map_err(broken)?;
        let status = trailers
            .as_ref()
            .and_then(Status::from_header_map)
            .unwrap_or_else(|| of_head(&self.head));
        Poll::Ready(match status.code() {
            Code::Ok if self.frames.is_empty() => Ok(None),
            Code::Ok => Err(Status::internal("the stream ended within a message")),
            _ => Err(status),
        })
    }
}
