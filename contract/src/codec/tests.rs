//! Every kind beside prost's functions of the same name: the same bytes out, the same values in,
//! from one piece and from pieces, and the same inputs refused.

use std::fmt::Debug;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use prost::DecodeError;
use prost::bytes::{Buf, Bytes};
use prost::encoding::{self, DecodeContext, WireType};

use super::{
    Blob, Bool, Codec, Double, Enum, Fixed32, Fixed64, Float, Int32, Int64, Sfixed32, Sfixed64,
    Sint32, Sint64, Str, Uint32, Uint64, encode_map, map_len, merge_map,
};

/// Numbers whose keys take one byte, two, and more.
const TAGS: [u32; 3] = [1, 16, 70_000];

/// An input in which every byte is a piece of its own.
#[derive(Clone)]
struct Crumbs<'a>(&'a [u8]);

impl Buf for Crumbs<'_> {
    fn remaining(&self) -> usize {
        self.0.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.0[..self.0.len().min(1)]
    }

    fn advance(&mut self, count: usize) {
        self.0 = &self.0[count..];
    }
}

/// What a reader makes of an input and leaves of it, as text: not all numbers equal themselves.
fn outcome<B: Buf, T: Debug + Default>(
    mut buf: B,
    read: impl Fn(&mut T, &mut B) -> Result<(), DecodeError>,
) -> Option<String> {
    let mut value = T::default();
    read(&mut value, &mut buf).ok()?;
    Some(format!("{value:?}, {} left", buf.remaining()))
}

fn any_wire_type() -> impl Strategy<Value = WireType> {
    prop::sample::select(vec![
        WireType::Varint,
        WireType::SixtyFourBit,
        WireType::LengthDelimited,
        WireType::StartGroup,
        WireType::ThirtyTwoBit,
    ])
}

/// Bytes that are often a length with enough behind it, or numbers.
fn any_input() -> impl Strategy<Value = Vec<u8>> {
    let of_a_length = vec(any::<u8>(), 0..300).prop_map(|body| {
        let mut bytes = Vec::new();
        encoding::encode_varint(body.len() as u64, &mut bytes);
        bytes.extend(body);
        bytes.push(1);
        bytes
    });
    prop_oneof![of_a_length, vec(any::<u8>(), 0..20)]
}

macro_rules! like_prost {
    ($($test:ident $kind:ty, $module:ident;)+) => {$(
        proptest! {
            #[test]
            fn $test(values: Vec<<$kind as Codec>::Value>, input in any_input(),
                     wire_type in any_wire_type()) {
                writes_like_prost!($kind, $module, values);
                reads_like_prost!($kind, $module, wire_type, input);
            }
        }
    )+};
}

macro_rules! writes_like_prost {
    ($kind:ty, $module:ident, $values:ident) => {
        for tag in TAGS {
            for value in &$values {
                let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                <$kind>::encode(tag, value, &mut ours);
                encoding::$module::encode(tag, value, &mut theirs);
                prop_assert_eq!(&ours, &theirs);
                prop_assert_eq!(<$kind>::encoded_len(tag, value), ours.len());
            }
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            <$kind>::packed(tag, &$values, &mut ours);
            encoding::$module::encode_packed(tag, &$values, &mut theirs);
            prop_assert_eq!(&ours, &theirs);
            prop_assert_eq!(<$kind>::packed_len(tag, &$values), ours.len());
        }
        let mut packed = Vec::new();
        <$kind>::packed(1, &$values, &mut packed);
        let packed = packed.get(1..).unwrap_or(&[0]).to_vec();
        reads_like_prost!($kind, $module, WireType::LengthDelimited, packed);
    };
}

macro_rules! reads_like_prost {
    ($kind:ty, $module:ident, $wire_type:expr, $input:ident) => {
        let ctx = DecodeContext::default;
        let one = outcome(&$input[..], |it, buf| {
            <$kind>::merge($wire_type, it, buf, ctx())
        });
        let crumbs = outcome(Crumbs(&$input), |it, buf| {
            <$kind>::merge($wire_type, it, buf, ctx())
        });
        let prost = outcome(&$input[..], |it: &mut <$kind as Codec>::Value, buf| {
            encoding::$module::merge($wire_type, it, buf, ctx())
        });
        prop_assert_eq!(&one, &prost);
        prop_assert_eq!(&crumbs, &prost);
        let one = outcome(&$input[..], |it, buf| {
            <$kind>::merge_repeated($wire_type, it, buf, ctx())
        });
        let crumbs = outcome(Crumbs(&$input), |it, buf| {
            <$kind>::merge_repeated($wire_type, it, buf, ctx())
        });
        let prost = outcome(&$input[..], |it: &mut Vec<<$kind as Codec>::Value>, buf| {
            encoding::$module::merge_repeated($wire_type, it, buf, ctx())
        });
        prop_assert_eq!(&one, &prost);
        prop_assert_eq!(&crumbs, &prost);
    };
}

like_prost! {
    double_is_written_and_read_like_prosts Double, double;
    float_is_written_and_read_like_prosts Float, float;
    int32_is_written_and_read_like_prosts Int32, int32;
    int64_is_written_and_read_like_prosts Int64, int64;
    uint32_is_written_and_read_like_prosts Uint32, uint32;
    uint64_is_written_and_read_like_prosts Uint64, uint64;
    sint32_is_written_and_read_like_prosts Sint32, sint32;
    sint64_is_written_and_read_like_prosts Sint64, sint64;
    fixed32_is_written_and_read_like_prosts Fixed32, fixed32;
    fixed64_is_written_and_read_like_prosts Fixed64, fixed64;
    sfixed32_is_written_and_read_like_prosts Sfixed32, sfixed32;
    sfixed64_is_written_and_read_like_prosts Sfixed64, sfixed64;
    bool_is_written_and_read_like_prosts Bool, bool;
    enum_is_written_and_read_like_prosts_int32 Enum<i32>, int32;
}

macro_rules! with_a_length_like_prost {
    ($($test:ident $kind:ident, $module:ident, $ty:ty, $values:expr;)+) => {$(
        proptest! {
            #[test]
            fn $test(value in $values, input in any_input(), wire_type in any_wire_type()) {
                let value: $ty = value.into();
                for tag in TAGS {
                    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
                    $kind::encode(tag, &value, &mut ours);
                    encoding::$module::encode(tag, &value, &mut theirs);
                    prop_assert_eq!(&ours, &theirs);
                    prop_assert_eq!($kind::encoded_len(tag, &value), ours.len());
                }
                let mut written = Vec::new();
                $kind::encode(1, &value, &mut written);
                let written = written[1..].to_vec();
                reads_like_prost!($kind, $module, WireType::LengthDelimited, written);
                reads_like_prost!($kind, $module, wire_type, input);
            }
        }
    )+};
}

with_a_length_like_prost! {
    text_is_written_and_read_like_prosts Str, string, String, "\\PC{0,200}";
    bytes_are_written_and_read_like_prosts Blob, bytes, Bytes, vec(any::<u8>(), 0..20_000);
}

proptest! {
    #[test]
    fn a_map_comes_back_from_one_piece_and_from_crumbs(
        map in btree_map("\\PC{0,20}", any::<i64>(), 0..8),
    ) {
        let mut bytes = Vec::new();
        encode_map::<Str, Int64>(1, &map, &mut bytes);
        prop_assert_eq!(map_len::<Str, Int64>(1, &map), bytes.len());
        let read = |mut buf: &mut dyn Buf| {
            let mut read = std::collections::BTreeMap::new();
            while buf.has_remaining() {
                let (_, wire_type) = encoding::decode_key(&mut buf).expect("a key");
                merge_map::<Str, Int64>(wire_type, &mut read, &mut buf, DecodeContext::default())
                    .expect("an entry");
            }
            read
        };
        prop_assert_eq!(&read(&mut &bytes[..]), &map);
        prop_assert_eq!(&read(&mut Crumbs(&bytes)), &map);
    }
}
