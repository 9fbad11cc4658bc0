//! The kinds of values: scalars, enums and messages.

use std::marker::PhantomData;

use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{self, DecodeContext, WireType};

use super::{Codec, Merged};

macro_rules! numbers {
    ($($kind:ident $module:ident $ty:ty, $is_default:expr;)+) => {$(
        #[doc = concat!("`", stringify!($module), "`")]
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;

        impl Codec for $kind {
            type Value = $ty;

            #[inline]
            fn encode(tag: u32, value: &$ty, buf: &mut impl BufMut) {
                encoding::$module::encode(tag, value, buf);
            }

            #[inline]
            fn encoded_len(tag: u32, value: &$ty) -> usize {
                encoding::$module::encoded_len(tag, value)
            }

            #[inline]
            fn merge(
                wire_type: WireType,
                value: &mut $ty,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Merged {
                encoding::$module::merge(wire_type, value, buf, ctx)
            }

            #[inline]
            fn is_default(value: &$ty) -> bool {
                let is_default: fn(&$ty) -> bool = $is_default;
                is_default(value)
            }

            fn merge_repeated(
                wire_type: WireType,
                values: &mut Vec<$ty>,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Merged {
                encoding::$module::merge_repeated(wire_type, values, buf, ctx)
            }

            fn packed(tag: u32, values: &[$ty], buf: &mut impl BufMut) {
                encoding::$module::encode_packed(tag, values, buf);
            }

            fn packed_len(tag: u32, values: &[$ty]) -> usize {
                encoding::$module::encoded_len_packed(tag, values)
            }
        }
    )+};
}

// A negative zero is not the default: it would come back as another number.
numbers! {
    Double double f64, |it| it.to_bits() == 0;
    Float float f32, |it| it.to_bits() == 0;
    Int32 int32 i32, |it| *it == 0;
    Int64 int64 i64, |it| *it == 0;
    Uint32 uint32 u32, |it| *it == 0;
    Uint64 uint64 u64, |it| *it == 0;
    Sint32 sint32 i32, |it| *it == 0;
    Sint64 sint64 i64, |it| *it == 0;
    Fixed32 fixed32 u32, |it| *it == 0;
    Fixed64 fixed64 u64, |it| *it == 0;
    Sfixed32 sfixed32 i32, |it| *it == 0;
    Sfixed64 sfixed64 i64, |it| *it == 0;
    Bool bool bool, |it| !*it;
}

macro_rules! texts {
    ($($(#[$about:meta])+ $name:ident $module:ident $ty:ty;)+) => {$(
        $(#[$about])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Codec for $name {
            type Value = $ty;

            #[inline]
            fn encode(tag: u32, value: &$ty, buf: &mut impl BufMut) {
                encoding::$module::encode(tag, value, buf);
            }

            #[inline]
            fn encoded_len(tag: u32, value: &$ty) -> usize {
                encoding::$module::encoded_len(tag, value)
            }

            #[inline]
            fn merge(
                wire_type: WireType,
                value: &mut $ty,
                buf: &mut impl Buf,
                ctx: DecodeContext,
            ) -> Merged {
                encoding::$module::merge(wire_type, value, buf, ctx)
            }

            #[inline]
            fn is_default(value: &$ty) -> bool {
                value.is_empty()
            }
        }
    )+};
}

texts! {
    /// `string`
    Str string String;
    /// `bytes`: a value read from [`Bytes`] shares their memory instead of copying.
    Blob bytes Bytes;
}

/// What a generated enum can do: it is an `i32` with names for some of the numbers.
pub trait Enumerated: Copy + Default + From<i32> + Into<i32> {}

impl<E: Copy + Default + From<i32> + Into<i32>> Enumerated for E {}

/// An enum; numbers without a name are kept.
#[derive(Clone, Copy, Debug)]
pub struct Enum<E>(PhantomData<E>);

impl<E: Enumerated> Codec for Enum<E> {
    type Value = E;

    #[inline]
    fn encode(tag: u32, value: &E, buf: &mut impl BufMut) {
        encoding::int32::encode(tag, &(*value).into(), buf);
    }

    #[inline]
    fn encoded_len(tag: u32, value: &E) -> usize {
        encoding::int32::encoded_len(tag, &(*value).into())
    }

    #[inline]
    fn merge(wire_type: WireType, value: &mut E, buf: &mut impl Buf, ctx: DecodeContext) -> Merged {
        *value = Int32::read(wire_type, buf, ctx)?.into();
        Ok(())
    }

    #[inline]
    fn is_default(value: &E) -> bool {
        let number: i32 = (*value).into();
        number == 0
    }

    fn merge_repeated(
        wire_type: WireType,
        values: &mut Vec<E>,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        let mut numbers = Vec::new();
        Int32::merge_repeated(wire_type, &mut numbers, buf, ctx)?;
        values.extend(numbers.into_iter().map(E::from));
        Ok(())
    }

    fn packed(tag: u32, values: &[E], buf: &mut impl BufMut) {
        let numbers: Vec<i32> = values.iter().map(|it| (*it).into()).collect();
        Int32::packed(tag, &numbers, buf);
    }

    fn packed_len(tag: u32, values: &[E]) -> usize {
        let numbers: Vec<i32> = values.iter().map(|it| (*it).into()).collect();
        Int32::packed_len(tag, &numbers)
    }
}

/// A message.
#[derive(Clone, Copy, Debug)]
pub struct Msg<M>(PhantomData<M>);

impl<M: Message + Default> Codec for Msg<M> {
    type Value = M;

    #[inline]
    fn encode(tag: u32, value: &M, buf: &mut impl BufMut) {
        encoding::message::encode(tag, value, buf);
    }

    #[inline]
    fn encoded_len(tag: u32, value: &M) -> usize {
        encoding::message::encoded_len(tag, value)
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
}

macro_rules! wrappers {
    ($($kind:ident $of:ident $ty:ty;)+) => {$(
        #[doc = concat!("`google.protobuf.", stringify!($kind), "`, which keeps a negative zero.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $kind;

        impl Codec for $kind {
            type Value = $ty;

            fn encode(tag: u32, value: &$ty, buf: &mut impl BufMut) {
                encoding::encode_key(tag, WireType::LengthDelimited, buf);
                encoding::encode_varint($of::implicit_len(1, value) as u64, buf);
                $of::implicit(1, value, buf);
            }

            fn encoded_len(tag: u32, value: &$ty) -> usize {
                // The length of so few bytes is one byte.
                encoding::key_len(tag) + 1 + $of::implicit_len(1, value)
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
