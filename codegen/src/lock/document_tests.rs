//! What of an OpenAPI document gets into the lock: behind references, of parameters, of media types.

use serde_json::{Value, json};

use super::{Lock, Places, Report, Verdict, compare, routes};

fn report(old: &Value, new: &Value) -> Report {
    let [old, new] = [old, new].map(|it| Lock {
        routes: Some(routes(it).expect("a document")),
        ..Lock::default()
    });
    compare(&old, &new, &Places::default())
}

/// A document of one operation, with what it refers to.
fn document(operation: &Value, components: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "paths": { "/v1/orders": { "post": operation } },
        "components": components,
    })
}

fn taking(schema: &Value) -> Value {
    json!({ "requestBody": { "content": { "application/json": { "schema": schema } } } })
}

/// The places of the one operation.
fn places(document: &Value) -> Vec<String> {
    let routes = routes(document).expect("a document");
    let route = routes.values().next().expect("an operation");
    route.shape.keys().cloned().collect()
}

#[test]
fn references_are_followed_through_escapes_of_uris() {
    let reference = "#/components/schemas/Page%3COrder%3E~1%C3%A9";
    let schemas = |ty: &str| json!({ "schemas": { "Page<Order>/é": { "type": ty } } });
    let of = |ty: &str| document(&taking(&json!({ "$ref": reference })), &schemas(ty));
    assert_eq!(report(&of("string"), &of("string")), Report::default());
    let changed = report(&of("string"), &of("integer"));
    assert_eq!(changed.verdict(), Some(Verdict::Major));
}

#[test]
fn a_reference_without_a_target_is_refused_by_name_wherever_it_is() {
    let away = json!({ "$ref": "./order.yaml" });
    let circle = json!({ "a": { "$ref": "#/components/responses/a" } });
    for operation in [
        taking(&away),
        taking(&json!({ "type": "object", "properties": { "a": away } })),
        taking(&json!({ "type": "string", "not": away })),
        taking(&json!({ "anyOf": [{ "type": "string" }, { "type": "string", "not": away }] })),
        json!({ "requestBody": away }),
        json!({ "parameters": [away] }),
        json!({ "responses": { "200": away } }),
    ] {
        let refused = routes(&document(&operation, &json!({})));
        let refused = refused.expect_err("nothing is known of what it takes or gives");
        assert!(
            refused.starts_with(
                "has an operation `POST /v1/orders` that refers to `./order.yaml`, which is not \
                 in the document: "
            ),
            "{operation}: {refused}"
        );
    }
    for reference in ["#/components/schemas/Gone", "#/%zz", "#/%e", "#Order"] {
        let operation = taking(&json!({ "$ref": reference }));
        let refused = routes(&document(&operation, &json!({}))).expect_err("no target");
        assert!(refused.contains(&format!("`{reference}`")), "{refused}");
    }
    let operation = json!({ "responses": { "200": { "$ref": "#/components/responses/a" } } });
    assert!(routes(&document(&operation, &json!({ "responses": circle }))).is_err());
    let item = json!({ "openapi": "3.1.0", "paths": { "/v1/orders": away } });
    let refused = routes(&item).expect_err("no operation is known");
    assert!(refused.starts_with("has a path `/v1/orders` that refers to `./order.yaml`"));
}

#[test]
fn a_path_that_is_described_elsewhere_has_its_operations() {
    let parameter = json!({ "in": "query", "name": "page", "schema": { "type": "integer" } });
    let document = json!({
        "openapi": "3.1.0",
        "paths": { "/v1/orders": { "$ref": "#/components/pathItems/Orders" } },
        "components": {
            "pathItems": { "Orders": {
                "parameters": [parameter],
                "get": { "responses": { "200": { "$ref": "#/components/responses/First" } } },
            } },
            "responses": {
                "First": { "$ref": "#/components/responses/Second" },
                "Second": { "content": { "application/json": { "schema": { "type": "string" } } } },
            },
        },
    });
    assert_eq!(places(&document), ["in.query.page", "out.200"]);
}

#[test]
fn another_media_type_is_another_form() {
    let of = |request: &str, reply: &str| {
        let content = |media: &str| json!({ media: { "schema": { "type": "object" } } });
        let operation = json!({
            "requestBody": { "content": content(request) },
            "responses": { "200": { "content": content(reply) } },
        });
        document(&operation, &json!({}))
    };
    let json = "application/json";
    let plain = of(json, json);
    assert_eq!(places(&plain), ["in.body", "out.200"]);
    for other in [
        of("application/merge-patch+json", json),
        of(json, "application/hal+json"),
    ] {
        assert_eq!(report(&plain, &other).verdict(), Some(Verdict::Major));
        assert_eq!(report(&other, &plain).verdict(), Some(Verdict::Major));
    }
    // JSON has one charset.
    let said = of("application/json; charset=utf-8", "Application/JSON");
    assert_eq!(report(&plain, &said), Report::default());
}

#[test]
fn how_a_parameter_is_written_is_part_of_it() {
    let of = |more: Value| {
        let mut parameter = json!({ "in": "query", "name": "ids" });
        let members = parameter.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        document(&json!({ "parameters": [parameter] }), &json!({}))
    };
    let list = json!({ "type": "array", "items": { "type": "string" } });
    let plain = of(json!({ "schema": list }));
    for other in [
        json!({ "schema": list, "style": "pipeDelimited" }),
        json!({ "schema": list, "explode": false }),
        json!({ "content": { "application/json": { "schema": list } } }),
    ] {
        let other = of(other);
        assert_eq!(report(&plain, &other).verdict(), Some(Verdict::Major));
        assert_eq!(report(&other, &plain).verdict(), Some(Verdict::Major));
    }
    let piped = of(json!({ "schema": list, "style": "pipeDelimited" }));
    let told = report(&plain, &piped);
    assert_eq!(told.changes.len(), 1, "{told:#?}");
    assert!(
        told.changes[0]
            .what
            .ends_with("`in.query.ids` has the style pipeDelimited instead of none")
    );
    // What is the case anyway says nothing.
    let usual = of(json!({ "schema": list, "style": "form", "explode": true }));
    assert_eq!(report(&plain, &usual), Report::default());
    let said = of(json!({ "schema": list, "style": "pipeDelimited", "explode": false }));
    assert_eq!(report(&piped, &said), Report::default());
}
