//! Which files of a folder are contracts.
//!
//! Refuses to guess: a folder without contracts is a fault, and symlinked folders and hidden
//! entries are not entered.
//!
//! Invariant: the same folder gives the same files in the same order.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Fault};

/// How many folders deep contracts are looked for.
const MAX_FOLDER_DEPTH: usize = 32;
/// How the name of a contract in JSON ends.
pub(super) const SCHEMA_JSON: &str = ".schema.json";
/// How the names of compiled contracts end, as `protoc` and `buf` write them.
const DESCRIPTOR_SETS: [&str; 3] = [".binpb", ".desc", ".fds"];

/// The contracts at a path, by form.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) protos: Vec<PathBuf>,
    pub(super) schemas: Vec<PathBuf>,
    pub(super) sets: Vec<PathBuf>,
}

impl Found {
    fn add(&mut self, path: PathBuf) {
        let name = path.file_name().map(|it| it.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if name.ends_with(".proto") {
            self.protos.push(path);
        } else if name.ends_with(SCHEMA_JSON) {
            self.schemas.push(path);
        } else if DESCRIPTOR_SETS.iter().any(|end| name.ends_with(end)) {
            self.sets.push(path);
        }
    }

    fn is_empty(&self) -> bool {
        self.protos.is_empty() && self.schemas.is_empty() && self.sets.is_empty()
    }
}

/// Finds the contracts in a folder and below, or takes the one file.
pub(super) fn find(path: &Path) -> Result<Found, Error> {
    let mut found = Found::default();
    if path.is_file() {
        found.add(path.to_path_buf());
        if found.is_empty() {
            let message = "not a contract: name a .proto or .schema.json file, a descriptor set \
                           (.binpb, .desc, .fds), or a folder of them";
            return Err(Fault::new(path, message).into());
        }
        return Ok(found);
    }
    find_below(path, MAX_FOLDER_DEPTH, &mut found)?;
    if found.is_empty() {
        let message = "no .proto, .schema.json or descriptor set (.binpb, .desc, .fds) in this \
                       folder or below: add one or correct the path";
        return Err(Fault::new(path, message).into());
    }
    Ok(found)
}

fn find_below(folder: &Path, depth: usize, found: &mut Found) -> Result<(), Error> {
    let cannot_read = |error| {
        Fault::new(
            folder,
            format!("cannot read ({error}): correct the path in build.rs"),
        )
    };
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(cannot_read)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if !entry.file_type().map_err(cannot_read)?.is_dir() {
            found.add(path);
            continue;
        }
        let Some(depth) = depth.checked_sub(1) else {
            let message = format!("more than {MAX_FOLDER_DEPTH} folders deep: move it up");
            return Err(Fault::new(&path, message).into());
        };
        find_below(&path, depth, found)?;
    }
    Ok(())
}
