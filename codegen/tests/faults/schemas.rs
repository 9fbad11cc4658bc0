//! What is refused in `.schema.json` files.

use super::faults;

/// A `.schema.json` file with this text for its request.
fn schema_fault(input: &str) -> String {
    let text = format!("{{\n  \"input\": {input},\n  \"output\": {{ \"B\": {{}} }}\n}}");
    faults(&[("pay/charge.schema.json", &text)])
}

#[test]
fn faults_of_a_schema_file_are_shown_at_their_keys() {
    assert_eq!(
        schema_fault(
            "{ \"A\": {\n    \"id\": { \"type\": \"string\" },\n    \"n\": { \"type\": \"int\", \"fieldNumber\": 1 }\n  } }"
        ),
        "contracts/pay/charge.schema.json:3:5: $.input.A.id: `fieldNumber` is missing: give the \
         field a number of its own\n\
         contracts/pay/charge.schema.json:4:5: $.input.A.n: type `int` is unknown: write string, \
         bool, int32, int64, uint32, uint64, float, double, bytes, object or array"
    );
    let fault = schema_fault("{ ,");
    assert!(
        fault.starts_with("contracts/pay/charge.schema.json:2:14: not valid json: "),
        "{fault}"
    );
}

#[test]
fn a_key_that_is_there_twice_in_a_schema_file_is_no_silent_loss() {
    let field = r#"{ "type": "string", "fieldNumber": 1 }"#;
    let said = faults(&[(
        "a/b.schema.json",
        &format!(
            "{{ \"input\": {{ \"A\": {{\n  \"x\": {field},\n  \"x\": {field} }} }}, \"output\": {{ \"B\": {{}} }} }}"
        ),
    )]);
    assert_eq!(
        said,
        "contracts/a/b.schema.json:3:3: $.input.A.x: is there twice: give one another name"
    );
}

#[test]
fn a_json_schema_is_told_what_it_is_not() {
    let text =
        "{\n  \"type\": \"object\",\n  \"properties\": { \"id\": { \"type\": \"string\" } }\n}";
    let fault = faults(&[("charge.schema.json", text)]);
    let start = "contracts/charge.schema.json:3:3: `properties` is JSON Schema, but a \
                 `.schema.json` file is the contract's own format: ";
    assert!(fault.starts_with(start), "{fault}");
    assert!(fault.contains("`cargo bridge convert`"), "{fault}");
}

#[test]
fn a_schema_file_that_cannot_name_a_module_is_refused() {
    let text = "{\"input\":{\"A\":{}},\"output\":{\"B\":{}}}";
    assert_eq!(
        faults(&[("pay/ü.schema.json", text)]),
        "contracts/pay/ü.schema.json:1:1: `ü` in the path cannot be the name of a rust module: \
         use letters, digits and `_`"
    );
    let proto = "syntax = \"proto3\"; package pay.charge; message Input {}";
    assert_eq!(
        faults(&[("a.proto", proto), ("pay/charge.schema.json", text)]),
        "contracts/pay/charge.schema.json:1:1: package `pay.charge` is declared by a.proto \
         already: rename this file"
    );
}
