//! Bodies as one piece of bytes: of requests, to compare them, and of answers, to keep them.
//!
//! ```text
//!  an answer's body
//!    announces its length ─▶ read to its end; too long, it goes out as it is
//!    announces none ───────▶ read as far as is there at once ─┬─ to its end ──────▶ one piece
//!                                                             └─ it has to be waited for, is too
//!                                                                long, has trailers: it streams
//! ```
//!
//! What is made on the spot, as by a layer that compresses, announces no length and is there at
//! once nevertheless. What streams goes out as it came, what was read of it first.
//!
//! Invariant: nobody waits for a body that announces no length, and of none more is held than the
//! limit and one frame.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};

use crate::problem::{ProblemBody, Resumed};

/// Frames that are read of a body that is there at once; one of more streams.
const FRAMES_MAX: usize = 4_096;

/// Why a body is not one piece of bytes.
pub(super) enum Unread {
    TooLarge,
    Broken,
}

/// What an answer's body is.
pub(super) enum Taken<B> {
    Whole(Bytes),
    /// It goes out as it came.
    Streams(ProblemBody<B>),
    Broken,
}

/// Reads a body of `max` bytes at most to its end.
pub(super) async fn read<B: Body<Data = Bytes>>(body: B, max: usize) -> Result<Bytes, Unread> {
    if body.size_hint().lower() > max as u64 {
        return Err(Unread::TooLarge);
    }
    let mut body = pin!(body);
    let mut pieces = Pieces::default();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(piece) = frame.map_err(|_| Unread::Broken)?.into_data() else {
            continue;
        };
        if pieces.len() + piece.len() > max {
            return Err(Unread::TooLarge);
        }
        pieces.add(piece);
    }
    Ok(pieces.joined())
}

/// Takes an answer's body of `max` bytes at most, unless it streams.
pub(super) async fn taken<B: Body<Data = Bytes>>(body: B, max: usize) -> Taken<B> {
    let hint = body.size_hint();
    match hint.exact() {
        _ if hint.lower() > max as u64 => Taken::Streams(ProblemBody::inner(body)),
        Some(_) => read(body, max).await.map_or(Taken::Broken, Taken::Whole),
        None => at_once(body, max).await,
    }
}

/// Reads a body as far as is there without waiting.
async fn at_once<B: Body<Data = Bytes>>(body: B, max: usize) -> Taken<B> {
    let mut rest = Box::pin(body);
    let mut ahead = VecDeque::new();
    let ended = poll_fn(|cx| Poll::Ready(read_ready(rest.as_mut(), &mut ahead, max, cx)));
    match ended.await {
        Ok(true) => {
            let mut pieces = Pieces::default();
            let data = ahead.into_iter().filter_map(|it| it.into_data().ok());
            data.for_each(|it| pieces.add(it));
            Taken::Whole(pieces.joined())
        }
        Ok(false) => Taken::Streams(ProblemBody::resumed(Resumed { ahead, rest })),
        Err(_) => Taken::Broken,
    }
}

/// Puts what is there of a body into `ahead`. Says whether that is all of it.
fn read_ready<B: Body<Data = Bytes>>(
    mut body: Pin<&mut B>,
    ahead: &mut VecDeque<Frame<Bytes>>,
    max: usize,
    cx: &mut Context<'_>,
) -> Result<bool, B::Error> {
    let mut bytes = 0;
    while bytes <= max && ahead.len() < FRAMES_MAX {
        let Poll::Ready(frame) = body.as_mut().poll_frame(cx) else {
            return Ok(false);
        };
        let Some(frame) = frame.transpose()? else {
            return Ok(true);
        };
        let is_last = frame.is_trailers();
        bytes += frame.data_ref().map_or(0, Bytes::len);
        ahead.push_back(frame);
        if is_last {
            break;
        }
    }
    Ok(false)
}

/// A body as far as it was read. One piece, as nearly all bodies are, is not copied.
#[derive(Default)]
struct Pieces {
    first: Bytes,
    /// The first and all others, once there are others.
    all: BytesMut,
}

impl Pieces {
    fn len(&self) -> usize {
        self.first.len() + self.all.len()
    }

    fn add(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
        } else {
            self.all.extend_from_slice(&std::mem::take(&mut self.first));
            self.all.extend_from_slice(&piece);
        }
    }

    fn joined(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}
