//! The kinds of numbers, enums among them.
//!
//! A [`Number`] says how one is written behind its key; everything else follows. A packed field is
//! read from one piece, with room for its values made at once, which its bytes bound.

use std::marker::PhantomData;

use prost::DecodeError;
use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{
    self, DecodeContext, WireType, check_wire_type, encoded_len_varint, key_len,
};

use super::wire::{read_varint, whole, write_head, write_key, write_varint};
use super::{Codec, Merged};

/// One kind of number.
pub trait Number {
    /// The Rust type.
    type Value: Copy + Default;

    /// How it is written.
    const WIRE_TYPE: WireType;

    /// Whether a field without presence would not be written.
    fn is_zero(value: Self::Value) -> bool;

    /// How many bytes [`put`](Self::put) writes.
    fn len(value: Self::Value) -> usize;

    /// Writes one.
    fn put(value: Self::Value, buf: &mut impl BufMut);

    /// Reads one.
    fn take(buf: &mut impl Buf) -> Result<Self::Value, DecodeError>;

    /// How many numbers these bytes are.
    fn count(bytes: &[u8]) -> usize;
}

impl<N: Number> Codec for N {
    type Value = N::Value;

    #[inline]
    fn encode(tag: u32, value: &N::Value, buf: &mut impl BufMut) {
        write_key(tag, N::WIRE_TYPE, buf);
        N::put(*value, buf);
    }

    #[inline]
    fn encoded_len(tag: u32, value: &N::Value) -> usize {
        key_len(tag) + N::len(*value)
    }

    #[inline]
    fn merge(
        wire_type: WireType,
        value: &mut N::Value,
        buf: &mut impl Buf,
        _: DecodeContext,
    ) -> Merged {
        check_wire_type(N::WIRE_TYPE, wire_type)?;
        *value = N::take(buf)?;
        Ok(())
    }

    #[inline]
    fn is_default(value: &N::Value) -> bool {
        N::is_zero(*value)
    }

    fn merge_repeated(
        wire_type: WireType,
        values: &mut Vec<N::Value>,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        if wire_type == N::WIRE_TYPE {
            values.push(N::take(buf)?);
            return Ok(());
        }
        if let Some((start, bytes)) = whole(buf.chunk()).filter(|_| is_packed(wire_type)) {
            let consumed = start + bytes.len();
            unpack::<N>(bytes, values)?;
            buf.advance(consumed);
            return Ok(());
        }
        let mut bytes = Bytes::new();
        encoding::bytes::merge(wire_type, &mut bytes, buf, ctx)?;
        unpack::<N>(&bytes, values)
    }

    fn packed(tag: u32, values: &[N::Value], buf: &mut impl BufMut) {
        if values.is_empty() {
            return;
        }
        write_head(tag, body_len::<N>(values), buf);
        for value in values {
            N::put(*value, buf);
        }
    }

    fn packed_len(tag: u32, values: &[N::Value]) -> usize {
        if values.is_empty() {
            return 0;
        }
        let len = body_len::<N>(values);
        key_len(tag) + encoded_len_varint(len as u64) + len
    }
}

fn is_packed(wire_type: WireType) -> bool {
    wire_type == WireType::LengthDelimited
}

fn body_len<N: Number>(values: &[N::Value]) -> usize {
    values.iter().map(|value| N::len(*value)).sum()
}

/// Reads the inside of a packed field: once for each kind, whatever the input is kept in.
fn unpack<N: Number>(mut bytes: &[u8], values: &mut Vec<N::Value>) -> Merged {
    values.reserve(N::count(bytes));
    while !bytes.is_empty() {
        values.push(N::take(&mut bytes)?);
    }
    Ok(())
}

macro_rules! varints {
    ($($kind:ident $keyword:literal $ty:ty, $wire:expr, $value:expr;)+) => {$(
        #[doc = concat!("`", $keyword, "`")]
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;

        impl Number for $kind {
            type Value = $ty;

            const WIRE_TYPE: WireType = WireType::Varint;

            #[inline]
            fn is_zero(value: $ty) -> bool {
                value == <$ty>::default()
            }

            #[inline]
            fn len(value: $ty) -> usize {
                let wire: fn($ty) -> u64 = $wire;
                encoded_len_varint(wire(value))
            }

            #[inline]
            fn put(value: $ty, buf: &mut impl BufMut) {
                let wire: fn($ty) -> u64 = $wire;
                write_varint(wire(value), buf);
            }

            #[inline]
            fn take(buf: &mut impl Buf) -> Result<$ty, DecodeError> {
                let value: fn(u64) -> $ty = $value;
                read_varint(buf).map(value)
            }

            fn count(bytes: &[u8]) -> usize {
                count_varints(bytes)
            }
        }
    )+};
}

/// The last byte of each is below 128.
fn count_varints(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte < 0x80).count()
}

// Negative numbers of 32 bits are written with 64, and readers cut what they read.
varints! {
    Int32 "int32" i32, |it| it as u64, |it| it as i32;
    Int64 "int64" i64, |it| it as u64, |it| it as i64;
    Uint32 "uint32" u32, u64::from, |it| it as u32;
    Uint64 "uint64" u64, |it| it, |it| it;
    Sint32 "sint32" i32,
        |it| u64::from(((it << 1) ^ (it >> 31)) as u32),
        |it| ((it as u32 >> 1) as i32) ^ -(it as i32 & 1);
    Sint64 "sint64" i64,
        |it| ((it << 1) ^ (it >> 63)) as u64,
        |it| ((it >> 1) as i64) ^ -(it as i64 & 1);
    Bool "bool" bool, u64::from, |it| it != 0;
}

macro_rules! fixed {
    ($($kind:ident $keyword:ident $ty:ty, $wire_type:ident, $put:ident, $is_zero:expr;)+) => {$(
        #[doc = concat!("`", stringify!($keyword), "`")]
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;

        impl Number for $kind {
            type Value = $ty;

            const WIRE_TYPE: WireType = WireType::$wire_type;

            #[inline]
            fn is_zero(value: $ty) -> bool {
                let is_zero: fn($ty) -> bool = $is_zero;
                is_zero(value)
            }

            #[inline]
            fn len(_: $ty) -> usize {
                size_of::<$ty>()
            }

            #[inline]
            fn put(value: $ty, buf: &mut impl BufMut) {
                buf.$put(value);
            }

            #[inline]
            fn take(buf: &mut impl Buf) -> Result<$ty, DecodeError> {
                let (mut value, ctx) = (<$ty>::default(), DecodeContext::default());
                encoding::$keyword::merge(Self::WIRE_TYPE, &mut value, buf, ctx)?;
                Ok(value)
            }

            fn count(bytes: &[u8]) -> usize {
                bytes.len() / size_of::<$ty>()
            }
        }
    )+};
}

// A negative zero is not the default: it would come back as another number.
fixed! {
    Double double f64, SixtyFourBit, put_f64_le, |it| it.to_bits() == 0;
    Float float f32, ThirtyTwoBit, put_f32_le, |it| it.to_bits() == 0;
    Fixed32 fixed32 u32, ThirtyTwoBit, put_u32_le, |it| it == 0;
    Fixed64 fixed64 u64, SixtyFourBit, put_u64_le, |it| it == 0;
    Sfixed32 sfixed32 i32, ThirtyTwoBit, put_i32_le, |it| it == 0;
    Sfixed64 sfixed64 i64, SixtyFourBit, put_i64_le, |it| it == 0;
}

/// What a generated enum can do: it is an `i32` with names for some of the numbers.
pub trait Enumerated: Copy + Default + From<i32> + Into<i32> {}

impl<E: Copy + Default + From<i32> + Into<i32>> Enumerated for E {}

/// An enum; numbers without a name are kept.
#[derive(Clone, Copy, Debug)]
pub struct Enum<E>(PhantomData<E>);

impl<E: Enumerated> Number for Enum<E> {
    type Value = E;

    const WIRE_TYPE: WireType = Int32::WIRE_TYPE;

    #[inline]
    fn is_zero(value: E) -> bool {
        Int32::is_zero(value.into())
    }

    #[inline]
    fn len(value: E) -> usize {
        Int32::len(value.into())
    }

    #[inline]
    fn put(value: E, buf: &mut impl BufMut) {
        Int32::put(value.into(), buf);
    }

    #[inline]
    fn take(buf: &mut impl Buf) -> Result<E, DecodeError> {
        Int32::take(buf).map(E::from)
    }

    fn count(bytes: &[u8]) -> usize {
        Int32::count(bytes)
    }
}

/// `google.protobuf.NullValue`: an enum with one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NullValue;

impl From<i32> for NullValue {
    fn from(_: i32) -> Self {
        Self
    }
}

impl From<NullValue> for i32 {
    fn from(_: NullValue) -> Self {
        0
    }
}
