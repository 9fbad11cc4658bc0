//! What holds for contracts in whatever form they came.
//!
//! A refusal names a file and says what is wrong in one line. What is accepted renders to Rust that
//! parses, to the same bytes each time; its lock reads back; its documents are made or refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bridge_codegen::export::About;
use bridge_codegen::lock::{Lock, Places, compare};
use bridge_codegen::{Contracts, Error, Loaded, contracts};

use crate::room::Room;

/// A path, line or text in a refusal may be as long as the input, not longer than that by much.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Contracts of a folder that were accepted, perhaps without some of their rpcs.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) loaded: Loaded,
    pub(crate) lock: Lock,
}

/// What contracts may import besides each other.
pub(crate) fn includes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/exports")
}

pub(crate) fn lenient(folder: &Path) -> Contracts {
    contracts(folder).include(includes()).skip_unsupported()
}

/// Reads, renders and compares the contracts of a folder; `None` when they are refused.
pub(crate) fn judge(room: &Room, folder: &Path) -> Option<Accepted> {
    let wanted = lenient(folder);
    let loaded = match wanted.read() {
        Ok(loaded) => loaded,
        Err(error) => {
            check_refusal(&error);
            let strict = contracts(folder).include(includes()).read();
            assert!(
                strict.is_err(),
                "what is refused with parts left out is refused whole"
            );
            return None;
        }
    };
    let first = rendered(room, "first", &wanted);
    let second = rendered(room, "second", &wanted);
    assert_eq!(first, second, "the same contracts give the same code");
    for (file, text) in &first {
        if let Err(error) = syn::parse_file(text) {
            panic!("{file} is no Rust: {error}\n{text}");
        }
    }
    let (lock, _) = loaded.lock();
    check_lock(&lock);
    let about = About {
        title: "fuzz".to_owned(),
        version: "1.0.0".to_owned(),
    };
    if let Err(error) = loaded.openapi(&about) {
        check_refusal(&error);
    }
    Some(Accepted { loaded, lock })
}

fn rendered(room: &Room, name: &str, wanted: &Contracts) -> BTreeMap<String, String> {
    let out = room.folder(name);
    let compiled = wanted.clone().out_dir(&out).try_compile();
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(error) => panic!("what was read is not written: {error}"),
    };
    let text = |path: &PathBuf| {
        let name = path.strip_prefix(&out).unwrap_or(path);
        let text = fs::read_to_string(path).expect("a file that was written");
        (name.display().to_string(), text)
    };
    compiled.generated.iter().map(text).collect()
}

/// That a refusal can be acted on.
pub(crate) fn check_refusal(error: &Error) {
    assert!(!error.faults().is_empty(), "a refusal without a fault");
    for fault in error.faults() {
        assert!(!fault.file.is_empty(), "no file: {fault}");
        assert!(!fault.message.is_empty(), "no message: {fault}");
        let line = fault.to_string();
        assert!(!line.contains(['\n', '\r']), "more than a line: {line:?}");
        assert!(
            line.len() <= MESSAGE_BYTES_MAX,
            "{} bytes: {line}",
            line.len()
        );
        match fault.position {
            Some((line, column)) => assert!(line > 0 && column > 0, "counted from 0: {fault}"),
            None => assert!(!is_text(&fault.file), "no position: {fault}"),
        }
    }
}

/// Whether a file has lines, so that every fault in it has a place. `SET: FILE`, a file of a set, has
/// those that the set tells of.
fn is_text(file: &str) -> bool {
    let is_of_set = file.contains(".binpb: ");
    !is_of_set && (file.ends_with(".proto") || file.ends_with(".schema.json"))
}

/// That a lock is the text that it is written as, and differs from itself in nothing.
pub(crate) fn check_lock(lock: &Lock) {
    let text = lock.to_text();
    match Lock::parse(Path::new("bridge.lock"), &text) {
        Ok(read) => assert!(
            read == *lock,
            "reads back as another lock:\n{text}\n{read:#?}"
        ),
        Err(error) => panic!("does not read back: {error}\n{text}"),
    }
    let report = compare(lock, lock, &Places::default());
    assert!(
        report.changes.is_empty(),
        "differs from itself: {report:#?}"
    );
    assert!(
        report.rerouted.is_empty(),
        "differs from itself: {report:#?}"
    );
}
