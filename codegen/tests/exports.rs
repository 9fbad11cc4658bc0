//! Contracts in other forms: the same messages, the same hashes, the same bytes each time.
//!
//! `BLESS=1` accepts the documents that are written now; read the difference in review.

#[path = "exporting/schemas.rs"]
mod schemas;

use std::fs;
use std::path::Path;

use bridge_codegen::export::{About, Event, Site, json_text, merge};
use bridge_codegen::{Loaded, contracts};
use serde_json::{Value, json};

const SAMPLE: &str = "tests/exports";

fn sample() -> Loaded {
    contracts(SAMPLE)
        .read()
        .expect("the sample is a valid contract")
}

fn about() -> About {
    About {
        title: "library".to_owned(),
        version: "1.2.0".to_owned(),
    }
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        put(folder.path(), name, text.as_bytes());
    }
    folder
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a writable folder");
    fs::write(path, bytes).expect("a writable folder");
}

fn check_golden(name: &str, text: &str) {
    let path = Path::new("tests/golden_exports").join(name);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all("tests/golden_exports").expect("a writable folder");
        fs::write(&path, text).expect("the golden folder is writable");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == golden, "{name} differs; run with BLESS=1 to accept");
}

#[test]
fn openapi_is_as_committed() {
    let made = sample().openapi(&about()).expect("a document");
    assert_eq!(made.left_out, ["library.v1.Library/Watch"]);
    check_golden("openapi.json", &json_text(&made.document));
}

#[test]
fn asyncapi_is_as_committed() {
    let events = [
        ("book.lent", "library.v1.Book"),
        ("book/burnt", "library.v1.GetBookRequest"),
    ];
    let events = events.map(|(address, message)| Event {
        address: address.to_owned(),
        message: message.to_owned(),
    });
    let made = sample()
        .asyncapi(&about(), &events, Path::new("Cargo.toml"))
        .expect("a document");
    check_golden("asyncapi.json", &json_text(&made));
}

#[test]
fn the_lock_is_as_committed() {
    check_golden("bridge.lock", &sample().lock().0.to_text());
}

#[test]
fn schemas_are_those_of_the_generated_types() {
    let document = sample().openapi(&about()).expect("a document").document;
    let files = ["api.proto"];
    let set = protox::compile(files, [SAMPLE]).expect("the sample compiles");
    let descriptors = prost_reflect::DescriptorPool::from_file_descriptor_set(set).expect("a pool");
    let pool = contract::message::Pool::new(&descriptors).expect("no groups");
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let settings = settings.with(|it| it.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    for name in ["GetBookRequest", "CreateBookRequest", "Book"] {
        let table = pool.table(&format!("library.v1.{name}")).expect("a table");
        let schema = contract::message::json_schema(table, &mut generator);
        let definitions = generator.definitions_mut();
        definitions.insert(format!("library.v1.{name}"), schema.to_value());
    }
    let mut ours = document["components"]["schemas"].clone();
    let members = ours.as_object_mut().expect("schemas");
    members.remove("bridge.Problem");
    members.remove("google.protobuf.Empty");
    without_deprecated(&mut ours);
    let theirs = Value::Object(generator.take_definitions(true));
    assert_eq!(json_text(&ours), json_text(&theirs));
}

/// The tables of messages do not know what is deprecated.
fn without_deprecated(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("deprecated");
            members.values_mut().for_each(without_deprecated);
        }
        Value::Array(values) => values.iter_mut().for_each(without_deprecated),
        _ => {}
    }
}

/// The sample and the generator's own sample as descriptor sets.
fn sets() -> tempfile::TempDir {
    let folder = folder(&[]);
    let samples = [
        (SAMPLE, &["api.proto"][..]),
        (
            "tests/contracts",
            &[
                "shop/payments/v1/payments.proto",
                "shop/orders/v1/orders.proto",
            ],
        ),
    ];
    for (root, files) in samples {
        let mut compiler = protox::Compiler::new([root]).expect("a compiler");
        compiler.include_imports(true).include_source_info(true);
        compiler.open_files(files).expect("the sample compiles");
        let name = format!("{}.binpb", root.replace('/', "_"));
        // As the compiler encodes it: a round trip through structs would lose the options.
        put(folder.path(), &name, &compiler.encode_file_descriptor_set());
    }
    folder
}

#[test]
fn descriptor_sets_become_proto_files_with_the_same_contract() {
    let sets = sets();
    let loaded = contracts(sets.path()).read().expect("valid sets");
    let files = loaded.protos().expect("no groups");
    assert!(
        files
            .iter()
            .any(|file| file.path == Path::new("shop/payments/v1/payments.proto"))
    );
    let out = folder(&[]);
    for file in &files {
        put(
            out.path(),
            file.path.to_str().expect("a text"),
            file.text.as_bytes(),
        );
    }
    let again = contracts(out.path())
        .read()
        .expect("what was written compiles");
    assert_eq!(again.lock().0.to_text(), loaded.lock().0.to_text());
    let golden = files
        .iter()
        .find(|file| file.path == Path::new("api.proto"))
        .expect("api.proto");
    check_golden("api.proto", &golden.text);
}

#[test]
fn a_number_that_no_integer_can_be_is_written_as_it_can_be_read() {
    let file = "syntax = \"proto2\"; package d; message D { optional double g = 2 \
                [default = 18446744073709551610]; optional float f = 1 [default = -nan]; }";
    let source = folder(&[("d.proto", file)]);
    let set = protox::compile(["d.proto"], [source.path()]).expect("a contract");
    let sets = tempfile::tempdir().expect("a temporary folder");
    put(sets.path(), "d.binpb", &prost::Message::encode_to_vec(&set));
    let read = |folder: &Path| contracts(folder).read().expect("a contract");
    let exported = read(sets.path()).protos().expect("it is");
    assert!(
        exported[0]
            .text
            .contains("[default = 18446744073709552000.0]"),
        "{}",
        exported[0].text
    );
    let again = folder(&[("d.proto", &exported[0].text)]);
    assert_eq!(read(again.path()).lock().0, read(sets.path()).lock().0);
}

#[test]
fn proto_files_of_proto_files_are_the_same_bytes() {
    let first = contracts(sets().path())
        .read()
        .expect("valid")
        .protos()
        .expect("no groups");
    let out = folder(&[]);
    for file in &first {
        put(
            out.path(),
            file.path.to_str().expect("a text"),
            file.text.as_bytes(),
        );
    }
    let names: Vec<_> = first.iter().map(|file| file.path.clone()).collect();
    let mut compiler = protox::Compiler::new([out.path()]).expect("a compiler");
    compiler.include_imports(true).include_source_info(true);
    compiler
        .open_files(names)
        .expect("what was written compiles");
    let set = folder(&[]);
    put(
        set.path(),
        "all.binpb",
        &compiler.encode_file_descriptor_set(),
    );
    let second = contracts(set.path())
        .read()
        .expect("valid")
        .protos()
        .expect("no groups");
    for file in &first {
        let other = second
            .iter()
            .find(|it| it.path == file.path)
            .expect("the same file");
        assert_eq!(other.text, file.text);
    }
}

#[test]
fn nothing_is_exported_twice() {
    assert_eq!(sample().protos().expect("no groups"), []);
}

#[test]
fn a_merge_refuses_what_is_defined_differently_and_names_both_places() {
    let ours = sample().openapi(&about()).expect("a document").document;
    let theirs = json!({
        "openapi": "3.1.0", "info": { "title": "theirs", "version": "9" },
        "paths": { "/v1/books:find": { "get": { "responses": {} } }, "/health": { "get": { "responses": {} } } },
        "components": { "schemas": {
            "library.v1.View": { "type": "string" },
            "Theirs": { "type": "object" },
        } },
    });
    let ours_at = |pointer: &str| format!("ours {pointer}");
    let theirs_at = |pointer: &str| format!("utoipa.json#{pointer}");
    let site: (Site<'_>, Site<'_>) = (&ours_at, &theirs_at);
    let error = merge(&ours, theirs.clone(), site).expect_err("two faults");
    assert_eq!(
        error.to_string(),
        "utoipa.json#/components/schemas/library.v1.View: `library.v1.View` is defined differently \
         at ours /components/schemas/library.v1.View: rename one of them\n\
         utoipa.json#/paths/~1v1~1books:find/get: `GET /v1/books:find` is an operation of ours \
         /paths/~1v1~1books:find/get too: take it out of one of them"
    );
    let mut fine = theirs;
    fine["paths"] = json!({ "/health": { "get": { "responses": {} } } });
    fine["components"]["schemas"]["library.v1.View"] =
        ours["components"]["schemas"]["library.v1.View"].clone();
    let merged = merge(&ours, fine, site).expect("nothing collides");
    assert_eq!(merged["info"]["title"], "theirs");
    assert!(merged["paths"]["/health"]["get"].is_object());
    assert!(merged["paths"]["/v1/books:find"]["get"].is_object());
    assert!(merged["components"]["schemas"]["library.v1.Book"].is_object());
}

#[test]
fn paths_that_differ_in_names_alone_are_one_path() {
    let rule = fs::read_to_string("tests/exports/google/api/annotations.proto").expect("committed");
    let source = folder(&[
        ("google/api/annotations.proto", &rule),
        (
            "a.proto",
            "syntax = \"proto3\"; package a; import \"google/api/annotations.proto\";\n\
             service S {\n  rpc Get(Ask) returns (Ask) {\n    option (google.api.http) = { get: \"/v1/{id}/{sub.id}\" };\n  }\n  \
             rpc Put(Ask) returns (Ask) {\n    option (google.api.http) = { put: \"/v1/{sub.id}/{id}\" body: \"*\" };\n  }\n}\n\
             message Ask { string id = 1; Ask sub = 2; }",
        ),
    ]);
    let loaded = contracts(source.path()).read().expect("it compiles");
    let document = loaded.openapi(&about()).expect("a document").document;
    let path = &document["paths"]["/v1/{id}/{sub.id}"];
    let names = |verb: &str| -> Vec<String> {
        let parameters = path[verb]["parameters"].as_array().expect("parameters");
        let of_path = parameters.iter().filter(|it| it["in"] == "path");
        of_path
            .map(|it| it["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names("get"), ["id", "sub.id"]);
    assert_eq!(names("put"), ["id", "sub.id"]);
}

#[test]
fn an_event_of_no_message_is_refused_with_the_nearest_one() {
    let event = Event {
        address: "book.lent".to_owned(),
        message: "Book".to_owned(),
    };
    let error = sample()
        .asyncapi(&about(), &[event], Path::new("Cargo.toml"))
        .expect_err("refused");
    assert_eq!(
        error.to_string(),
        "Cargo.toml: event `book.lent`: no contract has a message `Book`: did you mean \
         `library.v1.Book`?"
    );
}
