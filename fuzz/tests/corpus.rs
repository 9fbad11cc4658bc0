//! Every input that fuzzing found to matter is judged again, by every ordinary test run.

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes of all inputs together; what is committed stays small.
const CORPUS_BYTES_MAX: u64 = 300 << 10;

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let entries = fs::read_dir(&folder).expect("a corpus for every target");
    let mut files: Vec<_> = entries.flatten().map(|it| it.path()).collect();
    files.sort();
    files
}

fn check(target: &str) {
    let judges = bridge_fuzz::TARGETS.into_iter();
    let (_, judge) = judges
        .clone()
        .find(|(name, _)| *name == target)
        .expect("a target");
    let files = inputs(target);
    assert!(!files.is_empty(), "no inputs for {target}");
    for file in files {
        let bytes = fs::read(&file).expect("a readable input");
        let outcome = std::panic::catch_unwind(|| judge(&bytes));
        assert!(outcome.is_ok(), "{}", file.display());
    }
}

#[test]
fn every_kept_proto_is_judged() {
    check("proto");
}

#[test]
fn every_kept_schema_json_is_judged() {
    check("schema_json");
}

#[test]
fn every_kept_descriptor_set_is_judged() {
    check("descriptor_set");
}

#[test]
fn every_kept_message_is_judged() {
    check("proto_json");
}

#[test]
fn every_kept_lock_is_judged() {
    check("lock");
}

#[test]
fn the_corpus_stays_small() {
    let size = |file: &PathBuf| fs::metadata(file).expect("an input").len();
    let all = bridge_fuzz::TARGETS
        .iter()
        .flat_map(|(name, _)| inputs(name));
    let bytes: u64 = all.map(|file| size(&file)).sum();
    assert!(bytes <= CORPUS_BYTES_MAX, "{bytes} bytes: minimise it");
}
