//! The first steps of reading and writing: numbers of few bytes, and values that lie in one piece.
//!
//! That is nearly all of what messages are made of, and it is done without a call for each byte.
//! Whatever is not so goes on to prost with nothing consumed: prost decides what is refused.
//!
//! Invariant: what prost reads is read here as the same value, and what is written is the same
//! bytes.

use prost::DecodeError;
use prost::bytes::{Buf, BufMut};
use prost::encoding::{WireType, decode_varint, encode_varint};

/// The most bytes a number takes.
const VARINT_BYTES_MAX: usize = 10;

/// Reads a number.
#[inline]
pub(super) fn read_varint(buf: &mut impl Buf) -> Result<u64, DecodeError> {
    let (value, bytes) = match *buf.chunk() {
        [only @ ..0x80, ..] => (u64::from(only), 1),
        [low, high @ ..0x80, ..] => (u64::from(low & 0x7f) | (u64::from(high) << 7), 2),
        _ => return decode_varint(buf),
    };
    buf.advance(bytes);
    Ok(value)
}

/// Writes a number.
#[inline]
pub(super) fn write_varint(value: u64, buf: &mut impl BufMut) {
    if value < 0x80 {
        buf.put_u8(value as u8);
    } else {
        write_long(value, buf);
    }
}

fn write_long(value: u64, buf: &mut impl BufMut) {
    // Into one piece first: a buffer looks for room each time that it is given something.
    let mut bytes = [0; VARINT_BYTES_MAX];
    let mut rest = bytes.as_mut_slice();
    encode_varint(value, &mut rest);
    let unused = rest.len();
    buf.put_slice(&bytes[..VARINT_BYTES_MAX - unused]);
}

/// Writes what stands before a field.
#[inline]
pub(super) fn write_key(tag: u32, wire_type: WireType, buf: &mut impl BufMut) {
    write_varint(u64::from((tag << 3) | wire_type as u32), buf);
}

/// Writes what stands before a field of so many bytes.
#[inline]
pub(super) fn write_head(tag: u32, len: usize, buf: &mut impl BufMut) {
    let key = (tag << 3) | WireType::LengthDelimited as u32;
    if key < 0x80 && len < 0x80 {
        buf.put_slice(&[key as u8, len as u8]);
    } else {
        write_varint(u64::from(key), buf);
        write_varint(len as u64, buf);
    }
}

/// The value of a field with a length, behind how many bytes its length takes; `None` when it does
/// not end in this piece of the input, or is longer than most.
#[inline]
pub(super) fn whole(piece: &[u8]) -> Option<(usize, &[u8])> {
    let (start, len) = match *piece {
        [only @ ..0x80, ..] => (1, usize::from(only)),
        [low, high @ ..0x80, ..] => (2, usize::from(low & 0x7f) | (usize::from(high) << 7)),
        _ => return None,
    };
    Some((start, piece.get(start..start + len)?))
}
