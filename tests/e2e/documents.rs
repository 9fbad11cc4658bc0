//! Exported OpenAPI and AsyncAPI documents, judged by programs that others wrote.
//!
//! The first run installs pinned packages into `target`; python3, and node with npm, are required.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bridge_codegen::export::{About, Event, json_text, merge};
use bridge_codegen::{Loaded, contracts};
use serde_json::Value;

use crate::{annotated, python};

const ASYNCAPI_PARSER: &str = "@asyncapi/parser@3.6.3";
/// Prints what the parser finds; ends with 1 when one of it is an error.
const ASYNCAPI_JUDGE: &str = r#"
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";
const found = await new Parser().validate(readFileSync(process.argv[2], "utf8"));
for (const it of found) console.log(it.severity, it.code, it.message, it.path.join("."));
process.exit(found.some((it) => it.severity === 0) ? 1 : 0);
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Contracts of every kind, those of the repository's other tests among them.
fn samples() -> Vec<(&'static str, Loaded)> {
    let read = |folder: &'static str| {
        let loaded = contracts(root().join(folder)).read();
        (
            folder,
            loaded.unwrap_or_else(|error| panic!("{folder}: {error}")),
        )
    };
    [
        "codegen/tests/exports",
        "codegen/tests/contracts",
        "tests/contracts",
    ]
    .map(read)
    .into()
}

fn about() -> About {
    About {
        title: "sample".to_owned(),
        version: "1.0.0".to_owned(),
    }
}

fn written(name: &str, text: &str) -> PathBuf {
    let folder = root().join("target/documents");
    fs::create_dir_all(&folder).expect("target can be written");
    let path = folder.join(name.replace('/', "_"));
    fs::write(&path, text).expect("target can be written");
    path
}

#[track_caller]
fn passes(command: &mut Command, path: &Path) {
    let output = command.arg(path).stdin(Stdio::null()).output();
    let output = output.expect("the validator can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}{wrong}", path.display());
}

#[test]
fn openapi_documents_pass_a_validator() {
    let bin = python::installed(
        "python-openapi",
        include_str!("../python/requirements-openapi.txt"),
    );
    for (name, loaded) in samples() {
        let made = loaded.openapi(&about()).expect("a document");
        let path = written(&format!("{name}.openapi.json"), &json_text(&made.document));
        let mut judge = Command::new(bin.join("python"));
        passes(judge.args(["-m", "openapi_spec_validator"]), &path);
    }
}

#[test]
fn the_document_of_annotated_handlers_passes_a_validator_alone_and_beside_contracts() {
    let bin = python::installed(
        "python-openapi",
        include_str!("../python/requirements-openapi.txt"),
    );
    let passes = |name: &str, document: &Value| {
        let path = written(name, &json_text(document));
        let mut judge = Command::new(bin.join("python"));
        passes(judge.args(["-m", "openapi_spec_validator"]), &path);
    };
    let handlers = annotated::document();
    passes("annotated.openapi.json", handlers.json());
    let all = contracts(root().join("tests/contracts")).read();
    let contracts = all
        .expect("contracts")
        .openapi(&about())
        .expect("a document");
    // Messages that are bodies of handlers are the same components in both.
    let site = |pointer: &str| pointer.to_owned();
    let both = merge(&contracts.document, handlers.json().clone(), (&site, &site));
    let both = both.unwrap_or_else(|error| panic!("{error}"));
    let paths = |document: &Value| {
        document["paths"]
            .as_object()
            .map_or(0, serde_json::Map::len)
    };
    let expected = paths(&contracts.document) + paths(handlers.json());
    assert_eq!(paths(&both), expected);
    passes("annotated_and_contracts.openapi.json", &both);
}

#[test]
fn asyncapi_documents_pass_a_validator() {
    let tools = asyncapi_parser();
    for (name, loaded) in samples() {
        let (lock, _) = loaded.lock();
        let event = |message: &String| Event {
            address: format!("events/{message}"),
            message: message.clone(),
        };
        let events: Vec<_> = lock.messages.keys().map(event).collect();
        let made = loaded
            .asyncapi(&about(), &events, Path::new("list"))
            .expect("a document");
        let path = written(&format!("{name}.asyncapi.json"), &json_text(&made));
        let mut judge = Command::new("node");
        passes(judge.arg(tools.join("judge.mjs")), &path);
    }
}

/// A folder with the parser, installed once.
fn asyncapi_parser() -> PathBuf {
    let folder = root().join("target/asyncapi");
    fs::create_dir_all(&folder).expect("target can be written");
    fs::write(folder.join("judge.mjs"), ASYNCAPI_JUDGE).expect("target can be written");
    let done = folder.join("installed");
    if fs::read_to_string(&done).is_ok_and(|it| it == ASYNCAPI_PARSER) {
        return folder;
    }
    let install = Command::new("npm")
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--silent",
            "--no-save",
            ASYNCAPI_PARSER,
        ])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .expect("npm can be started; install node");
    let said = String::from_utf8_lossy(&install.stderr);
    assert!(
        install.status.success(),
        "npm cannot install {ASYNCAPI_PARSER}:\n{said}"
    );
    fs::write(&done, ASYNCAPI_PARSER).expect("target can be written");
    folder
}
