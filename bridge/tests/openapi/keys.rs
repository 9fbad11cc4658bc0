//! What documents say of idempotency keys.

use super::*;

#[test]
fn headers_that_keys_are_unique_within_are_parameters() {
    #[bridge::rpc(
        post,
        "/a",
        idempotent_by = "Idempotency-Key",
        idempotent_within = "X-Tenant"
    )]
    async fn pay() {}
    let said = operation!(pay, "/a", post);
    let [key, tenant] = [&said["parameters"][0], &said["parameters"][1]];
    let text = key["description"].as_str().expect("a text");
    assert!(
        text.ends_with("Keys are unique within: x-tenant."),
        "{text}"
    );
    assert_eq!(
        (&tenant["name"], &tenant["in"]),
        (&json!("x-tenant"), &json!("header"))
    );
    assert_eq!(tenant["required"], json!(false));
}

#[test]
fn the_host_is_no_parameter_because_every_request_has_one() {
    #[bridge::rpc(
        post,
        "/a",
        idempotent_by = "Idempotency-Key",
        idempotent_within = "Host, X-User"
    )]
    async fn pay() {}
    let said = operation!(pay, "/a", post);
    let parameters = said["parameters"].as_array().expect("parameters");
    let names: Vec<_> = parameters.iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["Idempotency-Key", "x-user"]);
    let text = parameters[0]["description"].as_str().expect("a text");
    assert!(text.ends_with("within: host, x-user."), "{text}");
}

#[test]
fn answers_say_nothing_of_keys_where_there_are_none() {
    #[bridge::rpc(get, "/a", deadline = "1s")]
    async fn late() {}
    let said = operation!(late, "/a", get);
    let responses = said["responses"].as_object().expect("answers");
    let statuses: Vec<_> = responses.keys().map(String::as_str).collect();
    assert_eq!(statuses, ["200", "504", "default"]);
    assert!(responses.values().all(|it| it.get("headers").is_none()));
}
