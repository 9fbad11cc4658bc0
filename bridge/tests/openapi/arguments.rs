//! What handlers take: parameters of path, query and headers, and bodies.

use super::*;

#[test]
fn arguments_are_parameters_and_bodies_by_their_types() {
    #[bridge::rpc(get, "/a/{id}")]
    async fn scalar(_: State<()>, Path(_): Path<u64>) {}
    let said = operation!(scalar, "/a/{id}", get);
    let number = json!({ "type": "integer", "format": "uint64", "minimum": 0 });
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": number });
    assert_eq!(said["parameters"], json!([id]));

    #[bridge::rpc(get, "/a/{shop}/{id}")]
    async fn tuple(Path(_): Path<(String, u64)>) {}
    let said = operation!(tuple, "/a/{shop}/{id}", get);
    assert_eq!(said["parameters"][0]["schema"], json!({ "type": "string" }));
    assert_eq!(said["parameters"][1], id);

    #[bridge::rpc(get, "/a/{id}/{shop}")]
    async fn named(Path(_): Path<Place>) {}
    assert_eq!(
        operation!(named, "/a/{id}/{shop}", get)["parameters"][0],
        id
    );

    #[bridge::rpc(get, "/a/{*rest}")]
    async fn rest(Path(_): Path<String>, _: HeaderMap) {}
    assert_eq!(
        operation!(rest, "/a/{*rest}", get)["parameters"][0]["name"],
        "rest"
    );

    #[bridge::rpc(get, "/a")]
    async fn query(Query(_): Query<Page>) {}
    let said = operation!(query, "/a", get);
    let [limit, skip] = ["limit", "skip"].map(|name| {
        let all = said["parameters"].as_array().expect("a list");
        all.iter()
            .find(|it| it["name"] == name)
            .expect("it is there")
            .clone()
    });
    assert_eq!(
        (&limit["in"], &limit["required"]),
        (&json!("query"), &json!(true))
    );
    assert_eq!(skip["required"], false);
    assert_eq!(skip["description"], "How many are skipped.");

    #[bridge::rpc(get, "/a")]
    async fn map(Query(_): Query<HashMap<String, String>>) {}
    assert_eq!(operation!(map, "/a", get)["parameters"][0]["style"], "form");

    // axum reads a form of a request without a body from its query.
    #[bridge::rpc(get, "/a")]
    async fn form(Form(_): Form<Page>) {}
    let form = operation!(form, "/a", get);
    assert_eq!(form["parameters"], said["parameters"]);
    assert_eq!(form.get("requestBody"), None);

    #[bridge::rpc(head, "/a")]
    async fn strange_form(_: Form<Plain>) {}
    let strange_form = operation!(strange_form, "/a", head);
    assert_eq!(strange_form.get("requestBody"), None);

    #[bridge::rpc(get, "/a")]
    async fn strange(Query(_): Query<Plain>, _: axum::http::Uri) {}
    assert_eq!(operation!(strange, "/a", get).get("parameters"), None);
}

#[test]
fn bodies_have_a_media_type_and_where_it_is_known_a_schema() {
    let body = |said: &Value, media: &str| {
        let body = &said["requestBody"];
        (
            body["content"][media]["schema"].clone(),
            body["required"].clone(),
        )
    };
    let order = json!({ "$ref": "#/components/schemas/Order" });

    #[bridge::rpc(post, "/a")]
    async fn described(Json(_): Json<Order>) {}
    let said = operation!(described, "/a", post);
    assert_eq!(
        body(&said, "application/json"),
        (order.clone(), json!(true))
    );

    #[bridge::rpc(post, "/a")]
    async fn optional(_: Option<Json<Order>>) {}
    let said = operation!(optional, "/a", post);
    assert_eq!(body(&said, "application/json"), (order, json!(false)));

    #[bridge::rpc(post, "/a")]
    async fn many(_: Json<Vec<Order>>) {}
    let said = operation!(many, "/a", post);
    assert_eq!(body(&said, "application/json").0["type"], "array");

    #[bridge::rpc(post, "/a")]
    async fn plain(_: Json<Plain>) {}
    let said = operation!(plain, "/a", post);
    assert_eq!(body(&said, "application/json"), (json!({}), json!(true)));

    // What only its caller knows has a body all the same.
    #[bridge::rpc(post, "/a")]
    async fn generic<T: Serialize + serde::de::DeserializeOwned>(Json(it): Json<T>) -> Json<T> {
        Json(it)
    }
    let said = operation!(generic, "/a", post, ::<Order>);
    assert_eq!(body(&said, "application/json"), (json!({}), json!(true)));

    #[bridge::rpc(post, "/a")]
    async fn generic_option<T: serde::de::DeserializeOwned>(_: Option<axum::Json<Vec<T>>>) {}
    let said = operation!(generic_option, "/a", post, ::<Order>);
    assert_eq!(body(&said, "application/json"), (json!({}), json!(false)));

    #[bridge::rpc(post, "/a")]
    async fn generic_form<T: serde::de::DeserializeOwned>(_: Form<T>) {}
    let said = operation!(generic_form, "/a", post, ::<Place>);
    assert_eq!(
        body(&said, "application/x-www-form-urlencoded"),
        (json!({ "type": "object" }), json!(true))
    );

    #[bridge::rpc(post, "/a")]
    async fn form(_: Form<Place>) {}
    let said = operation!(form, "/a", post);
    let place = json!({ "$ref": "#/components/schemas/Place" });
    assert_eq!(body(&said, "application/x-www-form-urlencoded").0, place);

    #[bridge::rpc(post, "/a")]
    async fn text(_: String) {}
    assert_eq!(
        body(&operation!(text, "/a", post), "text/plain").0,
        json!({ "type": "string" })
    );

    #[bridge::rpc(post, "/a")]
    async fn bytes(_: axum::body::Bytes) {}
    assert_eq!(
        body(&operation!(bytes, "/a", post), "application/octet-stream").0,
        json!({})
    );

    #[bridge::rpc(post, "/a")]
    async fn parts(_: Multipart) {}
    let said = operation!(parts, "/a", post);
    assert_eq!(
        body(&said, "multipart/form-data").0,
        json!({ "type": "object" })
    );

    #[bridge::rpc(post, "/a")]
    async fn whole(_: axum::extract::Request) {}
    assert_eq!(operation!(whole, "/a", post).get("requestBody"), None);
}
