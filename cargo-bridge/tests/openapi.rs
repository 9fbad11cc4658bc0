//! `openapi`: contracts, a program's handlers and another document as one.

use serde_json::{Value, json};

use crate::cli::CONTRACT;
use crate::support::Package;

/// What a program says that has one handler.
fn description(path: &str, schemas: Value) -> Value {
    json!({
        "describe": 1,
        "operations": [{ "name": "place", "method": "POST", "path": path, "site": "shop::place" }],
        "openapi": {
            "document": {
                "openapi": "3.1.0",
                "info": { "title": "shop", "version": "0.0.0" },
                "paths": { path: { "post": { "operationId": "place", "responses": {} } } },
                "components": { "schemas": schemas },
                "tags": [{ "name": "orders" }],
            },
            "sites": {
                format!("/paths/{}/post", path.replace('/', "~1")): "shop::place",
                "/components/schemas/Order": "shop::Order",
            },
            "left_out": ["`lost` (GET /lost) is not mounted"],
        },
    })
}

fn package(description: &Value) -> Package {
    let package = Package::with(&[("made.json", &description.to_string())]);
    let other = json!({
        "openapi": "3.1.0",
        "info": { "title": "other", "version": "7" },
        "paths": { "/v1/other/{id}": { "post": { "responses": {} } } },
        "components": { "schemas": { "Order": { "type": "object" } } },
    });
    package.put("other.json", &other.to_string());
    package
}

#[test]
fn handlers_contracts_and_another_document_are_one() {
    let package = package(&description(
        "/v1/orders",
        json!({ "Order": { "type": "object" } }),
    ));
    let said = package.bridge("openapi --description made.json");
    assert_eq!(
        (said.code, said.err.as_str()),
        (0, "note: `lost` (GET /lost) is not mounted: left out\n")
    );
    let document: Value = serde_json::from_str(&said.out).expect("json");
    assert_eq!(
        document["info"],
        json!({ "title": "payments", "version": "1.2.3" })
    );
    assert_eq!(
        document["paths"]["/v1/orders"]["post"]["operationId"],
        "place"
    );

    package.put("contracts/payments.proto", CONTRACT);
    let said = package.bridge("openapi --description made.json --merge other.json");
    assert_eq!(said.code, 0, "{}", said.err);
    let document: Value = serde_json::from_str(&said.out).expect("json");
    assert_eq!(document["info"]["title"], "other");
    for path in [
        "/v1/orders",
        "/v1/other/{id}",
        "/shop.payments.v1.Payments/Charge",
    ] {
        assert!(document["paths"][path]["post"].is_object(), "{path}");
    }
    assert_eq!(
        document["components"]["schemas"]["Order"],
        json!({ "type": "object" })
    );
    assert!(document["components"]["schemas"]["bridge.Problem"].is_object());
    let tags = document["tags"].as_array().expect("tags");
    assert_eq!(tags.len(), 2, "{tags:?}");
}

#[test]
fn what_is_said_differently_is_refused_with_both_places() {
    let one = json!({ "Order": { "type": "string" } });
    let package = package(&description("/v1/other/{order}", one));
    let said = package.bridge("openapi --description made.json --merge other.json");
    assert_eq!(
        (said.code, said.err.as_str()),
        (
            1,
            "note: `lost` (GET /lost) is not mounted: left out\n\
             error: other.json#/components/schemas/Order: `Order` is defined differently at shop::Order: \
             rename one of them\n\
             other.json#/paths/~1v1~1other~1{id}: `/v1/other/{id}` is `/v1/other/{order}` at \
             shop::place: give the placeholders the same names\n"
        )
    );

    let path = "/shop.payments.v1.Payments/Charge";
    package.put("made.json", &description(path, json!({})).to_string());
    package.put("contracts/payments.proto", CONTRACT);
    let said = package.bridge("openapi --description made.json");
    assert_eq!(
        (said.code, said.err.lines().last()),
        (
            1,
            Some(
                "error: shop::place: `POST /shop.payments.v1.Payments/Charge` is an operation of \
                 contracts/payments.proto:5:7 too: take it out of one of them"
            )
        )
    );
}

#[test]
fn a_program_that_tells_nothing_says_what_it_lacks() {
    let mut without = description("/v1/orders", json!({}));
    without["openapi"] = Value::Null;
    let package = package(&without);
    let said = package.bridge("openapi --description made.json");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("feature `openapi` of `bridge`"),
        "{}",
        said.err
    );

    let mut refused = description("/v1/orders", json!({}));
    refused["openapi"] = json!({ "refused": ["`Order` is the name of two types"] });
    package.put("made.json", &refused.to_string());
    let said = package.bridge("openapi --description made.json");
    assert_eq!(
        (said.code, said.err.as_str()),
        (1, "error: `made.json`: `Order` is the name of two types\n")
    );

    // Without a program it is about the contracts, and there are none.
    let said = package.bridge("openapi");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no contracts here"), "{}", said.err);
    assert!(said.err.contains("--describe 'cargo run'"), "{}", said.err);

    // A file as an editor on Windows saves it is read; a program without handlers is told apart.
    package.put("made.json", "\u{feff}{\"describe\": 1}");
    let said = package.bridge("openapi --description made.json");
    assert_eq!(said.code, 2);
    let expected = "the program declares no annotated handler";
    assert!(said.err.contains(expected), "{}", said.err);
}
