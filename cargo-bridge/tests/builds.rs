//! The gate inside a build: a `build.rs` that compares contracts with the lock, run by Cargo.

use std::path::Path;

use serde_json::json;

use crate::support::{Package, repository};

const CONTRACT: &str = "syntax = \"proto3\";
package shop.v1;

service Payments { rpc Charge(ChargeRequest) returns (ChargeReply); }

message ChargeRequest {
  string order_id = 1;
}
message ChargeReply {}
";

fn package() -> Package {
    let root = repository()
        .canonicalize()
        .expect("the repository is there");
    let manifest = format!(
        "[package]\nname = \"gated\"\nedition = \"2024\"\n[workspace]\n[build-dependencies]\n\
         bridge-codegen = {{ path = \"{}/codegen\" }}\n",
        root.display()
    );
    Package::built(
        "gated",
        &[
            ("Cargo.toml", &manifest),
            ("contracts/payments.proto", CONTRACT),
            ("src/lib.rs", ""),
            (
                "build.rs",
                "fn main() {\n    bridge_codegen::contracts(\"contracts/\").lock(\"bridge.lock\")\
                 .map(\"map.json\").compile()\n}\n",
            ),
            ("map.json", "{\"services\": [], \"edges\": []}"),
        ],
    )
}

#[test]
fn a_build_warns_of_what_is_new_and_fails_on_what_breaks_with_names() {
    let package = package();
    let said = package.cargo_check(&[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let first = "bridge.lock: nothing is accepted yet: run `cargo bridge accept`";
    assert!(said.err.contains(first), "{}", said.err);

    assert_eq!(package.bridge("accept").code, 0);
    let said = package.cargo_check(&[]);
    assert!(
        said.code == 0 && !said.err.contains("warning"),
        "{}",
        said.err
    );

    let hash = package.text("bridge.lock");
    let hash = hash
        .lines()
        .find_map(|line| line.strip_prefix("  hash "))
        .expect("a hash");
    let map = json!({
        "services": [{ "name": "payments",
            "methods": [{ "kind": "rpc", "name": "Charge", "contract_hash": hash }] }],
        "edges": [{ "from": "orders", "to": "payments", "kind": "rpc", "method": "Charge",
            "declared": true }],
    });
    package.put("map.json", &map.to_string());
    let added = CONTRACT.replace("order_id = 1;", "order_id = 1;\n  int64 cents = 2;");
    package.put("contracts/payments.proto", &added);
    let said = package.cargo_check(&[]);
    assert_eq!(said.code, 0, "{}", said.err);
    for expected in [
        "contracts/payments.proto:8:9: minor: `shop.v1.ChargeRequest`: field 2 `cents` is new",
        "rpc `shop.v1.Payments/Charge` has a new identity: `orders` reach only instances of the \
         build before, so keep one of those until they are deployed anew",
        "bridge.lock: run `cargo bridge accept` to accept what changed",
    ] {
        assert!(said.err.contains(expected), "{expected}\n{}", said.err);
    }

    let broken = CONTRACT.replace("string order_id", "bytes order_id");
    package.put("contracts/payments.proto", &broken);
    let said = package.cargo_check(&[]);
    assert_ne!(said.code, 0);
    let expected = "contracts/payments.proto:7:9: major: `shop.v1.ChargeRequest`: field 1 \
        `order_id` is `bytes` instead of `string` (breaks wire, json, code): keep 1 as it was, and add a \
        field with a number of its own; breaks `orders`";
    assert!(said.err.contains(expected), "{}", said.err);
}

const PROGRAM: &str = "\
use axum::extract::Path;
use axum::{Router, routing::get};

#[bridge::rpc(get, \"/orders/{id}\")]
async fn show(Path(id): Path<u64>) -> String {
    id.to_string()
}

#[bridge::rpc(get, \"/lost\")]
async fn lost() {}

fn main() {
    let handlers = bridge::handlers![show, lost];
    let inner = Router::new().route(\"/orders/{id}\", get(show));
    let app = Router::new().nest(\"/v1\", inner).route(\"/health\", get(|| async {}));
    let _ = bridge::declare(app, &handlers);
    panic!(\"it goes on to serve\");
}
";

#[test]
fn a_real_program_is_audited_and_drawn_without_being_started() {
    let root = repository()
        .canonicalize()
        .expect("the repository is there");
    let manifest = format!(
        "[package]\nname = \"described\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         bridge = {{ path = \"{}/bridge\" }}\naxum = {{ version = \"0.8\", default-features = \
         false, features = [\"tokio\"] }}\n",
        root.display()
    );
    let files = [("Cargo.toml", manifest.as_str()), ("src/main.rs", PROGRAM)];
    let package = Package::built("described", &files);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder");
    let environment = [("CARGO_TARGET_DIR", target)];
    let run = |command| {
        let words = [command, "--describe", "cargo run --offline --quiet"];
        package.bridge_with(&words, &environment)
    };
    let said = run("audit");
    assert_eq!(
        said.out,
        " STATE                  ROUTE             OPERATION  NOTE
 declared, not mounted  GET /lost         lost       -
 mounted, not declared  GET /health       -          -
 declared and mounted   GET /orders/{id}  show       at /v1/orders/{id}
",
        "{}",
        said.err
    );
    assert_eq!(said.code, 1);
    let said = run("map");
    assert_eq!(said.code, 0, "{}", said.err);
    let line = " http  GET /v1/orders/{id}  show       -      described::show";
    assert!(said.out.contains(line), "{}", said.out);
}

const COMMON: &str =
    "syntax = \"proto3\"; package shop.common.v1;\nmessage Money { int64 minor = 1; }\n";
const STOCK: &str = "syntax = \"proto3\"; package shop.stock.v1;
import \"shop/common/v1/common.proto\";
service Stock { rpc Count(Item) returns (Count); rpc Worth(Item) returns (shop.common.v1.Money); }
message Item { string sku = 1; shop.common.v1.Money price = 2; }
message Count { map<string, shop.common.v1.Money> by_shelf = 1; }
";
const USES: &str = "
use contracts::acme::ping::{Ping, ping::Input};
use contracts::shop::stock::v1::{Item, Stock};
fn main() {
    let names = [<Ping as Named>::NAME, <Stock as Named>::NAME];
    drop((names, Input::default(), Item::default()));
}
use bridge::Contract as Named;
";

#[test]
fn packages_that_refer_to_each_other_are_included_as_the_guide_says_and_told_of_otherwise() {
    let root = repository()
        .canonicalize()
        .expect("the repository is there");
    let guide = std::fs::read_to_string(root.join("bridge/guide/2-contracts.md"));
    let guide = guide.expect("the guide");
    let (_, ping) = guide.split_once("```json\n").expect("a file");
    let (ping, _) = ping.split_once("```").expect("its end");
    let root = root.display();
    let manifest = format!(
        "[package]\nname = \"several\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         bridge = {{ path = \"{root}/bridge\" }}\n[build-dependencies]\nbridge-codegen = {{ path = \
         \"{root}/codegen\" }}\n"
    );
    let build = "fn main() {\n    bridge_codegen::contracts(\"contracts/\").compile()\n}\n";
    let tree = "mod contracts {\n    bridge::include_contract!(\"mod\");\n}\n";
    assert!(guide.contains(tree), "the guide shows it");
    let package = Package::built(
        "several",
        &[
            ("Cargo.toml", &manifest),
            ("build.rs", build),
            ("contracts/acme/ping/ping.schema.json", ping),
            ("contracts/shop/common/v1/common.proto", COMMON),
            ("contracts/shop/stock/v1/stock.proto", STOCK),
            ("src/main.rs", &format!("{tree}{USES}")),
        ],
    );
    let said = package.cargo_check(&[]);
    assert_eq!(said.code, 0, "{}", said.err);

    let said = package.bridge("gen");
    let (_, line) = said.out.split_once("main.rs: ").expect("how to include it");
    assert!(guide.contains(&format!("`{}`", line.trim())), "{line}");
    package.put("src/main.rs", &format!("{line}{USES}"));
    let said = package.cargo_check(&[]);
    assert_eq!(said.code, 0, "{}", said.err);

    let alone = "mod stock {\n    bridge::include_contract!(\"shop.stock.v1\");\n}\nfn main() {}\n";
    package.put("src/main.rs", alone);
    let said = package.cargo_check(&[]);
    let errors = said.err.lines().filter(|it| it.starts_with("error["));
    assert_eq!(errors.count(), 1, "{}", said.err);
    let advice = "// another package: include all, `bridge::include_contract!(\"mod\")`";
    assert!(said.err.contains(advice), "{}", said.err);
}
