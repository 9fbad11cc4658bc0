//! What stands in a file and another compiler refuses, or reads although an editor put something before it.

use std::fs;

use crate::{fault, faults, folder_with, shown};

#[test]
fn a_byte_order_mark_is_read_as_if_it_were_not_there() {
    let money = "\u{feff}syntax = \"proto3\"; package m; message Money { int64 minor = 1; }";
    let order =
        "\u{feff}syntax = \"proto3\"; import \"money.proto\"; message O { m.Money sum = 1; }";
    let schema = "\u{feff}{\"input\":{\"A\":{}},\"output\":{\"B\":{}}}";
    let folder = folder_with(&[
        ("money.proto", money),
        ("order.proto", order),
        ("pay/charge.schema.json", schema),
    ]);
    let out = tempfile::tempdir().expect("a temporary folder");
    let all = bridge_codegen::contracts(folder.path()).out_dir(out.path());
    let compiled = all.try_compile().expect("valid");
    assert!(compiled.inputs.contains(&folder.path().join("money.proto")));
    let place = all.read().expect("valid").place("m.Money").expect("known");
    assert!(place.ends_with("money.proto:1:39"), "{place}");
}

#[test]
fn faults_behind_a_byte_order_mark_are_where_editors_show_them() {
    let said = faults(&[
        ("a.proto", "\u{feff}syntax = \"proto3\"; message {}"),
        ("b.schema.json", "\u{feff}{ ,"),
        ("c.schema.json", "\u{feff}{\"properties\":{}}"),
    ]);
    let lines: Vec<_> = said.lines().collect();
    for (line, place) in
        lines
            .iter()
            .zip(["a.proto:1:28", "b.schema.json:1:3", "c.schema.json:1:2"])
    {
        assert!(line.starts_with(&format!("contracts/{place}: ")), "{said}");
    }
    assert_eq!(lines.len(), 3, "{said}");
    let folder = folder_with(&[("a.proto", ""), ("b.schema.json", "")]);
    for name in ["a.proto", "b.schema.json"] {
        fs::write(folder.path().join(name), b"\xef\xbb\xbf//\n \xff").expect("a writable folder");
    }
    let error = bridge_codegen::contracts(folder.path()).read();
    let said = shown(&error.expect_err("no text"), folder.path());
    for name in ["a.proto", "b.schema.json"] {
        assert!(said.contains(&format!("contracts/{name}:2:2: ")), "{said}");
    }
}

#[test]
fn what_is_kept_free_backwards_or_twice_is_refused_where_it_is() {
    assert_eq!(
        fault("message M {\n  reserved 5 to 3;\n}"),
        "contracts/a.proto:3:12: `M` keeps the numbers 5 to 3: a range ends where it begins or \
         behind that"
    );
    assert_eq!(
        fault("message M {\n  reserved 3 to 6, 9;\n  reserved 5 to 7;\n}"),
        "contracts/a.proto:4:12: `M` keeps the number 5 here and at contracts/a.proto:3:12: name it \
         in one of them"
    );
    assert_eq!(
        fault("message O { message M {\n  reserved \"a\", \"b\", \"a\";\n} }"),
        "contracts/a.proto:3:22: `M` keeps the name `a` here and at contracts/a.proto:3:12: name it \
         in one of them"
    );
    let said =
        fault("enum E {\n  A = 0;\n  reserved -3 to -1, -2, 9 to 7;\n  reserved \"B\", \"B\";\n}");
    let places: Vec<_> = said.lines().map(|line| line.split(": ").next()).collect();
    assert_eq!(
        places,
        [
            "contracts/a.proto:4:22",
            "contracts/a.proto:4:26",
            "contracts/a.proto:5:17"
        ]
        .map(Some),
        "{said}"
    );
    let extended =
        "syntax = \"proto2\";\nmessage M {\n  extensions 100 to max;\n  reserved 5, 200;\n}";
    assert_eq!(
        faults(&[("a.proto", extended)]),
        "contracts/a.proto:4:15: `M` keeps the number 200 here and at contracts/a.proto:3:14: name \
         it in one of them"
    );
    assert_eq!(
        fault("message M {\n  reserved \"a\";\n  string a = 3;\n}"),
        "contracts/a.proto:4:10: `a` is a name that is reserved: use another one"
    );
    assert_eq!(
        fault("enum E {\n  reserved \"B\";\n  A = 0; B = 3;\n}"),
        "contracts/a.proto:4:10: `B` is a name that is reserved: use another one"
    );
}

#[test]
fn ranges_that_touch_and_equal_names_of_two_types_are_fine() {
    let body = "message M {\n  reserved 1 to 3, 4, 5 to max;\n  reserved \"a\";\n  message N { reserved 1; \
                reserved \"a\"; }\n}\nenum E { A = 0; reserved -5 to -1, 1 to 3, 4 to max; }";
    let folder = folder_with(&[("a.proto", &format!("syntax = \"proto3\";\n{body}"))]);
    bridge_codegen::contracts(folder.path())
        .read()
        .expect("valid");
}

#[test]
fn two_fields_of_one_name_in_json_are_both_named() {
    assert_eq!(
        fault("message M {\n  string a = 1 [json_name = \"q\"];\n  string q = 2;\n}"),
        "contracts/a.proto:4:10: field `q` and field `a` at contracts/a.proto:3:10 are both `q` in \
         JSON: give one another name, or another `json_name`"
    );
    assert_eq!(
        fault(
            "message O { message M {\n  string a_b = 1;\n  string b = 2 [json_name = \"aB\"];\n} }"
        ),
        "contracts/a.proto:4:10: field `b` and field `a_b` at contracts/a.proto:3:10 are both `aB` \
         in JSON: give one another name, or another `json_name`"
    );
}

#[test]
fn a_file_that_is_no_text_is_shown_where_it_stops_being_one() {
    for name in ["a.proto", "a/b.schema.json"] {
        let folder = folder_with(&[(name, "")]);
        fs::write(folder.path().join(name), b"// a\n  \xff").expect("a writable folder");
        let error = bridge_codegen::contracts(folder.path()).read();
        let said = shown(&error.expect_err("no text"), folder.path());
        let place = format!("contracts/{name}:2:3: ");
        assert!(said.starts_with(&place), "{said}");
        assert!(said.contains("not valid utf-8"), "{said}");
    }
}

#[test]
fn what_a_file_has_in_its_texts_never_starts_another_line() {
    let text = "syntax = \"proto2\rcargo::warning=b\";";
    let said = faults(&[("a.proto", text)]);
    assert!(said.contains("proto2\\rcargo::warning=b"), "{said}");
    assert!(!said.contains(['\r', '\n']), "{said:?}");
}

#[test]
fn two_options_of_one_number_are_refused_in_one_file_and_across_files() {
    let field = "import \"google/protobuf/descriptor.proto\";\n";
    let both = format!(
        "syntax = \"proto3\"; package a; {field}\
         message Nested {{ int32 a = 1; Nested c = 3; int32 x = 5 [(tag) = \"t\", (nested).a = 3]; }}\n\
         extend google.protobuf.FieldOptions {{ string tag = 50001; Nested nested = 50001; }}"
    );
    assert_eq!(
        faults(&[("a.proto", &both)]),
        "contracts/a.proto:3:66: option 'nested = 50001' of FieldOptions in a.proto has the number that \
         'tag' in a.proto has: give it another one"
    );
    let one = |package: &str, name: &str| {
        format!(
            "syntax = \"proto3\"; package {package}; {field}\
             message Holder {{ extend .google.protobuf.FieldOptions {{ string {name} = 50001; }} }}"
        )
    };
    let said = faults(&[
        ("a.proto", &one("a", "tag")),
        ("b.proto", &one("b", "mark")),
    ]);
    assert!(
        said.starts_with("contracts/b.proto:2:") && said.contains("'tag' in a.proto"),
        "{said}"
    );
}

#[test]
fn packages_are_called_as_files_can_be() {
    let proto = |package: &str| format!("syntax = \"proto3\";\npackage {package};\nmessage M {{}}");
    let schema = "{\"input\":{\"A\":{}},\"output\":{\"B\":{}}}";
    let (longest, folder) = (
        "p".repeat(200),
        format!("{}/{}", "f".repeat(98), "g".repeat(99)),
    );
    let out = tempfile::tempdir().expect("a temporary folder");
    let allowed = folder_with(&[
        ("a.proto", &proto(&longest)),
        (&format!("{folder}/x.schema.json"), schema),
    ]);
    let all = bridge_codegen::contracts(allowed.path()).out_dir(out.path());
    all.try_compile().expect("names that files may have");

    let said = faults(&[
        ("a.proto", &proto(&(longest + "p"))),
        (&format!("{folder}/xy.schema.json"), schema),
    ]);
    let text = "the name of the package has 201 bytes, and 200 at most are allowed, because files are \
                called like it: shorten it";
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        lines,
        [
            format!("contracts/a.proto:2:1: {text}"),
            format!("contracts/{folder}/xy.schema.json:1:1: {text}")
        ]
    );
}
