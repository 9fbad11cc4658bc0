//! `.schema.json` as `.proto`, `.proto` as `.schema.json`, JSON Schema as `.schema.json`.

use std::path::Path;

use bridge_codegen::export::{JsonSchemas, convert};
use bridge_codegen::{Exported, Loaded, contracts};
use serde_json::{Value, json};

use super::{check_golden, folder, put, sample};

const CHARGE: &str = r#"{
  "input": { "Charge": {
    "orderId": { "type": "string", "fieldNumber": 1 },
    "order_ref": { "type": "int64", "fieldNumber": 2 },
    "items": { "type": "array", "fieldNumber": 3, "array": { "type": "object", "nested": {
      "sku": { "type": "string", "fieldNumber": 1 },
      "amounts": { "type": "array", "fieldNumber": 2, "array": { "type": "double" } } } } } } },
  "output": { "Charged": { "ok": { "type": "bool", "fieldNumber": 1 } } }
}"#;

fn hashes(loaded: &Loaded) -> Vec<String> {
    loaded
        .lock()
        .0
        .rpcs
        .into_values()
        .map(|rpc| rpc.hash)
        .collect()
}

/// The rpcs with their hashes, and the exported files of a contracts folder, read again.
fn exported_and_read(source: &tempfile::TempDir) -> (Vec<Exported>, [Vec<String>; 2]) {
    let rpcs = |loaded: &Loaded| -> Vec<String> {
        let rpcs = loaded.lock().0.rpcs.into_iter();
        rpcs.map(|(name, rpc)| format!("{name} {}", rpc.hash))
            .collect()
    };
    let loaded = contracts(source.path()).read().expect("valid");
    let files = loaded.protos().expect("names that .proto has");
    let out = folder(&[]);
    for file in &files {
        let name = file.path.to_str().expect("a text");
        put(out.path(), name, file.text.as_bytes());
    }
    let again = contracts(out.path())
        .read()
        .expect("what was written compiles");
    (files, [rpcs(&loaded), rpcs(&again)])
}

#[test]
fn a_schema_json_file_becomes_proto_files_with_the_same_service_and_the_same_hash() {
    let source = folder(&[
        ("shop/payments/charge.schema.json", CHARGE),
        ("shop/payments/refund.schema.json", CHARGE),
    ]);
    let (files, [before, after]) = exported_and_read(&source);
    let paths: Vec<_> = files.iter().filter_map(|it| it.path.to_str()).collect();
    assert_eq!(
        paths,
        ["shop/payments.proto", "shop/payments.objects.proto"]
    );
    assert!(
        files[0].note.contains("have no package"),
        "{}",
        files[0].note
    );
    check_golden("payments.proto", &files[0].text);
    check_golden("payments.objects.proto", &files[1].text);
    assert_eq!(before, after);
    assert!(before[0].starts_with("shop.payments.Payments/Charge v2:"));
}

#[test]
fn a_flat_schema_json_file_becomes_one_proto_file_beside_any_other() {
    let flat = r#"{ "input": { "A": { "id": { "type": "string", "fieldNumber": 1 } } },
                    "output": { "B": {} } }"#;
    let source = folder(&[("ping.schema.json", flat), ("acme/pong.schema.json", flat)]);
    let (files, [before, after]) = exported_and_read(&source);
    assert_eq!((files.len(), files[0].note.as_str()), (2, ""));
    assert_eq!(before, after);
}

#[test]
fn objects_that_cannot_keep_their_names_are_told_to_have_another_hash() {
    let other = CHARGE.replace("\"sku\"", "\"article\"");
    let source = folder(&[
        ("payments/charge.schema.json", CHARGE),
        ("payments/refund.schema.json", &other),
    ]);
    let (files, [before, after]) = exported_and_read(&source);
    let names = |rpcs: &[String]| -> Vec<String> {
        let names = rpcs.iter().filter_map(|it| it.split(' ').next());
        names.map(str::to_owned).collect()
    };
    assert_eq!(names(&before), names(&after));
    assert_ne!(before, after);
    assert!(
        files[0].note.contains("contract hash is another one"),
        "{}",
        files[0].note
    );
}

#[test]
fn fields_that_a_proto_file_cannot_tell_apart_are_refused_with_their_file() {
    let text = r#"{ "input": { "A": {
  "foo_bar": { "type": "string", "fieldNumber": 1 },
  "foobar": { "type": "string", "fieldNumber": 2 },
  "x.y": { "type": "string", "fieldNumber": 3 } } },
                    "output": { "B": {} } }"#;
    let source = folder(&[("ping.schema.json", text)]);
    let loaded = contracts(source.path()).read().expect("valid");
    let error = loaded.protos().expect_err("no .proto can have them");
    let said = error.to_string();
    let place = source.path().join("ping.schema.json:1:3: field ");
    assert_eq!(
        said.matches(&*place.display().to_string()).count(),
        2,
        "{said}"
    );
    assert!(
        said.contains("`foobar` and field `foo_bar` differ by `_`"),
        "{said}"
    );
    assert!(
        said.contains("`x.y` has a name that .proto cannot write"),
        "{said}"
    );
}

#[test]
fn a_flat_rpc_becomes_a_schema_json_file_with_the_same_hash() {
    let source = folder(&[(
        "a.proto",
        "syntax = \"proto3\"; package a; service S { rpc Get(Ask) returns (Reply); }\
         message Ask { string id = 1; repeated int32 numbers = 4; }\
         message Reply { bytes body = 2; double at = 7; }",
    )]);
    let loaded = contracts(source.path()).read().expect("valid");
    let file = loaded.schema_json("a.S/Get").expect("flat");
    assert_eq!(
        (file.path.to_str(), file.note.as_str()),
        (Some("s/get.schema.json"), "")
    );
    let out = folder(&[("s/get.schema.json", &file.text)]);
    let again = contracts(out.path())
        .read()
        .expect("what was written is read");
    assert_eq!(hashes(&again), hashes(&loaded));
}

#[test]
fn a_nested_rpc_as_schema_json_says_that_its_hash_differs() {
    let source = folder(&[(
        "a.proto",
        "syntax = \"proto3\"; package a; service S { rpc Get(Ask) returns (Ask); }\
         message Ask { Inner inner = 1; message Inner { string id = 1; } }",
    )]);
    let loaded = contracts(source.path()).read().expect("valid");
    let file = loaded.schema_json("a.S/Get").expect("objects have a form");
    assert!(
        file.note.contains("contract hash is another one"),
        "{}",
        file.note
    );
}

#[test]
fn what_schema_json_cannot_say_is_refused_at_each_field() {
    let error = sample()
        .schema_json("library.v1.Library/CreateBook")
        .expect_err("refused");
    let text = error.to_string();
    for problem in [
        "field `text` is in the oneof `cover`",
        "field `chapters` is a map",
        "field `isbn` is `optional`",
        "field `printed` is a `google.protobuf.Timestamp`",
        "field `view` is of the enum `library.v1.View`",
        "field `next` holds a `library.v1.Book` inside of a `library.v1.Book`",
    ] {
        assert!(text.contains(problem), "{problem}\n{text}");
    }
    assert!(text.contains("tests/exports/api.proto:7"), "{text}");
    let error = sample()
        .schema_json("library.v1.Library/Nope")
        .expect_err("unknown");
    assert!(
        error.to_string().contains("library.v1.Library/Burn, "),
        "{error}"
    );
}

#[test]
fn json_schema_with_numbers_becomes_schema_json() {
    let order = json!({
        "title": "Order", "type": "object",
        "properties": {
            "id": { "type": "string", "x-field-number": 1 },
            "lines": { "type": "array", "x-field-number": 2, "items": { "$ref": "#/$defs/Line" } },
        },
        "$defs": { "Line": { "type": "object", "properties": {
            "count": { "type": "integer", "format": "uint32", "x-field-number": 1 } } } },
    });
    let reply = json!({ "type": "object", "properties": {} });
    let schemas = |input, output| JsonSchemas {
        input: (Path::new("order.json"), input),
        output: (Path::new("reply.json"), output),
    };
    let made = convert(schemas(&order, &reply)).expect("every field has a number");
    assert_eq!(made.left_out, []);
    let document: Value = serde_json::from_str(&made.text).expect("json");
    let nested = &document["input"]["Order"]["lines"]["array"]["nested"]["count"];
    assert_eq!(*nested, json!({ "type": "uint32", "fieldNumber": 1 }));

    let unnumbered = json!({ "type": "object", "properties": {
        "a": { "type": "string" }, "b": { "type": "boolean" },
        "c": { "enum": ["x"], "x-field-number": 3 } } });
    let error = convert(schemas(&unnumbered, &order)).expect_err("fields without numbers");
    assert_eq!(
        error.to_string(),
        "order.json#/properties/a: field `a` has no number: add `\"x-field-number\": N`, and never \
         change it; a contract is read by numbers\n\
         order.json#/properties/b: field `b` has no number: add `\"x-field-number\": N`, and never \
         change it; a contract is read by numbers\n\
         order.json#/properties/c: `enum` has no form in .schema.json: write a .proto instead"
    );
}

#[test]
fn what_a_conversion_leaves_out_is_told_where_it_stood() {
    let order = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "required": ["id"], "additionalProperties": false,
        "properties": {
            "id": { "type": "string", "maxLength": 9, "default": "", "x-field-number": 1 },
            "at": { "type": "string", "format": "date-time", "x-field-number": 2 },
            "n": { "type": "integer", "format": "int32", "x-field-number": 3 },
            "lines": { "type": "array", "minItems": 1, "x-field-number": 4,
                       "items": { "$ref": "#/$defs/Line", "description": "of one" } },
        },
        "$defs": { "Line": { "type": "object", "required": [], "properties": {} } },
    });
    let reply = json!({ "type": "object", "properties": {} });
    let made = convert(JsonSchemas {
        input: (Path::new("order.json"), &order),
        output: (Path::new("reply.json"), &reply),
    });
    let left_out = made.expect("every field has a number").left_out;
    let shown: Vec<_> = left_out.iter().map(ToString::to_string).collect();
    let line = |at: &str, words: &str| {
        format!("order.json{at}: left out, since .schema.json has no word for it: {words}")
    };
    assert_eq!(
        shown,
        [
            line("#", "`additionalProperties`, `required`"),
            line("#/$defs/Line", "`required`"),
            line("#/properties/at", "`format`"),
            line("#/properties/id", "`default`, `maxLength`"),
            line("#/properties/lines", "`minItems`"),
            line("#/properties/lines/items", "`description`"),
        ]
    );
}

#[test]
fn the_guides_file_is_the_rpc_that_the_guide_says() {
    let guide = include_str!("../../../bridge/guide/2-contracts.md");
    let (_, rest) = guide.split_once("```json\n").expect("a file");
    let (text, _) = rest.split_once("```").expect("its end");
    for (path, rpc) in [
        ("acme/ping/ping.schema.json", "acme.ping.Ping/Ping"),
        ("acme.ping.v1/ping.schema.json", "acme.ping.v1.V1/Ping"),
        ("ping.schema.json", "ping.Ping/Ping"),
    ] {
        assert!(guide.contains(&format!("`{rpc}`")) || rpc == "ping.Ping/Ping");
        let source = folder(&[(path, text)]);
        let (_, [before, after]) = exported_and_read(&source);
        assert_eq!(before, after);
        assert!(before[0].starts_with(&format!("{rpc} ")), "{before:?}");
    }
    let source = folder(&[("acme/ping/ping.schema.json", text)]);
    let (files, _) = exported_and_read(&source);
    let paths: Vec<_> = files.iter().filter_map(|it| it.path.to_str()).collect();
    assert_eq!(paths, ["acme/ping.proto", "acme/ping.objects.proto"]);
    for path in paths {
        assert!(guide.contains(&format!("`{path}`")), "{path}");
    }
}
