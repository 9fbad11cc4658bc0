//! JSON texts and wire bytes of strangers, walked by the tables of messages.
//!
//! What is read from JSON is a message to another implementation too, and is shown as the same
//! JSON again; wire bytes that can be shown are read back as what was shown.

use std::path::Path;
use std::sync::LazyLock;

use contract::message::{
    JsonOptions, MessageTable, Pool, bytes_to_json, check_required, json_to_bytes,
};
use prost_reflect::{DescriptorPool, DynamicMessage};

/// Messages that have all there is, and messages that are more than their fields.
const NAMES: [&str; 8] = [
    "every.v1.Every",
    "every.v1.Item",
    "old.v1.Line",
    "google.protobuf.Any",
    "google.protobuf.Struct",
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
];
/// Bytes of JSON that a byte of a message may become: names and numbers, never more.
const GROWTH_MAX: usize = 256;

static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/contracts");
    let files = protox::compile(["every.proto", "old.proto"], [folder]);
    DescriptorPool::from_file_descriptor_set(files.expect("contracts compile")).expect("a pool")
});
static POOL: LazyLock<Pool> = LazyLock::new(|| Pool::new(&DESCRIPTORS).expect("no groups"));
/// What an `Any` may hold.
static TYPES: LazyLock<[&'static MessageTable; 2]> =
    LazyLock::new(|| ["every.v1.Item", "old.v1.Line"].map(table));

fn table(name: &str) -> &'static MessageTable {
    POOL.table(name).expect("a message of the contracts")
}

fn options() -> JsonOptions {
    JsonOptions {
        types: &*TYPES,
        ..JsonOptions::default()
    }
}

/// A message, as JSON or as wire bytes: the first byte says which, and of which type.
pub fn proto_json(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else {
        return;
    };
    let name = NAMES[usize::from(choice & 0x7) % NAMES.len()];
    if choice & 0x8 == 0 {
        of_json(name, rest);
    } else {
        of_wire(name, rest);
    }
}

fn of_json(name: &str, json: &[u8]) {
    let lax = JsonOptions {
        ignore_unknown: true,
        ..options()
    };
    let Ok(bytes) = json_to_bytes(table(name), json, options()) else {
        let _ = json_to_bytes(table(name), json, lax);
        return;
    };
    let relaxed = json_to_bytes(table(name), json, lax).expect("what is known is read");
    assert_eq!(relaxed, bytes, "nothing was unknown");
    let descriptor = DESCRIPTORS.get_message_by_name(name);
    if let Some(descriptor) = descriptor {
        let other = DynamicMessage::decode(descriptor, bytes.as_slice());
        assert!(other.is_ok(), "not a message to others: {other:?}");
    }
    assert_eq!(check_required(table(name), &bytes), Ok(()));
    let Some(first) = shown(name, &bytes) else {
        panic!(
            "{name} of JSON has no JSON: {}",
            String::from_utf8_lossy(json)
        );
    };
    same_again(name, &first);
}

fn of_wire(name: &str, bytes: &[u8]) {
    let _ = check_required(table(name), bytes);
    let Some(first) = shown(name, bytes) else {
        return;
    };
    assert!(first.len() <= GROWTH_MAX * (bytes.len() + 1), "{first}");
    // Elsewhere the same message may be refused (a missing field), not shown as something else.
    if json_to_bytes(table(name), first.as_bytes(), options()).is_ok() {
        same_again(name, &first);
    }
}

fn same_again(name: &str, first: &str) {
    let read = json_to_bytes(table(name), first.as_bytes(), options());
    let read = read.unwrap_or_else(|error| panic!("{first} is not read: {error}"));
    assert_eq!(shown(name, &read).as_deref(), Some(first));
}

fn shown(name: &str, bytes: &[u8]) -> Option<String> {
    bytes_to_json(table(name), bytes, options()).ok()
}
