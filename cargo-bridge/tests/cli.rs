//! The commands about contracts: what they print, what they write, how they end.

use serde_json::{Value, json};

use crate::support::Package;

pub(crate) const CONTRACT: &str = "syntax = \"proto3\";
package shop.payments.v1;

service Payments {
  rpc Charge(ChargeRequest) returns (ChargeReply);
  rpc Refund(RefundRequest) returns (ChargeReply);
}

message ChargeRequest {
  string order_id = 1;
  int64 cents = 2;
}
message RefundRequest { string id = 1; }
message ChargeReply { string id = 1; }
";

pub(crate) fn accepted() -> Package {
    let package = Package::with(&[("contracts/payments.proto", CONTRACT)]);
    let said = package.bridge("accept");
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.out, "bridge.lock: written; commit it\n");
    package
}

pub(crate) fn change(package: &Package, from: &str, to: &str) {
    let text = package.text("contracts/payments.proto");
    assert!(text.contains(from), "{from}");
    package.put("contracts/payments.proto", &text.replace(from, to));
}

/// A map in which `orders` declared to call Charge and `ledger` was seen to.
pub(crate) fn map(package: &Package) -> String {
    let lock = package.text("bridge.lock");
    let hash = lock
        .lines()
        .find_map(|line| line.strip_prefix("  hash "))
        .expect("a hash");
    json!({
        "window_ms": 60_000,
        "services": [{ "id": "1", "name": "payments", "status": "active", "instances": [],
            "methods": [{ "kind": "rpc", "name": "Charge", "contract_hash": hash, "instances": 1 }] }],
        "edges": [
            { "from": "ledger", "to": "payments", "kind": "rpc", "method": "Charge", "live": true,
              "declared": false, "load": { "count": 7, "errors": 0 } },
            { "from": "orders", "to": "payments", "kind": "rpc", "method": "Charge", "live": true,
              "declared": true, "load": null },
        ],
        "links": [], "uncounted": 0,
    })
    .to_string()
}

#[test]
fn an_accepted_contract_does_not_differ() {
    let package = accepted();
    let said = package.bridge("check --strict");
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "bridge.lock: nothing differs\n")
    );
    assert!(package.text("bridge.lock").contains(
        "\nmessage shop.payments.v1.ChargeRequest\n  1 order_id string\n  2 cents int64\n"
    ));
}

#[test]
fn a_lock_that_is_missing_fails_unless_nothing_was_ever_accepted() {
    let package = Package::with(&[("contracts/payments.proto", CONTRACT)]);
    let text = "bridge.lock: is not there, so nothing was compared: run `cargo bridge accept` and commit \
                the file, or take it back from the history; --allow-missing-lock while nothing is to be \
                accepted\n";
    for (words, code) in [
        ("check", 1),
        ("check --strict", 1),
        ("check --allow-missing-lock", 0),
    ] {
        let said = package.bridge(words);
        assert_eq!((said.code, said.out.as_str()), (code, text), "{words}");
    }
    let both = package.bridge("check --strict --allow-missing-lock");
    assert_eq!(both.code, 2, "{}", both.err);

    // The gate is not turned off by deleting what it compares with.
    assert_eq!(package.bridge("accept").code, 0);
    assert_eq!(package.bridge("check").code, 0);
    std::fs::remove_file(package.root().join("bridge.lock")).expect("it is there");
    let said = package.bridge("check -o json");
    assert_eq!(said.code, 1);
    let report: Value = serde_json::from_str(&said.out).expect("json");
    assert_eq!(
        (&report["is_first"], &report["verdict"]),
        (&json!(true), &Value::Null)
    );
}

#[test]
fn a_breaking_change_fails_and_names_who_breaks() {
    let package = accepted();
    package.put("map.json", &map(&package));
    change(&package, "int64 cents = 2", "string cents = 2");
    let said = package.bridge("check --map map.json");
    assert_eq!(said.code, 1, "{}", said.err);
    assert_eq!(
        said.out,
        "\
major  `shop.payments.v1.ChargeRequest`: field 2 `cents` is `string` instead of `int64`
       at contracts/payments.proto:11:10
       breaks the wire: bytes are read wrongly or refused; JSON: values are read wrongly or \
refused; code, once it is generated anew
       in shop.payments.v1.Payments/Charge, called by ledger (not declared, 7 calls), orders (declared)
       do: keep 2 as it was, and add a field with a number of its own

These rpcs have a new identity. Callers of the build before reach only instances of the build before:
keep one of those running until the callers are deployed anew.

 RPC                               ACCEPTED     PRESENT      CALLED BY
 shop.payments.v1.Payments/Charge  HASH  HASH  ledger (not declared, 7 calls), orders (declared)

bridge.lock: the change is major; `cargo bridge accept` accepts it
"
        .replace(" HASH  HASH ", &hashes(&said.out))
    );
}

#[test]
fn callers_over_http_and_callers_of_the_rpc_are_named_for_what_breaks_them() {
    let package = accepted();
    let lock = package.text("bridge.lock");
    let form = "  idempotency unknown\n  http POST /v1/charges body *\n";
    package.put(
        "bridge.lock",
        &lock.replacen("  idempotency unknown\n", form, 1),
    );
    let mut map: Value = serde_json::from_str(&map(&package)).expect("json");
    let edge = json!({ "from": "web", "to": "payments", "kind": "http", "declared": true, "method": "POST /v1/charges" });
    map["edges"].as_array_mut().expect("a list").push(edge);
    let method = json!({ "kind": "http", "name": "POST /v1/charges" });
    map["services"][0]["methods"]
        .as_array_mut()
        .expect("a list")
        .push(method);
    package.put("map.json", &map.to_string());
    change(&package, "int64 cents = 2", "int64 pence = 2");
    let said = package.bridge("check --map map.json");
    let expected = "\
       in shop.payments.v1.Payments/Charge, called by ledger (not declared, 7 calls), orders (declared)
       in POST /v1/charges, called by web (declared)
";
    assert!(said.out.contains(expected), "{}", said.out);
    // The same while nobody of the service is there.
    map["services"][0]["methods"] = json!([]);
    package.put("map.json", &map.to_string());
    let said = package.bridge("check --map map.json");
    let expected = "called by ledger (not declared, 7 calls; payments is away), orders (declared; payments is away)\n";
    assert!(said.out.contains(expected), "{}", said.out);
}

/// The two hashes of a table, which are not the test's to know.
fn hashes(out: &str) -> String {
    let row = out
        .lines()
        .find(|line| line.contains("Payments/Charge  v2:"))
        .expect("a row");
    let from = row.find(" v2:").expect("a hash");
    let to = row.rfind("v2:").expect("a second hash") + "v2:01234567 ".len();
    row[from..to].to_owned()
}

#[test]
fn a_compatible_change_is_told_with_the_callers_to_deploy_and_passes() {
    let package = accepted();
    change(
        &package,
        "int64 cents = 2;",
        "int64 cents = 2;\n  string note = 3;",
    );
    let said = package.bridge("check -o json");
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).expect("json");
    assert_eq!(report["verdict"], "minor");
    assert_eq!(
        report["changes"][0]["what"],
        "`shop.payments.v1.ChargeRequest`: field 3 `note` is new"
    );
    assert_eq!(
        report["changes"][0]["place"],
        "contracts/payments.proto:12:10"
    );
    assert_eq!(
        report["rerouted"][0]["rpc"],
        "shop.payments.v1.Payments/Charge"
    );
    assert_eq!(report["rerouted"].as_array().map(Vec::len), Some(1));
    assert_eq!(package.bridge("check --strict").code, 1);

    let said = package.bridge("accept");
    assert!(
        said.out
            .ends_with("bridge.lock: a minor change is accepted; commit it\n"),
        "{}",
        said.out
    );
    assert_eq!(package.bridge("check --strict").code, 0);
}

#[test]
fn generated_code_that_is_checked_in_is_compared_too() {
    let package = accepted();
    let said = package.bridge("gen");
    assert_eq!(
        (said.code, said.out.as_str()),
        (
            0,
            "src/gen: 2 files\nin src/lib.rs or src/main.rs: #[path = \"gen/mod.rs\"] mod contracts;\n"
        ),
        "{}",
        said.err
    );
    assert_eq!(package.bridge("check").code, 0);
    change(
        &package,
        "int64 cents = 2;",
        "int64 cents = 2;\n  string note = 3;",
    );
    let said = package.bridge("check");
    assert_eq!(said.code, 1);
    let line =
        "src/gen/shop.payments.v1.rs: is not what the contracts say now: run `cargo bridge gen`\n";
    assert!(said.out.starts_with(line), "{}", said.out);
}

#[test]
fn a_lock_of_an_earlier_version_is_compared_and_brought_up_to_date() {
    let package = accepted();
    let text = package.text("bridge.lock");
    let earlier = text
        .replace("\nlock 2\n", "\nlock 1\n")
        .replace("\nend\n", "");
    package.put("bridge.lock", &earlier);
    let said = package.bridge("check --strict");
    assert_eq!(
        (said.code, said.out.as_str()),
        (
            0,
            "bridge.lock: is of an earlier version, which has no servers and security of routes, and \
             no aliases and reserved numbers of enums: `cargo bridge accept` records them\n\
             bridge.lock: nothing differs\n"
        )
    );
    assert_eq!(package.bridge("accept").code, 0);
    assert_eq!(package.text("bridge.lock"), text);
    package.put("bridge.lock", text.trim_end().trim_end_matches("end"));
    let said = package.bridge("check");
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("bridge.lock: does not end in `end`, so it was cut"),
        "{}",
        said.err
    );
}

#[test]
fn routes_of_an_openapi_document_are_part_of_the_contract_and_stay_accepted() {
    let package = accepted();
    let document = |ty: &str| {
        json!({ "openapi": "3.1.0", "info": { "title": "a", "version": "1" }, "paths": {
            "/v1/orders": { "get": { "operationId": "list", "responses": { "200": {
                "description": "all", "content": { "application/json": { "schema": { "type": ty } } },
            } } } } } })
        .to_string()
    };
    package.put("openapi.json", &document("array"));
    let said = package.bridge("accept --openapi openapi.json");
    assert!(
        said.out.contains("route `GET /v1/orders` is new"),
        "{}",
        said.out
    );
    // Without the document nothing is known of routes, so nothing is lost.
    assert_eq!(
        package.bridge("accept").out,
        "bridge.lock: nothing differs\n"
    );
    package.put("openapi.json", &document("object"));
    let said = package.bridge("check --openapi openapi.json");
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .contains("route `GET /v1/orders`: `out.200` is object instead of array"),
        "{}",
        said.out
    );
}

#[test]
fn wrong_usage_ends_with_two_and_says_what_to_do() {
    let package = Package::with(&[]);
    let said = package.bridge("check");
    assert_eq!(said.code, 2);
    assert_eq!(
        said.err,
        "error: contracts: no contracts here: make the folder, or name another one in Cargo.toml \
         (`[package.metadata.bridge]`, `contracts = \"…\"`)\n"
    );
    package.put(
        "Cargo.toml",
        "[package]\nname = \"a\"\n[package.metadata.bridge]\ncontract = \"x\"\n",
    );
    let said = package.bridge("check");
    assert_eq!(said.code, 2);
    assert!(
        said.err
            .contains("package.metadata.bridge: unknown field `contract`"),
        "{}",
        said.err
    );
    package.put("Cargo.toml", "[workspace]\n");
    let said = package.bridge("check");
    assert_eq!(said.code, 2);
    assert!(
        said.err.contains("is a workspace without a package"),
        "{}",
        said.err
    );
    assert_eq!(package.bridge("nonsense").code, 2);
}

#[test]
fn machines_are_told_of_a_refused_contract_on_standard_output() {
    let broken = CONTRACT.replace("int64 cents", "Money cents");
    let package = Package::with(&[("contracts/payments.proto", &broken)]);
    for words in ["check", "accept", "gen", "openapi"] {
        let said = package.bridge(&format!("{words} -o json"));
        let told: Value = serde_json::from_str(&said.out).expect("json");
        let fault = json!({
            "place": "contracts/payments.proto:11:3",
            "text": "name 'Money' is not defined",
        });
        assert_eq!(
            (said.code, &told),
            (1, &json!({ "faults": [fault] })),
            "{words}"
        );
        assert!(
            said.err
                .starts_with("error: contracts/payments.proto:11:3: name"),
            "{}",
            said.err
        );
        assert_eq!(package.bridge(words).out, "", "{words}");
    }
    let package = Package::with(&[]);
    let said = package.bridge("check -o json");
    let told: Value = serde_json::from_str(&said.out).expect("json");
    assert_eq!((said.code, &told["faults"][0]["place"]), (2, &Value::Null));
}

#[test]
fn a_package_says_where_its_contracts_are() {
    let package = Package::with(&[("proto/api/payments.proto", CONTRACT)]);
    package.put(
        "Cargo.toml",
        "[package]\nname = \"a\"\n[package.metadata.bridge]\ncontracts = \"proto/api\"\n\
         include = [\"proto\"]\nlock = \"contract/accepted.lock\"\ngen = \"src/made\"\n",
    );
    assert_eq!(
        package.bridge("accept").out,
        "contract/accepted.lock: written; commit it\n"
    );
    let line = |path: &str| {
        format!("in src/lib.rs or src/main.rs: #[path = \"{path}/mod.rs\"] mod contracts;\n")
    };
    let said = package.bridge("gen").out;
    assert_eq!(said, format!("src/made: 2 files\n{}", line("made")));
    let said = package.bridge("gen --dir made/here").out;
    assert_eq!(
        said,
        format!("made/here: 2 files\n{}", line("../made/here"))
    );
}

#[test]
fn documents_are_named_after_the_package_and_merged_with_others() {
    let package = Package::with(&[("contracts/payments.proto", CONTRACT)]);
    let said = package.bridge("openapi --to api/openapi.json");
    assert_eq!((said.code, said.out.as_str()), (0, ""), "{}", said.err);
    let document: Value = serde_json::from_str(&package.text("api/openapi.json")).expect("json");
    assert_eq!(
        document["info"],
        json!({ "title": "payments", "version": "1.2.3" })
    );
    package.put(
        "other.json",
        &package
            .text("api/openapi.json")
            .replace("\"title\": \"payments\"", "\"title\": \"other\""),
    );
    let said = package.bridge("openapi --merge other.json");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains(
            "`POST /shop.payments.v1.Payments/Charge` is an operation of \
             contracts/payments.proto:5:7 too"
        ),
        "{}",
        said.err
    );
}

#[test]
fn events_come_from_the_package_or_the_command_line() {
    let package = Package::with(&[("contracts/payments.proto", CONTRACT)]);
    let said = package.bridge("asyncapi");
    assert_eq!(said.code, 2);
    assert!(said.err.contains("no event is listed: add"), "{}", said.err);
    let said = package.bridge("asyncapi --event order.charged=shop.payments.v1.ChargeReply");
    let document: Value = serde_json::from_str(&said.out).expect("json");
    assert_eq!(
        document["channels"]["order.charged"]["address"],
        "order.charged"
    );
    assert_eq!(package.bridge("asyncapi --event order.charged").code, 2);
}

#[test]
fn events_of_the_package_are_part_of_the_contract() {
    let package = Package::with(&[("contracts/payments.proto", CONTRACT)]);
    let manifest = package.text("Cargo.toml");
    let events =
        "[package.metadata.bridge.events]\n\"card.charged\" = \"shop.payments.v1.ChargeReply\"\n";
    package.put("Cargo.toml", &format!("{manifest}{events}"));
    assert_eq!(package.bridge("accept").code, 0);
    let line = "\nevents\n  card.charged shop.payments.v1.ChargeReply\n";
    assert!(package.text("bridge.lock").contains(line));
    package.put("Cargo.toml", &manifest);
    let said = package.bridge("check");
    assert_eq!(said.code, 1);
    assert!(
        said.out
            .starts_with("major  event `card.charged` is gone\n"),
        "{}",
        said.out
    );
}

#[test]
fn contracts_are_written_in_other_forms() {
    let package = Package::with(&[("contracts/payments.proto", CONTRACT)]);
    let said = package
        .bridge("export schema-json shop.payments.v1.Payments/Charge --to charge.schema.json");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let package = Package::with(&[(
        "contracts/payments/charge.schema.json",
        &package.text("charge.schema.json"),
    )]);
    let said = package.bridge("export proto --to out");
    assert_eq!(said.out, "out/payments.proto: written\n", "{}", said.err);
    let written = package.text("out/payments.proto");
    assert!(written.contains("package payments;"), "{written}");
    assert!(written.contains("rpc Charge(Charge_Input) returns (Charge_Output);"));
}

#[test]
fn a_json_schema_without_numbers_is_not_converted() {
    let package = Package::with(&[
        (
            "ask.json",
            r#"{"type":"object","properties":{"id":{"type":"string"}}}"#,
        ),
        (
            "reply.json",
            r#"{"type":"object","properties":{"ok":{"type":"boolean","x-field-number":1}},"required":["ok"]}"#,
        ),
    ]);
    let said = package.bridge("convert ask.json reply.json");
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("ask.json#/properties/id: field `id` has no number"),
        "{}",
        said.err
    );
    let said = package.bridge("convert reply.json reply.json --to a.schema.json");
    let note = "note: reply.json#: left out, since .schema.json has no word for it: `required`\n";
    assert_eq!((said.code, said.err.as_str()), (0, note));
    assert!(package.text("a.schema.json").contains("\"fieldNumber\": 1"));
}
