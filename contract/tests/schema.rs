//! Reading the two schema sources, and the description that a registration carries.

#![cfg(feature = "schema")]

use contract::schema::{
    Error, Schema, camel_case, from_descriptor, load_schema_json, message_json, parse_schema_json,
};

struct Inline(String);

impl protox::file::FileResolver for Inline {
    fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
        match name {
            "inline.proto" => protox::file::File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

fn read(source: &str, name: &str) -> Result<Schema, Error> {
    let mut compiler = protox::Compiler::with_file_resolver(Inline(source.to_owned()));
    compiler
        .open_file("inline.proto")
        .expect("the source compiles");
    let pool = compiler.descriptor_pool();
    from_descriptor(
        &pool
            .get_message_by_name(name)
            .expect("the message is in the source"),
    )
}

fn check_json(source: &str, expected: &str) {
    let schema = read(source, "t.M").expect("the message has a schema");
    let json = message_json(&schema);
    assert_eq!(json, expected);
    serde_json_is_valid(&json);
}

fn serde_json_is_valid(text: &str) {
    let wrapped = format!(r#"{{"input":{text}}}"#);
    let faults = parse_schema_json("probe", &wrapped).expect_err("has no output");
    assert!(!faults.to_string().contains("not valid json"), "{faults}");
}

#[test]
fn camel_case_follows_the_published_table() {
    for (proto, json) in [
        ("user_id", "userId"),
        ("a1_b2", "a1B2"),
        ("x__y", "x_Y"),
        ("a_1", "a_1"),
        ("_lead", "_lead"),
        ("foo_Bar", "foo_Bar"),
        ("UserName", "UserName"),
    ] {
        assert_eq!(camel_case(proto), json, "{proto}");
    }
}

#[test]
fn the_published_example_is_reproduced() {
    check_json(
        "syntax = \"proto3\"; package t; message Money {}
         message M { string user_id = 1; repeated Money items = 2; optional int32 retries = 3; }",
        r#"{"oneofs":{"_retries":{"oneof":["retries"]}},"fields":{"userId":{"type":"string","id":1},"items":{"rule":"repeated","type":"Money","id":2},"retries":{"type":"int32","id":3,"options":{"proto3_optional":true}}}}"#,
    );
}

#[test]
fn fields_keep_their_declared_order_and_maps_their_key() {
    check_json(
        "syntax = \"proto3\"; package t;
         message M { bool late = 9; map<string, M> by_name = 2; oneof pick_one { int32 a_b = 3; } }",
        r#"{"oneofs":{"pickOne":{"oneof":["aB"]}},"fields":{"late":{"type":"bool","id":9},"byName":{"keyType":"string","type":"M","id":2},"aB":{"type":"int32","id":3}}}"#,
    );
}

#[test]
fn nested_types_and_reservations_are_described() {
    check_json(
        "syntax = \"proto3\"; package t;
         message M {
             reserved 5 to 7, 9; reserved \"old\";
             message N { bytes raw = 1; }
             enum E { ZERO = 0; ONE = 1; }
             N n = 1; E e = 2;
         }",
        r#"{"fields":{"n":{"type":"N","id":1},"e":{"type":"E","id":2}},"reserved":[[5,7],[9,9],"old"],"nested":{"N":{"fields":{"raw":{"type":"bytes","id":1}}},"E":{"values":{"ZERO":0,"ONE":1}}}}"#,
    );
}

#[test]
fn proto2_messages_name_their_edition_rules_and_defaults() {
    check_json(
        "syntax = \"proto2\"; package t;
         message M {
             required string a = 1;
             optional int32 b = 2 [default = -7, deprecated = true];
             optional string c = 3 [default = \"x\\\"y\"];
             repeated int32 d = 4 [packed = true];
             extensions 100 to max;
         }",
        r#"{"edition":"proto2","fields":{"a":{"rule":"required","type":"string","id":1},"b":{"type":"int32","id":2,"options":{"deprecated":true,"default":-7}},"c":{"type":"string","id":3,"options":{"default":"x\"y"}},"d":{"rule":"repeated","type":"int32","id":4,"options":{"packed":true}}},"extensions":[[100,536870911]]}"#,
    );
}

#[test]
fn a_reference_never_means_a_nearer_type_of_the_same_name() {
    check_json(
        "syntax = \"proto3\"; package t; message N {}
         message M { message N { bool inner = 1; } N near = 1; .t.N far = 2; }",
        r#"{"fields":{"near":{"type":"N","id":1},"far":{"type":"t.N","id":2}},"nested":{"N":{"fields":{"inner":{"type":"bool","id":1}}}}}"#,
    );
}

#[test]
fn a_group_is_refused_by_name() {
    let source = "syntax = \"proto2\"; package t;
         message M { optional N n = 1; } message N { repeated group G = 1 {} }";
    let error = read(source, "t.M").expect_err("groups have no place in a contract");
    assert_eq!(
        error.to_string(),
        "field `t.N.g` is a group, which a contract cannot carry: use a message field"
    );
}

#[test]
fn a_json_schema_names_nested_types_after_their_fields() {
    let text = r#"{"input":{"Any":{
        "list":{"type":"array","fieldNumber":1,"array":{"type":"object","nested":{
            "deep":{"type":"object","fieldNumber":1,"nested":{}}}}}}},
        "output":{"Thing":{}}}"#;
    let contract = parse_schema_json("f", text).expect("valid");
    let names: Vec<_> = contract.input.messages.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [".Input", ".Input_list_elem", ".Input_list_elem_deep"]
    );
    assert_eq!(
        message_json(&contract.input),
        r#"{"edition":"proto2","fields":{"list":{"rule":"repeated","type":"Input_list_elem","id":1}}}"#
    );
}

/// Wraps the fields of an input message into a file and returns its faults without the file name.
fn faults_of(fields: &str) -> Vec<String> {
    let text = format!(r#"{{"input":{{"In":{{{fields}}}}},"output":{{"Out":{{}}}}}}"#);
    let faults = parse_schema_json("f", &text).expect_err("the file is faulty");
    faults
        .iter()
        .map(|fault| {
            assert_eq!(fault.file, "f");
            format!("{}: {}", fault.path, fault.problem)
        })
        .collect()
}

#[test]
fn every_broken_field_rule_has_its_own_message() {
    let number = "choose a whole number from 1 to 536870911, outside 19000 to 19999";
    let types = "string, bool, int32, int64, uint32, uint64, float, double, bytes, object or array";
    for (fields, expected) in [
        (
            r#""a":{"type":"string"}"#,
            "$.input.In.a: `fieldNumber` is missing: give the field a number of its own".to_owned(),
        ),
        (
            r#""a":{"type":"string","fieldNumber":0}"#,
            format!("$.input.In.a: `fieldNumber` 0 is not usable: {number}"),
        ),
        (
            r#""a":{"type":"string","fieldNumber":"1"}"#,
            format!("$.input.In.a: `fieldNumber` \"1\" is not usable: {number}"),
        ),
        (
            r#""a":{"type":"string","fieldNumber":19500}"#,
            format!("$.input.In.a: `fieldNumber` 19500 is not usable: {number}"),
        ),
        (
            r#""a":{"type":"string","fieldNumber":536870912}"#,
            format!("$.input.In.a: `fieldNumber` 536870912 is not usable: {number}"),
        ),
        (
            r#""a":{"type":"string","fieldNumber":1},"b":{"type":"bool","fieldNumber":1}"#,
            "$.input.In.b: `fieldNumber` 1 is used twice: choose another".to_owned(),
        ),
        (
            r#""a":{"type":"object","fieldNumber":1}"#,
            "$.input.In.a: type `object` needs `nested`: list its fields there".to_owned(),
        ),
        (
            r#""a":{"type":"array","fieldNumber":1}"#,
            "$.input.In.a: type `array` needs `array`: say there what its elements are".to_owned(),
        ),
        (
            r#""a":{"type":"array","fieldNumber":1,"array":{"type":"object"}}"#,
            "$.input.In.a.array: type `object` needs `nested`: list its fields there".to_owned(),
        ),
        (
            r#""a":{"type":"array","fieldNumber":1,"array":{"type":"array"}}"#,
            "$.input.In.a.array: an array of arrays does not exist: put the inner one in an object"
                .to_owned(),
        ),
        (
            r#""a":{"type":"sint32","fieldNumber":1}"#,
            format!("$.input.In.a: type `sint32` is unknown: write {types}"),
        ),
        (
            r#""a":{"fieldNumber":1}"#,
            format!("$.input.In.a: `type` is missing: write {types}"),
        ),
        (r#""a":7"#, "$.input.In.a: must be a json object".to_owned()),
        (
            r#""a":{"type":"array","fieldNumber":1,"array":{"type":"object","nested":{}}},
               "a_elem":{"type":"object","fieldNumber":2,"nested":{}}"#,
            "$.input.In.a_elem.nested: its nested type is the second called `Input_a_elem`: \
             rename it"
                .to_owned(),
        ),
    ] {
        assert_eq!(faults_of(fields), [expected], "{fields}");
    }
}

#[test]
fn a_key_that_nobody_reads_is_refused_with_the_nearest_one() {
    let scalar = "a field of type `string` has `type`, `fieldNumber`";
    let elsewhere = "remove it, or write a .proto for what this format has no word for";
    let unheard =
        |key: &str| format!("$.input.In.a.{key}: `{key}` means nothing: {scalar}; {elsewhere}");
    for key in [
        "required", "rule", "optional", "default", "enum", "nested", "array",
    ] {
        let fields = format!(r#""a":{{"type":"string","fieldNumber":1,"{key}":true}}"#);
        assert_eq!(faults_of(&fields), [unheard(key)]);
    }
    for (fields, expected) in [
        (
            r#""a":{"type":"string","feildNumber":1}"#,
            format!(
                "$.input.In.a.feildNumber: `feildNumber` means nothing: did you mean \
                 `fieldNumber`? {scalar}"
            ),
        ),
        (
            r#""a":{"Type":"string","fieldNumber":1}"#,
            "$.input.In.a.Type: `Type` means nothing: did you mean `type`? a field has `type`, \
             `fieldNumber`, `nested`, `array`"
                .to_owned(),
        ),
        (
            r#""a":{"type":"array","fieldNumber":1,"array":{"type":"bytes","fieldNumber":2}}"#,
            format!(
                "$.input.In.a.array.fieldNumber: `fieldNumber` means nothing: an array's element \
                 of type `bytes` has `type`; {elsewhere}"
            ),
        ),
    ] {
        assert_eq!(faults_of(fields), [expected], "{fields}");
    }
    let text = r#"{"Input":{"In":{}},"output":{"Out":{}},"version":1}"#;
    let faults = parse_schema_json("f", text).expect_err("two keys too many");
    let shown: Vec<_> = faults.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(shown, ["$.Input", "$.version"], "{faults}");
}

#[test]
fn all_faults_of_a_file_are_reported_at_once() {
    let faults = faults_of(
        r#""a":{"type":"string"},
           "b":{"type":"object","fieldNumber":2,"nested":{"c":{"type":"number","fieldNumber":1}}}"#,
    );
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[1].starts_with("$.input.In.b.nested.c: type `number` is unknown"),
        "{faults:?}"
    );
}

#[test]
fn every_broken_file_rule_has_its_own_message() {
    for (text, expected) in [
        (
            "{",
            "f: $: not valid json (EOF while parsing an object at line 1 column 1): correct the text",
        ),
        (
            r#"{"output":{"Out":{}}}"#,
            "f: $: `input` is missing: add it with exactly one message",
        ),
        (
            r#"{"input":{"In":{}}}"#,
            "f: $: `output` is missing: add it with exactly one message",
        ),
        (
            r#"{"input":{},"output":{"Out":{}}}"#,
            "f: $.input: has no message: declare exactly one",
        ),
        (
            r#"{"input":{"In":{}},"output":{"A":{},"B":{}}}"#,
            "f: $.output: has 2 messages: keep exactly one",
        ),
        (
            r#"{"input":[],"output":{"Out":{}}}"#,
            "f: $.input: must be a json object",
        ),
        (
            "[]",
            "f: $: `input` is missing: add it with exactly one message\n\
             f: $: `output` is missing: add it with exactly one message",
        ),
    ] {
        let faults = parse_schema_json("f", text).expect_err("the file is faulty");
        assert_eq!(faults.to_string(), expected);
    }
}

#[test]
fn an_unreadable_file_is_named() {
    let path = std::path::Path::new("does/not/exist.schema.json");
    let faults = load_schema_json(path)
        .expect_err("there is no such file")
        .to_string();
    assert!(
        faults.starts_with("does/not/exist.schema.json: $: cannot read the file ("),
        "{faults}"
    );
}
