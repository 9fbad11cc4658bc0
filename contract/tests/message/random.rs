//! Anything at all: no panic, no growth beyond what was given, and what is taken is kept.

use contract::message::{JsonOptions, bytes_to_json, check_required, json_to_bytes};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, prop_assert, prop_assert_eq, proptest};
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message as _;
use serde_json::{Map, Value, json};

use crate::world::{descriptor, options, shown, table};

/// Most bytes of JSON for each byte of a message: a packed constant and its name.
const GROWTH_MAX: usize = 32;
/// Least room for the names that a few bytes can have.
const SLACK_BYTES: usize = 1024;

const NAMES: [&str; 4] = [
    "every.v1.Every",
    "every.v1.Item",
    "old.v1.Old",
    "google.protobuf.Value",
];

/// Bytes that look like fields more often than chance would have it.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let numbers = prop_oneof![1..120_u32, Just(536_870_911), any::<u32>()];
    let field = (numbers, 0..8_u32, collection::vec(any::<u8>(), 0..24));
    let field = field.prop_map(|(number, wire_type, value)| {
        let mut bytes = Vec::new();
        let tag = u64::from(number << 3 | wire_type);
        prost_reflect::prost::encoding::encode_varint(tag, &mut bytes);
        if wire_type == 2 {
            bytes.push(value.len() as u8);
        }
        bytes.extend(value);
        bytes
    });
    collection::vec(field, 0..12).prop_map(|fields| fields.concat())
}

/// JSON with the keys of the messages and values that may or may not fit them.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3..3_i32).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(vec![
            "",
            "NaN",
            "RED",
            "1",
            "-1",
            "1.5s",
            "2026-01-01T00:00:00Z",
            "a.bC",
            "AAA=",
            "\u{1F600}",
            "t/every.v1.Item",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::vec((key(), inner), 0..6)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let fields = NAMES.iter().flat_map(|name| table(name).fields);
    let mut keys: Vec<_> = fields.map(|it| it.json.to_owned()).collect();
    keys.extend(["@type", "value", "1", "true", "nobody"].map(str::to_owned));
    proptest::sample::select(keys)
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 2_000, ..Default::default() })]

    #[test]
    fn any_bytes_are_shown_or_refused(bytes in prop_oneof![wire(), collection::vec(any::<u8>(), 0..64)]) {
        for name in NAMES {
            let _ = check_required(table(name), &bytes);
            let Ok(text) = bytes_to_json(table(name), &bytes, options()) else { continue };
            prop_assert!(text.len() <= GROWTH_MAX * bytes.len() + SLACK_BYTES, "{}", text);
        }
    }

    /// What prost-reflect takes and we show is the same message: ours is read back as its own.
    #[test]
    fn what_is_shown_is_read_back_as_the_same(bytes in wire()) {
        for name in ["every.v1.Every", "every.v1.Item"] {
            let (Ok(message), Ok(first)) =
                (DynamicMessage::decode(descriptor(name), bytes.as_slice()), shown(name, &bytes)) else { continue };
            prop_assert_eq!(shown(name, &message.encode_to_vec()), Ok(first.clone()));
            let again = json_to_bytes(table(name), first.to_string().as_bytes(), options());
            prop_assert_eq!(shown(name, &again.expect("what is written is read")), Ok(first));
        }
    }

    #[test]
    fn any_json_is_read_or_refused(value in json(), ignore_unknown in any::<bool>()) {
        let options = JsonOptions { ignore_unknown, ..options() };
        for name in NAMES {
            let Ok(bytes) = json_to_bytes(table(name), value.to_string().as_bytes(), options) else { continue };
            prop_assert!(DynamicMessage::decode(descriptor(name), bytes.as_slice()).is_ok());
            prop_assert!(shown(name, &bytes).is_ok(), "{}", value);
            prop_assert!(check_required(table(name), &bytes).is_ok());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]{}\",:a-zA-Z0-9.@ -]{0,80}") {
        for name in NAMES {
            let _ = json_to_bytes(table(name), text.as_bytes(), JsonOptions::default());
        }
    }
}

#[test]
fn a_map_of_many_keys_and_a_list_of_many_elements_cost_what_they_hold() {
    let keys: Map<_, _> = (0..50_000).map(|it| (it.to_string(), json!("x"))).collect();
    let value = json!({ "byInt32": keys, "int64s": vec!["0"; 50_000] });
    let bytes = json_to_bytes(
        table("every.v1.Every"),
        value.to_string().as_bytes(),
        options(),
    );
    let bytes = bytes.expect("a message");
    assert!(bytes.len() < 50_000 * 14);
    assert_eq!(shown("every.v1.Every", &bytes), Ok(value));
}
