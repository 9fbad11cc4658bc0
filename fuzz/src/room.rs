//! The folder that a target works in: the loaders read files, as users have them.
//!
//! Invariant: every judgement starts in an empty folder.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

thread_local! {
    /// One for each thread: making a folder costs more than most inputs do.
    static ROOM: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

/// A folder that is empty at first.
#[derive(Debug)]
pub(crate) struct Room {
    path: PathBuf,
}

impl Room {
    /// Runs `work` in the thread's folder.
    pub(crate) fn enter(work: impl FnOnce(&Self)) {
        let path = ROOM.with_borrow_mut(|room| {
            let room = room.get_or_insert_with(|| tempfile::tempdir().expect("a temporary folder"));
            room.path().to_path_buf()
        });
        for entry in fs::read_dir(&path).expect("a readable folder").flatten() {
            fs::remove_dir_all(entry.path()).expect("a writable folder");
        }
        work(&Self { path });
    }

    /// Writes a file below the folder `name` and gives that folder.
    pub(crate) fn put(&self, name: &str, file: &Path, bytes: &[u8]) -> PathBuf {
        let folder = self.path.join(name);
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).expect("a writable folder");
        fs::write(path, bytes).expect("a writable folder");
        folder
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
