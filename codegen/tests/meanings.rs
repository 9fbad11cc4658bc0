//! What contracts say in their options and in their other form, seen in the generated code.

use std::fs;

use bridge_codegen::contracts;

/// Compiles the files and returns the code of a package.
fn code(files: &[(&str, &str)], package: &str) -> String {
    let root = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = root.path().join("contracts").join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a writable folder");
        fs::write(path, text).expect("a writable folder");
    }
    contracts(root.path().join("contracts"))
        .out_dir(root.path().join("out"))
        .try_compile()
        .expect("valid contracts");
    fs::read_to_string(root.path().join("out").join(package)).expect("generated")
}

/// The values of a constant's field in the code, in order.
fn values<'c>(code: &'c str, field: &str) -> Vec<&'c str> {
    let start = format!("{field}: \"");
    code.lines()
        .filter_map(|line| line.trim().strip_prefix(start.as_str()))
        .filter_map(|rest| rest.strip_suffix("\","))
        .collect()
}

const FIELD_BEHAVIOR: &str = "syntax = \"proto3\"; package google.api;
    import \"google/protobuf/descriptor.proto\";
    extend google.protobuf.FieldOptions { repeated FieldBehavior field_behavior = 1052; }
    enum FieldBehavior { FIELD_BEHAVIOR_UNSPECIFIED = 0; OPTIONAL = 1; REQUIRED = 2; }";

const VALIDATE: &str = "syntax = \"proto3\"; package buf.validate;
    import \"google/protobuf/descriptor.proto\";
    extend google.protobuf.FieldOptions { FieldRules field = 1159; }
    message FieldRules { bool required = 25; }";

#[test]
fn messages_that_options_require_are_no_options() {
    let order = "syntax = \"proto3\"; package shop;
        import \"behavior.proto\"; import \"validate.proto\";
        message Money { int64 cents = 1; }
        message Order {
            Money total = 1 [(google.api.field_behavior) = REQUIRED];
            Money tax = 2 [(buf.validate.field).required = true];
            Money tip = 3 [(google.api.field_behavior) = OPTIONAL];
            string id = 4 [(google.api.field_behavior) = REQUIRED];
            oneof paid { Money cash = 5 [(google.api.field_behavior) = REQUIRED]; }
        }
        message Basket { repeated Order orders = 1; }";
    let files = [
        ("behavior.proto", FIELD_BEHAVIOR),
        ("validate.proto", VALIDATE),
        ("shop.proto", order),
    ];
    let code = code(&files, "shop.rs");
    for expected in [
        "pub total: Money,",
        "pub tax: Money,",
        "pub tip: Option<Money>,",
        "pub id: String,",
        "pub paid: Option<order::Paid>,",
        "\"shop.Order\", requires: true,",
        "\"shop.Basket\", requires: true,",
        "\"shop.Money\", requires: false,",
    ] {
        assert!(code.contains(expected), "{expected} is not in\n{code}");
    }
    let checked = code.matches("decode_checked(buf)").count();
    assert_eq!(checked, 2, "Order and Basket look for what is missing");
}

#[test]
fn a_flat_contract_is_the_same_in_both_forms() {
    let proto = "syntax = \"proto3\"; package pay; service Pay { rpc Charge(A) returns (B); }
        message A { string order_id = 1; int64 cents = 2; repeated int32 marks = 3; bytes raw = 4; }
        message B { bool ok = 1; }";
    let json = r#"{"input":{"A":{"order_id":{"type":"string","fieldNumber":1},
        "cents":{"type":"int64","fieldNumber":2},
        "marks":{"type":"array","fieldNumber":3,"array":{"type":"int32"}},
        "raw":{"type":"bytes","fieldNumber":4}}},
        "output":{"B":{"ok":{"type":"bool","fieldNumber":1}}}}"#;
    let from_proto = code(&[("pay.proto", proto)], "pay.rs");
    let service = code(&[("pay/charge.schema.json", json)], "pay.rs");
    let messages = code(&[("pay/charge.schema.json", json)], "pay.charge.rs");
    let hash = values(&from_proto, "contract_hash");
    assert_eq!(hash.len(), 1);
    assert_eq!(hash, values(&service, "contract_hash"));
    assert_eq!(values(&service, "name"), ["Charge"]);
    let encoding = |code: &str| -> Vec<String> {
        let lines = code.lines().map(str::trim);
        let lines = lines.filter(|line| line.starts_with("__codec::") && line.ends_with("buf);"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(encoding(&from_proto), encoding(&messages));
}

#[test]
fn a_nested_contract_differs_by_the_names_of_its_types_alone() {
    let json = r#"{"input":{"A":{"where":{"type":"object","fieldNumber":1,
        "nested":{"hall":{"type":"uint32","fieldNumber":1}}}}},"output":{"B":{}}}"#;
    let proto = |name: &str, package: &str| {
        format!(
            "syntax = \"proto3\"; {package}
             message A {{ {name} where = 1; }} message B {{}} message {name} {{ uint32 hall = 1; }}
             service Pay {{ rpc Count(A) returns (B); }}"
        )
    };
    let hash = |code: &str| values(code, "contract_hash")[0].to_owned();
    let from_json = hash(&code(&[("count.schema.json", json)], "count.rs"));
    let same = hash(&code(&[("a.proto", &proto("Input_where", ""))], "_.rs"));
    let other = hash(&code(&[("a.proto", &proto("Where", ""))], "_.rs"));
    let packaged = hash(&code(
        &[("a.proto", &proto("Input_where", "package pay;"))],
        "pay.rs",
    ));
    assert_eq!(from_json, same);
    assert!(from_json != other && from_json != packaged);
}

#[test]
fn a_name_is_looked_for_among_the_imports_of_its_own_file() {
    // `config.Kind` in `a.ext` is `a.config.Kind`, although a package `a.ext.config` exists.
    let kind = "syntax = \"proto3\"; package a.config; message Kind {}";
    let stranger = "syntax = \"proto3\"; package a.ext.config; message Other {}";
    let user = "syntax = \"proto3\"; package a.ext; import \"kind.proto\";
        // Says what kind.
        message User { config.Kind kind = 1; }";
    let above = "syntax = \"proto3\"; package a.ext; import \"user.proto\"; import \"aaa.proto\";
        message Above { User user = 1; config.Other other = 2; }";
    let files = [
        ("aaa.proto", stranger),
        ("kind.proto", kind),
        ("user.proto", user),
        ("zzz.proto", above),
    ];
    let code = code(&files, "a.ext.rs");
    for line in [
        "use super::config as __in_a_config; // ",
        "pub kind: Option<__in_a_config::Kind>,",
    ] {
        assert!(code.contains(line), "{code}");
    }
    assert!(
        code.contains("/// Says what kind."),
        "comments are kept:\n{code}"
    );
}
