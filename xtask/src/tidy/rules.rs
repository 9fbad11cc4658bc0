//! One function per rule of the house: a file in, violations out.
//! Refuses to touch the disk: the caller has read the files, so a sample in memory is a test.
//! Invariant: each violation names its place, its rule and what to do about it.

use super::source::{File, Line, is_name, lines};
use std::collections::BTreeSet;
use std::fmt;

/// Longest Rust file that is neither generated nor a test, lines.
const FILE_LINES_MAX: usize = 500;
const ROOMS_WITHOUT_A_NAME: [&str; 6] = ["utils", "common", "helpers", "misc", "shared", "core"];
const GENERATED: [&str; 2] = [
    "contract/src/grpc/servicebridge.v1.rs",
    "contract/src/grpc/bridge.v1.rs",
];
/// The only source of time; everything else takes a `Clock`.
const CLOCK: &str = "contract/src/clock.rs";
const TIME: [&str; 6] = [
    "SystemTime::now",
    "Instant::now",
    "tokio::time::sleep",
    "tokio::time::interval",
    "tokio::time::timeout",
    "use tokio::time",
];
/// Absolute folders of one machine. Spelled without slashes so that this file may pass.
const MACHINE_FOLDERS: [&str; 3] = ["work", "root", "farm"];
const STATEMENTS: [&[&str]; 4] = [
    &["SELECT "],
    &["INSERT ", "INTO "],
    &["DELETE ", "FROM "],
    &["UPDATE ", " SET "],
];

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) rule: &'static str,
    pub(crate) advice: String,
}

impl Violation {
    pub(super) fn new(
        file: &File,
        line: usize,
        rule: &'static str,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            path: file.path.clone(),
            line,
            rule,
            advice: advice.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.advice
        )
    }
}

/// Every rule that needs one file only.
pub(crate) fn check_file(file: &File) -> Vec<Violation> {
    let mut found = machine_paths(file);
    if is_rust(file) && !is_generated(file) {
        let lines = lines(&file.text);
        found.extend(header(file));
        found.extend(room_names(file));
        found.extend(length(file, &lines));
        found.extend(time_words(file, &lines));
        found.extend(storage_words(file, &lines));
        found.extend(wire_words(file, &lines));
        found.extend(statements(file, &lines));
        found.extend(unfinished(file, &lines));
    }
    found
}

fn header(file: &File) -> Option<Violation> {
    let opens = file.text.starts_with("//!");
    // What a macro is given or makes of it is not one of our files.
    let sample = ["/tests/ui/", "/tests/golden/"]
        .iter()
        .any(|room| file.path.contains(room));
    (!opens && !sample).then(|| {
        let advice = "open the file with `//!`: purpose, what it refuses, its invariant";
        Violation::new(file, 1, "header", advice)
    })
}

fn room_names(file: &File) -> Option<Violation> {
    let path = file.path.strip_suffix(".rs").unwrap_or(&file.path);
    let room = path
        .split('/')
        .find(|part| ROOMS_WITHOUT_A_NAME.contains(part))?;
    let advice = format!("`{room}` says nothing: name the room after what it does");
    Some(Violation::new(file, 1, "room name", advice))
}

fn length(file: &File, lines: &[Line]) -> Option<Violation> {
    let count = file.text.lines().count();
    let first_test = lines.iter().position(|line| line.test).unwrap_or(count);
    (!is_test(file) && first_test > FILE_LINES_MAX).then(|| {
        let advice = format!("{first_test} lines, {FILE_LINES_MAX} at most: split it by purpose");
        Violation::new(file, 1, "file length", advice)
    })
}

fn time_words(file: &File, lines: &[Line]) -> Vec<Violation> {
    // xtask and bench measure this machine; a test may wait for another process.
    let exempt = file.path == CLOCK
        || is_test(file)
        || ["xtask/", "bench/"]
            .iter()
            .any(|folder| file.path.starts_with(folder));
    if exempt {
        return Vec::new();
    }
    let advice = |word: &str| format!("`{word}` belongs to {CLOCK}: take a `Clock`");
    words(file, lines, "time", &TIME, advice)
}

fn storage_words(file: &File, lines: &[Line]) -> Vec<Violation> {
    let room = file.path.starts_with("runtime/src/db/")
        || file.path == "runtime/src/db.rs"
        || (file.path.starts_with("runtime/src/") && file.path.ends_with("/store.rs"))
        || is_test(file);
    if room {
        return Vec::new();
    }
    let advice =
        |word: &str| format!("`{word}` belongs to runtime/src/db/ and store.rs: call the store");
    words(file, lines, "storage", &["sqlx::", "use sqlx"], advice)
}

fn wire_words(file: &File, lines: &[Line]) -> Vec<Violation> {
    let inner = ["/model.rs", "/store.rs", "/engine.rs"];
    let decides = inner.iter().any(|name| file.path.ends_with(name));
    // Both store and forward what SDKs sent as it came: the message is their subject.
    let carries = ["runtime/src/registry/", "runtime/src/rpc/"];
    let carries = carries.iter().any(|room| file.path.starts_with(room));
    if carries || !(decides && file.path.starts_with("runtime/src/")) {
        return Vec::new();
    }
    let advice = |word: &str| format!("`{word}` belongs to api.rs: pass the domain's own types");
    words(file, lines, "wire", &["tonic::", "contract::grpc"], advice)
}

fn statements(file: &File, lines: &[Line]) -> Vec<Violation> {
    if is_test(file) {
        return Vec::new();
    }
    let holds = |line: &Line| {
        line.literals.iter().any(|text| {
            // A statement may be broken into lines anywhere.
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            STATEMENTS.iter().any(|words| in_order(&text, words))
        })
    };
    let advice = "SQL belongs to runtime/sql/: move the statement into a file";
    numbered(lines)
        .filter(|(_, line)| !line.test && holds(line))
        .map(|(number, _)| Violation::new(file, number, "statement", advice))
        .collect()
}

fn unfinished(file: &File, lines: &[Line]) -> Vec<Violation> {
    let found = |line: &Line| {
        if line.code.contains("#[ignore") {
            Some("a test that does not run proves nothing: fix it or remove it")
        } else if has_word(&line.code, "todo!") {
            Some("finish it, or refuse the case with an error that says so")
        } else {
            None
        }
    };
    numbered(lines)
        .filter_map(|(number, line)| {
            found(line).map(|advice| Violation::new(file, number, "unfinished", advice))
        })
        .collect()
}

fn machine_paths(file: &File) -> Vec<Violation> {
    let folders = MACHINE_FOLDERS.map(|folder| format!("/{folder}/"));
    let found = |line: &str| {
        folders.iter().find(|folder| {
            line.match_indices(folder.as_str()).any(|(at, _)| {
                // Part of a longer path or of a url is not the root of a machine.
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| is_name(c) || matches!(c, '.' | '-' | '}' | '/'))
            })
        })
    };
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let folder = found(line)?;
            let advice = format!("`{folder}` exists on one machine only: use a relative path");
            Some(Violation::new(file, index + 1, "machine path", advice))
        })
        .collect()
}

/// Migrations come in pairs: one per database, under the same name.
pub(crate) fn check_twins(files: &[File]) -> Vec<Violation> {
    let names = |database: &str| -> BTreeSet<&str> {
        let folder = format!("runtime/migrations/{database}/");
        files
            .iter()
            .filter_map(|file| file.path.strip_prefix(folder.as_str()))
            .collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    sqlite
        .symmetric_difference(&postgres)
        .map(|name| {
            let (has, lacks) = if sqlite.contains(name) {
                ("sqlite", "postgres")
            } else {
                ("postgres", "sqlite")
            };
            Violation {
                path: format!("runtime/migrations/{has}/{name}"),
                line: 1,
                rule: "twin",
                advice: format!("write runtime/migrations/{lacks}/{name} too"),
            }
        })
        .collect()
}

fn words(
    file: &File,
    lines: &[Line],
    rule: &'static str,
    banned: &[&str],
    advice: impl Fn(&str) -> String,
) -> Vec<Violation> {
    let word_in = |line: &Line| {
        banned
            .iter()
            .find(|word| has_word(&line.code, word))
            .copied()
    };
    numbered(lines)
        .filter(|(_, line)| !line.test)
        .filter_map(|(number, line)| {
            word_in(line).map(|word| Violation::new(file, number, rule, advice(word)))
        })
        .collect()
}

/// Whether the words stand in `text` one after another, with anything between them.
fn in_order(text: &str, words: &[&str]) -> bool {
    let mut rest = text;
    words.iter().all(|word| match rest.find(word) {
        Some(at) => {
            // The blank that ends one word may begin the next.
            rest = &rest[at + word.trim_end().len()..];
            true
        }
        None => false,
    })
}

/// Whether `word` stands in `code` other than as the tail of a longer name.
fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].chars().next_back().is_some_and(is_name))
}

fn numbered(lines: &[Line]) -> impl Iterator<Item = (usize, &Line)> {
    lines
        .iter()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

pub(super) fn is_rust(file: &File) -> bool {
    file.path.ends_with(".rs")
}

pub(super) fn is_generated(file: &File) -> bool {
    GENERATED.contains(&file.path.as_str())
}

/// A whole file of tests: an integration test, a test room, or the tests of a module.
pub(super) fn is_test(file: &File) -> bool {
    file.path.starts_with("tests/")
        || file.path.contains("/tests/")
        || file.path.ends_with("/tests.rs")
}
