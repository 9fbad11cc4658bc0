//! Which Rust types can be fields of a message, and how each is written: what messages that are
//! declared in Rust are made of.
//!
//! [`Native`] is one value, [`Field`] a field: a value, an `Option`, a `Vec` or a `BTreeMap` of
//! them. A type that may be written in several ways is `Native` once for each, under the kind's
//! name; without a name it is written [`ByType`].
//!
//! Refuses, while compiling, every other type, with what to take instead. Invariant: a field is
//! written as the generator would write a field of the same table.

use std::collections::BTreeMap;
use std::hash::Hash;

use prost::Message;
use prost::bytes::{Buf, BufMut, Bytes};
use prost::encoding::{self, DecodeContext, WireType};
use prost_types as types;

use super::kinds::field_len;
use super::wire::write_head;
use super::{
    Blob, Bool, Codec, Double, DoubleValue, Fixed32, Fixed64, Float, FloatValue, Int32, Int64,
    Merged, Msg, Sfixed32, Sfixed64, Sint32, Sint64, Str, Uint32, Uint64, encode_map, map_len,
    merge_map,
};
use crate::message::{Files, Kind, Label, Scalar, well_known};

/// A value is written in the usual way of its type.
#[derive(Clone, Copy, Debug)]
pub struct ByType;

/// A value is written in a message of its own, as `google.protobuf.Int32Value` and its like.
#[derive(Clone, Copy, Debug)]
pub struct Wrapper;

/// A Rust type that is one value of a message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a value in a message",
    label = "no value of a message",
    note = "a value is `bool`, `i32`, `i64`, `u32`, `u64`, `f32`, `f64`, `String`, `Vec<u8>`, `Bytes`, a message or an enum",
    note = "a message is a struct below `#[derive(bridge::Message)]` or one of an included contract; an enum is one below `#[derive(bridge::Enumeration)]`",
    note = "`sint32`, `sfixed32` are kinds of `i32`, `sint64`, `sfixed64` of `i64`, `fixed32` of `u32`, `fixed64` of `u64`"
)]
pub trait Native<As = ByType>: Sized {
    /// How it is written.
    type Codec: Codec<Value = Self>;
    /// What tables say of it.
    const KIND: Kind;

    /// Puts the type into files, where it is declared in Rust.
    fn declare(_: &mut Files) {}
}

/// A value that entries of a map can be found by.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a map",
    label = "no key of a map",
    note = "a key is `bool`, `i32`, `i64`, `u32`, `u64` or `String`"
)]
pub trait Key<As = ByType>: Native<As, Codec: Codec<Value: Eq + Hash + Ord>> {
    /// What tables say of it.
    const SCALAR: Scalar;
}

/// A Rust type that is a field of a message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a message",
    label = "no field of a message",
    note = "a field is a value (`bool`, `i32`, `i64`, `u32`, `u64`, `f32`, `f64`, `String`, `Vec<u8>`, `Bytes`, an enum), or an `Option`, a `Vec` or a `BTreeMap` of values",
    note = "a message is `Option<Message>`, or `Option<Box<Message>>` in itself: it may be missing; a oneof needs `#[bridge(oneof)]`",
    note = "`sint32`, `sfixed32` are kinds of `i32`, `sint64`, `sfixed64` of `i64`, `fixed32` of `u32`, `fixed64` of `u64`; `wrapper` is for `Option`s"
)]
pub trait Field<As = ByType, KeyAs = ByType>: Sized {
    /// How many values it holds.
    const LABEL: Label;
    /// What one value is.
    const KIND: Kind;

    /// What it holds before anything was said.
    fn unset() -> Self;

    /// Writes it.
    fn put(&self, tag: u32, buf: &mut impl BufMut);

    /// How many bytes [`put`](Self::put) writes.
    fn size(&self, tag: u32) -> usize;

    /// Reads it, or what comes next of it.
    fn take(&mut self, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Merged;

    /// Puts the types in it into files.
    fn declare(files: &mut Files);
}

/// The functions of a field that holds one value without presence.
#[doc(hidden)]
#[macro_export]
macro_rules! __implicit_field {
    ($ty:ty, $as:ty $(, where $($bounds:tt)+)?) => {
        impl $crate::codec::Field<$as> for $ty
        $(where
            $($bounds)+)?
        {
            const LABEL: $crate::message::Label = $crate::message::Label::Implicit;
            const KIND: $crate::message::Kind = <$ty as $crate::codec::Native<$as>>::KIND;

            fn unset() -> Self {
                ::core::default::Default::default()
            }

            #[inline]
            fn put(&self, tag: u32, buf: &mut impl $crate::codec::BufMut) {
                use $crate::codec::{Codec, Native};
                <<$ty as Native<$as>>::Codec as Codec>::implicit(tag, self, buf);
            }

            #[inline]
            fn size(&self, tag: u32) -> usize {
                use $crate::codec::{Codec, Native};
                <<$ty as Native<$as>>::Codec as Codec>::implicit_len(tag, self)
            }

            #[inline]
            fn take(
                &mut self,
                wire_type: $crate::codec::WireType,
                buf: &mut impl $crate::codec::Buf,
                ctx: $crate::codec::DecodeContext,
            ) -> $crate::codec::Merged {
                use $crate::codec::{Codec, Native};
                <<$ty as Native<$as>>::Codec as Codec>::merge(wire_type, self, buf, ctx)
            }

            fn declare(files: &mut $crate::message::Files) {
                <$ty as $crate::codec::Native<$as>>::declare(files);
            }
        }
    };
}

macro_rules! values {
    ($($ty:ty, $as:ty => $codec:ty, $kind:expr;)+) => {$(
        impl Native<$as> for $ty {
            type Codec = $codec;
            const KIND: Kind = $kind;
        }
    )+};
}

macro_rules! scalars {
    ($($ty:ty, $as:ty => $codec:ident, $scalar:ident $(, $key:ident)?;)+) => {$(
        values! { $ty, $as => $codec, Kind::Scalar(Scalar::$scalar); }
        __implicit_field! { $ty, $as }
        $(impl $key<$as> for $ty {
            const SCALAR: Scalar = Scalar::$scalar;
        })?
    )+};
}

scalars! {
    bool, ByType => Bool, Bool, Key;
    i32, ByType => Int32, Int32, Key;
    i64, ByType => Int64, Int64, Key;
    u32, ByType => Uint32, Uint32, Key;
    u64, ByType => Uint64, Uint64, Key;
    i32, Sint32 => Sint32, Sint32, Key;
    i64, Sint64 => Sint64, Sint64, Key;
    u32, Fixed32 => Fixed32, Fixed32, Key;
    u64, Fixed64 => Fixed64, Fixed64, Key;
    i32, Sfixed32 => Sfixed32, Sfixed32, Key;
    i64, Sfixed64 => Sfixed64, Sfixed64, Key;
    String, ByType => Str, String, Key;
    f32, ByType => Float, Float;
    f64, ByType => Double, Double;
    Bytes, ByType => Blob, Bytes;
    Vec<u8>, ByType => Octets, Bytes;
}

values! {
    bool, Wrapper => Msg<bool>, Kind::Message(&well_known::BOOL_VALUE);
    i32, Wrapper => Msg<i32>, Kind::Message(&well_known::INT32_VALUE);
    i64, Wrapper => Msg<i64>, Kind::Message(&well_known::INT64_VALUE);
    u32, Wrapper => Msg<u32>, Kind::Message(&well_known::UINT32_VALUE);
    u64, Wrapper => Msg<u64>, Kind::Message(&well_known::UINT64_VALUE);
    f32, Wrapper => FloatValue, Kind::Message(&well_known::FLOAT_VALUE);
    f64, Wrapper => DoubleValue, Kind::Message(&well_known::DOUBLE_VALUE);
    String, Wrapper => Msg<String>, Kind::Message(&well_known::STRING_VALUE);
    Bytes, Wrapper => Msg<Bytes>, Kind::Message(&well_known::BYTES_VALUE);
    Vec<u8>, Wrapper => Msg<Vec<u8>>, Kind::Message(&well_known::BYTES_VALUE);
    types::Timestamp, ByType => Msg<Self>, Kind::Message(&well_known::TIMESTAMP);
    types::Duration, ByType => Msg<Self>, Kind::Message(&well_known::DURATION);
    types::FieldMask, ByType => Msg<Self>, Kind::Message(&well_known::FIELD_MASK);
    types::Struct, ByType => Msg<Self>, Kind::Message(&well_known::STRUCT);
    types::Value, ByType => Msg<Self>, Kind::Message(&well_known::VALUE);
    types::ListValue, ByType => Msg<Self>, Kind::Message(&well_known::LIST_VALUE);
    types::Any, ByType => Msg<Self>, Kind::Message(&well_known::ANY);
    (), ByType => Msg<Self>, Kind::Message(&well_known::EMPTY);
}

/// A message that is kept apart, so that it can hold itself.
impl<M> Native for Box<M>
where
    M: Native<Codec = Msg<M>> + Message + Default,
{
    type Codec = Msg<Self>;
    const KIND: Kind = M::KIND;

    fn declare(files: &mut Files) {
        M::declare(files);
    }
}

impl<T: Native<As>, As> Field<As> for Option<T> {
    const LABEL: Label = Label::Explicit;
    const KIND: Kind = T::KIND;

    fn unset() -> Self {
        None
    }

    #[inline]
    fn put(&self, tag: u32, buf: &mut impl BufMut) {
        T::Codec::optional(tag, self, buf);
    }

    #[inline]
    fn size(&self, tag: u32) -> usize {
        T::Codec::optional_len(tag, self)
    }

    #[inline]
    fn take(&mut self, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Merged {
        T::Codec::merge_optional(wire_type, self, buf, ctx)
    }

    fn declare(files: &mut Files) {
        T::declare(files);
    }
}

impl<T: Native<As>, As> Field<As> for Vec<T> {
    const LABEL: Label = Label::Repeated {
        packed: is_packable(T::KIND),
    };
    const KIND: Kind = T::KIND;

    fn unset() -> Self {
        Self::new()
    }

    fn put(&self, tag: u32, buf: &mut impl BufMut) {
        if const { is_packable(T::KIND) } {
            T::Codec::packed(tag, self, buf);
        } else {
            T::Codec::repeated(tag, self, buf);
        }
    }

    fn size(&self, tag: u32) -> usize {
        if const { is_packable(T::KIND) } {
            T::Codec::packed_len(tag, self)
        } else {
            T::Codec::repeated_len(tag, self)
        }
    }

    fn take(&mut self, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Merged {
        T::Codec::merge_repeated(wire_type, self, buf, ctx)
    }

    fn declare(files: &mut Files) {
        T::declare(files);
    }
}

/// Whether a list of them is one field of bytes: numbers and enums.
const fn is_packable(kind: Kind) -> bool {
    match kind {
        Kind::Scalar(scalar) => !matches!(scalar, Scalar::String | Scalar::Bytes),
        Kind::Enum(_) | Kind::NullValue => true,
        Kind::Message(_) | Kind::Declared(_) | Kind::Linked(_) => false,
    }
}

impl<K: Key<KeyAs>, V: Native<As>, As, KeyAs> Field<As, KeyAs> for BTreeMap<K, V>
where
    K: Eq + Hash + Ord,
{
    const LABEL: Label = Label::Map(K::SCALAR);
    const KIND: Kind = V::KIND;

    fn unset() -> Self {
        Self::new()
    }

    fn put(&self, tag: u32, buf: &mut impl BufMut) {
        encode_map::<K::Codec, V::Codec>(tag, self, buf);
    }

    fn size(&self, tag: u32) -> usize {
        map_len::<K::Codec, V::Codec>(tag, self)
    }

    fn take(&mut self, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Merged {
        merge_map::<K::Codec, V::Codec>(wire_type, self, buf, ctx)
    }

    fn declare(files: &mut Files) {
        V::declare(files);
    }
}

/// `bytes` that are kept in a vector.
#[derive(Clone, Copy, Debug)]
pub struct Octets;

impl Codec for Octets {
    type Value = Vec<u8>;

    #[inline]
    fn encode(tag: u32, value: &Vec<u8>, buf: &mut impl BufMut) {
        write_head(tag, value.len(), buf);
        buf.put_slice(value);
    }

    #[inline]
    fn encoded_len(tag: u32, value: &Vec<u8>) -> usize {
        field_len(tag, value.len())
    }

    fn merge(
        wire_type: WireType,
        value: &mut Vec<u8>,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Merged {
        encoding::bytes::merge(wire_type, value, buf, ctx)
    }

    #[inline]
    fn is_default(value: &Vec<u8>) -> bool {
        value.is_empty()
    }
}
