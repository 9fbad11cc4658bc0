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

#[test]
fn what_is_deprecated_in_rust_is_deprecated_in_documents() {
    #[deprecated = "by `nested`"]
    #[bridge::rpc(get, "/old")]
    async fn old() {}
    #[bridge::rpc(get, "/older")]
    #[deprecated]
    async fn older() {}
    #[allow(deprecated)]
    let app = Router::<()>::new()
        .route("/old", axum::routing::get(old))
        .route("/older", axum::routing::get(older))
        .route("/orders/{id}", axum::routing::get(nested));
    let document = bridge::openapi(&app, &bridge::handlers![old, older, nested]);
    let document = document.expect("a document");
    let of = |path: &str| document.json()["paths"][path]["get"]["deprecated"].clone();
    assert_eq!([of("/old"), of("/older")], [json!(true), json!(true)]);
    assert_eq!(of("/orders/{id}"), Value::Null);
}

#[test]
fn an_operation_that_is_mounted_at_several_places_is_at_each_of_them() {
    let of = || Router::new().route("/orders/{id}", axum::routing::get(nested));
    let app = Router::<()>::new()
        .nest("/v1", of())
        .nest("/v2/{shop}", of());
    let document = bridge::openapi(&app, &bridge::handlers![nested]).expect("a document");
    assert!(document.left_out().is_empty(), "{:?}", document.left_out());
    let paths = &document.json()["paths"];
    let ids = ["/v1/orders/{id}", "/v2/{shop}/orders/{id}"];
    let ids = ids.map(|path| paths[path]["get"]["operationId"].as_str());
    assert_eq!(ids, [Some("readOrder_v1"), Some("readOrder_v2_shop")]);
    assert_eq!(paths.as_object().map(serde_json::Map::len), Some(2));
    // A component is there once.
    assert!(document.json()["components"]["schemas"]["Order"].is_object());
}

#[test]
fn operations_of_which_it_cannot_be_told_where_they_are_are_an_error() {
    mod items {
        #[bridge::rpc(get, "/{id}", name = "readItem")]
        pub(super) async fn read() {}
    }
    mod users {
        #[bridge::rpc(get, "/{id}", name = "readUser")]
        pub(super) async fn read() {}
    }
    let get = axum::routing::get::<_, _, ()>;
    let app = Router::new()
        .nest("/items", Router::new().route("/{id}", get(items::read)))
        .nest(
            "/users",
            Router::new().route("/{id}", axum::routing::get(users::read)),
        );
    let handlers = bridge::handlers![items::read].and(bridge::handlers![users::read]);
    let error = bridge::openapi(&app, &handlers).expect_err("either may be at either");
    let faults: Vec<_> = error.faults().collect();
    assert_eq!(
        faults[0],
        "`readItem` (openapi::mounted::items::read, GET /{id}) may be /items/{id} or /users/{id}, as \
         may readUser; write the whole path in its attribute, with what it is nested below, or take \
         it out of the list if it is not mounted"
    );
    assert_eq!(faults.len(), 2, "{error}");
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
