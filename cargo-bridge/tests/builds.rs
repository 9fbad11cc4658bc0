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
        `order_id` is `bytes` instead of `string` (breaks json, code): keep 1 as it was, and add a \
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
