//! JSON that is no such message: each fault named, with the way to it.

use contract::message::{JsonOptions, bytes_to_json, json_to_bytes};

use crate::world::{refusal, shown, table};

#[track_caller]
fn check(json: &str, expected: &str) {
    let said = refusal("every.v1.Every", json);
    assert!(
        said.starts_with(expected),
        "{json}\nsaid  {said}\nnot   {expected}"
    );
}

#[test]
fn unknown_keys_are_named_with_those_that_there_are() {
    let said = refusal("every.v1.Every", r#"{"items":[{},{"skU":"x"}]}"#);
    let expected = "\"skU\" is no field of every.v1.Item at `items[1]`; it has sku, count, parts, \
                    named, cents, barter at line 1 column 19";
    assert_eq!(said, expected);
}

#[test]
fn keys_given_twice_are_refused_also_under_their_two_names() {
    check(r#"{"aBool":true,"aBool":true}"#, "`aBool` is given twice");
    check(r#"{"aBool":true,"a_bool":true}"#, "`aBool` is given twice");
    check(
        r#"{"byInt32":{"1":"a","1":"b"}}"#,
        "the key is given twice at `byInt32[1]`",
    );
    check(
        r#"{"byInt32":{"1":"a","1e0":"b"}}"#,
        "the key is given twice at `byInt32[1]`",
    );
    check(
        r#"{"document":{"a":1,"a":2}}"#,
        "the key is given twice at `document[\"a\"]`",
    );
    let late = r#"{"any":{"sku":"a","sku":"b","@type":"t/every.v1.Item"}}"#;
    check(late, "`sku` is given twice at `any`");
}

#[test]
fn two_members_of_a_oneof_are_refused() {
    check(
        r#"{"text":"a","number":1}"#,
        "`number` and `text` exclude each other: give one of them",
    );
    check(
        r#"{"nothing":null,"text":"a"}"#,
        "`text` and `nothing` exclude each other",
    );
    check(
        r#"{"item":{"cents":1,"barter":"b"}}"#,
        "`barter` and `cents` exclude each other: give one of them at `item`",
    );
}

#[test]
fn values_out_of_their_range_are_refused() {
    check(
        r#"{"anInt32":2147483648}"#,
        "2147483648 is not an integer of 32 bits at `anInt32`",
    );
    check(
        r#"{"aUint32":-1}"#,
        "-1 is not an integer of 32 bits from 0 at `aUint32`",
    );
    check(
        r#"{"anInt64":"9223372036854775808"}"#,
        "9223372036854775808 is not an integer of 64 bits",
    );
    check(
        r#"{"aUint64":18446744073709551616}"#,
        "18446744073709552000 is not an integer of 64 bits from 0",
    );
    check(r#"{"anInt32":1.5}"#, "1.5 is not an integer of 32 bits");
    check(r#"{"anInt32":"+1"}"#, "\"+1\" is not an integer of 32 bits");
    check(
        r#"{"anInt32":true}"#,
        "invalid type: boolean `true`, expected an integer of 32 bits at `anInt32`",
    );
    check(
        r#"{"aFloat":1e39}"#,
        "1000000000000000000000000000000000000000 is not a number of 32 bits",
    );
    check(
        r#"{"aDouble":"nan"}"#,
        "\"nan\" is not a number, \"NaN\", \"Infinity\" or \"-Infinity\" at `aDouble`",
    );
    check(r#"{"aDouble":"1e999"}"#, "inf is not a number");
    check(
        r#"{"aBool":"true"}"#,
        "\"true\" is not true or false at `aBool`",
    );
    check(r#"{"aString":1}"#, "1 is not a string at `aString`");
    check(
        r#"{"someBytes":"*"}"#,
        "\"*\" is not a string of base64 at `someBytes`",
    );
    check(
        r#"{"colour":"MAUVE"}"#,
        "\"MAUVE\" is no constant of every.v1.Colour at `colour`; it has COLOUR_UNSPECIFIED, RED, CRIMSON, GREEN, INFRARED",
    );
    check(
        r#"{"colour":2147483648}"#,
        "the number is no constant of every.v1.Colour at `colour`",
    );
    check(
        r#"{"byBool":{"yes":"a"}}"#,
        "the key \"yes\" is not true or false at `byBool`",
    );
    check(
        r#"{"byInt32":{"":"a"}}"#,
        "the key \"\" is not an integer of 32 bits at `byInt32`",
    );
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    check(
        "[]",
        "invalid type: sequence, expected an object for every.v1.Every",
    );
    check(
        "null",
        "invalid type: null, expected an object for every.v1.Every",
    );
    check(
        r#"{"items":{}}"#,
        "invalid type: map, expected an array at `items`",
    );
    check(
        r#"{"items":[null]}"#,
        "invalid type: null, expected an object for every.v1.Item at `items[0]`",
    );
    check(
        r#"{"int32s":[1,null]}"#,
        "invalid type: null, expected an integer of 32 bits at `int32s[1]`",
    );
    check(
        r#"{"byString":{"a":null}}"#,
        "invalid type: null, expected a time as text at `byString[\"a\"]`",
    );
    check(
        r#"{"byInt32":[]}"#,
        "invalid type: sequence, expected an object as a map at `byInt32`",
    );
    check(r#"{"aString":"#, "EOF while parsing");
    check(r#"{} {}"#, "trailing characters");
    check(r#"{"aString":"\ud800"}"#, "unexpected end of hex escape");
}

#[test]
fn text_of_well_known_messages_is_held_to_its_form() {
    for text in [
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00z",
        "2026-13-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00Zx",
        "02026-01-01T00:00:00Z",
        "",
    ] {
        let said = refusal("google.protobuf.Timestamp", &format!("{text:?}"));
        assert!(said.contains("is not a time as in"), "{said}");
    }
    let said = refusal("google.protobuf.Timestamp", "\"0001-01-01T00:00:00+00:01\"");
    assert!(said.contains("no time from the year 1"), "{said}");
    for text in [
        "1",
        "s",
        "1.s",
        ".5s",
        "+1s",
        "1 s",
        "--1s",
        "1.0000000001s",
        "315576000001s",
        "1e3s",
    ] {
        let said = refusal("google.protobuf.Duration", &format!("{text:?}"));
        assert!(said.contains("is not a duration as in"), "{said}");
    }
    check(
        r#"{"mask":"user_name"}"#,
        "\"user_name\" is not a path of a field mask: write it in lowerCamelCase at `mask`",
    );
}

#[test]
fn an_any_needs_a_type_that_is_known() {
    check(
        r#"{"any":{"sku":"x"}}"#,
        "an Any needs its type under `@type` at `any`",
    );
    check(
        r#"{"any":{"sku":"x","@type":1}}"#,
        "`@type` of an Any is not text at `any`",
    );
    check(
        r#"{"any":{"@type":"t/a.B"}}"#,
        "an Any of type \"t/a.B\" cannot be shown as JSON here",
    );
    check(
        r#"{"any":{"@type":"t/google.protobuf.Duration","x":1}}"#,
        "an Any of google.protobuf.Duration needs `value` and nothing else at `any`",
    );
}

#[test]
fn required_fields_are_asked_for_with_the_way_to_them() {
    let said = refusal(
        "old.v1.Old",
        r#"{"id":1,"always":{"sku":"a","parts":[{}]}}"#,
    );
    assert!(
        said.starts_with("`sku` of old.v1.Line is required and missing at `always.parts[0]`"),
        "{said}"
    );
    let said = refusal("old.v1.Old", r#"{"id":null,"always":{"sku":"a"}}"#);
    assert!(
        said.starts_with("`id` of old.v1.Old is required and missing"),
        "{said}"
    );
    let said = refusal("old.v1.Loose", r#"{"size":2}"#);
    assert!(
        said.starts_with("the number is no constant of old.v1.Size at `size`"),
        "{said}"
    );
}

#[test]
fn nesting_ends_at_the_depth_that_decoders_have() {
    let nested =
        |depth: usize| format!("{}{{}}{}", r#"{"inner":"#.repeat(depth), "}".repeat(depth));
    for depth in [1, 99, 100] {
        let message = crate::world::read("every.v1.Every", &nested(depth));
        assert!(message.is_ok(), "{depth}");
    }
    let said = refusal("every.v1.Every", &nested(101));
    assert!(
        said.starts_with("messages are nested deeper than 100 at `inner.inner"),
        "{said}"
    );
    // A list in a list takes two messages for each level.
    let lists = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(crate::world::read("google.protobuf.Value", &lists(50)).is_ok());
    assert!(refusal("google.protobuf.Value", &lists(60)).starts_with("messages are nested deeper"));
}

#[test]
fn bytes_without_json_are_refused_with_the_way_to_the_fault() {
    for (bytes, expected) in [
        (&[0x72, 0x01, 0xff][..], "aString: a string is not UTF-8"),
        (&[0x8a, 0x05, 0x02, 0x10, 0x00], ""),
        (
            &[0x8a, 0x05, 0x06, 0x10, 0x80, 0x94, 0xeb, 0xdc, 0x03],
            "at: 0 s and 1000000000 ns are no time from the year 1 to the year 9999",
        ),
        (
            &[0x70, 0x01],
            "field 14 is written as another type than it has",
        ),
        (&[0x72, 0x05], "the bytes end inside of a field"),
        (
            &[0xaa, 0x05, 0x09, 0x11, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
            "value: Infinity is not a number that a Value can hold",
        ),
        (
            &[0x9a, 0x05, 0x03, 0x0a, 0x01, 0x41],
            "mask: the path \"A\" of a field mask cannot be written: names in snake case are",
        ),
        (
            &[0xba, 0x05, 0x05, 0x0a, 0x03, 0x61, 0x2f, 0x62],
            "any: an Any of type \"a/b\" cannot be shown as JSON here: its message is not known; give its table in `JsonOptions::types`",
        ),
    ] {
        match shown("every.v1.Every", bytes) {
            Err(said) => assert_eq!(said, expected),
            Ok(json) => assert_eq!("", expected, "shown as {json}"),
        }
    }
}

#[test]
fn a_path_from_outside_is_cut_in_errors() {
    let long = "x".repeat(10_000);
    let said = refusal("every.v1.Every", &format!("{{{long:?}:1}}"));
    assert!(said.len() < 300, "{} bytes", said.len());
    let error = json_to_bytes(table("every.v1.Item"), b"{", JsonOptions::default());
    assert!(error.expect_err("no JSON").to_string().contains("line 1"));
    let deep = bytes_to_json(
        table("every.v1.Every"),
        &nested_bytes(101),
        JsonOptions::default(),
    );
    assert!(
        deep.expect_err("too deep")
            .to_string()
            .contains("nested deeper than 100")
    );
    assert!(
        bytes_to_json(
            table("every.v1.Every"),
            &nested_bytes(100),
            JsonOptions::default()
        )
        .is_ok()
    );
}

/// `inner` in `inner`, so many times.
fn nested_bytes(depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..depth {
        let mut outer = vec![0xfa, 0x06];
        prost_reflect::prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
        outer.extend(bytes);
        bytes = outer;
    }
    bytes
}
