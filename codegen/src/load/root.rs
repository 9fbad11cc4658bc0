//! A folder that imports are found in, whose files may start with a byte order mark.
//!
//! Refuses nothing itself: what is wrong with a file is the compiler's to say.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use protox::Error;
use protox::file::{File, FileResolver, IncludeFileResolver};

use super::lines::{BYTE_ORDER_MARK, text_of};

/// Finds files below a folder.
pub(super) struct Root {
    path: PathBuf,
    files: IncludeFileResolver,
}

impl Root {
    pub(super) fn new(path: PathBuf) -> Self {
        let files = IncludeFileResolver::new(path.clone());
        Self { path, files }
    }

    /// The text behind the mark, of a file that has one and is text.
    fn behind_mark(&self, name: &str) -> Option<String> {
        let path = self.path.join(name);
        let mut start = [0; BYTE_ORDER_MARK.len()];
        let mut file = fs::File::open(&path).ok()?;
        file.read_exact(&mut start).ok()?;
        if start != BYTE_ORDER_MARK {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        let text = text_of(&bytes);
        let is_text = text.len() + BYTE_ORDER_MARK.len() == bytes.len();
        is_text.then(|| text.to_owned())
    }
}

impl FileResolver for Root {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        self.files.resolve_path(path)
    }

    fn open_file(&self, name: &str) -> Result<File, Error> {
        match self.behind_mark(name) {
            Some(text) => File::from_source(name, &text),
            None => self.files.open_file(name),
        }
    }
}
