//! Puts generated files where the compiler finds them.
//!
//! Invariant: a file that has the right content already is left alone, timestamp included, so
//! that nothing is rebuilt for nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Fault};

/// Writes `text` to `name` in `dir` unless it is there already; returns the path.
pub(crate) fn write_if_changed(dir: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = dir.join(name);
    if fs::read(&path).is_ok_and(|current| current == text.as_bytes()) {
        return Ok(path);
    }
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| Fault::new(&path, format!("cannot write ({error}): check the folder")))?;
    Ok(path)
}
