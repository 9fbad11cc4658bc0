//! Map fields: each entry is a message of a key and a value, both always written.

use std::collections::BTreeMap;
use std::hash::Hash;

use prost::bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, btree_map, check_wire_type};

use super::kinds::field_len;
use super::wire::write_head;
use super::{Codec, Merged};

const KEY: u32 = 1;
const VALUE: u32 = 2;

/// Writes all entries in order of their keys.
pub fn encode_map<K: Codec, V: Codec>(
    tag: u32,
    map: &BTreeMap<K::Value, V::Value>,
    buf: &mut impl BufMut,
) {
    for (key, value) in map {
        write_head(tag, entry_len::<K, V>(key, value), buf);
        K::encode(KEY, key, buf);
        V::encode(VALUE, value, buf);
    }
}

/// How many bytes [`encode_map`] writes.
pub fn map_len<K: Codec, V: Codec>(tag: u32, map: &BTreeMap<K::Value, V::Value>) -> usize {
    let entries = map.iter();
    entries
        .map(|(key, value)| field_len(tag, entry_len::<K, V>(key, value)))
        .sum()
}

/// Reads one entry; what it leaves out is the default, and a later entry replaces an earlier one.
///
/// # Errors
///
/// When the field is no entry, or key or value are not of their kinds.
pub fn merge_map<K, V>(
    wire_type: WireType,
    map: &mut BTreeMap<K::Value, V::Value>,
    buf: &mut impl Buf,
    ctx: DecodeContext,
) -> Merged
where
    K: Codec<Value: Eq + Hash + Ord>,
    V: Codec,
{
    check_wire_type(WireType::LengthDelimited, wire_type)?;
    btree_map::merge(
        |wire_type, key, buf, ctx| K::merge(wire_type, key, buf, ctx),
        |wire_type, value, buf, ctx| V::merge(wire_type, value, buf, ctx),
        map,
        buf,
        ctx,
    )
}

fn entry_len<K: Codec, V: Codec>(key: &K::Value, value: &V::Value) -> usize {
    K::encoded_len(KEY, key) + V::encoded_len(VALUE, value)
}
