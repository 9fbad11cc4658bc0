//! What both directions agree on: a message, its JSON, and back.

use contract::message::{JsonOptions, bytes_to_json};
use prost_reflect::prost::Message as _;
use serde_json::{Value, json};

use crate::world::{options, read, refusal, shown, table};

/// Reads `json` as the message, writes it again, and wants `expected`.
fn check_as(name: &str, json: &Value, expected: &Value) {
    let message = read(name, &json.to_string()).unwrap_or_else(|error| panic!("{json}: {error}"));
    let written = shown(name, &message.encode_to_vec());
    assert_eq!(written.as_ref(), Ok(expected), "of {json}");
}

/// Reads `json` as the message and wants it back.
fn check(json: &Value) {
    check_as("every.v1.Every", json, json);
}

#[test]
fn every_scalar_has_the_form_of_the_specification() {
    check(&json!({
        "aDouble": 1.5, "aFloat": 0.1, "anInt32": -3, "anInt64": "-9223372036854775808",
        "aUint32": 4_294_967_295_u32, "aUint64": "18446744073709551615", "aSint32": -2147483648,
        "aSint64": "-1", "aFixed32": 7, "aFixed64": "8", "aSfixed32": -9, "aSfixed64": "-10",
        "aBool": true, "aString": "ä\u{0}\"", "someBytes": "AP+/", "colour": "GREEN",
    }));
}

#[test]
fn numbers_may_be_text_and_text_may_be_numbers() {
    check_as(
        "every.v1.Every",
        &json!({
            "aDouble": "1.5", "aFloat": "1e2", "anInt32": "-3", "anInt64": 5, "aUint32": 1e3,
            "aUint64": 7.0, "colour": 2, "colours": [0, 77, "CRIMSON", -5],
        }),
        &json!({
            "aDouble": 1.5, "aFloat": 100.0, "anInt32": -3, "anInt64": "5", "aUint32": 1000,
            "aUint64": "7", "colour": "GREEN",
            "colours": ["COLOUR_UNSPECIFIED", 77, "RED", "INFRARED"],
        }),
    );
}

#[test]
fn floats_that_json_does_not_have_are_text() {
    check(&json!({
        "aDouble": "NaN", "aFloat": "-Infinity", "doubles": ["Infinity", -0.0, 5e-324],
        "floats": ["NaN", 3.4028235e38],
    }));
}

#[test]
fn both_names_of_a_field_are_read() {
    let json = json!({ "a_string": "a", "renamed": "b", "aBool": true });
    check_as(
        "every.v1.Every",
        &json,
        &json!({ "aBool": true, "aString": "a", "other-name": "b" }),
    );
}

#[test]
fn both_alphabets_of_base64_are_read_with_and_without_padding() {
    for text in ["-_8=", "-_8", "+/8=", "+/8"] {
        let json = json!({ "someBytes": text });
        check_as("every.v1.Every", &json, &json!({ "someBytes": "+/8=" }));
    }
}

#[test]
fn null_means_that_a_field_is_not_set_unless_null_is_its_value() {
    check_as(
        "every.v1.Every",
        &json!({
            "anInt32": null, "maybeInt64": null, "items": null, "byInt32": null, "item": null,
            "at": null, "document": null, "int64Value": null,
            "value": null, "nothing": null, "manyValues": [null], "nulls": [null],
        }),
        &json!({ "value": null, "nothing": null, "manyValues": [null], "nulls": [null] }),
    );
}

#[test]
fn presence_keeps_defaults_apart_from_nothing() {
    check(&json!({
        "maybeDouble": 0.0, "maybeInt64": "0", "maybeBool": false, "maybeString": "",
        "maybeBytes": "", "maybeColour": "COLOUR_UNSPECIFIED", "maybeItem": {}, "text": "",
    }));
    let plain = json!({ "aDouble": 0, "anInt32": 0, "aString": "", "colour": 0, "items": [] });
    check_as("every.v1.Every", &plain, &json!({}));
}

#[test]
fn maps_have_text_for_every_kind_of_key() {
    check(&json!({
        "byInt32": { "-1": "a", "7": "b" }, "byInt64": { "-9223372036854775808": 0.5 },
        "byUint32": { "0": "" }, "byUint64": { "18446744073709551615": 1.0 },
        "bySint32": { "-2": true }, "bySint64": { "-3": "4" }, "byFixed32": { "5": "6" },
        "byFixed64": { "7": -8 }, "bySfixed32": { "-9": "RED" },
        "bySfixed64": { "-10": { "sku": "x" } }, "byBool": { "false": "n", "true": "y" },
        "byString": { "": "1970-01-01T00:00:00Z" }, "valuesByName": { "a": null, "b": [1.0] },
    }));
}

#[test]
fn well_known_messages_have_their_own_forms() {
    check(&json!({
        "at": "2026-11-21T11:45:00.500Z", "took": "-1.000000001s", "mask": "userName.first,at",
        "document": { "a": { "b": [1.5, "x", true, null, {}] } }, "value": [], "list": [[], "a"],
        "empty": {}, "doubleValue": 0.0, "floatValue": "NaN", "int64Value": "0",
        "uint64Value": "1", "int32Value": 0, "uint32Value": 2, "boolValue": false,
        "stringValue": "", "bytesValue": "AA==",
    }));
}

#[test]
fn times_have_the_digits_they_need_and_any_offset() {
    for (given, shown) in [
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        (
            "9999-12-31T23:59:59.999999999Z",
            "9999-12-31T23:59:59.999999999Z",
        ),
        ("2024-02-29T00:00:00.1Z", "2024-02-29T00:00:00.100Z"),
        ("1969-12-31T23:59:59.000001Z", "1969-12-31T23:59:59.000001Z"),
        ("2026-01-01T01:00:00+01:30", "2025-12-31T23:30:00Z"),
        ("2025-12-31T23:00:00-01:00", "2026-01-01T00:00:00Z"),
    ] {
        check_as("google.protobuf.Timestamp", &json!(given), &json!(shown));
    }
}

#[test]
fn durations_keep_their_sign_in_both_parts() {
    for (given, shown) in [
        ("0s", "0s"),
        ("-0.5s", "-0.500s"),
        ("315576000000s", "315576000000s"),
        ("-315576000000.999999999s", "-315576000000.999999999s"),
        ("1.000001s", "1.000001s"),
    ] {
        check_as("google.protobuf.Duration", &json!(given), &json!(shown));
    }
}

#[test]
fn an_any_shows_the_message_inside_wherever_its_type_stands() {
    let item =
        json!({ "@type": "type.example/every.v1.Item", "sku": "x", "parts": [{ "count": 2 }] });
    check(&json!({ "any": item, "anys": [{}, item] }));
    check(&json!({ "any": { "@type": "t/google.protobuf.Duration", "value": "1s" } }));
    check(&json!({ "any": { "@type": "t/google.protobuf.Any", "value": item } }));
    let late = r#"{"any":{"parts":[{"count":2}],"sku":"x","@type":"type.example/every.v1.Item"}}"#;
    let message = read("every.v1.Every", late).expect("an Any");
    let written = shown("every.v1.Every", &message.encode_to_vec());
    assert_eq!(written, Ok(json!({ "any": item })));
}

#[test]
fn an_any_of_nothing_is_read_with_and_without_an_empty_value() {
    let bare = r#"{"any":{"@type":"t/google.protobuf.Empty"}}"#;
    let expected = read("every.v1.Every", bare).expect("an Any");
    for json in [
        r#"{"any":{"@type":"t/google.protobuf.Empty","value":{}}}"#,
        r#"{"any":{"value":{},"@type":"t/google.protobuf.Empty"}}"#,
    ] {
        assert_eq!(read("every.v1.Every", json), Ok(expected.clone()), "{json}");
    }
    let said = refusal(
        "every.v1.Every",
        r#"{"any":{"@type":"t/google.protobuf.Empty","a":1}}"#,
    );
    assert!(
        said.contains("an empty `value` or no keys at `any`"),
        "{said}"
    );
    let twice = r#"{"any":{"@type":"t/google.protobuf.Empty","value":{},"value":{}}}"#;
    let said = refusal("every.v1.Every", twice);
    assert!(said.contains("`value` is given twice"), "{said}");
    refusal(
        "every.v1.Every",
        r#"{"any":{"@type":"t/google.protobuf.Empty","value":1}}"#,
    );
}

#[test]
fn a_value_without_a_kind_is_null() {
    // The field `value`, empty.
    assert_eq!(
        shown("every.v1.Every", &[0xaa, 0x05, 0x00]),
        Ok(json!({ "value": null }))
    );
}

#[test]
fn options_print_defaults_original_names_and_numbers() {
    let bytes = [0x80, 0x01, 0x02]; // colour: GREEN
    let print = |options| {
        let text = bytes_to_json(table("every.v1.Every"), &bytes, options).expect("a message");
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let numbers = JsonOptions {
        enum_numbers: true,
        ..options()
    };
    assert_eq!(print(numbers), json!({ "colour": 2 }));
    let all = print(JsonOptions {
        print_defaults: true,
        ..options()
    });
    for (key, expected) in [
        ("anInt32", json!(0)),
        ("anInt64", json!("0")),
        ("aString", json!("")),
        ("someBytes", json!("")),
        ("items", json!([])),
        ("byInt32", json!({})),
        ("colour", json!("GREEN")),
        ("nullValue", json!(null)),
    ] {
        assert_eq!(all.get(key), Some(&expected), "{key}");
    }
    for key in ["maybeInt64", "item", "at", "text", "int64Value"] {
        assert_eq!(all.get(key), None, "{key} knows that it is not set");
    }
    let original = JsonOptions {
        original_names: true,
        print_defaults: true,
        ..options()
    };
    let original = print(original);
    assert_eq!(original.get("an_int32"), Some(&json!(0)));
    assert_eq!(original.get("renamed"), Some(&json!("")));
}

#[test]
fn what_is_unknown_is_passed_over_where_that_is_asked_for() {
    let json = br#"{"nobody":[{"a":1}],"colour":"MAUVE","colours":["MAUVE","RED"],
        "bySfixed32":{"1":"MAUVE","2":"RED"},"item":{"other":null,"sku":"x"}}"#;
    let ignoring = JsonOptions {
        ignore_unknown: true,
        ..options()
    };
    let bytes = contract::message::json_to_bytes(table("every.v1.Every"), json, ignoring);
    let written = shown("every.v1.Every", &bytes.expect("a message"));
    let expected =
        json!({ "colours": ["RED"], "bySfixed32": { "2": "RED" }, "item": { "sku": "x" } });
    assert_eq!(written, Ok(expected));
}

#[test]
fn closed_enums_have_no_other_numbers() {
    let sizes = [0x12, 0x03, 1, 2, 3, 0x18, 0x02]; // sizes packed: 1, 2, 3; size: 2
    assert_eq!(
        shown("old.v1.Loose", &sizes),
        Ok(json!({ "sizes": ["SMALL", "LARGE"] }))
    );
}
