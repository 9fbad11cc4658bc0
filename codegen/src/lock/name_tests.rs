//! Names in HTTP that callers do not write, or may write in another way.

use serde_json::{Value, json};

use super::tests::lock;
use super::{Lock, Places, Verdict, compare, routes};

fn lock_of(document: &Value) -> Lock {
    Lock {
        routes: Some(routes(document).expect("a document")),
        ..Lock::default()
    }
}

/// The differences, worst first.
fn told(old: &Lock, new: &Lock) -> Vec<(Verdict, String)> {
    let report = compare(old, new, &Places::default());
    let changes = report.changes.into_iter();
    changes.map(|it| (it.verdict, it.what)).collect()
}

/// A document of one operation with the parameters, each as place, name and type.
fn document(path: &str, parameters: &[[&str; 3]]) -> Value {
    let parameters = parameters.iter().map(|[place, name, ty]| {
        json!({ "in": place, "name": name, "required": true, "schema": { "type": ty } })
    });
    let parameters: Vec<_> = parameters.collect();
    json!({ "openapi": "3.1.0", "paths": { path: { "get": { "parameters": parameters } } } })
}

#[test]
fn a_parameter_of_a_path_under_another_name_breaks_no_request() {
    let of = |path: &str, names: [&str; 2], types: [&str; 2]| {
        let [one, other] = [0, 1].map(|it| ["path", names[it], types[it]]);
        lock_of(&document(path, &[one, other]))
    };
    let types = ["string", "integer"];
    let old = of("/o/{id}/{line.no}", ["id", "line.no"], types);
    let written =
        |path: &str| format!("route `GET /o/{{id}}/{{line.no}}` is written `GET {path}` now");
    let path = "/o/{order}/{line}";
    let new = of(path, ["order", "line"], types);
    assert_eq!(told(&old, &new), [(Verdict::Minor, written(path))]);
    // The first is the first, whatever the second was called.
    let path = "/o/{line.no}/{id}";
    let new = of(path, ["line.no", "id"], types);
    assert_eq!(told(&old, &new), [(Verdict::Minor, written(path))]);
    let new = of(path, ["line.no", "id"], ["string", "string"]);
    let other = "route `GET /o/{id}/{line.no}`: `in.path.line%2eno` is string instead of integer";
    let other = (Verdict::Major, other.to_owned());
    assert_eq!(told(&old, &new), [other, (Verdict::Minor, written(path))]);
}

#[test]
fn a_route_with_other_fixed_parts_is_another_route() {
    let of = |path: &str| lock_of(&document(path, &[]));
    for (old, new) in [
        ("/o/{id}", "/o/{id}/lines"),
        ("/o/{id}", "/o/id"),
        ("/o/{id}:cancel", "/o/{id}"),
        ("/o/{*rest}", "/o/{rest}"),
    ] {
        let gone = (Verdict::Major, format!("route `GET {old}` is gone"));
        let new_one = (Verdict::Minor, format!("route `GET {new}` is new"));
        assert_eq!(told(&of(old), &of(new)), [gone, new_one]);
    }
}

#[test]
fn a_route_that_keeps_its_writing_is_no_other_one_of_its_form() {
    let paths = |paths: &[&str]| {
        let paths = paths
            .iter()
            .map(|it| ((*it).to_owned(), json!({ "get": {} })));
        let paths: serde_json::Map<_, _> = paths.collect();
        lock_of(&json!({ "openapi": "3.1.0", "paths": paths }))
    };
    let (one, both) = (paths(&["/o/{id}"]), paths(&["/o/{id}", "/o/{name}"]));
    let new = (Verdict::Minor, "route `GET /o/{name}` is new".to_owned());
    assert_eq!(told(&one, &both), [new]);
    let gone = (Verdict::Major, "route `GET /o/{name}` is gone".to_owned());
    assert_eq!(told(&both, &one), [gone]);
}

#[test]
fn names_of_headers_have_no_case_and_other_names_do() {
    let of = |place: &str, name: &str| lock_of(&document("/o", &[[place, name, "string"]]));
    let is_same = |place| told(&of(place, "X-Tenant"), &of(place, "x-tenant")).is_empty();
    let places = ["header", "query", "cookie"];
    assert_eq!(places.map(is_same), [true, false, false]);
}

#[test]
fn a_lock_with_the_case_of_its_document_is_still_read() {
    let before = lock("lock 1\nroutes\nroute GET /o\n  in.header.X-Tenant required string\n");
    let now = lock_of(&document("/o", &[["header", "x-tenant", "string"]]));
    assert_eq!(told(&before, &now), []);
    assert_eq!(lock(&before.to_text()), before);
}
