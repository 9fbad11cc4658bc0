//! Errors in documents, beside what requests are really answered.

use super::*;

/// An error in plain text becomes the `detail` of a problem, where the request accepts one.
#[tokio::test]
async fn errors_in_plain_text_are_documented_as_they_are_answered() {
    #[bridge::rpc(get, "/owned")]
    async fn owned() -> Result<String, (StatusCode, String)> {
        Err((StatusCode::NOT_FOUND, "no such order".to_owned()))
    }
    #[bridge::rpc(get, "/borrowed")]
    async fn borrowed() -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, "no such order")
    }
    #[bridge::rpc(get, "/bare")]
    async fn bare() -> Result<String, StatusCode> {
        Err(StatusCode::NOT_FOUND)
    }
    #[bridge::rpc(get, "/json")]
    async fn own() -> Result<String, (StatusCode, Json<Plain>)> {
        unreachable!()
    }
    let handlers = bridge::handlers![owned, borrowed, bare, own];
    let app = Router::new()
        .route("/owned", axum::routing::get(owned))
        .route("/borrowed", axum::routing::get(borrowed))
        .route("/bare", axum::routing::get(bare))
        .route("/json", axum::routing::get(own));
    let document = bridge::openapi(&app, &handlers).expect("a document");
    let app = bridge::declare(app, &handlers);
    let media = |path: &str| {
        let answer = &document.json()["paths"][path]["get"]["responses"]["default"];
        let media = answer["content"].as_object().expect("it has a body");
        media.keys().map(String::as_str).collect::<Vec<_>>()
    };
    for (path, accept, answered) in [
        ("/owned", "*/*", Some("application/problem+json")),
        ("/borrowed", "*/*", Some("application/problem+json")),
        ("/bare", "*/*", Some("application/problem+json")),
        ("/owned", "text/plain", Some("text/plain; charset=utf-8")),
        ("/bare", "text/plain", None),
    ] {
        let request = axum::extract::Request::get(path).header("accept", accept);
        let request = request.body(axum::body::Body::empty()).expect("a request");
        let answer = tower::ServiceExt::oneshot(app.clone(), request).await;
        let answer = answer.unwrap_or_else(|never| match never {});
        let found = answer.headers().get("content-type");
        let found = found.map(|it| it.to_str().expect("text"));
        assert_eq!(found, answered, "{path}");
        let is_documented = |it: &str| media(path).iter().any(|media| it.starts_with(media));
        assert!(found.is_none_or(is_documented), "{path} {:?}", media(path));
    }
    assert_eq!(media("/json"), ["application/json"]);
}

#[test]
fn every_variant_of_an_error_is_a_problem_with_its_status_and_fields() {
    #[bridge::rpc(post, "/orders", idempotent_by = "Idempotency-Key", deadline = "2s")]
    async fn place(_: Json<Order>) -> Answer<Order> {
        unreachable!()
    }
    let handlers = bridge::handlers![place];
    let document = document(&handlers, "/orders", axum::routing::post(place));
    let said = &document["paths"]["/orders"]["post"];
    let problem = |status: &str| {
        let answer = &said["responses"][status];
        answer["content"]["application/problem+json"]["schema"].clone()
    };
    assert_eq!(
        problem("404")["$ref"],
        "#/components/schemas/OrderError.UNKNOWN"
    );
    // The answer of a layer stands beside those of the error.
    let both = problem("409");
    assert_eq!(
        both["anyOf"][1]["$ref"],
        "#/components/schemas/bridge.Problem"
    );
    let conflict = &both["anyOf"][0];
    assert_eq!(
        conflict["oneOf"][0]["$ref"],
        "#/components/schemas/OrderError.OUT_OF_STOCK"
    );
    assert_eq!(
        conflict["discriminator"]["mapping"]["CLOSED"],
        "#/components/schemas/OrderError.CLOSED"
    );
    assert_eq!(
        said["responses"]["409"]["description"],
        "OUT_OF_STOCK: {left} of {sku} left\nCLOSED: {closed} by {by}\nThe first request with this \
         key is still being worked on, or its answer was not kept: it was too large, or it streamed."
    );
    for status in ["400", "413", "422", "503", "504", "default"] {
        assert_eq!(
            problem(status)["$ref"],
            "#/components/schemas/bridge.Problem",
            "{status}"
        );
    }
    let schemas = &document["components"]["schemas"];
    let out = &schemas["OrderError.OUT_OF_STOCK"];
    assert_eq!(
        out["properties"]["code"],
        json!({ "const": "OUT_OF_STOCK" })
    );
    assert_eq!(out["properties"]["status"], json!({ "const": 409 }));
    assert_eq!(out["properties"]["retryable"], json!({ "const": true }));
    assert_eq!(out["properties"]["left"]["type"], "integer");
    assert_eq!(
        out["required"],
        json!(["code", "status", "retryable", "left", "sku"])
    );
    assert_eq!(schemas["OrderError.CLOSED"]["properties"]["by"], json!({}));
    let key = &said["parameters"][0];
    assert_eq!(
        (&key["name"], &key["in"]),
        (&json!("Idempotency-Key"), &json!("header"))
    );
    let longest = bridge::layers::idempotency::TEXT_BYTES_MAX;
    assert_eq!(key["schema"]["maxLength"], longest);
    for (status, response) in said["responses"].as_object().expect("answers") {
        let headers = response["headers"].as_object().expect("headers");
        let names: Vec<_> = headers.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["Idempotency-Replayed", "Idempotency-Stored"],
            "{status}"
        );
    }
}
