//! The command line against a running runtime.

use std::process::Output;

use serde_json::Value;

use crate::contracts::v1::{Desk, EchoRequest};
use crate::harness::{World, on_both_databases};

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

async fn json(world: &World, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["-o", "json"]].concat();
    let output = text(&world.command_line(&arguments).await);
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output}"))
}

on_both_databases! {
    async fn every_command_speaks_to_machines_and_to_people(world: World) {
        let created = json(&world, &["service", "create", "billing"]).await;
        assert!(created["key"].as_str().is_some_and(|it| it.starts_with("sb.")));
        let another = json(&world, &["service", "key", "billing"]).await;
        assert_ne!(another["key"], created["key"]);
        let _desk = world.desk("desk").await;
        let mut builder = world.caller("orders").await;
        let client = builder.client::<Desk>();
        let bridge = builder.start().await.expect("starts");
        client.echo(EchoRequest::default()).await.expect("answers");
        let tree = world.trace("Echo", 1).await;

        let services = json(&world, &["service", "list"]).await;
        assert_eq!(services.as_array().map(Vec::len), Some(3));
        let map = json(&world, &["map"]).await;
        let still = &["map", "--no-traffic"];
        assert_eq!(json(&world, still).await, json(&world, &["map", "--no-traffic", "--format", "json"]).await);
        assert!(map["edges"].as_array().is_some_and(|it| !it.is_empty()), "{map}");
        let traces = json(&world, &["trace", "list"]).await;
        assert!(traces["traces"].as_array().is_some_and(|it| !it.is_empty()), "{traces}");
        let shown = json(&world, &["trace", "show", &tree.trace_id]).await;
        assert_eq!(shown["trace_id"], tree.trace_id);
        assert!(json(&world, &["setting", "list"]).await.is_array());
        assert!(json(&world, &["setting", "set", "rpc.payload_capture", "none"]).await.is_object());
        let changes = json(&world, &["changes"]).await;
        assert!(changes.to_string().contains("billing"), "{changes}");
        assert!(json(&world, &["doctor"]).await.is_array());
        let revoked = json(&world, &["service", "revoke", "billing"]).await;
        assert_eq!(revoked["status"], "revoked");
        assert!(!json(&world, &["changes"]).await.to_string().contains("sb."), "a key in the changes");

        let mermaid = text(&world.command_line(&["map", "--format", "mermaid"]).await);
        assert!(mermaid.contains("flowchart") || mermaid.contains("graph"), "{mermaid}");
        let dot = text(&world.command_line(&["map", "--format", "dot"]).await);
        assert!(dot.trim_start().starts_with("digraph") && dot.contains("->"), "{dot}");
        let shown = text(&world.command_line(&["trace", "show", &tree.trace_id]).await);
        assert!(shown.contains("Echo"), "{shown}");
        for table in [&["service", "list"][..], &["map"], &["trace", "list"], &["doctor"], &["changes"]] {
            assert!(text(&world.command_line(table).await).lines().count() > 1, "{table:?}");
        }
        bridge.stop().await;
    }

    async fn refusals_say_why_and_exit_with_1(world: World) {
        for (arguments, told) in [
            (&["service", "create", "Not A Name"][..], "not valid"),
            (&["service", "revoke", "nobody"], "nobody"),
            (&["service", "key", "nobody"], "nobody"),
            (&["setting", "set", "no.such", "1"], "no.such"),
            (&["setting", "set", "rpc.payload_capture", "some"], "rpc.payload_capture"),
            (&["trace", "show", "0198c0de-0000-7000-8000-0000000000ab"], "not known"),
        ] {
            let output = world.command_line(arguments).await;
            assert_eq!(output.status.code(), Some(1), "{arguments:?}");
            let said = String::from_utf8(output.stderr).expect("text");
            assert!(said.starts_with("error: ") && said.contains(told), "{arguments:?}: {said}");
            assert!(output.stdout.is_empty(), "{arguments:?}");
        }
        // A runtime that lost its folder says so, with another exit code.
        let output = world.command_line(&["doctor"]).await;
        assert_eq!(output.status.code(), Some(0));
        let moved = world.move_data();
        let output = world.command_line(&["--data", &moved, "doctor", "-o", "json"]).await;
        assert_eq!(output.status.code(), Some(1));
        let findings: Value = serde_json::from_slice(&output.stdout).expect("JSON all the same");
        let failed = |it: &Value| it["check"] == "data folder" && it["verdict"] == "fail";
        assert!(findings.as_array().is_some_and(|it| it.iter().any(failed)), "{findings}");
        world.runtime().kill();
        let output = world.command_line(&["--data", &moved, "doctor"]).await;
        assert_eq!(output.status.code(), Some(3), "nobody to ask");
    }
}
