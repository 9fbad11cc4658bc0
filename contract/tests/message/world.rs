//! The contracts under test, as descriptors and as tables.

use std::sync::LazyLock;

use contract::message::{JsonOptions, MessageTable, Pool, bytes_to_json, json_to_bytes};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::Value;

pub(crate) static DESCRIPTORS: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/contracts");
    let files = protox::compile(["every.proto", "old.proto"], [folder]);
    let files = files.expect("the contracts compile");
    DescriptorPool::from_file_descriptor_set(files).expect("descriptors")
});
static TABLES: LazyLock<Pool> = LazyLock::new(|| Pool::new(&DESCRIPTORS).expect("no groups"));
/// What an `Any` may hold here.
pub(crate) static TYPES: LazyLock<Vec<&'static MessageTable>> =
    LazyLock::new(|| ["every.v1.Item", "old.v1.Line"].map(table).to_vec());

pub(crate) fn table(name: &str) -> &'static MessageTable {
    TABLES.table(name).expect("a message of the contracts")
}

pub(crate) fn descriptor(name: &str) -> MessageDescriptor {
    let found = DESCRIPTORS.get_message_by_name(name);
    found.expect("a message of the contracts")
}

pub(crate) fn options() -> JsonOptions {
    JsonOptions {
        types: &TYPES,
        ..JsonOptions::default()
    }
}

/// Our JSON of these bytes.
pub(crate) fn shown(name: &str, bytes: &[u8]) -> Result<Value, String> {
    let text = bytes_to_json(table(name), bytes, options()).map_err(|it| it.to_string())?;
    Ok(serde_json::from_str(&text).expect("what is written is JSON"))
}

/// The message that we read from JSON, as the other implementation sees it.
pub(crate) fn read(name: &str, json: &str) -> Result<DynamicMessage, String> {
    let bytes = json_to_bytes(table(name), json.as_bytes(), options());
    let bytes = bytes.map_err(|it| it.to_string())?;
    Ok(DynamicMessage::decode(descriptor(name), bytes.as_slice()).expect("what we write is read"))
}

/// What we say of JSON that is no such message.
pub(crate) fn refusal(name: &str, json: &str) -> String {
    match read(name, json) {
        Ok(message) => panic!("{json} was taken as {message}"),
        Err(error) => error,
    }
}
