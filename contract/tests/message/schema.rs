//! JSON Schema of messages, held to what is written.

use contract::message::json_schema;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::world::table;

fn schema(name: &str) -> (Value, Value) {
    let mut generator = SchemaGenerator::default();
    let schema = json_schema(table(name), &mut generator).to_value();
    (schema, generator.take_definitions(true).into())
}

#[test]
fn a_message_is_an_object_with_comments_as_descriptions() {
    let (item, definitions) = schema("every.v1.Item");
    assert_eq!(item["type"], "object");
    assert_eq!(item["description"], "A thing.");
    let sku = json!({ "type": "string", "description": "What it is called in the shop." });
    assert_eq!(item["properties"]["sku"], sku);
    let parts = json!({ "type": "array", "items": { "$ref": "#/$defs/every.v1.Item" } });
    assert_eq!(item["properties"]["parts"], parts);
    // It holds itself, so it is a definition too.
    assert_eq!(definitions["every.v1.Item"], item);
    let one = json!([{ "required": ["cents"] }, { "required": ["barter"] }]);
    let none = json!({ "not": { "anyOf": one } });
    let oneof = json!({ "oneOf": [one[0], one[1], none] });
    assert_eq!(item["allOf"], json!([oneof]));
}

#[test]
fn every_type_is_defined_under_its_full_name() {
    let (every, definitions) = schema("every.v1.Every");
    let names: Vec<_> = definitions
        .as_object()
        .expect("definitions")
        .keys()
        .collect();
    let expected = [
        "every.v1.Colour",
        "every.v1.Every",
        "every.v1.Item",
        "google.protobuf.Any",
        "google.protobuf.Duration",
        "google.protobuf.Empty",
        "google.protobuf.ListValue",
        "google.protobuf.Struct",
        "google.protobuf.Timestamp",
        "google.protobuf.Value",
    ];
    let mut names: Vec<_> = names.into_iter().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    let properties = &every["properties"];
    assert_eq!(properties["other-name"], json!({ "type": "string" }));
    assert_eq!(
        properties["at"],
        json!({ "$ref": "#/$defs/google.protobuf.Timestamp" })
    );
    assert_eq!(
        properties["int32Value"],
        json!({ "type": "integer", "format": "int32" })
    );
    assert_eq!(
        properties["byBool"]["propertyNames"],
        json!({ "enum": ["true", "false"] })
    );
    assert_eq!(properties["nothing"], json!({ "type": "null" }));
    assert_eq!(properties["someBytes"]["contentEncoding"], "base64");
    assert_eq!(every.get("required"), None);
}

#[test]
fn required_fields_and_closed_enums_are_said_to_be_such() {
    let (old, definitions) = schema("old.v1.Old");
    assert_eq!(old["required"], json!(["id", "always"]));
    assert_eq!(definitions["old.v1.Line"]["required"], json!(["sku"]));
    let size = &definitions["old.v1.Size"];
    assert_eq!(
        (&size["type"], &size["enum"]),
        (&json!("string"), &json!(["SMALL", "LARGE"]))
    );
    let description = "A closed enum: other numbers are none of it.";
    assert_eq!(size["description"], description);
}

#[test]
fn references_go_where_the_document_keeps_its_schemas() {
    let settings = SchemaSettings::draft2020_12()
        .with(|it| it.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let schema = json_schema(table("every.v1.Item"), &mut generator).to_value();
    let items = json!({ "$ref": "#/components/schemas/every.v1.Item" });
    assert_eq!(schema["properties"]["parts"]["items"], items);
}
