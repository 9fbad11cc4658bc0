//! Messages cut out of the pieces a body comes in.
//!
//! Refuses compressed messages, which nobody asked for, and messages beyond the size limit; both
//! as soon as the first bytes say so.
//!
//! Invariant: at most one message is kept unfinished, so memory is bounded by its largest size
//! and one piece.

use bytes::{Bytes, BytesMut};
use tonic::Status;

/// Bytes in front of a message: whether it is compressed, and its length.
pub(super) const PREFIX_BYTES: usize = 5;
/// Largest message that is taken, in bytes.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The part of a body that has come and was not taken yet.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// Nearly always holds whole messages, which are taken without copying.
    piece: Bytes,
    /// The beginning of a message whose end is in a later piece.
    begun: BytesMut,
}

impl Frames {
    /// Adds what came, once [`next`](Self::next) has nothing more to give.
    pub(super) fn add(&mut self, piece: Bytes) {
        debug_assert!(self.piece.is_empty(), "the last piece has not been used up");
        self.piece = piece;
    }

    /// The next whole message.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Status> {
        if self.begun.is_empty()
            && let Some(bytes) = frame_bytes(&self.piece)?
            && bytes <= self.piece.len()
        {
            return Ok(Some(self.piece.split_to(bytes).split_off(PREFIX_BYTES)));
        }
        loop {
            let whole = frame_bytes(&self.begun)?;
            if whole == Some(self.begun.len()) {
                let frame = std::mem::take(&mut self.begun).freeze();
                return Ok(Some(frame.slice(PREFIX_BYTES..)));
            }
            if self.piece.is_empty() {
                return Ok(None);
            }
            let missing = whole.unwrap_or(PREFIX_BYTES) - self.begun.len();
            let part = self.piece.split_to(missing.min(self.piece.len()));
            self.begun.extend_from_slice(&part);
        }
    }

    /// Whether everything that came was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.piece.is_empty() && self.begun.is_empty()
    }
}

/// Size of the frame that begins here, its prefix included, once that has come.
fn frame_bytes(begun: &[u8]) -> Result<Option<usize>, Status> {
    let Some([compressed, length @ ..]) = begun.first_chunk::<PREFIX_BYTES>() else {
        return Ok(None);
    };
    if *compressed != 0 {
        return Err(Status::unimplemented("the reply is compressed"));
    }
    let bytes = u32::from_be_bytes(*length) as usize;
    if bytes > MESSAGE_BYTES_MAX {
        let text = format!("the reply is larger than {MESSAGE_BYTES_MAX} bytes: {bytes}");
        return Err(Status::out_of_range(text));
    }
    Ok(Some(PREFIX_BYTES + bytes))
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn messages(pieces: &[&'static [u8]]) -> Result<(Vec<Bytes>, bool), Status> {
        let (mut frames, mut all) = (Frames::default(), Vec::new());
        for piece in pieces {
            frames.add(Bytes::from_static(piece));
            while let Some(message) = frames.next()? {
                all.push(message);
            }
        }
        Ok((all, frames.is_empty()))
    }

    #[test]
    fn messages_are_the_same_however_the_body_is_cut() {
        let body: &[u8] = b"\0\0\0\0\x03abc\0\0\0\0\0\0\0\0\0\x01z";
        let expected = ["abc", "", "z"].map(Bytes::from);
        for size in 1..=body.len() {
            let pieces: Vec<_> = body.chunks(size).collect();
            let (all, is_empty) = messages(&pieces).expect("whole");
            assert_eq!((&*all, is_empty), (&expected[..], true), "pieces of {size}");
        }
    }

    #[test]
    fn what_has_no_end_is_kept_and_known() {
        for begun in [&b"\0\0\0"[..], b"\0\0\0\0\x03ab"] {
            let (all, is_empty) = messages(&[begun]).expect("begun");
            assert!(all.is_empty() && !is_empty, "{begun:?}");
        }
    }

    #[test]
    fn compressed_and_oversized_messages_are_refused_by_their_prefix() {
        let compressed = messages(&[b"\x01\0\0\0\x03"]).expect_err("compressed");
        assert_eq!(compressed.code(), Code::Unimplemented);
        let large = messages(&[b"\0\0\x40\0\x01"]).expect_err("one byte too large");
        assert_eq!(large.code(), Code::OutOfRange);
        assert!(messages(&[b"\0\0\x40\0\0"]).is_ok());
    }
}
