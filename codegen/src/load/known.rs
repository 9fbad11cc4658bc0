//! Options that many contracts import and few repositories hold: those that mean something here.
//!
//! A contract's own copy, in its folder or an include folder, comes first. Refuses every other
//! name, so that what is missing is said to be missing.

use protox::Error;
use protox::file::{File, FileResolver};

use super::source_file::SourceFile;

const FILES: [(&str, &str); 3] = [
    (
        "google/api/annotations.proto",
        include_str!("known/annotations.proto"),
    ),
    (
        "google/api/field_behavior.proto",
        include_str!("known/field_behavior.proto"),
    ),
    ("google/api/http.proto", include_str!("known/http.proto")),
];

/// Whether a file is one of these, by its name and where it is.
pub(super) fn is_ours(file: &SourceFile) -> bool {
    file.path.is_none() && FILES.iter().any(|(known, _)| *known == file.name)
}

/// Finds them by the names that everybody imports them by.
pub(super) struct KnownOptions;

impl FileResolver for KnownOptions {
    fn open_file(&self, name: &str) -> Result<File, Error> {
        let found = FILES.iter().find(|(known, _)| *known == name);
        let (name, source) = found.ok_or_else(|| Error::file_not_found(name))?;
        File::from_source(name, source)
    }
}
