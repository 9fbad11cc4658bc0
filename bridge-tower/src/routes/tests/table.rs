//! Tables from the names that routes are registered under.

use axum::Router;
use axum::routing::{any, get};

use super::super::{Audit, Declared, Handler, RouteTable};
use crate::record::Verb;

async fn handler() {}

#[test]
fn a_table_from_names_has_the_handlers_that_were_registered() {
    let app: Router = Router::new()
        .route("/orders/{id}", get(handler).delete(handler))
        .route("/hooks", any(handler).post(handler))
        .route("/a b", get(handler));
    let own = RouteTable::of(&app).expect("a router");
    let names: Vec<_> = own.names().collect();
    let read = RouteTable::from_names(names.iter().rev().map(|it| &**it)).expect("names");
    assert_eq!(read.names().collect::<Vec<_>>(), names);
    let templates: Vec<_> = read.templates().collect();
    assert_eq!(templates, ["/a b", "/hooks", "/orders/{id}"]);
    assert!(!read.routes()[1].methods.is_any(), "that has no name");
    assert_eq!(read.matcher().find("/hooks"), None);
}

#[test]
fn templates_of_other_frameworks_are_joined_as_they_are() {
    let table = RouteTable::from_names(["GET /orders/:id", "POST /orders"]).expect("names");
    let declared = Declared {
        verb: Verb::Get,
        path: "/orders/:id".to_owned(),
        operation: "order".to_owned(),
    };
    let audit = Audit::of(
        &[declared],
        &table,
        Some(&|_, verb| u64::from(verb == Verb::Head)),
    );
    assert_eq!(audit.declared_and_mounted.len(), 1);
    let never = audit.mounted_never_called.expect("counted");
    assert_eq!(never.len(), 1, "HEAD is answered by GET: {never:?}");
    assert_eq!(never[0].handler, Handler::Of(Verb::Post));
}

#[test]
fn what_names_no_route_is_refused_by_its_name() {
    for wrong in [
        "",
        "GET",
        "GET  /orders",
        "GET orders",
        "get /orders",
        "PROPFIND /orders",
        "_OTHER /orders",
        "/orders",
        "GET /orders\n",
    ] {
        let error = RouteTable::from_names(["GET /orders", wrong]).expect_err(wrong);
        assert_eq!(error.name, wrong);
        assert!(
            error
                .to_string()
                .starts_with(&format!("{wrong:?} names no route"))
        );
    }
}
