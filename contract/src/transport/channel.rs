//! A connection that callers share: requests out, answers in, straight over HTTP/2 streams.
//!
//! A caller writes its request into the connection itself; there is no queue, and no task but
//! the one that moves bytes. Refuses to hide what it knows: an error says whether the request
//! provably never left.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request, Response, Uri};
use http_body::{Body as _, Frame};
use tonic::body::Body;

use crate::task::Boxed;

struct Shared {
    send: SendRequest<Bytes>,
    closed: Arc<AtomicBool>,
    /// Moves the bytes; the connection lives as long as it.
    driver: tokio::task::AbortHandle,
}

/// One connection to one peer. Clones share it; it ends once the last clone and the last answer
/// are gone.
#[derive(Clone)]
pub struct Channel(Arc<Shared>);

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl Channel {
    /// Over a connection that `driver` drives. The driver sets `closed` when it ends.
    pub(super) fn new(
        send: SendRequest<Bytes>,
        closed: Arc<AtomicBool>,
        driver: tokio::task::AbortHandle,
    ) -> Self {
        Self(Arc::new(Shared {
            send,
            closed,
            driver,
        }))
    }

    /// What generated clients take as origin: `Client::with_origin(channel.clone(), channel.origin())`.
    pub fn origin(&self) -> Uri {
        Uri::from_static("https://servicebridge.peer")
    }

    /// Whether a request over it is bound to fail.
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }

    /// Breaks the connection now; requests in flight fail.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.driver.abort();
    }

    /// Opens a stream. Nothing has left when this fails.
    pub(super) fn open(
        &self,
        head: Request<()>,
        ends: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), ChannelError> {
        let opened = self.0.send.clone().send_request(head, ends);
        opened.map_err(|source| {
            // The peer said that it goes away, or went: nobody should try here again.
            self.0.closed.store(true, Ordering::Relaxed);
            ChannelError {
                not_sent: true,
                source,
            }
        })
    }
}

impl tower_service::Service<Request<Body>> for Channel {
    type Response = Response<Received>;
    type Error = ChannelError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Received>, ChannelError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ChannelError>> {
        // Whether it takes a request is known when it is given one.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (head, body) = request.into_parts();
        let ends = body.is_end_stream();
        let opened = self.open(Request::from_parts(head, ()), ends);
        Box::pin(async move {
            let (response, stream) = opened?;
            if !ends {
                send(body, stream).await;
            }
            Ok(response.await?.map(Received))
        })
    }
}

/// Sends a body: what is there at once, the rest behind the caller's back, because the answer
/// may begin before the request has ended.
async fn send(body: Body, stream: SendStream<Bytes>) {
    let mut sending: Boxed<()> = Box::pin(send_all(body, stream));
    let sent = poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
    if sent.is_pending() {
        tokio::spawn(sending);
    }
}

async fn send_all(mut body: Body, mut stream: SendStream<Bytes>) {
    loop {
        let next = poll_fn(|cx| {
            // A peer that wants no more of it ends the sending, not only the answer.
            if stream.poll_reset(cx).is_ready() {
                return Poll::Ready(None);
            }
            Pin::new(&mut body).poll_frame(cx).map(Some)
        });
        // A stream that is over refuses what follows; how it ended is told by the answer.
        match next.await {
            None => return,
            Some(None) => {
                let _ = stream.send_data(Bytes::new(), true);
                return;
            }
            Some(Some(Err(_))) => return stream.send_reset(Reason::INTERNAL_ERROR),
            Some(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    let last = body.is_end_stream();
                    if !send_data(&mut stream, data, last).await || last {
                        return;
                    }
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    let _ = stream.send_trailers(trailers);
                    return;
                }
            },
        }
    }
}

/// Sends one piece no faster than the peer takes it. Returns whether the stream goes on.
async fn send_data(stream: &mut SendStream<Bytes>, mut data: Bytes, last: bool) -> bool {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let Some(Ok(room)) = poll_fn(|cx| stream.poll_capacity(cx)).await else {
            return false;
        };
        let piece = data.split_to(room.min(data.len()));
        if stream.send_data(piece, last && data.is_empty()).is_err() {
            return false;
        }
    }
    true
}

/// The body of an answer.
#[derive(Debug)]
pub struct Received(RecvStream);

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = ChannelError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ChannelError>>> {
        match ready!(poll_data(&mut self.0, cx)) {
            Some(data) => Poll::Ready(Some(data.map(Frame::data))),
            None => {
                let trailers = ready!(poll_trailers(&mut self.0, cx))?;
                Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
}

/// Lets the peer send as much again as was taken.
fn release(stream: &mut RecvStream, data: Result<Bytes, h2::Error>) -> Result<Bytes, ChannelError> {
    let data = data?;
    // Fails only when the stream is over, and then no more will come.
    let _ = stream.flow_control().release_capacity(data.len());
    Ok(data)
}

/// The next piece of an answer.
pub(super) fn poll_data(
    stream: &mut RecvStream,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, ChannelError>>> {
    let data = ready!(stream.poll_data(cx));
    Poll::Ready(data.map(|data| release(stream, data)))
}

/// What follows an answer.
pub(super) fn poll_trailers(
    stream: &mut RecvStream,
    cx: &mut Context<'_>,
) -> Poll<Result<Option<HeaderMap>, ChannelError>> {
    stream.poll_trailers(cx).map_err(ChannelError::from)
}

/// [`poll_data`], waited for.
pub(super) async fn data(stream: &mut RecvStream) -> Result<Option<Bytes>, ChannelError> {
    poll_fn(|cx| poll_data(stream, cx)).await.transpose()
}

/// [`poll_trailers`], waited for.
pub(super) async fn trailers(stream: &mut RecvStream) -> Result<Option<HeaderMap>, ChannelError> {
    poll_fn(|cx| poll_trailers(stream, cx)).await
}

/// Why a request over a [`Channel`] failed below gRPC.
#[derive(Debug, thiserror::Error)]
#[error("{}", if *.not_sent { "the connection ended before the request was sent" } else { "the connection broke while the request was under way" })]
pub struct ChannelError {
    not_sent: bool,
    source: h2::Error,
}

impl From<h2::Error> for ChannelError {
    fn from(source: h2::Error) -> Self {
        // Both are the peer's word that it did not look at the stream: it refused this one, or it
        // named the last one it takes and this one came later.
        let refused = source.is_reset() && source.reason() == Some(Reason::REFUSED_STREAM);
        let not_sent = source.is_remote() && (refused || source.is_go_away());
        Self { not_sent, source }
    }
}

impl ChannelError {
    /// Whether the peer provably never worked on the request.
    pub fn not_sent(&self) -> bool {
        self.not_sent
    }

    /// Finds this error in the causes of a gRPC status.
    pub fn behind(status: &tonic::Status) -> Option<&Self> {
        let mut cause = status.source();
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }
}
