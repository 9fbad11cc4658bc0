//! `map` and `audit`: programs that describe themselves, and the live map.

use crate::cli::{accepted, change, map};
use crate::support::Package;

const DESCRIPTION: &str = r#"{
  "describe": 1, "service": "orders",
  "map": { "routes": [
    { "path": "/v1/orders", "methods": ["GET", "POST"], "endpoint": "handlers" },
    { "path": "/health", "methods": ["GET"], "endpoint": "handlers" } ], "fallbacks": [], "degraded": null },
  "operations": [ { "name": "place_order", "method": "POST", "path": "/orders", "site": "src/orders.rs:12",
    "calls": ["shop.payments.v1.Payments"] } ],
  "rpcs": [ { "contract": "shop.orders.v1.OrderBook", "name": "Place", "site": "src/rpc.rs:3" } ],
  "dependencies": [ { "service": "payments", "contract": "shop.payments.v1.Payments" } ],
  "audit": {
    "declared_and_mounted": [ { "operation": "place_order", "method": "POST", "path": "/orders", "mounted_at": "/v1/orders" } ],
    "declared_not_mounted": [],
    "ambiguous": [],
    "mounted_not_declared": [ { "method": "GET", "path": "/v1/orders" }, { "method": "GET", "path": "/health" } ] },
  "later": true
}"#;

#[test]
fn a_program_describes_itself() {
    let package = Package::with(&[("made.json", DESCRIPTION)]);
    let run = [
        "map",
        "--describe",
        "cp made.json $BRIDGE_DESCRIBE; echo noise",
    ];
    let said = package.bridge_with(&run, &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        said.out,
        " KIND  SERVED                          OPERATION    CALLS                      AT
 http  GET /v1/orders                  -            -                          -
 http  POST /v1/orders                 place_order  shop.payments.v1.Payments  src/orders.rs:12
 http  GET /health                     -            -                          -
 rpc   shop.orders.v1.OrderBook/Place  Place        -                          src/rpc.rs:3

 DEPENDS ON  CONTRACT
 payments    shop.payments.v1.Payments
"
    );
    let said = package.bridge("map --description made.json --format mermaid");
    assert_eq!(
        said.out,
        "flowchart LR
  app([\"orders\"])
  app --> h0[\"GET /health\"]
  app --> h1[\"GET /v1/orders\"]
  app --> h2[\"POST /v1/orders\"]
  h2 --> c0
  app --> h3[\"rpc shop.orders.v1.OrderBook/Place\"]
  c0[[\"payments (shop.payments.v1.Payments)\"]]
"
    );
    let twice = DESCRIPTION.replace(
        "\"declared_and_mounted\": [",
        "\"declared_and_mounted\": [{ \"operation\": \"place_order\", \"method\": \"POST\", \"path\": \"/orders\", \"mounted_at\": \"/v2/orders\" },",
    );
    package.put("twice.json", &twice);
    let chart = package
        .bridge("map --description twice.json --format mermaid")
        .out;
    assert_eq!(chart.matches(" --> c0").count(), 2, "{chart}");
    assert!(
        package
            .bridge("map --description made.json --format dot")
            .out
            .starts_with("digraph map {\n")
    );
    assert_eq!(package.bridge("map").code, 2);
}

#[test]
fn a_picture_holds_every_route_and_names_stay_text() {
    let hostile = DESCRIPTION.replace("\"/health\"", "\"/a&b\\n]]><script>alert(1)</script>\"");
    let package = Package::with(&[("made.json", DESCRIPTION), ("hostile.json", &hostile)]);
    let said = package.bridge("map --description made.json --format svg");
    assert_eq!(said.code, 0, "{}", said.err);
    let count = |what: &str| said.out.matches(what).count();
    assert_eq!(count("<g class=\"served\">"), 4);
    assert_eq!(count("<g class=\"called\">"), 1);
    assert_eq!(
        (
            count("<path class=\"serves\""),
            count("<path class=\"call\"")
        ),
        (4, 1)
    );

    let said = package.bridge("map --description hostile.json --format svg");
    assert!(!said.out.contains("<script"), "{}", said.out);
    assert!(
        said.out.contains("GET /a&amp;b ]]&gt;&lt;script&gt;"),
        "{}",
        said.out
    );
}

#[test]
fn an_audit_fails_on_what_is_declared_and_not_mounted_and_strictly_on_all() {
    let package = Package::with(&[("made.json", DESCRIPTION)]);
    let said = package.bridge("audit --description made.json");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(
        said.out,
        " STATE                  ROUTE           OPERATION    NOTE
 mounted, not declared  GET /v1/orders  -            -
 mounted, not declared  GET /health     -            -
 declared and mounted   POST /orders    place_order  at /v1/orders
"
    );
    assert_eq!(
        package
            .bridge("audit --description made.json --strict")
            .code,
        1
    );
    let missing = DESCRIPTION.replace(
        "\"declared_not_mounted\": []",
        "\"declared_not_mounted\": [{ \"operation\": \"lost\", \"method\": \"PUT\", \"path\": \"/v1/orders\", \"mounted_methods\": [\"GET\"] }]",
    );
    package.put("made.json", &missing);
    let said = package.bridge("audit --description made.json");
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("PUT /v1/orders  lost         the path answers GET"),
        "{}",
        said.out
    );
    let unclear = DESCRIPTION.replace(
        "\"ambiguous\": []",
        "\"ambiguous\": [{ \"operation\": \"read\", \"method\": \"GET\", \"path\": \"/{id}\", \"candidates\": [\"/a/{id}\"] }]",
    );
    package.put("made.json", &unclear);
    assert_eq!(package.bridge("audit --description made.json").code, 1);
}

#[test]
fn an_audit_fails_on_promises_that_cannot_hold() {
    let refused = DESCRIPTION.replace(
        "\"later\": true",
        "\"refused\": [\"`pay` and `refund` may each be what is mounted at /payments\"]",
    );
    let package = Package::with(&[("made.json", &refused)]);
    let said = package.bridge("audit --description made.json");
    assert_eq!(said.code, 1);
    let text = "\nrefused: `pay` and `refund` may each be what is mounted at /payments\n";
    assert!(said.out.ends_with(text), "{}", said.out);
    let said = package.bridge("audit --description made.json -o json");
    assert_eq!(said.code, 1);
    assert!(said.out.contains("\"refused\":"), "{}", said.out);
}

#[test]
fn a_program_that_describes_nothing_is_told_apart_from_one_that_fails() {
    let package = Package::with(&[("old.json", r#"{"describe": 7}"#)]);
    for (command, expected) in [
        ("true", "`true` wrote no description"),
        ("exit 3", "`exit 3` failed (exit status: 3)"),
        (
            "cp old.json $BRIDGE_DESCRIBE",
            "is a description of format 7, and this command reads 1",
        ),
    ] {
        let said = package.bridge_with(&["map", "--describe", command], &[]);
        assert_eq!(said.code, 1, "{command}");
        assert!(said.err.contains(expected), "{command}: {}", said.err);
    }
}

#[test]
fn the_live_map_is_asked_through_the_runtimes_own_command() {
    let package = accepted();
    package.put("answer.json", &map(&package));
    // The program that is asked is named by a variable; this one answers what a runtime would.
    let answers = "[ \"$*\" = 'map -o json' ] && cat answer.json";
    program(&package, "bridge-here", answers);
    let program = package.root().join("bridge-here");
    change(&package, "string order_id = 1;", "");
    let said = package.bridge_with(&["check", "--live"], &[("BRIDGE_PROGRAM", &program)]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.out
            .contains("called by ledger (not declared, 7 calls), orders (declared)"),
        "{}",
        said.out
    );
    let missing = package.root().join("nowhere");
    let said = package.bridge_with(&["check", "--live"], &[("BRIDGE_PROGRAM", &missing)]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("is not installed"), "{}", said.err);
}

/// A program in the package that anybody may run.
fn program(package: &Package, name: &str, script: &str) {
    let source = format!("{name}.sh");
    package.put(&source, &format!("#!/bin/sh\n{script}\n"));
    install(&package.root().join(source), &package.root().join(name));
}

/// Copies a program in a process of its own: what a test writes itself may still be open in a process
/// that another test forks at that moment, and then it is "text file busy" and cannot be started.
fn install(from: &std::path::Path, to: &std::path::Path) {
    let installed = std::process::Command::new("install")
        .args(["-D", "-m", "755"])
        .args([from, to])
        .status();
    assert!(installed.expect("`install` can be started").success());
}

/// `cargo bridge map --live` by a copy of the program in `place`, with these folders as the path.
fn live(package: &Package, place: &str, path: &[&str]) -> (i32, String, String) {
    let copy = package.root().join(place).join("cargo-bridge");
    install(env!("CARGO_BIN_EXE_cargo-bridge").as_ref(), &copy);
    let path = path.iter().map(|it| package.root().join(it));
    let path = path.map(|it| it.display().to_string()).collect::<Vec<_>>();
    let output = std::process::Command::new(copy)
        .args(["bridge", "map", "--live"])
        .env("PATH", format!("{}:/usr/bin:/bin", path.join(":")))
        .env_remove("BRIDGE_PROGRAM")
        .current_dir(package.root())
        .output()
        .expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().expect("an exit code");
    (code, text(&output.stdout), text(&output.stderr))
}

#[test]
fn another_program_called_bridge_is_not_asked_for_the_map() {
    let package = Package::with(&[]);
    let answers = |who: &str| {
        format!(
            "[ \"$1\" = --version ] && {{ echo 'bridge 1.2.3'; exit; }}\n[ \"$*\" = map ] && echo '{who}'"
        )
    };
    let other = "echo 'bridge utility, 6.1.0'; echo 'Object \"map\" is unknown' >&2";
    program(&package, "other/bridge", other);
    program(&package, "path/bridge", &answers("the one on the path"));

    let (code, out, err) = live(&package, "alone", &["other", "path"]);
    assert_eq!((code, out.as_str()), (0, "the one on the path\n"), "{err}");

    let (code, _, err) = live(&package, "alone", &["other"]);
    assert_eq!(code, 2, "{err}");
    for expected in [
        "other/bridge` is another program",
        "BRIDGE_PROGRAM",
        "--map",
    ] {
        assert!(err.contains(expected), "{err}");
    }

    program(&package, "beside/bridge", &answers("the one beside"));
    let (code, out, err) = live(&package, "beside", &["other", "path"]);
    assert_eq!((code, out.as_str()), (0, "the one beside\n"), "{err}");

    let fails = "[ \"$1\" = --version ] && { echo 'bridge 1.2.3'; exit; }\nexit 4";
    program(&package, "beside/bridge", fails);
    let (code, _, err) = live(&package, "beside", &["path"]);
    assert_eq!(code, 1, "{err}");
    for expected in ["beside/bridge map` did not answer", "BRIDGE_PROGRAM"] {
        assert!(err.contains(expected), "{err}");
    }
}
