//! Google's own protobuf library for Python as a judge of ours: random messages with everything that
//! a contract can have (`tests/contracts/every.proto`, `old.proto`).
//!
//! ```text
//! python ── wire, JSON ──▶ ours: is our JSON of its wire its JSON?
//! python ◀── our JSON, our wire of its JSON ── ours: does it read both as the message it made?
//! ```
//!
//! `BRIDGE_SEED=…` makes the messages of a run that failed again.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::packages;

/// The same messages each time, and others each time.
pub(crate) fn seeds() -> [u64; 2] {
    let asked = std::env::var("BRIDGE_SEED").ok();
    let asked = asked.map(|it| it.parse().expect("BRIDGE_SEED is a number"));
    [1, asked.unwrap_or_else(|| fastrand::u64(..))]
}

/// One message of the reference, with our answer once there is one.
pub(crate) struct Line(Value);

impl Line {
    pub(crate) fn name(&self) -> &str {
        self.0["type"].as_str().expect("text")
    }

    pub(crate) fn wire(&self) -> Vec<u8> {
        let wire = self.0["wire"].as_str().expect("text");
        STANDARD.decode(wire).expect("base64")
    }

    pub(crate) fn json(&self) -> &Value {
        &self.0["json"]
    }

    /// Whether its JSON was written with this option.
    pub(crate) fn asked(&self, option: &str) -> bool {
        self.0["options"][option] == true
    }

    /// Fails unless `ours` are the bytes of the reference, where there is one way to write them.
    pub(crate) fn compare_bytes(&self, ours: &[u8]) {
        let (ours, theirs) = (STANDARD.encode(ours), &self.0["wire"]);
        assert!(
            self.0["exact"] == false || theirs == ours.as_str(),
            "ours are {ours} of {self}"
        );
    }

    /// Fails unless `ours` is the JSON of the reference.
    pub(crate) fn compare(&self, ours: &str) {
        let ours: Value = serde_json::from_str(ours).expect("what is written is JSON");
        let difference = difference(&ours, self.json(), "");
        assert_eq!(difference, None, "of {self}");
    }

    pub(crate) fn answer(mut self, shown: String, bytes: &[u8]) -> Self {
        self.0["shown"] = shown.into();
        self.0["bytes"] = STANDARD.encode(bytes).into();
        self
    }
}

/// What is needed to look at it alone.
impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.0["type"], self.0["wire"])
    }
}

pub(crate) struct Reference {
    python: PathBuf,
    folder: tempfile::TempDir,
}

impl Reference {
    /// `descriptors` is an encoded `FileDescriptorSet` of the contracts.
    pub(crate) fn start(descriptors: &[u8]) -> Self {
        let packages = include_str!("requirements-protojson.txt");
        let bin = packages::installed("protojson", packages);
        let folder = tempfile::tempdir().expect("a folder");
        let wrote = std::fs::write(folder.path().join("descriptors"), descriptors);
        wrote.expect("can be written");
        Self {
            python: bin.join("python"),
            folder,
        }
    }

    /// Random messages; `anys` is what an `Any` may hold: `any` or `well-known`.
    pub(crate) fn made(&self, seed: u64, count: usize, anys: &str) -> Vec<Line> {
        let arguments = [seed.to_string(), count.to_string(), anys.to_owned()];
        let made = self.run("generate", &arguments, String::new());
        let lines: Vec<_> = made
            .lines()
            .map(|line| Line(serde_json::from_str(line).expect("JSON")))
            .collect();
        assert_eq!(lines.len(), count);
        lines
    }

    /// Has the reference judge our answers. `schemas` has a JSON Schema for each type.
    pub(crate) fn judge(&self, schemas: &Value, lines: &[Line]) {
        let path = self.folder.path().join("schemas");
        std::fs::write(&path, schemas.to_string()).expect("can be written");
        let path = path.to_str().expect("text").to_owned();
        let lines: Vec<_> = lines.iter().map(|line| line.0.to_string()).collect();
        let said = self.run("check", &[path], lines.join("\n"));
        assert_eq!(said.trim(), "all agree");
    }

    /// Runs the script and returns what it says.
    fn run(&self, what: &str, arguments: &[String], input: String) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/python/protojson.py");
        let mut command = Command::new(&self.python);
        command.arg(script).arg(what);
        command
            .arg(self.folder.path().join("descriptors"))
            .args(arguments);
        let pipes = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = pipes.spawn().expect("python starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // It may stop reading at a fault, which it then says.
        let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().expect("python ends");
        writer.join().expect("writes");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).expect("text")
    }
}

/// The first difference, with the way to it. Numbers count by what they mean.
pub(crate) fn difference(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    let differ = || Some(format!("{path}: ours {ours}, theirs {theirs}"));
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(at, (a, b))| difference(a, b, &format!("{path}[{at}]")))
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            a.iter().find_map(|(key, it)| match b.get(key) {
                Some(other) => difference(it, other, &format!("{path}.{key}")),
                None => differ(),
            })
        }
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        // The specification knows no number for it; the reference prints one where all enums are
        // printed as numbers.
        (Value::Null, Value::Number(zero)) if zero.as_u64() == Some(0) => None,
        _ if ours == theirs => None,
        _ => differ(),
    }
}
