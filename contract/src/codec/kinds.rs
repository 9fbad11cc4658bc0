//! The kinds of values that have a length: text, bytes and messages.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{self, DecodeContext, WireType, encoded_len_varint, key_len};

use super::numbers::{Double, Float};
use super::wire::{whole, write_head};
use super::{Codec, Merged};

/// How many bytes a field takes whose value takes `len`.
#[inline]
pub(super) fn field_len(tag: u32, len: usize) -> usize {
    key_len(tag) + encoded_len_varint(len as u64) + len
}

/// `string`
#[derive(Clone, Copy, Debug)]
pub struct Str;

impl Codec for Str {
    type Value = String;

    #[inline]
    fn encode(tag: u32, value: &String, buf: &mut impl BufMut) {
        write_head(tag, value.len(), buf);
        buf.put_slice(value.as_bytes());
    }

    #[inline]
    fn encoded_len(tag: u32, value: &String) -> usize {
        field_len(tag, value.len())
    }

    fn merge(
        wire_type: WireType,
        value: &mut String,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        if wire_type == WireType::LengthDelimited
            && let Some((start, bytes)) = whole(buf.chunk())
            // Copied first: text that begins at an even address is checked in larger steps.
            && let Ok(text) = String::from_utf8(bytes.to_vec())
        {
            *value = text;
            buf.advance(start + value.len());
            return Ok(());
        }
        encoding::string::merge(wire_type, value, buf, ctx)
    }

    #[inline]
    fn is_default(value: &String) -> bool {
        value.is_empty()
    }
}

/// `bytes`: a value read from [`Bytes`] shares their memory instead of copying.
#[derive(Clone, Copy, Debug)]
pub struct Blob;

impl Codec for Blob {
    type Value = Bytes;

    #[inline]
    fn encode(tag: u32, value: &Bytes, buf: &mut impl BufMut) {
        write_head(tag, value.len(), buf);
        buf.put_slice(value);
    }

    #[inline]
    fn encoded_len(tag: u32, value: &Bytes) -> usize {
        field_len(tag, value.len())
    }

    fn merge(
        wire_type: WireType,
        value: &mut Bytes,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        encoding::bytes::merge(wire_type, value, buf, ctx)
    }

    #[inline]
    fn is_default(value: &Bytes) -> bool {
        value.is_empty()
    }
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Msg<M>(PhantomData<M>);

impl<M: Message + Default> Codec for Msg<M> {
    type Value = M;

    #[inline]
    fn encode(tag: u32, value: &M, buf: &mut impl BufMut) {
        write_head(tag, value.encoded_len(), buf);
        value.encode_raw(buf);
    }

    #[inline]
    fn encoded_len(tag: u32, value: &M) -> usize {
        field_len(tag, value.encoded_len())
    }

    #[inline]
    fn merge(wire_type: WireType, value: &mut M, buf: &mut impl Buf, ctx: DecodeContext) -> Merged {
        encoding::message::merge(wire_type, value, buf, ctx)
    }

    /// A message that is there is written, whatever is in it.
    #[inline]
    fn is_default(_: &M) -> bool {
        false
    }

    fn merge_repeated(
        wire_type: WireType,
        values: &mut Vec<M>,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        // Read where it stays: a message may be large to move.
        values.push(M::default());
        match values.last_mut() {
            Some(value) => Self::merge(wire_type, value, buf, ctx),
            None => Ok(()),
        }
    }
}

macro_rules! wrappers {
    ($($kind:ident $of:ident $ty:ty;)+) => {$(
        #[doc = concat!("`google.protobuf.", stringify!($kind), "`, which keeps a negative zero.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;

        impl Codec for $kind {
            type Value = $ty;

            fn encode(tag: u32, value: &$ty, buf: &mut impl BufMut) {
                write_head(tag, $of::implicit_len(1, value), buf);
                $of::implicit(1, value, buf);
            }

            fn encoded_len(tag: u32, value: &$ty) -> usize {
                field_len(tag, $of::implicit_len(1, value))
            }

            fn merge(
                wire_type: WireType,
                value: &mut $ty,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Merged {
                encoding::message::merge(wire_type, value, buf, ctx)
            }

            fn is_default(_: &$ty) -> bool {
                false
            }
        }
    )+};
}

wrappers! {
    DoubleValue Double f64;
    FloatValue Float f32;
}
