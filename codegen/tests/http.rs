//! What `google.api.http` and `idempotency_level` say, through to documents and the lock.

use std::fs;

use bridge_codegen::export::About;
use bridge_codegen::lock::Idempotency;
use bridge_codegen::{Loaded, contracts};
use serde_json::Value;

/// A service with these rpcs, over messages that have something for each part of a request.
fn folder(rpcs: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a writable folder");
        fs::write(path, text).expect("a writable folder");
    };
    put(
        "a.proto",
        &format!(
            "syntax = \"proto3\"; package a.v1; import \"google/api/annotations.proto\";\n\
             message Thing {{ string name = 1; Part part = 2; repeated string tags = 3; int32 size = 4; repeated Part parts = 5; }}\n\
             message Part {{ string id = 1; map<string, string> by = 2; }}\n\
             service Things {{\n{rpcs}\n}}\n"
        ),
    );
    folder
}

fn service(rpcs: &str) -> (tempfile::TempDir, Loaded) {
    let folder = folder(rpcs);
    let loaded = contracts(folder.path()).read().expect("it compiles");
    (folder, loaded)
}

fn about() -> About {
    About {
        title: "things".to_owned(),
        version: "1".to_owned(),
    }
}

fn document(loaded: &Loaded) -> Value {
    loaded.openapi(&about()).expect("a document").document
}

/// The HTTP forms of an rpc as its lock has them: route, body, reply.
fn forms(loaded: &Loaded, rpc: &str) -> Vec<[String; 3]> {
    let (lock, _) = loaded.lock();
    let forms = &lock.rpcs[&format!("a.v1.Things/{rpc}")].http;
    forms
        .iter()
        .map(|(route, bodies)| [route.clone(), bodies.request.clone(), bodies.reply.clone()])
        .collect()
}

/// `in name` of the parameters of an operation, in order.
fn parameters(operation: &Value) -> Vec<String> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|it| {
        format!(
            "{} {}",
            it["in"].as_str().unwrap_or(""),
            it["name"].as_str().unwrap_or("")
        )
    })
    .collect()
}

#[test]
fn every_verb_is_a_form_and_so_is_each_additional_binding() {
    let (_folder, loaded) = service(
        "rpc A(Thing) returns (Thing) { option (google.api.http) = { get: \"/a/{name}\"\n\
         additional_bindings { put: \"/a/{name}\" body: \"*\" }\n\
         additional_bindings { post: \"/a\" body: \"part\" }\n\
         additional_bindings { delete: \"/a/{name}\" }\n\
         additional_bindings { patch: \"/a/{name}\" body: \"part\" response_body: \"part\" } }; }",
    );
    let form = |parts: [&str; 3]| parts.map(str::to_owned);
    assert_eq!(
        forms(&loaded, "A"),
        [
            form(["DELETE /a/{name}", "", ""]),
            form(["GET /a/{name}", "", ""]),
            form(["PATCH /a/{name}", "part", "part"]),
            form(["POST /a", "part", ""]),
            form(["PUT /a/{name}", "*", ""]),
        ]
    );
    let paths = &document(&loaded)["paths"];
    let verbs = |path: &str| {
        paths[path]
            .as_object()
            .map(|it| it.keys().cloned().collect::<Vec<_>>())
    };
    assert_eq!(verbs("/a"), Some(vec!["post".to_owned()]));
    let all = ["delete", "get", "patch", "put"].map(str::to_owned);
    assert_eq!(verbs("/a/{name}"), Some(all.to_vec()));
}

#[test]
fn what_neither_path_nor_body_takes_is_in_the_query() {
    let (_folder, loaded) = service(
        "rpc A(Thing) returns (Thing) { option (google.api.http) = { get: \"/a/{name}\" }; }\n\
         rpc B(Thing) returns (Thing) { option (google.api.http) = { post: \"/b/{part.id}\" body: \"tags\" response_body: \"size\" }; }\n\
         rpc C(Thing) returns (Thing) { option (google.api.http) = { post: \"/c/{name}:close\" body: \"*\" }; }",
    );
    let paths = &document(&loaded)["paths"];
    let get = &paths["/a/{name}"]["get"];
    assert_eq!(
        parameters(get),
        ["path name", "query part.id", "query tags", "query size"]
    );
    assert!(get.get("requestBody").is_none());

    let post = &paths["/b/{part.id}"]["post"];
    assert_eq!(
        parameters(post),
        ["path part.id", "query name", "query size"]
    );
    let schema = |of: &Value| of["content"]["application/json"]["schema"]["type"].clone();
    assert_eq!(schema(&post["requestBody"]), "array");
    assert_eq!(schema(&post["responses"]["200"]), "integer");

    let whole = &paths["/c/{name}:close"]["post"];
    assert_eq!(parameters(whole), ["path name"]);
    assert!(whole["requestBody"]["content"]["application/json"]["schema"]["$ref"].is_string());
}

#[test]
fn variables_over_segments_become_a_parameter_for_each_star() {
    let (_folder, loaded) = service(
        "rpc A(Thing) returns (Thing) { option (google.api.http) = { get: \"/v1/{name=shelves/*/books/*}\" }; }\n\
         rpc B(Thing) returns (Thing) { option (google.api.http) = { get: \"/v2/{name=files/**}\" }; }",
    );
    let document = document(&loaded);
    let paths: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    assert!(
        paths.contains(&&"/v1/shelves/{name_1}/books/{name_2}".to_owned()),
        "{paths:?}"
    );
    assert!(paths.contains(&&"/v2/files/{name}".to_owned()), "{paths:?}");
}

#[test]
fn a_custom_verb_is_accepted_and_no_document_pretends_to_have_it() {
    let (_folder, loaded) = service(
        "rpc A(Thing) returns (Thing) { option (google.api.http) = { custom { kind: \"PURGE\" path: \"/a/{name}\" } }; }\n\
         rpc B(Thing) returns (Thing) { option (google.api.http) = { custom { kind: \"HEAD\" path: \"/b/{name}\" } }; }",
    );
    assert_eq!(forms(&loaded, "A")[0][0], "PURGE /a/{name}");
    let made = loaded.openapi(&about()).expect("a document");
    assert_eq!(made.left_out, ["a.v1.Things/A as `PURGE /a/{name}`"]);
    assert!(made.document["paths"].get("/a/{name}").is_none());
    assert!(made.document["paths"]["/b/{name}"]["head"].is_object());
}

#[test]
fn rules_that_fit_nothing_are_faults_of_every_build_all_at_once() {
    let folder = folder(
        "rpc A(Thing) returns (Thing) { option (google.api.http) = { get: \"/a/{no}\" }; }\n\
         rpc B(Thing) returns (Thing) { option (google.api.http) = { put: \"/b\" body: \"no\" }; }\n\
         rpc C(Thing) returns (Thing) { option (google.api.http) = { get: \"/c\" response_body: \"no\" }; }\n\
         rpc D(Thing) returns (Thing) { option (google.api.http) = { get: \"/d/{name\" }; }\n\
         rpc E(Thing) returns (Thing) { option (google.api.http) = { get: \"e\" }; }\n\
         rpc F(Thing) returns (Thing) { option (google.api.http) = { get: \"/f/{part.no}\" }; }\n\
         rpc G(Thing) returns (Thing) { option (google.api.http) = { get: \"/g/{name}/{name}\" }; }\n\
         rpc H(Thing) returns (Thing) { option (google.api.http) = { get: \"/h/{tags}/{part}/{part.by}\" }; }\n\
         rpc I(Thing) returns (Thing) { option (google.api.http) = { custom { kind: \"A B\" path: \"/i\" } }; }\n\
         rpc J(Thing) returns (Thing) { option (google.api.http) = { get: \"/j/{parts.id}\" }; }",
    );
    let error = contracts(folder.path()).read().expect_err("no rule fits");
    let root = format!("{}/", folder.path().display());
    assert_eq!(
        error.to_string().replace(&root, ""),
        "a.proto:5:5: rpc `A`: `no` in `/a/{no}` is no field of the request\n\
         a.proto:6:5: rpc `B`: body `no` is no field of the request\n\
         a.proto:7:5: rpc `C`: response_body `no` is no field of the reply\n\
         a.proto:8:5: rpc `D`: path `/d/{name` has a `{` without `}`\n\
         a.proto:9:5: rpc `E`: path `e` does not start with `/`\n\
         a.proto:10:5: rpc `F`: `part.no` in `/f/{part.no}` is no field of the request\n\
         a.proto:11:5: rpc `G`: `name` in `/g/{name}/{name}` is there twice\n\
         a.proto:12:5: rpc `H`: `part.by` in `/h/{tags}/{part}/{part.by}` is a list, a map or a message, which a path cannot hold\n\
         a.proto:12:5: rpc `H`: `part` in `/h/{tags}/{part}/{part.by}` is a list, a map or a message, which a path cannot hold\n\
         a.proto:12:5: rpc `H`: `tags` in `/h/{tags}/{part}/{part.by}` is a list, a map or a message, which a path cannot hold\n\
         a.proto:13:5: rpc `I`: `A B` is no HTTP method\n\
         a.proto:14:5: rpc `J`: `parts.id` in `/j/{parts.id}` is no field of the request"
    );
}

#[test]
fn a_get_with_a_body_is_refused() {
    let folder = folder(
        "rpc A(Thing) returns (Thing) { option (google.api.http) = { get: \"/a\" body: \"*\" }; }",
    );
    let error = contracts(folder.path())
        .read()
        .expect_err("no GET has a body");
    let said = error.to_string();
    assert!(
        said.contains("rpc `A`: `GET` of `/a` has a body, which such requests have not: leave"),
        "{said}"
    );
}

#[test]
fn two_rpcs_at_one_route_are_a_fault_of_the_document() {
    let (folder, loaded) = service(
        "rpc G(Thing) returns (Thing) { option (google.api.http) = { get: \"/g\" }; }\n\
         rpc H(Thing) returns (Thing) { option (google.api.http) = { get: \"/g\" }; }",
    );
    let error = loaded.openapi(&about()).expect_err("one route");
    let root = format!("{}/", folder.path().display());
    assert_eq!(
        error.to_string().replace(&root, ""),
        "a.proto:6:5: rpc `H`: another rpc is at `GET /g` already: give this one another path"
    );
}

#[test]
fn what_a_repeat_does_is_part_of_the_accepted_contract() {
    let (_folder, loaded) = service(
        "rpc A(Thing) returns (Thing) { option idempotency_level = NO_SIDE_EFFECTS; }\n\
         rpc B(Thing) returns (Thing) { option idempotency_level = IDEMPOTENT; }\n\
         rpc C(Thing) returns (Thing) { option idempotency_level = IDEMPOTENCY_UNKNOWN; }\n\
         rpc D(Thing) returns (Thing);",
    );
    let (lock, _) = loaded.lock();
    let levels: Vec<_> = lock.rpcs.values().map(|it| it.idempotency).collect();
    let expected = [
        Idempotency::NoSideEffects,
        Idempotency::Idempotent,
        Idempotency::Unknown,
        Idempotency::Unknown,
    ];
    assert_eq!(levels, expected);
}

#[test]
fn options_that_everybody_imports_come_with_the_generator_and_add_no_types() {
    let folder = folder(
        "  rpc Get(Thing) returns (Thing) { option (google.api.http) = { get: \"/v1/{name}\" }; }",
    );
    let out = tempfile::tempdir().expect("a temporary folder");
    let compiled = contracts(folder.path()).out_dir(out.path()).try_compile();
    let compiled = compiled.expect("nothing is missing");
    let names = compiled
        .generated
        .iter()
        .filter_map(|it| it.file_name()?.to_str());
    assert_eq!(names.collect::<Vec<_>>(), ["a.v1.rs", "mod.rs"]);
}

#[test]
fn a_missing_import_and_an_edition_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.proto");
    fs::write(
        &path,
        "syntax = \"proto3\";\nimport \"google/api/client.proto\";\n",
    )
    .expect("writable");
    let refused = contracts(&path).read().expect_err("it is not there");
    assert!(refused.to_string().contains(".include("), "{refused}");
    fs::write(&path, "edition = \"2023\";\nmessage A {}\n").expect("writable");
    let refused = contracts(&path).read().expect_err("an edition");
    assert!(
        refused.to_string().contains("editions are not read"),
        "{refused}"
    );
}
