//! What is refused, with the exact line that a person gets to see.

#[path = "faults/schemas.rs"]
mod schemas;
#[path = "faults/text.rs"]
mod text;

use std::fs;
use std::path::Path;

use prost::Message as _;

/// Compiles the files as a contracts folder and returns the faults, the folder called `contracts`.
fn faults(files: &[(&str, &str)]) -> String {
    let folder = folder_with(files);
    let out = tempfile::tempdir().expect("a temporary folder");
    let error = bridge_codegen::contracts(folder.path())
        .out_dir(out.path())
        .try_compile()
        .expect_err("the contracts are faulty");
    shown(&error, folder.path())
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a writable folder");
        fs::write(path, text).expect("a writable folder");
    }
    folder
}

fn shown(error: &bridge_codegen::Error, folder: &Path) -> String {
    error
        .to_string()
        .replace(&folder.display().to_string(), "contracts")
}

/// One file of package `a`, syntax and package on its first line.
fn fault(body: &str) -> String {
    faults(&[(
        "a.proto",
        &format!("syntax = \"proto3\"; package a;\n{body}"),
    )])
}

#[test]
fn client_streaming_is_refused_at_the_keyword() {
    assert_eq!(
        fault("message M {}\nservice S {\n  rpc Up(stream M) returns (M);\n}"),
        "contracts/a.proto:4:10: rpc `Up` streams its requests, but bridge carries \
         streams of replies only: remove this `stream`"
    );
}

#[test]
fn bidirectional_streaming_is_refused_at_the_keyword() {
    assert_eq!(
        fault("message M {}\nservice S {\n  rpc Chat(stream M) returns (stream M);\n}"),
        "contracts/a.proto:4:12: rpc `Chat` streams its requests, but bridge carries \
         streams of replies only: remove this `stream`"
    );
}

#[test]
fn two_rpcs_of_one_name_in_a_file_are_refused() {
    assert_eq!(
        fault(
            "message M {}\nservice S { rpc Get(M) returns (M); }\nservice T {\n  \
             rpc Get(M) returns (M);\n}"
        ),
        "contracts/a.proto:5:7: a second rpc called `Get` in this file, after \
         contracts/a.proto:3:17: method names have no service prefix, so rename one or move its \
         service to another file"
    );
}

#[test]
fn two_rpcs_of_one_rust_name_in_a_service_are_refused() {
    assert_eq!(
        fault(
            "message M {}\nservice S {\n  rpc GetIt(M) returns (M);\n  rpc getIt(M) returns (M);\n}"
        ),
        "contracts/a.proto:5:7: rpc `getIt` and the one at contracts/a.proto:4:7 are both \
         `get_it` in rust: rename one"
    );
}

#[test]
fn two_services_in_two_files_may_have_rpcs_of_one_name() {
    let file = |service, import| {
        format!(
            "syntax = \"proto3\"; package a; {import}
             service {service} {{ rpc Get(M) returns (M); }}"
        )
    };
    let one = format!("{} message M {{}}", file("One", ""));
    let two = file("Two", "import \"one.proto\";");
    let folder = folder_with(&[("one.proto", &one), ("two.proto", &two)]);
    let out = tempfile::tempdir().expect("a temporary folder");
    bridge_codegen::contracts(folder.path())
        .out_dir(out.path())
        .try_compile()
        .expect("valid");
}

#[test]
fn a_message_named_like_a_client_is_refused() {
    assert_eq!(
        fault("message PaymentsClient {}\nservice Payments {}"),
        "contracts/a.proto:3:9: the client of service `Payments` and message `PaymentsClient` at \
         contracts/a.proto:2:9 are both `PaymentsClient` in rust: rename one"
    );
}

#[test]
fn a_service_named_almost_like_a_message_is_refused() {
    assert_eq!(
        fault("message order_book {}\nservice OrderBook {}"),
        "contracts/a.proto:3:9: service `OrderBook` and message `order_book` at \
         contracts/a.proto:2:9 are both `OrderBook` in rust: rename one"
    );
}

#[test]
fn names_that_clash_across_files_of_a_package_are_refused() {
    let file = |body| format!("syntax = \"proto3\"; package a;\n{body}");
    assert_eq!(
        faults(&[
            ("one.proto", &file("message line_item {}")),
            ("two.proto", &file("enum LineItem { ZERO = 0; }")),
        ]),
        "contracts/two.proto:2:6: enum `LineItem` and message `line_item` at \
         contracts/one.proto:2:9 are both `LineItem` in rust: rename one"
    );
}

#[test]
fn nested_names_and_fields_that_clash_are_refused() {
    assert_eq!(
        fault("message M {\n  message in_ner {}\n  enum InNer { ZERO = 0; }\n}"),
        "contracts/a.proto:4:8: enum `InNer` and message `in_ner` at contracts/a.proto:3:11 are \
         both `InNer` in rust: rename one"
    );
    assert_eq!(
        faults(&[(
            "a.proto",
            "syntax = \"proto2\"; package a;\nmessage M {\n  optional int32 xml_doc = 1;\n  \
             optional int32 XMLDoc = 2;\n}"
        )]),
        "contracts/a.proto:4:18: field `XMLDoc` and field `xml_doc` at contracts/a.proto:3:18 are \
         both `xml_doc` in rust: rename one"
    );
    assert_eq!(
        fault("message M {\n  int32 pay = 1;\n  oneof Pay { int32 b = 2; }\n}"),
        "contracts/a.proto:4:9: oneof `Pay` and field `pay` at contracts/a.proto:3:9 are both \
         `pay` in rust: rename one"
    );
    assert_eq!(
        fault("enum Kind {\n  KIND_ONCE = 0;\n  ONCE = 1;\n}"),
        "contracts/a.proto:4:3: constant `ONCE` and constant `KIND_ONCE` at contracts/a.proto:3:3 \
         are both `Once` in rust: rename one"
    );
}

#[test]
fn two_packages_with_one_module_are_refused() {
    assert_eq!(
        faults(&[
            ("a.proto", "syntax = \"proto3\";\npackage aB; message M {}"),
            ("b.proto", "syntax = \"proto3\";\npackage a_b; message M {}"),
        ]),
        "contracts/b.proto:2:22: packages `aB` and `a_b` are both module `a_b` in rust: rename one"
    );
}

#[test]
fn an_rpc_between_two_well_known_types_is_refused() {
    assert_eq!(
        fault(
            "import \"google/protobuf/empty.proto\";\nservice S {\n  \
             rpc Tick(google.protobuf.Empty) returns (google.protobuf.Empty);\n}"
        ),
        "contracts/a.proto:4:7: rpc `Tick` has google.protobuf types on both sides: declare a \
         message of your own for the request or the reply"
    );
}

#[test]
fn a_group_is_refused_once_and_where_it_is() {
    assert_eq!(
        faults(&[(
            "a.proto",
            "syntax = \"proto2\"; package a;\nmessage M { optional group G = 1 {} }\n\
             message R {}\nservice S {\n  rpc Do(R) returns (M);\n}"
        )]),
        "contracts/a.proto:2:28: field `a.M.g` is a group, which a contract cannot carry: use a \
         message field"
    );
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    assert_eq!(
        fault("message M {\n  strin g id = 1;\n}"),
        "contracts/a.proto:3:11: expected '=', but found 'id'"
    );
    let early_end = fault("message M {\n");
    assert!(
        early_end.starts_with("contracts/a.proto:3:1: expected "),
        "{early_end}"
    );
    assert!(
        early_end.ends_with(", but reached end of file"),
        "{early_end}"
    );
}

#[test]
fn an_import_that_is_missing_is_shown_at_the_import() {
    assert_eq!(
        fault("import \"b/c.proto\";"),
        "contracts/a.proto:2:1: import 'b/c.proto' not found: add the folder that holds it: `.include(…)` in build.rs, `--include` for `cargo bridge`"
    );
}

#[test]
fn an_import_that_is_no_path_below_a_folder_is_told_what_one_is() {
    for import in [
        "../b.proto",
        "/etc/passwd",
        "./b.proto",
        "b//c.proto",
        "b\\\\c.proto",
        "",
    ] {
        assert_eq!(
            fault(&format!("import \"{import}\";")),
            "contracts/a.proto:2:8: an import is a path below the folders that imports are found in, \
             such as \"shop/order.proto\": parts with `/` between them, none of them empty, `.` or \
             `..`, and no `\\`",
            "{import}"
        );
    }
}

#[test]
fn an_include_that_is_no_folder_is_named() {
    let folder = folder_with(&[("a.proto", "syntax = \"proto3\"; package a; message A {}")]);
    let nope = folder.path().join("nope");
    let error = bridge_codegen::contracts(folder.path())
        .include(nope)
        .read();
    assert_eq!(
        shown(&error.expect_err("no such folder"), folder.path()),
        "contracts/nope: is to be looked in for imports, and is no folder: correct `.include(…)` in \
         build.rs, `include` in Cargo.toml, or `--include`"
    );
}

#[test]
fn fields_that_differ_by_little_are_told_to_be_what_the_compiler_refuses() {
    for (one, other) in [("a1b", "a_1_b"), ("foo_bar", "foobar")] {
        let said = fault(&format!(
            "message M {{\n  int32 {one} = 1;\n  int32 {other} = 2;\n}}"
        ));
        let start = format!(
            "contracts/a.proto:4:9: field `{one}` and field `{other}` differ by `_` or by the case \
             of letters alone, "
        );
        assert!(said.starts_with(&start), "{said}");
        assert!(
            said.contains("the one that it had as its `json_name`"),
            "{said}"
        );
    }
    // What it says to do is accepted, and keeps the JSON.
    let mended = "syntax = \"proto3\"; package a; message M { int32 a1b = 1; \
                  int32 other = 2 [json_name = \"a1B\"]; }";
    let folder = folder_with(&[("a.proto", mended)]);
    bridge_codegen::contracts(folder.path())
        .read()
        .expect("accepted");
}

#[test]
fn a_type_that_is_missing_is_shown_at_its_use() {
    assert_eq!(
        fault("service S {\n  rpc Do(Missing) returns (Missing);\n}")
            .lines()
            .next(),
        Some("contracts/a.proto:3:10: name 'Missing' is not defined")
    );
}

#[test]
fn a_number_used_twice_is_shown_at_the_second_use() {
    let fault = fault("message M {\n  int32 a = 1;\n  int32 b = 1;\n}");
    assert!(fault.starts_with("contracts/a.proto:4:13: "), "{fault}");
}

#[test]
fn the_faults_of_all_files_are_shown_once_each() {
    let broken = "syntax = \"proto3\"; message {}";
    let user = "syntax = \"proto3\"; import \"a.proto\"; message {}";
    let shown = faults(&[("a.proto", broken), ("b.proto", user), ("c.proto", user)]);
    let files: Vec<_> = shown.lines().map(|line| &line[..17]).collect();
    assert_eq!(
        files,
        [
            "contracts/a.proto",
            "contracts/b.proto",
            "contracts/c.proto"
        ],
        "{shown}"
    );
}

#[test]
fn import_cycles_are_named() {
    let shown = faults(&[
        ("a.proto", "syntax = \"proto3\"; import \"b.proto\";"),
        ("b.proto", "syntax = \"proto3\"; import \"a.proto\";"),
    ]);
    assert_eq!(
        shown.lines().next(),
        Some("contracts/a.proto:1:27: import cycle detected: a.proto -> b.proto -> a.proto")
    );
}

#[test]
fn a_folder_without_contracts_is_refused() {
    assert_eq!(
        faults(&[(".hidden/a.proto", "not read"), ("readme.txt", "")]),
        "contracts: no .proto, .schema.json or descriptor set (.binpb, .desc, .fds) in this folder \
         or below: add one or correct the path"
    );
}

#[test]
fn a_folder_that_is_missing_is_named() {
    let error = bridge_codegen::contracts("no/such/folder")
        .out_dir("unused")
        .try_compile()
        .expect_err("there is no such folder")
        .to_string();
    assert!(
        error.starts_with("no/such/folder: cannot read ("),
        "{error}"
    );
    assert!(
        error.ends_with("): correct the path in build.rs"),
        "{error}"
    );
}

#[test]
fn what_the_wire_cannot_carry_is_left_out_when_asked_for() {
    let text = "syntax = \"proto2\"; package a;\nmessage M { optional group G = 1 {} }\nmessage R {}\n\
                service S {\n  rpc Do(R) returns (M);\n  rpc Up(stream R) returns (R);\n  \
                rpc Get(R) returns (R);\n}";
    let folder = folder_with(&[("a.proto", text)]);
    let out = tempfile::tempdir().expect("a temporary folder");
    let compiled = bridge_codegen::contracts(folder.path())
        .out_dir(out.path())
        .skip_unsupported()
        .try_compile()
        .expect("the rest is valid");
    let shown: Vec<_> = compiled.left_out.iter().map(ToString::to_string).collect();
    let at = |place: &str| {
        shown
            .iter()
            .any(|it| it.contains(&format!("a.proto:{place}: ")))
    };
    assert!(at("2:28") && at("5:7") && at("6:10"), "{shown:?}");
    let code = fs::read_to_string(out.path().join("a.rs")).expect("generated");
    assert!(code.contains("pub fn get(") && !code.contains("pub fn up("));
}

#[test]
fn what_is_no_descriptor_set_is_refused() {
    for bytes in ["", "file { name: \"a.proto\" }"] {
        let fault = faults(&[("api.binpb", bytes)]);
        let start = "contracts/api.binpb: not a descriptor set: make it with ";
        assert!(fault.starts_with(start), "{fault}");
    }
}

#[test]
fn an_rpc_named_like_the_servers_own_function_is_refused() {
    assert_eq!(
        fault("message M {}\nservice S {\n  rpc IntoHandlers(M) returns (M);\n}"),
        "contracts/a.proto:4:7: rpc `IntoHandlers` is `into_handlers` in rust, which the server \
         trait has already: rename it"
    );
}

#[test]
fn the_type_of_a_map_that_is_missing_is_shown_where_it_is_named() {
    assert_eq!(
        fault("message M {\n  map<string, Linen> by_name = 1;\n}"),
        "contracts/a.proto:3:15: name 'Linen' is not defined"
    );
}

#[test]
fn two_maps_with_one_name_for_their_entries_are_shown_at_the_second() {
    let said = fault(
        "message M {\n  map<string, string> by_name = 1;\n  map<string, string> byName = 2;\n}",
    );
    assert!(said.starts_with("contracts/a.proto:4:23: "), "{said}");
}

#[test]
fn names_of_a_set_are_held_to_what_a_file_can_have() {
    let refusal = |file: prost_types::FileDescriptorProto| {
        let set = prost_types::FileDescriptorSet { file: vec![file] };
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("set.binpb"), set.encode_to_vec()).expect("a writable folder");
        let error = bridge_codegen::contracts(folder.path()).read();
        shown(&error.expect_err("odd names"), folder.path())
    };
    let named = |name: &str| prost_types::FileDescriptorProto {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    for name in ["../up.proto", "/root.proto", "a.txt", "a\\..\\b.proto", ""] {
        assert!(
            refusal(named(name)).contains("is not called as an import calls one"),
            "{name}"
        );
    }
    let mut odd = named("a.proto");
    odd.message_type.push(prost_types::DescriptorProto {
        name: Some("A { } impl B".to_owned()),
        ..Default::default()
    });
    assert_eq!(
        refusal(odd),
        "contracts/set.binpb: `A { } impl B` in its file `a.proto` is no name: names are letters, \
         digits and `_`, a letter first"
    );
    let mut escape = named("a.proto");
    escape.message_type.push(prost_types::DescriptorProto {
        name: Some("A".to_owned()),
        field: vec![prost_types::FieldDescriptorProto {
            name: Some("b".to_owned()),
            number: Some(1),
            r#type: Some(prost_types::field_descriptor_proto::Type::Bytes.into()),
            default_value: Some("\\777".to_owned()),
            ..Default::default()
        }],
        ..Default::default()
    });
    assert_eq!(
        refusal(escape),
        "contracts/set.binpb: the default `\\777` of `b` is not escaped as compilers do it"
    );
    for (start, end) in [(10, 8), (10, 10), (0, 2), (-3, 2), (5, (1 << 29) + 1)] {
        let mut range = named("a.proto");
        range.message_type.push(prost_types::DescriptorProto {
            name: Some("A".to_owned()),
            reserved_range: vec![prost_types::descriptor_proto::ReservedRange {
                start: Some(start),
                end: Some(end),
            }],
            ..Default::default()
        });
        assert_eq!(
            refusal(range),
            format!(
                "contracts/set.binpb: `A` reserves the numbers from {start} to before {end}: fields \
                 have 1 to 536870911, and a range ends behind its begin"
            )
        );
    }
    let mut package = named("a.proto");
    package.package = Some("a../b".to_owned());
    assert!(refusal(package).contains("is no name"));
}

#[test]
fn an_optional_field_that_is_there_twice_is_always_shown_in_its_file() {
    let said = fault("message M {\n  optional int32 a = 1;\n  optional int32 a = 1;\n}");
    for line in said.lines() {
        assert!(line.starts_with("contracts/a.proto:4:"), "{said}");
    }
}
