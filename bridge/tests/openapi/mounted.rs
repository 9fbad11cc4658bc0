//! Documents of applications as they are mounted, and documents as answers.

use super::*;

/// Reads an order.
///
/// Or not. Then it is an error.
#[bridge::rpc(get, "/orders/{id}", tag = "orders", name = "readOrder")]
async fn nested(_: Path<Place>) -> Answer<Order> {
    unreachable!()
}

#[test]
fn operations_are_at_the_paths_they_are_mounted_at() {
    #[bridge::rpc(get, "/lost")]
    async fn lost() {}
    let orders = Router::new().route("/orders/{id}", axum::routing::get(nested));
    let app = Router::<()>::new().nest("/v1/{shop}", orders);
    let document = bridge::openapi(&app, &bridge::handlers![nested, lost]).expect("a document");
    assert_eq!(document.left_out(), ["`lost` (GET /lost) is not mounted"]);
    let document = document.info("Shop", "1.2.3");
    let said = &document.json()["paths"]["/v1/{shop}/orders/{id}"]["get"];
    assert_eq!(said["operationId"], "readOrder");
    assert_eq!(said["summary"], "Reads an order");
    assert_eq!(
        said["description"],
        "Reads an order.\n\nOr not. Then it is an error."
    );
    assert_eq!(said["tags"], json!(["orders"]));
    assert_eq!(said["parameters"][0]["name"], "shop");
    assert_eq!(said["parameters"][1]["schema"]["type"], "integer");
    assert_eq!(
        document.json()["info"],
        json!({ "title": "Shop", "version": "1.2.3" })
    );
    assert_eq!(document.json()["tags"], json!([{ "name": "orders" }]));
}

#[tokio::test]
async fn a_document_is_an_answer() {
    let app = Router::<()>::new().route("/orders/{shop}/{id}", axum::routing::get(nested));
    let document = bridge::openapi(&app, &bridge::handlers![nested]).expect("a document");
    let answer = document.clone().into_response();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body = axum::body::to_bytes(answer.into_body(), 65_536)
        .await
        .expect("it ends");
    let served: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(served, *document.json());
}
