//! The published vectors of the contract hash, from their sources to the last hex digit.
//!
//! Each `.proto` here is compiled as a user's would be, so the vectors cover the reader too.

#![cfg(feature = "schema")]

use contract::hash::{canon, contract_hash, event_hash};
use contract::schema::{Schema, from_descriptor, parse_schema_json};

const EMPTY: &str = r#"{"f":[]}"#;
const ONE_BOOL: &str = r#"{"f":[{"c":"opt","n":1,"t":"bool"}]}"#;

fn message(source: &str, name: &str) -> Schema {
    let file = protox_parse(source);
    let descriptor = file
        .get_message_by_name(name)
        .expect("the message is in the source");
    from_descriptor(&descriptor).expect("the message has a schema")
}

fn protox_parse(source: &str) -> prost_reflect::DescriptorPool {
    struct Inline(String);
    impl protox::file::FileResolver for Inline {
        fn open_file(&self, name: &str) -> Result<protox::file::File, protox::Error> {
            match name {
                "vector.proto" => protox::file::File::from_source(name, &self.0),
                _ => Err(protox::Error::file_not_found(name)),
            }
        }
    }
    let mut compiler = protox::Compiler::with_file_resolver(Inline(source.to_owned()));
    compiler
        .open_file("vector.proto")
        .expect("the vector compiles");
    compiler.descriptor_pool()
}

struct Vector {
    source: String,
    input: &'static str,
    output: &'static str,
}

impl Vector {
    fn proto3(package: &str, body: &str, input: &'static str, output: &'static str) -> Self {
        let source = format!("syntax = \"proto3\"; package {package}; {body}");
        Self {
            source,
            input,
            output,
        }
    }

    fn check(&self, hash: &str, input_text: &str, output_text: &str) {
        let input = message(&self.source, self.input);
        let output = message(&self.source, self.output);
        assert_eq!(canon(&input), input_text, "input");
        assert_eq!(canon(&output), output_text, "output");
        assert_eq!(contract_hash(&input, &output), hash);
    }
}

const SCALARS: &str = "double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 \
                       sfixed32 sfixed64 bool string bytes";

/// `(label, type, number)` of the fields of vector 1.
fn scalar_fields() -> Vec<(&'static str, &'static str, u32)> {
    SCALARS
        .split_whitespace()
        .zip(1..)
        .map(|(ty, number)| ("", ty, number))
        .collect()
}

fn scalars(prefix: &str, fields: &[(&str, &str, u32)]) -> Vector {
    let fields: String = fields
        .iter()
        .map(|(label, ty, number)| format!("{label} {ty} {prefix}{number} = {number};"))
        .collect();
    Vector::proto3(
        "sb.vectors.scalars",
        &format!(
            "message ScalarsRequest {{ {fields} }} message ScalarsResponse {{ bool {prefix} = 1; }}"
        ),
        "sb.vectors.scalars.ScalarsRequest",
        "sb.vectors.scalars.ScalarsResponse",
    )
}

fn scalars_canon(fields: &[(&str, &str, u32)]) -> String {
    let fields: Vec<_> = fields
        .iter()
        .map(|(label, ty, number)| {
            let cardinality = if label.is_empty() { "opt" } else { "rep" };
            format!(r#"{{"c":"{cardinality}","n":{number},"t":"{ty}"}}"#)
        })
        .collect();
    format!(r#"{{"f":[{}]}}"#, fields.join(","))
}

const SCALARS_HASH: &str = "v2:acdf1e8435f4a6ab1f76cd5ed7df02af22ec2d85220db2b73293d507a61e364a";

#[test]
fn vector_01_scalars() {
    let canon = r#"{"f":[{"c":"opt","n":1,"t":"double"},{"c":"opt","n":2,"t":"float"},{"c":"opt","n":3,"t":"int32"},{"c":"opt","n":4,"t":"int64"},{"c":"opt","n":5,"t":"uint32"},{"c":"opt","n":6,"t":"uint64"},{"c":"opt","n":7,"t":"sint32"},{"c":"opt","n":8,"t":"sint64"},{"c":"opt","n":9,"t":"fixed32"},{"c":"opt","n":10,"t":"fixed64"},{"c":"opt","n":11,"t":"sfixed32"},{"c":"opt","n":12,"t":"sfixed64"},{"c":"opt","n":13,"t":"bool"},{"c":"opt","n":14,"t":"string"},{"c":"opt","n":15,"t":"bytes"}]}"#;
    scalars("value_", &scalar_fields()).check(SCALARS_HASH, canon, ONE_BOOL);
}

#[test]
fn vector_02_renamed_fields_keep_the_hash() {
    let fields = scalar_fields();
    scalars("other_", &fields).check(SCALARS_HASH, &scalars_canon(&fields), ONE_BOOL);
}

#[test]
fn vector_03_a_new_number_changes_the_hash() {
    let mut fields = scalar_fields();
    fields[14].2 = 16;
    scalars("value_", &fields).check(
        "v2:d05d3067dc06f2427b94fa1711e8280ff36cd270ed7dff8ff63d3708f521f2d9",
        &scalars_canon(&fields),
        ONE_BOOL,
    );
}

#[test]
fn vector_04_a_new_type_changes_the_hash() {
    let mut fields = scalar_fields();
    fields[2].1 = "int64";
    scalars("value_", &fields).check(
        "v2:a0ce2ae10f35210888c8014a56889519b20cf8f7c56e28d854abb90aae0a4aad",
        &scalars_canon(&fields),
        ONE_BOOL,
    );
}

#[test]
fn vector_05_a_new_cardinality_changes_the_hash() {
    let mut fields = scalar_fields();
    fields[13].0 = "repeated";
    scalars("value_", &fields).check(
        "v2:32ffd77c8a83e54f490ba48a59842dcd35ca85284cdcecbd80c5d9f61dc31742",
        &scalars_canon(&fields),
        ONE_BOOL,
    );
}

fn check_sparse(fields: &str) {
    Vector::proto3(
        "sb.vectors.sparse",
        &format!(
            "message SparseRequest {{ {fields} }}
             message SparseResponse {{ string last = 536870911; }}"
        ),
        "sb.vectors.sparse.SparseRequest",
        "sb.vectors.sparse.SparseResponse",
    )
    .check(
        "v2:6f4d534415d788ec4af8c9146c2972408c1deff4f69400621452c22e911a3586",
        r#"{"f":[{"c":"opt","n":3,"t":"int32"},{"c":"opt","n":100,"t":"string"},{"c":"opt","n":70000,"t":"bool"}]}"#,
        r#"{"f":[{"c":"opt","n":536870911,"t":"string"}]}"#,
    );
}

#[test]
fn vector_06_sparse_numbers() {
    check_sparse("string a = 100; int32 b = 3; bool c = 70000;");
}

#[test]
fn vector_07_order_of_declaration_does_not_count() {
    check_sparse("bool c = 70000; string a = 100; int32 b = 3;");
}

#[test]
fn vector_08_complex() {
    Vector::proto3(
        "sb.vectors.complex",
        "enum Kind { A = 0; B = 1; C = 2; }
         message Money { string currency = 1; int64 units = 2; }
         message Item { string sku = 1; Money price = 2; repeated string tags = 3; }
         message ComplexRequest {
             string id = 1; repeated Item items = 2; map<string, string> labels = 3;
             map<string, Money> totals = 4; Kind kind = 5;
             oneof pay { string card = 7; Money cash = 9; }
             optional int32 retries = 12;
         }
         message ComplexResponse { bool ok = 1; repeated Kind kinds = 2; }",
        "sb.vectors.complex.ComplexRequest",
        "sb.vectors.complex.ComplexResponse",
    )
    .check(
        "v2:225fee2b532e0d0989a75ebef16785426ae5873c72694d062a5277c93e6187ff",
        r#"{"f":[{"c":"opt","n":1,"t":"string"},{"c":"rep","n":2,"t":"m:.sb.vectors.complex.Item"},{"c":"map","k":"string","n":3,"t":"string"},{"c":"map","k":"string","n":4,"t":"m:.sb.vectors.complex.Money"},{"c":"opt","n":5,"t":"e:.sb.vectors.complex.Kind"},{"c":"opt","n":7,"t":"string"},{"c":"opt","n":9,"t":"m:.sb.vectors.complex.Money"},{"c":"opt","n":12,"t":"int32"}],"o":[{"f":[7,9]}],"r":{".sb.vectors.complex.Item":{"f":[{"c":"opt","n":1,"t":"string"},{"c":"opt","n":2,"t":"m:.sb.vectors.complex.Money"},{"c":"rep","n":3,"t":"string"}]},".sb.vectors.complex.Kind":{"e":[0,1,2]},".sb.vectors.complex.Money":{"f":[{"c":"opt","n":1,"t":"string"},{"c":"opt","n":2,"t":"int64"}]}}}"#,
        r#"{"f":[{"c":"opt","n":1,"t":"bool"},{"c":"rep","n":2,"t":"e:.sb.vectors.complex.Kind"}],"r":{".sb.vectors.complex.Kind":{"e":[0,1,2]}}}"#,
    );
}

#[test]
fn vector_09_enum_alias() {
    Vector::proto3(
        "sb.vectors.alias",
        "enum Status { option allow_alias = true; NEW = 0; OPEN = 1; ACTIVE = 1; DONE = 4; }
         message AliasRequest { Status status = 1; }
         message AliasResponse { bool ok = 1; }",
        "sb.vectors.alias.AliasRequest",
        "sb.vectors.alias.AliasResponse",
    )
    .check(
        "v2:1515e6a13183b4dc402e2b6521b6605052b038b1d162689b4872430ddf3f3067",
        r#"{"f":[{"c":"opt","n":1,"t":"e:.sb.vectors.alias.Status"}],"r":{".sb.vectors.alias.Status":{"e":[0,1,4]}}}"#,
        ONE_BOOL,
    );
}

#[test]
fn vector_10_cyclic() {
    Vector::proto3(
        "sb.vectors.cyclic",
        "message Node { string name = 1; repeated Node children = 2; Branch branch = 3; }
         message Branch { Node root = 1; }
         message CyclicResponse { int32 depth = 1; }",
        "sb.vectors.cyclic.Node",
        "sb.vectors.cyclic.CyclicResponse",
    )
    .check(
        "v2:7ddd2780e628ae4cea93bc5e8bd31ad2e1a4187e1c2cac13ca0088d084140cb8",
        r#"{"f":[{"c":"opt","n":1,"t":"string"},{"c":"rep","n":2,"t":"m:.sb.vectors.cyclic.Node"},{"c":"opt","n":3,"t":"m:.sb.vectors.cyclic.Branch"}],"r":{".sb.vectors.cyclic.Branch":{"f":[{"c":"opt","n":1,"t":"m:.sb.vectors.cyclic.Node"}]},".sb.vectors.cyclic.Node":{"f":[{"c":"opt","n":1,"t":"string"},{"c":"rep","n":2,"t":"m:.sb.vectors.cyclic.Node"},{"c":"opt","n":3,"t":"m:.sb.vectors.cyclic.Branch"}]}}}"#,
        r#"{"f":[{"c":"opt","n":1,"t":"int32"}]}"#,
    );
}

#[test]
fn vector_11_empty_message() {
    Vector::proto3(
        "sb.vectors.empty",
        "message EmptyRequest {} message EmptyResponse { string text = 1; }",
        "sb.vectors.empty.EmptyRequest",
        "sb.vectors.empty.EmptyResponse",
    )
    .check(
        "v2:cea986b84daaa1d2fb5ee145b32f475bec30f798db27e9de2c8a3d5892941167",
        EMPTY,
        r#"{"f":[{"c":"opt","n":1,"t":"string"}]}"#,
    );
}

#[test]
fn vector_12_proto3_optional_and_oneof() {
    Vector::proto3(
        "sb.vectors.optional",
        "message OptionalRequest {
             optional string a = 1; optional int32 b = 2; string c = 3;
             oneof choice { bool d = 4; string e = 5; }
         }
         message OptionalResponse { bool ok = 1; }",
        "sb.vectors.optional.OptionalRequest",
        "sb.vectors.optional.OptionalResponse",
    )
    .check(
        "v2:02740363078a4e4f3e59ddcd8f71e4da296c1940184fb2c1d7396c8e3fb4fb5a",
        r#"{"f":[{"c":"opt","n":1,"t":"string"},{"c":"opt","n":2,"t":"int32"},{"c":"opt","n":3,"t":"string"},{"c":"opt","n":4,"t":"bool"},{"c":"opt","n":5,"t":"string"}],"o":[{"f":[4,5]}]}"#,
        ONE_BOOL,
    );
}

#[test]
fn vector_13_proto2_required() {
    Vector {
        source: "syntax = \"proto2\"; package sb.vectors.proto2;
             message Proto2Request {
                 required string a = 1; optional int32 b = 2 [default = 7]; repeated string c = 3;
             }
             message Proto2Response { optional bool ok = 1; }"
            .to_owned(),
        input: "sb.vectors.proto2.Proto2Request",
        output: "sb.vectors.proto2.Proto2Response",
    }
    .check(
        "v2:6c81674e3cc9e83ae96edea1e1ba25d644557eab67e38016bfe0dbf2baded74a",
        r#"{"f":[{"c":"req","n":1,"t":"string"},{"c":"opt","n":2,"t":"int32"},{"c":"rep","n":3,"t":"string"}]}"#,
        ONE_BOOL,
    );
}

#[test]
fn vector_14_event_payload_ignores_the_reply() {
    let source = "syntax = \"proto3\"; package sb.vectors.event;
         message OrderPlaced { string id = 1; double total = 2; string currency = 3; }
         message OrderAck { bool ok = 1; }";
    let payload = message(source, "sb.vectors.event.OrderPlaced");
    assert_eq!(
        canon(&payload),
        r#"{"f":[{"c":"opt","n":1,"t":"string"},{"c":"opt","n":2,"t":"double"},{"c":"opt","n":3,"t":"string"}]}"#
    );
    assert_eq!(
        event_hash(&payload),
        "v2:ccece68de0e672ffbf5bb582b43cc1d9599ad8acd3bcacc7aa31ac6f49bd91e3"
    );
}

fn check_schema_json(sku: &str, order_id: &str) {
    let text = r#"{
        "input": { "CreateOrder": {
            "userId": { "type": "string", "fieldNumber": 1 },
            "items": { "type": "array", "fieldNumber": 2, "array": { "type": "object", "nested": {
                "SKU": { "type": "string", "fieldNumber": 1 },
                "qty": { "type": "int32", "fieldNumber": 2 } } } },
            "metadata": { "type": "object", "fieldNumber": 3, "nested": {
                "source": { "type": "string", "fieldNumber": 1 } } },
            "tags": { "type": "array", "fieldNumber": 4, "array": { "type": "string" } } } },
        "output": { "Created": {
            "ORDER_ID": { "type": "string", "fieldNumber": 1 },
            "total": { "type": "double", "fieldNumber": 2 } } } }"#
        .replace("SKU", sku)
        .replace("ORDER_ID", order_id);
    let contract = parse_schema_json("order.schema.json", &text).expect("valid");
    assert_eq!(
        canon(&contract.input),
        r#"{"f":[{"c":"opt","n":1,"t":"string"},{"c":"rep","n":2,"t":"m:.Input_items_elem"},{"c":"opt","n":3,"t":"m:.Input_metadata"},{"c":"rep","n":4,"t":"string"}],"r":{".Input_items_elem":{"f":[{"c":"opt","n":1,"t":"string"},{"c":"opt","n":2,"t":"int32"}]},".Input_metadata":{"f":[{"c":"opt","n":1,"t":"string"}]}}}"#
    );
    assert_eq!(
        canon(&contract.output),
        r#"{"f":[{"c":"opt","n":1,"t":"string"},{"c":"opt","n":2,"t":"double"}]}"#
    );
    assert_eq!(
        contract_hash(&contract.input, &contract.output),
        "v2:73d96bf228f0b38e536c4211e5e0c94465faba969b1b0446c0c8f0870cf8f4f0"
    );
}

#[test]
fn vector_15_json_schema() {
    check_schema_json("sku", "orderId");
}

#[test]
fn vector_16_renamed_leaves_keep_the_hash() {
    check_schema_json("article", "number");
}

fn check_canon(body: &str, expected: &str) {
    let source = format!("syntax = \"proto3\"; package t; {body}");
    assert_eq!(canon(&message(&source, "t.M")), expected);
}

#[test]
fn a_map_field_carries_its_key_type() {
    check_canon(
        "message M { map<int32, string> m = 1; }",
        r#"{"f":[{"c":"map","k":"int32","n":1,"t":"string"}]}"#,
    );
}

#[test]
fn oneof_members_are_sorted() {
    check_canon(
        "message M { oneof o { string a = 5; int32 b = 2; } }",
        r#"{"f":[{"c":"opt","n":2,"t":"int32"},{"c":"opt","n":5,"t":"string"}],"o":[{"f":[2,5]}]}"#,
    );
}

#[test]
fn enum_numbers_are_sorted_and_unique() {
    check_canon(
        "enum E { option allow_alias = true; Z = 0; A = 7; B = 7; C = 3; } message M { E e = 1; }",
        r#"{"f":[{"c":"opt","n":1,"t":"e:.t.E"}],"r":{".t.E":{"e":[0,3,7]}}}"#,
    );
}

#[test]
fn the_root_is_listed_when_it_refers_to_itself() {
    check_canon(
        "message M { string a = 1; repeated M m = 2; }",
        r#"{"f":[{"c":"opt","n":1,"t":"string"},{"c":"rep","n":2,"t":"m:.t.M"}],"r":{".t.M":{"f":[{"c":"opt","n":1,"t":"string"},{"c":"rep","n":2,"t":"m:.t.M"}]}}}"#,
    );
}

#[test]
fn mutual_recursion_lists_both_messages_once() {
    let source = "syntax = \"proto3\"; package t; message A { B b = 1; } message B { A a = 1; }";
    assert_eq!(
        canon(&message(source, "t.A")),
        r#"{"f":[{"c":"opt","n":1,"t":"m:.t.B"}],"r":{".t.A":{"f":[{"c":"opt","n":1,"t":"m:.t.B"}]},".t.B":{"f":[{"c":"opt","n":1,"t":"m:.t.A"}]}}}"#
    );
}

fn derived(package: &str, body: &str, input: &str, output: &str) -> String {
    let source = format!("syntax = \"proto3\"; package {package}; {body}");
    contract_hash(&message(&source, input), &message(&source, output))
}

#[test]
fn derived_vector_of_two_empty_messages() {
    assert_eq!(
        derived("t", "message A {}", "t.A", "t.A"),
        "v2:55b00518401380d7d713b7bf154a43963a88d5a47b008f672484f5b352fa37c6"
    );
}

#[test]
fn derived_vector_of_two_flat_messages() {
    let body = "message A { string a = 1; double b = 2; } message B { string a = 1; bool b = 2; }";
    assert_eq!(
        derived("t", body, "t.A", "t.B"),
        "v2:09c7bb827d60bb1e33e49cca735ed47759bc2e08969acf55a52bfa66dc842acb"
    );
}

#[test]
fn swapping_input_and_output_changes_the_hash() {
    let body = "message A { string a = 1; double b = 2; } message B { string a = 1; bool b = 2; }";
    assert_ne!(
        derived("t", body, "t.A", "t.B"),
        derived("t", body, "t.B", "t.A")
    );
}

#[test]
fn derived_vector_of_a_map() {
    let body = "message A { map<int32, string> m = 1; } message B {}";
    assert_eq!(
        derived("t", body, "t.A", "t.B"),
        "v2:4a3c4f2d14264f9605ccf8c50226cf412b7e19f14f1649a505ac676a01775af5"
    );
}

#[test]
fn derived_vector_of_nested_types_and_two_oneofs() {
    let body = "message M {
             enum E { ZERO = 0; MINUS = -2; PLUS = 2; }
             message N { optional bytes raw = 4; repeated E es = 5; }
             map<string, E> m = 3;
             oneof b { int32 b1 = 9; string b2 = 8; }
             oneof a { bool a1 = 2; N a2 = 1; }
         }
         message R {}";
    assert_eq!(
        derived("z", body, "z.M", "z.R"),
        "v2:fd025695c32022860b5b2891a00e58d8c2d5d6be4be7947784662aa8dd685114"
    );
}
