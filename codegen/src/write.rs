//! Puts generated files where the compiler finds them, and compares what is there already.
//!
//! Refuses to touch what it did not write: a file without our first line is never removed and
//! never written over.
//!
//! Invariant: a file that has the right content already is left alone, timestamp included, so
//! that nothing is rebuilt for nothing.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use contract::hash::digest;

use crate::error::{Error, Fault};
use crate::render::{Origin, Rendered, is_generated, origin};

/// How a file in the folder differs from what would be generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file.
    pub path: PathBuf,
    /// In which way.
    pub kind: DifferenceKind,
}

/// A way in which a checked-in file differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// It is not there.
    Missing,
    /// It was generated from other contracts, or by another version.
    Outdated,
    /// It was changed after it had been generated.
    Edited,
    /// Something that was not generated has its name.
    Foreign,
    /// It was generated, and no contract is behind it any more.
    Stale,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            DifferenceKind::Missing => "is missing",
            DifferenceKind::Outdated => "is not what the contracts say now",
            DifferenceKind::Edited => "was edited by hand, which the next run undoes",
            DifferenceKind::Foreign => return write!(f, "{}: {FOREIGN}", self.path.display()),
            DifferenceKind::Stale => "belongs to no contract any more",
        };
        write!(f, "{}: {what}: run `cargo bridge gen`", self.path.display())
    }
}

/// How the lists of written files are called, before what tells them apart.
const LIST_START: &str = ".bridge-codegen.files.";

const FOREIGN: &str = "was not generated and is in the way of what would be: move it, or generate \
                       into a folder of its own";

/// Writes `text` to `name` in `dir` unless it is there already; returns the path.
pub(crate) fn write_if_changed(dir: &Path, name: &str, text: &str) -> Result<PathBuf, Error> {
    let path = dir.join(name);
    match fs::read(&path) {
        Ok(current) if current == text.as_bytes() => return Ok(path),
        Ok(current) if is_foreign(&current) => return Err(Fault::new(&path, FOREIGN).into()),
        Ok(_) | Err(_) => {}
    }
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| Fault::new(&path, format!("cannot write ({error}): check the folder")))?;
    Ok(path)
}

/// Removes what was generated for contracts that are gone.
pub(crate) fn remove_stale(dir: &Path, files: &[Rendered]) -> Result<(), Error> {
    stale(dir, files)
        .iter()
        .try_for_each(|it| remove_generated(it))
}

/// Removes what the last compilation of the same contracts, at `source`, wrote to `dir` and this one
/// does not. Others may write there, too, so a list is kept of what was written.
pub(crate) fn remove_left_over(dir: &Path, source: &Path, files: &[Rendered]) -> Result<(), Error> {
    let key = &digest(&source.to_string_lossy())[..16];
    let list = dir.join(format!("{LIST_START}{key}"));
    let before = fs::read_to_string(&list).unwrap_or_default();
    let others = other_lists(dir, &list);
    let is_current = |name: &str| {
        files.iter().any(|file| file.name == name) || others.lines().any(|it| it == name)
    };
    // A list that somebody wrote does not reach into other folders.
    let is_name = |name: &str| Path::new(name).file_name().is_some_and(|it| it == name);
    let gone = before.lines().filter(|it| is_name(it) && !is_current(it));
    for path in gone.map(|name| dir.join(name)) {
        remove_generated(&path)?;
    }
    let names: String = files.iter().map(|it| format!("{}\n", it.name)).collect();
    if names == before {
        return Ok(());
    }
    fs::write(&list, names)
        .map_err(|error| Fault::new(&list, format!("cannot write ({error}): check the folder")))?;
    Ok(())
}

/// What compilations of other contracts wrote to `dir`: a package that moved from one to the other is
/// theirs now, whoever comes first.
fn other_lists(dir: &Path, ours: &Path) -> String {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_list = |path: &PathBuf| {
        let name = path.file_name().and_then(|it| it.to_str());
        path != ours && name.is_some_and(|it| it.starts_with(LIST_START))
    };
    let lists = entries.map(|entry| entry.path()).filter(is_list);
    lists.filter_map(|it| fs::read_to_string(it).ok()).collect()
}

/// Removes a file if it is there and generated.
fn remove_generated(path: &Path) -> Result<(), Error> {
    if !fs::read(path).is_ok_and(|content| is_generated(&content)) {
        return Ok(());
    }
    fs::remove_file(path).map_err(|error| {
        let text = format!("cannot remove ({error}): check the folder");
        Fault::new(path, text).into()
    })
}

/// Everything in `dir` that is not as `files` say.
pub(crate) fn differences(dir: &Path, files: &[Rendered]) -> Vec<Difference> {
    let mut found = Vec::new();
    for file in files {
        let path = dir.join(&file.name);
        let kind = match fs::read_to_string(&path) {
            Err(_) => DifferenceKind::Missing,
            Ok(text) if text == file.text => continue,
            Ok(text) => match origin(&text) {
                Origin::Intact => DifferenceKind::Outdated,
                Origin::Edited => DifferenceKind::Edited,
                Origin::Foreign => DifferenceKind::Foreign,
            },
        };
        found.push(Difference { path, kind });
    }
    found.extend(stale(dir, files).into_iter().map(|path| Difference {
        path,
        kind: DifferenceKind::Stale,
    }));
    found
}

/// An empty file is nobody's: a run that was killed may have left it.
fn is_foreign(content: &[u8]) -> bool {
    !content.is_empty() && !is_generated(content)
}

fn stale(dir: &Path, files: &[Rendered]) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let is_current = |name: &str| files.iter().any(|file| file.name == name);
    let mut stale: Vec<_> = entries
        .filter(|entry| !entry.file_name().to_str().is_none_or(is_current))
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == "rs"))
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| is_generated(text.as_bytes())))
        .collect();
    stale.sort();
    stale
}
