//! Ways to send the same message: in pieces, out of order, packed or not, with what is unknown.

use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;
use serde_json::{Value, json};

use crate::world::{descriptor, shown};

/// Wants `expected` of the pieces, and that the other implementation sees the same in them.
fn check(name: &str, pieces: &[&[u8]], expected: &Value) {
    let bytes = pieces.concat();
    assert_eq!(shown(name, &bytes).as_ref(), Ok(expected));
    let decoded = DynamicMessage::decode(descriptor(name), bytes.as_slice()).expect("a message");
    assert_eq!(
        shown(name, &decoded.encode_to_vec()).as_ref(),
        Ok(expected),
        "of {decoded}"
    );
}

#[test]
fn the_last_of_several_scalars_counts() {
    check(
        "every.v1.Every",
        &[&[0x18, 1], &[0x72, 1, b'a'], &[0x18, 2]],
        &json!({ "anInt32": 2, "aString": "a" }),
    );
    check("every.v1.Every", &[&[0x18, 1], &[0x18, 0]], &json!({}));
}

#[test]
fn pieces_of_a_message_are_one_message() {
    let (sku, count) = ([0x0a, 1, b'a'], [0x10, 7]);
    let pieces: &[&[u8]] = &[&[0x8a, 1, 3], &sku, &[0x18, 1], &[0x8a, 1, 2], &count];
    check(
        "every.v1.Every",
        pieces,
        &json!({ "anInt32": 1, "item": { "sku": "a", "count": 7 } }),
    );
    // The value of one map entry, in two pieces.
    let entry: &[&[u8]] = &[
        &[0xe2, 0x03, 11],
        &[0x12, 3],
        &sku,
        &[0x12, 2],
        &count,
        &[0x09],
    ];
    let entry = [entry, &[&[1, 0, 0, 0, 0, 0, 0, 0][..]]].concat();
    let mut bytes = entry.concat();
    bytes[2] = (bytes.len() - 3) as u8;
    check(
        "every.v1.Every",
        &[&bytes],
        &json!({ "bySfixed64": { "1": { "sku": "a", "count": 7 } } }),
    );
}

#[test]
fn the_last_member_of_a_oneof_counts() {
    let (text, number) = ([0xba, 0x04, 1, b'a'], [0xc0, 0x04, 5]);
    check(
        "every.v1.Every",
        &[&text, &number],
        &json!({ "number": "5" }),
    );
    check("every.v1.Every", &[&number, &text], &json!({ "text": "a" }));
    // A message of a oneof begins anew behind another member, and goes on behind itself.
    let (sku, count) = ([0xca, 0x04, 3, 0x0a, 1, b'a'], [0xca, 0x04, 2, 0x10, 7]);
    check(
        "every.v1.Every",
        &[&sku, &count],
        &json!({ "thing": { "sku": "a", "count": 7 } }),
    );
    check(
        "every.v1.Every",
        &[&sku, &text, &count],
        &json!({ "thing": { "count": 7 } }),
    );
}

#[test]
fn repeated_numbers_are_read_packed_and_one_by_one() {
    let (packed, single) = ([0x8a, 0x02, 2, 1, 2], [0x88, 0x02, 3]);
    check(
        "every.v1.Every",
        &[&packed, &single, &packed],
        &json!({ "int32s": [1, 2, 3, 1, 2] }),
    );
    let loose = [0x82, 0x03, 2, 8, 9];
    check("every.v1.Every", &[&loose], &json!({ "loose": [8, 9] }));
}

#[test]
fn the_last_entry_of_a_key_counts_and_absent_parts_are_defaults() {
    let entry = |key: u8, value: u8| [0x9a, 0x03, 5, 0x08, key, 0x12, 1, value];
    check(
        "every.v1.Every",
        &[&entry(2, b'a'), &entry(1, b'b'), &entry(2, b'c')],
        &json!({ "byInt32": { "1": "b", "2": "c" } }),
    );
    check(
        "every.v1.Every",
        &[&[0x9a, 0x03, 0]],
        &json!({ "byInt32": { "0": "" } }),
    );
}

#[test]
fn what_is_unknown_is_passed_over_also_groups() {
    let unknown: &[&[u8]] = &[
        &[0xf8, 0x3f, 1],
        &[0xfa, 0x3f, 1, 0],
        &[0xfb, 0x3f, 0x0b, 0x08, 1, 0x0c, 0xfc, 0x3f],
        &[0x18, 4],
    ];
    check("every.v1.Every", unknown, &json!({ "anInt32": 4 }));
}

#[test]
fn numbers_of_32_bits_are_cut_from_longer_ones() {
    check(
        "every.v1.Every",
        &[&[
            0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
        ]],
        &json!({ "anInt32": -1 }),
    );
    check(
        "every.v1.Every",
        &[&[0x28, 0x81, 0x80, 0x80, 0x80, 0x10]],
        &json!({ "aUint32": 1 }),
    );
}
