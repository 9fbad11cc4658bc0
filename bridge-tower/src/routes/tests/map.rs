//! The map in each of its forms.

use axum::Router;
use axum::routing::{MethodRouter, any, get, post};

use super::super::{RouteMap, map};

async fn handler() {}

fn service() -> MethodRouter {
    get(handler)
}

fn app() -> Router {
    let orders = Router::new()
        .route("/", get(handler).post(handler))
        .route("/{id}", get(handler).delete(handler))
        .fallback(handler);
    Router::new()
        .nest("/orders", orders)
        .route("/ws", any(handler))
        .route("/#\"odd\"", post(handler))
        .route_service("/raw", service())
        .nest_service("/files", service())
        .fallback(handler)
}

#[test]
fn a_map_reads_as_a_table() {
    assert_eq!(
        map(&app()).to_string(),
        "METHODS     PATH
POST        /#\"odd\"
ANY         /files/{*}  (a nested service: its own routes cannot be seen)
GET,POST    /orders
GET,DELETE  /orders/{id}
ANY         /raw  (a service)
ANY         /ws
FALLBACK    /
FALLBACK    /orders
"
    );
}

#[test]
fn a_map_is_json_for_programs() {
    let json: serde_json::Value = serde_json::from_str(&map(&app()).to_json()).expect("JSON");
    assert_eq!(
        json["routes"][1],
        serde_json::json!({ "path": "/files/{*}", "methods": ["ANY"], "endpoint": "nested" })
    );
    assert_eq!(
        json["routes"][3],
        serde_json::json!({
            "path": "/orders/{id}",
            "methods": ["GET", "DELETE"],
            "endpoint": "handlers",
        })
    );
    assert_eq!(json["fallbacks"], serde_json::json!(["/", "/orders"]));
    assert_eq!(json["degraded"], serde_json::Value::Null);
}

#[test]
fn a_map_is_a_flowchart_for_documents() {
    assert_eq!(
        map(&app()).to_mermaid(),
        r##"flowchart LR
  app([application])
  app --> a0["/#35;#quot;odd#quot;"]
  a0 --> r0["POST /#35;#quot;odd#quot;"]
  app --> a1["/files"]
  a1 --> r1[["ANY /files/{*}"]]
  app --> a2["/orders"]
  a2 --> r2["GET,POST /orders"]
  a2 --> r3["GET,DELETE /orders/{id}"]
  app --> a3["/raw"]
  a3 --> r4[["ANY /raw"]]
  app --> a4["/ws"]
  a4 --> r5["ANY /ws"]
  app -.-> f0["fallback /"]
  app -.-> f1["fallback /orders"]
"##
    );
}

#[test]
fn an_empty_router_has_an_empty_map() {
    let map = map(&Router::<String>::new());
    assert_eq!(map.to_string(), "METHODS   PATH\n");
    assert_eq!(
        map.to_json(),
        r#"{"degraded":null,"fallbacks":[],"routes":[]}"#
    );
}

#[test]
fn a_router_that_cannot_be_read_has_a_map_that_says_so() {
    let map = RouteMap {
        degraded: Some("expected `{`, found `[`".to_owned()),
        ..RouteMap::default()
    };
    assert_eq!(
        map.to_string(),
        "the router's routes cannot be read: expected `{`, found `[`\n"
    );
    assert!(map.to_json().contains("\"degraded\":\"expected"));
}
