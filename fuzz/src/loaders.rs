//! The three forms of a contract, each taken through another one and back.
//!
//! `.proto` becomes a descriptor set and `.proto` again, `.schema.json` becomes `.proto`, and the
//! lock, which holds the contract hash of every rpc, must not notice.

use std::panic::{self, Location};
use std::path::{Path, PathBuf};
use std::sync::Once;

use bridge_codegen::Exported;
use protox::Compiler;

use crate::judge::{Accepted, check_refusal, includes, judge};
use crate::room::Room;

/// A `.proto` file, alone in its folder; it may import what lies beside the tests of the generator.
pub fn proto(bytes: &[u8]) {
    Room::enter(|room| {
        let folder = room.put("contracts", Path::new("input.proto"), bytes);
        let Some(accepted) = judge(room, &folder) else {
            return;
        };
        // The compiler alone reads no byte order mark, which is no part of a file.
        let behind_mark = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let folder = room.put("contracts", Path::new("input.proto"), behind_mark);
        let mut compiler = Compiler::new([folder, includes()]).expect("folders that are there");
        compiler.include_imports(true);
        compiler
            .open_file("input.proto")
            .expect("what was accepted compiles");
        let set = compiler.encode_file_descriptor_set();
        let folder = room.put("set", Path::new("input.binpb"), &set);
        let Some(of_set) = judge(room, &folder) else {
            panic!("a descriptor set of what is accepted is refused");
        };
        assert_eq!(
            of_set.lock, accepted.lock,
            "a set means what its file means"
        );
        if let Some(again) = exported(room, &of_set) {
            assert_eq!(
                again.lock, accepted.lock,
                "a .proto means what its set means"
            );
        }
    });
}

/// A `.schema.json` file, the only method of its service.
pub fn schema_json(bytes: &[u8]) {
    Room::enter(|room| {
        let folder = room.put("contracts", Path::new("stock/count.schema.json"), bytes);
        let Some(accepted) = judge(room, &folder) else {
            return;
        };
        let hash = |it: &Accepted| {
            it.lock
                .rpcs
                .values()
                .map(|rpc| rpc.hash.clone())
                .collect::<Vec<_>>()
        };
        if let Some(of_proto) = exported(room, &accepted) {
            assert_eq!(hash(&of_proto), hash(&accepted), "a .proto has its hash");
        }
        for rpc in accepted.lock.rpcs.keys() {
            match accepted.loaded.schema_json(rpc) {
                Ok(written) => {
                    let file = Path::new("stock/count.schema.json");
                    let folder = room.put("again", file, written.text.as_bytes());
                    let again = judge(room, &folder).expect("what was written is read");
                    let is_said = !written.note.is_empty();
                    assert!(
                        is_said || hash(&again) == hash(&accepted),
                        "{}",
                        written.text
                    );
                }
                Err(error) => check_refusal(&error),
            }
        }
    });
}

/// Panics of the compiler are caught where it is called, and no finding.
static THEIRS: Once = Once::new();

/// A descriptor set.
pub fn descriptor_set(bytes: &[u8]) {
    THEIRS.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_theirs = |it: &Location<'_>| it.file().contains("prost-reflect");
            if !info.location().is_some_and(is_theirs) {
                hook(info);
            }
        }));
    });
    Room::enter(|room| {
        let folder = room.put("contracts", Path::new("input.binpb"), bytes);
        let Some(accepted) = judge(room, &folder) else {
            return;
        };
        // A set can say what no file can: what is written of it may be refused when it is read.
        if let Some(folder) = written(room, &accepted) {
            judge(room, &folder);
        }
    });
}

/// What is accepted, written as `.proto` and read again; `None` when `.proto` cannot say it.
fn exported(room: &Room, accepted: &Accepted) -> Option<Accepted> {
    let folder = written(room, accepted)?;
    let again = judge(room, &folder);
    assert!(again.is_some(), "what was exported is refused");
    again
}

fn written(room: &Room, accepted: &Accepted) -> Option<PathBuf> {
    let files = match accepted.loaded.protos() {
        Ok(files) => files,
        Err(error) => {
            check_refusal(&error);
            return None;
        }
    };
    let mut folder = None;
    for Exported { path, text, .. } in &files {
        folder = Some(room.put("exported", path, text.as_bytes()));
    }
    folder
}
