//! `export --describe`: a program that declares contracts in Rust, and refers to one of a file.

use std::path::Path;

use crate::support::{Package, Said, repository};

const MONEY: &str = "syntax = \"proto3\";
package shop.common.v1;

message Money {
  enum Rounding { ROUNDING_UNSPECIFIED = 0; ROUNDING_UP = 1; }
  int64 minor = 1;
}
";
const MAIN: &str = r#"
use std::collections::BTreeMap;

mod common {
    bridge::include_contract!("shop.common.v1");
}

/// What somebody wants.
#[derive(Clone, PartialEq, bridge::Message)]
#[bridge(package = "shop.orders.v1")]
struct PlaceOrder {
    /// Who wants it.
    #[bridge(1)]
    customer: String,
    #[bridge(2)]
    total: Option<common::Money>,
    #[bridge(3)]
    by_name: BTreeMap<String, common::Money>,
    #[bridge(4)]
    rounding: common::money::Rounding,
}

#[derive(Clone, PartialEq, bridge::Message)]
#[bridge(package = "shop.orders.v1")]
struct Find {
    #[bridge(1)]
    customer: String,
}

fn main() {
    bridge::CodeFirst::new()
        .rpc::<PlaceOrder, Find>("shop.orders.v1.Orders/Place")
        .rpc::<Find, Find>("shop.orders.v1.Orders/Find")
        .describe();
    drop(bridge::declare(axum::Router::new(), &bridge::Handlers::default()));
}
"#;
const ORDERS: &str = "// Written by `cargo bridge export`, which replaces it the next time.

syntax = \"proto3\";

package shop.orders.v1;

import \"common/money.proto\";

// What somebody wants.
message PlaceOrder {
  // Who wants it.
  string customer = 1;
  .shop.common.v1.Money total = 2;
  map<string, .shop.common.v1.Money> by_name = 3;
  .shop.common.v1.Money.Rounding rounding = 4;
}

message Find {
  string customer = 1;
}

service Orders {
  rpc Place(.shop.orders.v1.PlaceOrder) returns (.shop.orders.v1.Find);
  rpc Find(.shop.orders.v1.Find) returns (.shop.orders.v1.Find);
}
";
const FIND: &str = r#"{
  "input": {
    "Find": {
      "customer": {
        "fieldNumber": 1,
        "type": "string"
      }
    }
  },
  "output": {
    "Find": {
      "customer": {
        "fieldNumber": 1,
        "type": "string"
      }
    }
  }
}
"#;

fn package(name: &str) -> Package {
    let root = repository()
        .canonicalize()
        .expect("the repository is there");
    let root = root.display();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         bridge = {{ path = \"{root}/bridge\" }}\naxum = {{ version = \"0.8\", default-features = \
         false }}\n[build-dependencies]\nbridge-codegen = {{ path = \"{root}/codegen\" }}\n"
    );
    Package::built(
        name,
        &[
            ("Cargo.toml", &manifest),
            ("contracts/common/money.proto", MONEY),
            ("src/main.rs", MAIN),
            (
                "build.rs",
                "fn main() {\n    bridge_codegen::contracts(\"contracts/\").compile()\n}\n",
            ),
        ],
    )
}

/// `cargo bridge WORDS --describe 'cargo run'`.
fn export(package: &Package, words: &str) -> Said {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder");
    let mut words: Vec<_> = words.split_whitespace().collect();
    words.extend(["--describe", "cargo run --offline --quiet"]);
    package.bridge_with(&words, &[("CARGO_TARGET_DIR", target)])
}

#[test]
fn what_a_program_declares_becomes_files_for_others() {
    let package = package("code-first");
    let said = export(&package, "export proto --to contracts");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, "contracts/shop/orders/v1/orders.proto: written\n");
    assert_eq!(
        package.text("contracts/shop/orders/v1/orders.proto"),
        ORDERS
    );

    // Where the file is there already, it is written anew from the program, not from itself.
    package.put(
        "contracts/shop/orders/v1/orders.proto",
        &ORDERS.replace("Who", "Whoever"),
    );
    let said = export(&package, "export proto --to contracts");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        package.text("contracts/shop/orders/v1/orders.proto"),
        ORDERS
    );

    // A file that somebody wrote stays, wherever the files go.
    let own = ORDERS.split_once("\n\n").expect("a mark").1;
    package.put("contracts/shop/orders/v1/orders.proto", own);
    let said = export(&package, "export proto --to contracts");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains(
            "`shop.orders.v1`, which the program declares, would be the file \
             `shop/orders/v1/orders.proto`, and that is there and no export"
        ),
        "{}",
        said.err
    );
    package.put("contracts/shop/orders/v1/orders.proto", ORDERS);
    package.put("out/shop/orders/v1/orders.proto", own);
    let said = export(&package, "export proto --to out");
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("out/shop/orders/v1/orders.proto: is there and no export"),
        "{}",
        said.err
    );
    assert_eq!(package.text("out/shop/orders/v1/orders.proto"), own);

    let said = export(&package, "export schema-json shop.orders.v1.Orders/Find");
    assert_eq!((said.code, said.out.as_str()), (0, FIND), "{}", said.err);
    let said = export(&package, "export schema-json shop.orders.v1.Orders/Place");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("field `by_name`"), "{}", said.err);
}

#[test]
fn what_cannot_be_files_is_refused_with_the_reason() {
    let told = |descriptors: &str| {
        let made = format!("{{ \"describe\": 1, \"descriptors\": {descriptors} }}");
        let package = Package::with(&[("made.json", &made)]);
        let said = package.bridge("export proto --description made.json --to out");
        assert_eq!(said.code, 1, "{}", said.err);
        said.err
    };
    assert!(told("[]").contains("list its messages with `bridge::CodeFirst`"));
    assert!(told("[{}, {}]").contains("in 2 places"));
    let refused =
        r#"[{ "refused": ["two types are called `shop.v1.Order`: give one another name"] }]"#;
    assert!(told(refused).contains("made.json: two types are called `shop.v1.Order`"));
    assert!(told(r#"[{ "set": [7, 7, 7] }]"#).contains("no descriptor set"));
}

/// The first block of this language behind a heading of a guide.
fn printed(guide: &str, heading: &str, language: &str) -> String {
    let (_, rest) = guide.split_once(heading).expect("the heading");
    let opening = format!("```{language}\n");
    let (_, block) = rest.split_once(&opening).expect("a block");
    block.split_once("```").expect("its end").0.to_owned()
}

#[test]
fn the_guides_program_of_messages_alone_is_exported_by_the_guides_commands() {
    let guide = std::fs::read_to_string(repository().join("bridge/guide/2-contracts.md"));
    let guide = guide.expect("the guide");
    let package = package("messages-alone");
    std::fs::remove_dir_all(package.root().join("contracts")).expect("it is there");
    std::fs::remove_file(package.root().join("build.rs")).expect("it is there");
    package.put("src/main.rs", &printed(&guide, "## Code first", "rust"));

    let commands = printed(&guide, "## Code first", "text");
    let commands: Vec<_> = commands
        .lines()
        .map(|it| it.split("  ").next().expect("a command"))
        .map(|it| it.strip_prefix("cargo bridge ").expect("one of ours"))
        .map(|it| it.replace(" --describe 'cargo run'", ""))
        .collect();
    let [proto, schema] = commands.as_slice() else {
        panic!("two commands: {commands:?}");
    };
    let said = export(&package, proto);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, "proto/shop/orders/v1/orders.proto: written\n");
    let written = package.text("proto/shop/orders/v1/orders.proto");
    for expected in [
        "// What somebody wants.\nmessage PlaceOrder {",
        "rpc Place(.shop.orders.v1.PlaceOrder) returns (.shop.orders.v1.Line);",
    ] {
        assert!(written.contains(expected), "{written}");
    }
    let said = export(&package, schema);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("\"sku\": {"), "{}", said.out);

    let said = export(&package, "map");
    assert_eq!(said.code, 0, "{}", said.err);
}
